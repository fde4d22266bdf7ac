// IPv4 and IPv6 addresses and ranges. An IPv4 address in IPv6 clothing (::ffff:192.0.2.1) counts as IPv4.

export interface AddressRange {
  readonly address: Address
  readonly prefixBits: number
}

export interface Address {
  readonly family: 4 | 6
  readonly words: readonly number[]
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. Undefined when the text is neither. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [addressText = '', prefixText, ...rest] = text.split('/')
  const address = parseAddress(addressText)
  if (address === undefined || rest.length > 0) return undefined
  const bitsMax = address.words.length * WORD_BITS
  if (prefixText === undefined) return { address, prefixBits: bitsMax }
  if (!/^\d{1,3}$/.test(prefixText)) return undefined
  // An IPv4 address written as IPv6 has its prefix counted in IPv6's bits.
  const prefixBits = Number(prefixText) - (address.family === 4 && addressText.includes(':') ? 96 : 0)
  return prefixBits >= 0 && prefixBits <= bitsMax ? { address, prefixBits } : undefined
}

export function isInRange({ address, prefixBits }: AddressRange, candidate: Address): boolean {
  if (address.family !== candidate.family) return false
  for (let at = 0, bits = prefixBits; bits > 0; at++, bits -= WORD_BITS) {
    const mask = bits >= WORD_BITS ? 0xffff : (0xffff << (WORD_BITS - bits)) & 0xffff
    if ((((address.words[at] ?? 0) ^ (candidate.words[at] ?? 0)) & mask) !== 0) return false
  }
  return true
}

export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const words = ipv4Words(text)
    return words && { family: 4, words }
  }
  const words = ipv6Words(text)
  if (words === undefined) return undefined
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff
  return isMapped ? { family: 4, words: words.slice(6) } : { family: 6, words }
}

const WORD_BITS = 16
const IPV6_WORDS = 8

function ipv4Words(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
  return [a * 256 + b, c * 256 + d]
}

function ipv6Words(text: string): number[] | undefined {
  const [headText = '', tailText, ...rest] = text.split('::')
  if (rest.length > 0) return undefined
  // The dotted form of the last two words may stand only at the very end.
  const head = hextets(headText, tailText === undefined)
  const tail = tailText === undefined ? [] : hextets(tailText, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = IPV6_WORDS - head.length - tail.length
  if (tailText === undefined ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

function hextets(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return []
  const words: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    if (mayEndDotted && at === parts.length - 1 && part.includes('.')) {
      const last = ipv4Words(part)
      if (last === undefined) return undefined
      words.push(...last)
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined
      words.push(Number.parseInt(part, 16))
    }
  }
  return words
}
