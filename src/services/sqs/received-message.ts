// A message as its receiver sees it. What was sent to the queue comes as it is; what a topic published comes raw or in SNS's envelope, as
// its route says. Made after the commit, from the body's place in the journal.
import { assert } from '../../base/assert.ts'
import type { Call } from '../../engine/operation.ts'
import { groupIdIn } from '../../engine/queue-access.ts'
import { copyIdOf } from '../../model/copy-id.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { md5OfAttributes, md5OfText } from '../../model/md5.ts'
import type { MessageHeader } from '../../model/message.ts'
import { selectText } from '../../model/notification.ts'
import { sequenceNumber } from '../../model/sequence-number.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Route } from '../../model/topic.ts'
import { unknownAttributeName } from './errors.ts'
import { type AttributeValues, formatAttributes, type MessageAttributes } from './message-attributes.ts'
import { formatReceiptHandle } from './receipt-handle.ts'
import { type QueuedHeader, readMessage } from './redrive.ts'

/** The envelope of a published message for one subscription, signed. Known to who knows SNS; handed in. */
export type NotificationText = (header: MessageHeader, body: string, route: Route, call: Call) => Promise<string> | string

export interface WantedNames {
  readonly AttributeNames?: readonly string[]
  readonly MessageSystemAttributeNames?: readonly string[]
  readonly MessageAttributeNames?: readonly string[]
}

/** A receive as it was committed. */
export interface TakenMessage {
  readonly sequence: number
  readonly route: number
  readonly receives: number
  readonly firstReceivedAt: number
}

export interface ReceivedMessage {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly MD5OfBody: string
  readonly Body: string
  readonly Attributes?: Readonly<Record<string, string>>
  readonly MD5OfMessageAttributes?: string
  readonly MessageAttributes?: AttributeValues
}

const REPLAYED = 'Replayed'
/** SQS takes no more of a raw message. */
const RAW_ATTRIBUTES_MAX = 10

const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
])

export function checkSystemNames({ AttributeNames = [], MessageSystemAttributeNames = [] }: WantedNames): void {
  for (const names of [AttributeNames, MessageSystemAttributeNames])
    for (const name of names) if (!SYSTEM_NAMES.has(name)) throw unknownAttributeName(name)
}

/** The message with `bytes` as the queue store gives them; at once unless it comes in an envelope. */
export function showTaken(
  queue: Queue,
  taken: TakenMessage,
  bytes: Buffer,
  names: WantedNames,
  call: Call,
  notificationText: NotificationText,
): ReceivedMessage | Promise<ReceivedMessage> {
  const { header, body } = readMessage(call.env, queue.queueArn, bytes)
  if (taken.route !== 0) return showPublished(queue, taken, { header, body }, names, call, notificationText)
  return shownMessage(queue, taken, header, names, {
    messageId: header.queuedId ?? header.messageId,
    body,
    bodyMd5: header.bodyMd5 ?? md5OfText(body),
    attributes: header.attributes,
  })
}

interface Content {
  readonly messageId: string
  readonly body: string
  readonly bodyMd5: string
  readonly attributes: MessageAttributes | undefined
}

function shownMessage(queue: Queue, taken: TakenMessage, header: QueuedHeader, names: WantedNames, content: Content): ReceivedMessage {
  const attributes = content.attributes === undefined ? undefined : select(content.attributes, names.MessageAttributeNames)
  const system = systemAttributes(header, taken, names, queue)
  return {
    MessageId: content.messageId,
    ReceiptHandle: formatReceiptHandle(queue.number, taken),
    MD5OfBody: content.bodyMd5,
    Body: content.body,
    ...(system !== undefined && { Attributes: system }),
    ...(attributes !== undefined && {
      MD5OfMessageAttributes: md5OfAttributes(attributes),
      MessageAttributes: formatAttributes(attributes),
    }),
  }
}

/** What a topic published. Confirmations come in the envelope whatever the subscription wants. */
async function showPublished(
  queue: Queue,
  taken: TakenMessage,
  message: { readonly header: QueuedHeader; readonly body: string },
  names: WantedNames,
  call: Call,
  notificationText: NotificationText,
): Promise<ReceivedMessage> {
  const { header } = message
  const route = call.env.tables.get(Table.routes, String(taken.route))
  assert(route !== undefined, `route ${taken.route} of a queued message is kept`)
  const isRaw = route.raw && header.type === 'Notification'
  const body = isRaw ? selectText(message.body, header.structure, 'sqs') : await notificationText(header, message.body, route, call)
  return shownMessage(queue, taken, header, names, {
    messageId: header.queuedId ?? copyIdOf(header.messageId, taken.route),
    body,
    bodyMd5: md5OfText(body),
    attributes: isRaw ? rawAttributes(header, route) : undefined,
  })
}

/** A raw message has no other place to say that it comes again; where all are taken, it says nothing. */
function rawAttributes({ attributes }: MessageHeader, { isReplay }: Route): MessageAttributes | undefined {
  if (isReplay !== true || Object.keys(attributes ?? {}).length >= RAW_ATTRIBUTES_MAX) return attributes
  return { [REPLAYED]: { type: 'String', value: 'true' }, ...attributes }
}

/** By name, `All`, or with `.*` at its end by prefix. Undefined when nothing is left: then AWS shows no attributes and no checksum. */
function select(attributes: MessageAttributes, wanted: readonly string[] | undefined): MessageAttributes | undefined {
  if (wanted === undefined || wanted.length === 0) return undefined
  const isWanted = (name: string): boolean =>
    wanted.some(
      (filter) =>
        filter === 'All' || filter === name || (filter.endsWith('*') && name.startsWith(filter.slice(0, filter.endsWith('.*') ? -2 : -1))),
    )
  const selected = Object.entries(attributes).filter(([name]) => isWanted(name))
  return selected.length === 0 ? undefined : Object.fromEntries(selected)
}

function systemAttributes(
  header: QueuedHeader,
  taken: TakenMessage,
  names: WantedNames,
  queue: Queue,
): Readonly<Record<string, string>> | undefined {
  const wanted = [...(names.AttributeNames ?? []), ...(names.MessageSystemAttributeNames ?? [])]
  if (wanted.length === 0) return undefined
  const isAll = wanted.includes('All')
  const isFifo = isFifoName(queue.queueArn)
  const known: Readonly<Record<string, string | undefined>> = {
    SenderId: header.senderId,
    SentTimestamp: String(header.enqueuedAt ?? header.publishedAt),
    ApproximateReceiveCount: String(taken.receives),
    ApproximateFirstReceiveTimestamp: String(taken.firstReceivedAt),
    AWSTraceHeader: header.traceHeader,
    MessageDeduplicationId: isFifo ? header.deduplicationId : undefined,
    MessageGroupId: groupIdIn(queue, header),
    SequenceNumber: isFifo ? sequenceNumber(taken.sequence) : undefined,
    DeadLetterQueueSourceArn: header.deadLetterSourceArn,
  }
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(known)) if (value !== undefined && (isAll || wanted.includes(name))) shown[name] = value
  return Object.keys(shown).length === 0 ? undefined : shown
}
