// Single values between the wire and their types, shared by the codecs. What cannot be read gives undefined; the codec words the error.
import type { TimestampFormat } from '../../model/shape.ts'

export type Input = Record<string, unknown>

/** Sets a key that a caller chose: `__proto__` becomes a key like any other. */
export function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

/** Strict RFC 4648 base64 with padding; Node's own decoder skips what it does not know. */
export function readBase64(text: string): Buffer | undefined {
  const { length } = text
  if (length % 4 !== 0) return undefined
  if (length === 0) return Buffer.alloc(0)
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== (length / 4) * 3 - padding || text.includes('-') || text.includes('_')) return undefined
  return bytes
}

const NUMBER = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/

export function readNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}

export function readBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  const lower = text.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const TIME_MS_MAX = 8.64e15

export function readTimestamp(text: string, format: TimestampFormat): Date | undefined {
  if (format === 'epoch-seconds') {
    const seconds = readNumber(text)
    return seconds === undefined ? undefined : dateOfSeconds(seconds)
  }
  if (!(format === 'date-time' ? DATE_TIME : HTTP_DATE).test(text)) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}

export function dateOfSeconds(seconds: number): Date | undefined {
  const milliseconds = Math.round(seconds * 1000)
  return Math.abs(milliseconds) <= TIME_MS_MAX ? new Date(milliseconds) : undefined
}

export function writeTimestamp(date: Date, format: TimestampFormat): string {
  if (format === 'epoch-seconds') return String(date.getTime() / 1000)
  return format === 'http-date' ? date.toUTCString() : date.toISOString()
}

export function writeBase64(bytes: unknown): string {
  if (typeof bytes === 'string') return Buffer.from(bytes).toString('base64')
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
