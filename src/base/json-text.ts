// JSON by hand where every call needs it: for a few short texts JSON.stringify costs several times as much.

/** JSON of a text; most need no escapes. */
export function jsonText(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text)
}

/** JSON of an object as JSON.stringify writes it; fast where the values are short texts and numbers. */
export function jsonObject(object: object): string {
  let json = ''
  for (const name in object) {
    const text = jsonValue((object as Readonly<Record<string, unknown>>)[name])
    if (text !== undefined) json += `${json === '' ? '' : ','}${jsonText(name)}:${text}`
  }
  return `{${json}}`
}

/** Undefined for what JSON leaves out. */
function jsonValue(value: unknown): string | undefined {
  if (typeof value === 'string') return jsonText(value)
  // -0 is 0 here as there.
  if (Number.isFinite(value)) return `${value as number}`
  return value === undefined ? undefined : (JSON.stringify(value) as string | undefined)
}

const PLAIN_CHARS_MAX = 300

/** Printable ASCII without quotes and backslashes. */
function isPlain(text: string): boolean {
  if (text.length > PLAIN_CHARS_MAX) return false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}
