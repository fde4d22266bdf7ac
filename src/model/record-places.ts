// Where the members of a CloudTrail record stand in its bytes, found in one pass and without parsing them.

const NAMES = ['eventTime', 'requestParameters', 'responseElements', 'requestID', 'eventID', 'sharedEventID'] as const
export type PlacedMember = (typeof NAMES)[number]
export interface Place {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const SPACE = 0x20
const KNOWN = new Map<string, PlacedMember>(NAMES.map((name) => [name, name]))

/** The places of the values, quotes included. Undefined when the bytes are no JSON object as far as the scan can tell. */
export function placesOf(json: Buffer): Readonly<Partial<Record<PlacedMember, Place>>> | undefined {
  const places: Partial<Record<PlacedMember, Place>> = {}
  let at = skipSpace(json, 0)
  if (json[at] !== OPEN_OBJECT) return undefined
  at = skipSpace(json, at + 1)
  if (json[at] === CLOSE_OBJECT) return places
  while (json[at] === QUOTE) {
    const nameEnd = endOfText(json, at)
    const member = KNOWN.get(json.toString('latin1', at + 1, nameEnd - 1))
    at = skipSpace(json, nameEnd)
    if (json[at] !== COLON) return undefined
    const start = skipSpace(json, at + 1)
    const end = endOfValue(json, start)
    if (member !== undefined) places[member] = { start, end }
    at = skipSpace(json, end)
    if (json[at] === CLOSE_OBJECT) return places
    if (json[at] !== COMMA) return undefined
    at = skipSpace(json, at + 1)
  }
  return undefined
}

function skipSpace(json: Buffer, from: number): number {
  let at = from
  while (at < json.length && (json[at] ?? 0) <= SPACE) at++
  return at
}

/** Behind the text whose opening quote stands at `from`. */
function endOfText(json: Buffer, from: number): number {
  let at = from + 1
  while (at < json.length) {
    const byte = json[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  return json.length
}

function endOfValue(json: Buffer, from: number): number {
  const first = json[from]
  if (first === QUOTE) return endOfText(json, from)
  let at = from
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
    while (at < json.length && json[at] !== COMMA && json[at] !== CLOSE_OBJECT && (json[at] ?? 0) > SPACE) at++
    return at
  }
  for (let depth = 0; at < json.length;) {
    const byte = json[at]
    if (byte === QUOTE) {
      at = endOfText(json, at)
      continue
    }
    at++
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--
      if (depth === 0) return at
    }
  }
  return json.length
}
