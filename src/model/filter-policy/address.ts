// IP addresses in filter policies: written alike they are alike, whichever way an IPv6 address is spelled.
// AWS's own rules (the event-ruler's): plain dotted or colon notation only, IPv4 inside IPv6 (::ffff:0:0/96) is IPv4.
import { parseAddress } from '../address-range.ts'

/** Its family and its bits, as digits: what a block's addresses have in common is what they begin with. Undefined: no address. */
export function addressOf(text: string): string | undefined {
  const code = text.charCodeAt(0)
  // Digits, a to f in either case, or a colon; most texts end here.
  if (!((code >= 0x30 && code <= 0x3a) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66))) return undefined
  if (text.length > ADDRESS_CHARACTERS_MAX || !looksLikeAddress(text)) return undefined
  const address = parseAddress(text)
  return address && address.family + address.words.map((word) => word.toString(2).padStart(16, '0')).join('')
}

export function isIpv4(address: string): boolean {
  return address.startsWith('4')
}

/** What all addresses begin with that have these first bits. */
export function blockOf(address: string, bits: number): string {
  return address.slice(0, 1 + bits)
}

/** Whether the text has the letters of an address, be it one or not. */
export function looksLikeAddress(text: string): boolean {
  return V4.test(text) || V6.test(text)
}

const ADDRESS_CHARACTERS_MAX = 39
const V4 = /^\d+\.\d+\.\d+\.\d+$/
const V6 = /^[\da-fA-F:]*:[\da-fA-F:]*$/
