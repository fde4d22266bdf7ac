// Where the members of a CloudTrail record stand in its bytes, found in one pass and without parsing them.

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

/**
 * Where the values of those members stand, quotes included; of a name that comes twice the last, as for JSON.parse. Bytes that are no JSON
 * object give what was found until then.
 */
export function placesOf<Name extends string>(json: Buffer, names: ReadonlySet<Name>): Readonly<Partial<Record<Name, Place>>> {
  const places: Partial<Record<string, Place>> = {}
  let at = skipSpace(json, 0)
  if (json[at] !== OPEN_OBJECT) return places as Partial<Record<Name, Place>>
  at = skipSpace(json, at + 1)
  while (json[at] === QUOTE) {
    const nameEnd = endOfText(json, at)
    const name = json.toString('latin1', at + 1, nameEnd - 1)
    at = skipSpace(json, nameEnd)
    if (json[at] !== COLON) break
    const start = skipSpace(json, at + 1)
    const end = endOfValue(json, start)
    if ((names as ReadonlySet<string>).has(name)) places[name] = { start, end }
    at = skipSpace(json, end)
    if (json[at] !== COMMA) break
    at = skipSpace(json, at + 1)
  }
  return places as Partial<Record<Name, Place>>
}

/** What stands between the quotes, escapes as they are; undefined for values that are no texts. */
export function textPlace(json: Buffer, place: Place | undefined): Place | undefined {
  return place === undefined || json[place.start] !== QUOTE ? undefined : { start: place.start + 1, end: place.end - 1 }
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
