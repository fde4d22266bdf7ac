// The MD5 checksums by which SQS clients verify what arrived (SQS Developer Guide, "Calculating the MD5 message digest for message
// attributes"). Checksums, not protection.
import { hash } from 'node:crypto'
import type { MessageAttribute } from './message.ts'

/** Hex MD5 of a text's UTF-8. */
export function md5OfText(text: string): string {
  return hash('md5', text, 'hex')
}

/** Hex MD5 over all attributes by name, or undefined when there are none. Binary values are base64 and count as their bytes. */
export function md5OfAttributes(attributes: Readonly<Record<string, MessageAttribute>>): string | undefined {
  const names = Object.keys(attributes)
  if (names.length === 0) return undefined
  let bytesMax = 0
  for (const [name, { type, value }] of Object.entries(attributes))
    bytesMax += OVERHEAD_BYTES + 3 * (name.length + type.length + value.length)
  const bytes = Buffer.allocUnsafe(bytesMax)
  let at = 0
  const add = (text: string, encoding: 'utf8' | 'base64'): void => {
    const length = bytes.write(text, at + 4, encoding)
    at = bytes.writeUInt32BE(length, at) + length
  }
  // Code unit order is byte order here, because names are ASCII.
  for (const name of names.sort()) {
    const attribute = attributes[name]
    if (attribute === undefined) continue
    const isBinary = isBinaryType(attribute.type)
    add(name, 'utf8')
    add(attribute.type, 'utf8')
    at = bytes.writeUInt8(isBinary ? BINARY : STRING, at)
    add(attribute.value, isBinary ? 'base64' : 'utf8')
  }
  return hash('md5', bytes.subarray(0, at), 'hex')
}

export function isBinaryType(type: string): boolean {
  return type === 'Binary' || type.startsWith('Binary.')
}

const STRING = 1
const BINARY = 2
/** Three lengths and the kind of value. */
const OVERHEAD_BYTES = 13
