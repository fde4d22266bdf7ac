// The archive of a FIFO topic: what its owner asks for (ArchivePolicy), and what is kept of it as a record ("Amazon SNS message archiving
// for FIFO topic owners"). The messages themselves lie in files of their own, by the archive's number.
import { JsonTextError, parseLocated } from './filter-policy/located-json.ts'

export interface TopicArchive {
  /** From the counter of archives: a message that is to be kept bears it. */
  readonly number: number
  readonly topicArn: string
  /** The topic's own number (TopicIds): its sequence numbers are counted by it. */
  readonly topicNumber: number
  /** Messages published since then can be replayed; in ms since 1970. */
  readonly since: number
  /** Of this sequence and later all are kept: those before were published before it, or are gone. */
  readonly first: number
  /** For so long each message is kept. */
  readonly days: number
  /** Its policy was taken away. What is published is kept on only until the last replay has caught up; then all of it goes. */
  readonly isEnding?: true
}

export const DAY_MS = 24 * 3600 * 1000
const DAYS_MAX = 365
const DIGITS = 10
const MEMBER = 'MessageRetentionPeriod'

/** The counter that archives are numbered by. */
export const ARCHIVE_COUNTER = 'topic archive'

export function archiveKey(number: number): string {
  return String(number).padStart(DIGITS, '0')
}

/** From when on messages are kept now: the archive's beginning, or as far back as messages are kept. */
export function beginningOf({ since, days }: TopicArchive, now: number): number {
  return Math.max(since, now - days * DAY_MS)
}

/** A policy that is none. Its message names the field and the remedy. */
export class ArchivePolicyError extends Error {
  override name = 'ArchivePolicyError'
}

/** The days that messages are kept for; undefined: the policy is empty, and there is no archive. Throws ArchivePolicyError. */
export function parseArchivePolicy(text: string): number | undefined {
  const policy = readObject(text, (problem) => new ArchivePolicyError(problem))
  const names = Object.keys(policy)
  if (names.length === 0) return undefined
  const strange = names.find((name) => name !== MEMBER)
  if (strange !== undefined) throw new ArchivePolicyError(`unknown member ${strange}; the policy has ${MEMBER}, or is {}`)
  const value = policy[MEMBER]
  const days = typeof value === 'number' || (typeof value === 'string' && /^\d{1,3}$/.test(value)) ? Number(value) : Number.NaN
  if (Number.isInteger(days) && days >= 1 && days <= DAYS_MAX) return days
  throw new ArchivePolicyError(`${MEMBER} must be a whole number of days from 1 to ${DAYS_MAX}`)
}

/** A policy as a JSON object; what is wrong with it goes through `problem`. */
export function readObject(text: string, problem: (text: string) => Error): Readonly<Record<string, unknown>> {
  try {
    parseLocated(text)
  } catch (error) {
    if (error instanceof JsonTextError) throw problem(`failed to parse JSON. ${error.message}`)
    throw error
  }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('must be a JSON object; {} takes it away')
  return value as Readonly<Record<string, unknown>>
}
