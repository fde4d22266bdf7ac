// PutAuditEvents: events from outside become entries of the record, durable before the answer, in the commit of the call itself. Each is
// taken or refused by itself; they are counted apart from calls and enter no trail.
import { HIDDEN } from '../../engine/audit.ts'
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { type Channel, type ChannelIngestion, channelArnOf } from '../../model/channel.ts'
import { EventClass } from '../../model/entry.ts'
import { Table } from '../../model/tables.ts'
import { type AuditEvent, type AuditEventFailure, auditRecord, checkAuditEvent } from './audit-event.ts'
import { errors } from './errors.ts'

interface Input {
  readonly auditEvents: readonly AuditEvent[]
  readonly channelArn: string
  readonly externalId?: string
}

interface Output {
  readonly successful: readonly { readonly id: string; readonly eventID: string }[]
  readonly failed: readonly ({ readonly id: string } & AuditEventFailure)[]
}

const EVENTS_MAX = 100
/** One megabyte, of all events of a call together. */
const DATA_BYTES_MAX = 1024 * 1024

export const putAuditEvents: Operation<Input, Output> = {
  name: 'PutAuditEvents',
  access: 'write',
  data: true,
  resource: (input, call) => resolveChannel(call, input.channelArn),
  conditions: ({ externalId }): Readonly<Record<string, string>> =>
    externalId === undefined ? {} : { 'cloudtrail:externalid': externalId },
  record: {
    parameters: ({ channelArn }) => ({ channelArn, auditEvents: HIDDEN }),
    response: ({ successful, failed }) => ({ successful, failed }),
    resources({ channelArn }, call) {
      const arn = resolveChannel(call, channelArn)
      const account = call.env.tables.get(Table.channels, arn)?.account
      return [{ type: 'AWS::CloudTrail::Channel', arn, ...(account !== undefined && { account }) }]
    },
  },
  run(tx, input, call) {
    const channel = existingChannel(tx, call, input)
    checkInput(input)
    const successful: { readonly id: string; readonly eventID: string }[] = []
    const failed: ({ readonly id: string } & AuditEventFailure)[] = []
    for (const event of input.auditEvents) {
      const checked = checkAuditEvent(event, channel)
      if (!('data' in checked)) {
        failed.push({ id: event.id, ...checked })
        continue
      }
      const eventID = call.env.random.uuid()
      const json = auditRecord(checked.data, { eventId: eventID, channel, now: tx.now })
      tx.event({ class: EventClass.channel, flags: 0, arrivedAt: call.arrivedAt, json })
      successful.push({ id: event.id, eventID })
    }
    tx.put(Table.channels, channel.channelArn, { ...channel, ingestion: ingestionOf(tx, channel, { successful, failed }) })
    return { successful, failed }
  },
}

function resolveChannel(call: Call, arnOrId: string): string {
  const arn = channelArnOf(arnOrId, call.account, call.region)
  if (arn === undefined) throw errors.invalidChannel(arnOrId)
  return arn
}

/** Throws ChannelNotFound: also for a channel of another region. */
function existingChannel(tx: Transaction, call: Call, { channelArn }: Input): Channel {
  const arn = resolveChannel(call, channelArn)
  const channel = tx.get(Table.channels, arn)
  if (channel === undefined || channel.region !== call.region) throw errors.channelMissing(arn)
  return channel
}

/** Throws ValidationException and DuplicatedAuditEventId. */
function checkInput({ auditEvents: events, externalId }: Input): void {
  if (events.length < 1 || events.length > EVENTS_MAX)
    throw errors.validation(`auditEvents must have 1 to ${EVENTS_MAX} entries, not ${events.length}.`)
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId))
    throw errors.validation('externalId must have 2 to 1224 letters, digits or characters of _+=,.@:/- .')
  const seen = new Set<string>()
  let bytes = 0
  for (const { id, eventData } of events) {
    if (!/^[-_A-Za-z0-9]{1,128}$/.test(id))
      throw errors.validation(`id must have 1 to 128 letters, digits, hyphens or underscores, not ${id.slice(0, 150)}.`)
    if (seen.has(id)) throw errors.duplicated(id)
    seen.add(id)
    bytes += Buffer.byteLength(eventData)
  }
  if (bytes > DATA_BYTES_MAX) throw errors.validation(`The events of a call have at most ${DATA_BYTES_MAX} bytes together, not ${bytes}.`)
}

function ingestionOf({ now }: Transaction, { ingestion }: Channel, { successful, failed }: Output): ChannelIngestion {
  const attempted = failed.at(-1) ?? successful.at(-1)
  const last = successful.at(-1)
  return {
    attemptAt: now,
    attemptEventId: attempted?.id ?? '',
    ...(last === undefined
      ? { ...(ingestion?.successAt !== undefined && { successAt: ingestion.successAt, successEventId: ingestion.successEventId ?? '' }) }
      : { successAt: now, successEventId: last.eventID }),
    ...(failed[0] !== undefined && { errorCode: failed[0].errorCode }),
  }
}
