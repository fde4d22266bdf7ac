// IP addresses in filter policies: written alike they are alike, whichever way an IPv6 address is spelled.
// AWS's own rules (the event-ruler's): plain dotted or colon notation only, IPv4 inside IPv6 (::ffff:0:0/96) is IPv4.

/** Hex digits of an address: 8 for IPv4, 32 for IPv6. Undefined: the text is no address. */
export function addressOf(text: string): string | undefined {
  const code = text.charCodeAt(0)
  // Digits, a to f in either case, or a colon; most texts end here.
  if (!((code >= 0x30 && code <= 0x3a) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66))) return undefined
  if (text.length > ADDRESS_CHARACTERS_MAX) return undefined
  return V4.test(text) ? fourOf(text) : V6.test(text) ? sixOf(text) : undefined
}

/** Whether the text has the letters of an address, be it one or not. */
export function looksLikeAddress(text: string): boolean {
  return V4.test(text) || V6.test(text)
}

export interface AddressBlock {
  /** Hex digits of an address of its kind: 8 or 32. */
  readonly digits: number
  readonly bits: number
  /** The digits that all its addresses have in common, the last one perhaps in part. */
  readonly network: string
}

export function blockOf(address: string, bits: number): AddressBlock {
  return { digits: address.length, bits, network: networkOf(address, bits) }
}

export function isWithin(address: string, { digits, bits, network }: AddressBlock): boolean {
  return address.length === digits && networkOf(address, bits) === network
}

/** The first bits of an address. */
export function networkOf(address: string, bits: number): string {
  const whole = address.slice(0, bits >> 2)
  const rest = bits & 3
  if (rest === 0) return whole
  return whole + (Number.parseInt(address.charAt(bits >> 2), 16) & (0xf0 >> rest) & 0xf).toString(16)
}

const ADDRESS_CHARACTERS_MAX = 39
const V4 = /^\d+\.\d+\.\d+\.\d+$/
const V6 = /^[\da-fA-F:]*:[\da-fA-F:]*$/

function fourOf(text: string): string | undefined {
  let hex = ''
  for (const part of text.split('.')) {
    if (part.length > 3 || (part.length > 1 && part.startsWith('0')) || Number(part) > 255) return undefined
    hex += Number(part).toString(16).padStart(2, '0')
  }
  return hex
}

function sixOf(text: string): string | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = tail === undefined ? head : [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  if (groups.some((group) => group === '' || group.length > 4)) return undefined
  const hex = groups.map((group) => group.toLowerCase().padStart(4, '0')).join('')
  return hex.startsWith(FOUR_IN_SIX) ? hex.slice(FOUR_IN_SIX.length) : hex
}

const FOUR_IN_SIX = '00000000000000000000ffff'
