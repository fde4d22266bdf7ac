// Finds values of top-level keys in JSON without parsing it: one pass over the bytes that knows strings and nesting. For events, whose few
// wanted fields stand among much that nobody asks for here.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COLON = 0x3a
const COMMA = 0x2c

/**
 * Where the text values of `names` stand, without their quotes; escapes inside are left as they are. Of a key that comes twice the last
 * counts, as it does for JSON.parse. Bytes that are no JSON give what can be found, never an error.
 */
export function scanTopLevel(bytes: Buffer, names: readonly string[]): ReadonlyMap<string, readonly [from: number, to: number]> {
  const found = new Map<string, readonly [number, number]>()
  const { length } = bytes
  let depth = 0
  /** The key that was read last at top level, whose value is yet to come. */
  let key = ''
  let isValue = false
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      const from = ++at
      for (let next = bytes[at]; at < length && next !== QUOTE; next = bytes[++at]) if (next === BACKSLASH) at++
      if (depth !== 1) continue
      if (!isValue) key = nameAt(bytes, from, at, names)
      else if (key !== '') found.set(key, [from, Math.min(at, length)])
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--
    else if (depth === 1) {
      if (byte === COLON) isValue = true
      else if (byte === COMMA) isValue = false
    }
  }
  return found
}

/** Which of `names` the bytes are, or nothing. */
function nameAt(bytes: Buffer, from: number, to: number, names: readonly string[]): string {
  for (const name of names) {
    if (name.length !== to - from) continue
    if (bytes.toString('latin1', from, to) === name) return name
  }
  return ''
}
