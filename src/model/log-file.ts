// The log files of a trail: their names and places in the bucket, and the envelope around the records
// (CloudTrail user guide, "Getting and viewing your CloudTrail log files", "CloudTrail log file examples").
import type { Random } from '../base/random.ts'

/** The largest file, compressed. Cutting at this many bytes of records holds it even where nothing compresses. */
export const LOG_FILE_BYTES_MAX = 50 * 1000 * 1000
export const LOG_FILE_RECORD_BYTES_MAX = 48 * 1000 * 1000

export const LOG_FILE_OPENING = '{"Records":['
export const LOG_FILE_SEPARATOR = ','
export const LOG_FILE_CLOSING = ']}'

export interface LogFileName {
  readonly keyPrefix: string
  readonly account: string
  readonly region: string
  readonly deliveredAt: number
  /** 16 letters and digits. */
  readonly unique: string
}

/** Names bear minutes that are multiples of five. */
const STAMP_MS = 300_000

/** `[prefix/]AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/31/111122223333_CloudTrail_us-east-1_20260131T0805Z_x7Tk….json.gz` */
export function logFileKey({ keyPrefix, account, region, deliveredAt, unique }: LogFileName): string {
  const time = new Date(deliveredAt - (deliveredAt % STAMP_MS)).toISOString()
  const [day, minute] = [time.slice(0, 10), `${time.slice(0, 13)}${time.slice(14, 16)}`.replaceAll('-', '')]
  const folder = `${logFolder(keyPrefix, account)}/CloudTrail/${region}/${day.replaceAll('-', '/')}`
  return `${folder}/${account}_CloudTrail_${region}_${minute}Z_${unique}.json.gz`
}

/** Where all of an account's log files lie: what the bucket's policy has to allow. */
export function logFolder(keyPrefix: string, account: string): string {
  return `${keyPrefix === '' ? '' : `${keyPrefix}/`}AWSLogs/${account}`
}

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const UNIQUE_CHARS = 16

export function uniquePart(random: Random): string {
  return Array.from({ length: UNIQUE_CHARS }, () => LETTERS_AND_DIGITS[random.below(LETTERS_AND_DIGITS.length)]).join('')
}
