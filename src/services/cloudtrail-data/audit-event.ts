// An event from outside: what it must be, and the record that it becomes (CloudTrail user guide, "CloudTrail Lake integrations event
// schema"). What it holds stays as it was given.
import { createHash } from 'node:crypto'
import type { Channel } from '../../model/channel.ts'

export interface AuditEvent {
  readonly id: string
  readonly eventData: string
  readonly eventDataChecksum?: string
}

export interface AuditEventFailure {
  readonly errorCode: 'FieldTooLong' | 'FieldNotFound' | 'InvalidChecksum' | 'InvalidData' | 'InvalidRecipient' | 'InvalidEventSource'
  readonly errorMessage: string
}

type Fields = Readonly<Record<string, unknown>>

/** A field's kind and most characters, of objects as JSON. */
interface Rule {
  readonly kind: 'text' | 'object'
  readonly charsMax: number
  readonly isRequired: boolean
}

const text = (charsMax: number, isRequired = false): Rule => ({ kind: 'text', charsMax, isRequired })
const object = (charsMax: number): Rule => ({ kind: 'object', charsMax, isRequired: false })

const EVENT: Readonly<Record<string, Rule>> = {
  version: text(256, true),
  userIdentity: { ...object(100 * 1024), isRequired: true },
  userAgent: text(1024),
  eventSource: text(256, true),
  eventName: text(256, true),
  eventTime: text(64, true),
  UID: text(1024, true),
  requestParameters: object(100 * 1024),
  responseElements: object(100 * 1024),
  errorCode: text(1024),
  errorMessage: text(1024),
  sourceIPAddress: text(256),
  recipientAccountId: text(12, true),
  additionalEventData: object(28 * 1024),
}
const IDENTITY: Readonly<Record<string, Rule>> = { type: text(128, true), principalId: text(1024, true), details: object(16 * 1024) }
/** CloudTrail user guide, "Quotas": a record has at most 256 KB. */
const EVENT_CHARS_MAX = 256 * 1024
/** ISO 8601 in UTC; the Z may be missing, as the schema writes it. */
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z?$/

/** What is wrong with it, or its parsed data. */
export function checkAuditEvent(event: AuditEvent, channel: Channel): { readonly data: Fields } | AuditEventFailure {
  const { eventData, eventDataChecksum } = event
  if (eventDataChecksum !== undefined && createHash('sha256').update(eventData).digest('base64') !== eventDataChecksum)
    return fail('InvalidChecksum', 'eventDataChecksum is not the SHA-256 of eventData in base64.')
  if (eventData.length > EVENT_CHARS_MAX)
    return fail('FieldTooLong', `eventData has ${eventData.length} characters; at most ${EVENT_CHARS_MAX} may be.`)
  const data = parse(eventData)
  if (data === undefined) return fail('InvalidData', 'eventData must be the text of a JSON object.')
  const identity = data['userIdentity']
  const problem = problemOf(data, EVENT, '') ?? (isObject(identity) ? problemOf(identity, IDENTITY, 'userIdentity.') : undefined)
  if (problem !== undefined) return problem
  const { eventTime, eventSource, recipientAccountId } = data
  if (!EVENT_TIME.test(String(eventTime)) || Number.isNaN(timeOf(data)))
    return fail('InvalidData', 'eventTime must be a time in UTC such as 2026-01-02T03:04:05Z.')
  if (/\.(amazonaws\.com|amazonaws\.com\.cn)$/i.test(String(eventSource)))
    return fail('InvalidEventSource', `eventSource ${String(eventSource)} is one of AWS's own; name the source of the event.`)
  if (recipientAccountId !== channel.account)
    return fail('InvalidRecipient', `recipientAccountId must be the account of the channel, ${channel.account}.`)
  return { data }
}

/** The record, and what it is found by. */
export function auditRecord(data: Fields, given: { readonly eventId: string; readonly channel: Channel; readonly now: number }): string {
  const { eventId, channel, now } = given
  return JSON.stringify({
    eventVersion: '1.0',
    eventCategory: 'ActivityAuditLog',
    eventType: 'ActivityLog',
    eventID: eventId,
    eventTime: secondsText(timeOf(data)),
    awsRegion: channel.region,
    recipientAccountId: channel.account,
    metadata: { ingestionTime: secondsText(now), channelARN: channel.channelArn },
    eventData: data,
  })
}

function problemOf(fields: Fields, rules: Readonly<Record<string, Rule>>, path: string): AuditEventFailure | undefined {
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(rules, name))
  if (unknown !== undefined)
    return fail(
      'InvalidData',
      `${path}${unknown.slice(0, 100)} is no field; your own belong into ${path === '' ? 'additionalEventData' : 'details'}.`,
    )
  for (const [name, { kind, charsMax, isRequired }] of Object.entries(rules)) {
    const value = fields[name]
    if (value === undefined || value === null) {
      if (isRequired) return fail('FieldNotFound', `${path}${name} is missing.`)
      continue
    }
    if (kind === 'text' ? typeof value !== 'string' : !isObject(value))
      return fail('InvalidData', `${path}${name} must be ${kind === 'text' ? 'a text' : 'a JSON object'}.`)
    const length = typeof value === 'string' ? value.length : JSON.stringify(value).length
    if (isRequired && length === 0) return fail('FieldNotFound', `${path}${name} is empty.`)
    if (length > charsMax) return fail('FieldTooLong', `${path}${name} has ${length} characters; at most ${charsMax} may be.`)
  }
  return undefined
}

function fail(errorCode: AuditEventFailure['errorCode'], errorMessage: string): AuditEventFailure {
  return { errorCode, errorMessage }
}

function parse(json: string): Fields | undefined {
  try {
    const value = JSON.parse(json) as unknown
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function timeOf({ eventTime }: Fields): number {
  const given = String(eventTime)
  return Date.parse(given.endsWith('Z') ? given : `${given}Z`)
}

function secondsText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
