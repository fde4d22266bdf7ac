// How a text becomes short messages: the GSM 7 bit alphabet where it holds every character, UCS-2 otherwise, and as many parts as it needs.
// Source: 3GPP TS 23.038 (6.2.1, the default alphabet and its extension), TS 23.040 (9.2.3.24.1, concatenated messages).

const GSM =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const ESCAPE = 0x1b
/** Two septets each: the escape, then this. */
const EXTENSION: Readonly<Record<string, number>> = {
  '\f': 0x0a,
  '^': 0x14,
  '{': 0x28,
  '}': 0x29,
  '\\': 0x2f,
  '[': 0x3c,
  '~': 0x3d,
  ']': 0x3e,
  '|': 0x40,
  '€': 0x65,
}
const SEPTETS: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...[...GSM].flatMap((character, code): [string, number[]][] => (code === ESCAPE ? [] : [[character, [code]]])),
  ...Object.entries(EXTENSION).map(([character, code]): [string, number[]] => [character, [ESCAPE, code]]),
])

/** Of one message alone, and of each of several, whose header takes six bytes. */
const SEPTETS_MAX = { alone: 160, part: 153 }
const UCS2_UNITS_MAX = { alone: 70, part: 67 }

export interface TextParts {
  readonly coding: 'gsm7' | 'ucs2'
  /** GSM 7 bit: a byte for each septet. UCS-2: two for each unit, the higher first. */
  readonly parts: readonly Buffer[]
}

/** At least one part, each as long as it may be; no character is cut in two. */
export function textParts(text: string): TextParts {
  const septets = septetsOf(text)
  if (septets !== undefined) return { coding: 'gsm7', parts: cut(septets, SEPTETS_MAX).map((part) => Buffer.from(part)) }
  const units = [...text].map((character) => Array.from({ length: character.length }, (_, at) => character.charCodeAt(at)))
  return { coding: 'ucs2', parts: cut(units, UCS2_UNITS_MAX).map((part) => Buffer.from(part.flatMap((unit) => [unit >> 8, unit & 0xff]))) }
}

/** The text of a part; what is no character is the replacement one. */
export function textOf(coding: TextParts['coding'], bytes: Buffer): string {
  if (coding === 'ucs2')
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le')
  let text = ''
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] ?? 0
    if (code !== ESCAPE) text += GSM[code] ?? '\ufffd'
    else text += EXTENDED.get(bytes[++at] ?? -1) ?? '\ufffd'
  }
  return text
}

const EXTENDED: ReadonlyMap<number, string> = new Map(Object.entries(EXTENSION).map(([character, code]) => [code, character]))

/** The codes of each character, or undefined where the alphabet lacks one. */
function septetsOf(text: string): readonly (readonly number[])[] | undefined {
  const all = []
  for (const character of text) {
    const septets = SEPTETS.get(character)
    if (septets === undefined) return undefined
    all.push(septets)
  }
  return all
}

function cut(characters: readonly (readonly number[])[], max: { readonly alone: number; readonly part: number }): number[][] {
  const total = characters.reduce((sum, { length }) => sum + length, 0)
  const limit = total <= max.alone ? max.alone : max.part
  const parts: number[][] = [[]]
  for (const character of characters) {
    const last = parts.at(-1) ?? []
    if (last.length + character.length > limit) parts.push([...character])
    else last.push(...character)
  }
  return parts
}
