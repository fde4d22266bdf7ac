// Publish: the hot path. One frame holds the message, its arrival in the topic's own queues and the event.
import type { PublishInput, PublishResponse } from '@aws-sdk/client-sns'
import { parseArn } from '../../model/arn.ts'
import { FILTER_CHANGES } from '../../model/filter-policy/former-filters.ts'
import type { Message, MessageHeader } from '../../model/message.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { orderedGroup } from '../../model/message-group.ts'
import { sequenceCounter, sequenceNumber } from '../../model/sequence-number.ts'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import { HIDDEN } from '../../engine/audit.ts'
import { findFirstSend, rememberFirstSend, topicIdScopeOf } from '../../engine/first-sends.ts'
import { keyProblem } from '../../engine/message-keys.ts'
import type { Call } from '../../engine/operation.ts'
import { sealedForTopic } from '../../engine/topic-message.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { invalidParameter, keyRefused } from './errors.ts'
import { enqueueForSubscribers, type PublishedMessage } from './fan-out.ts'
import { checkPlace, orderedIdOf, type PlacedMessage, type PlaceInput } from './fifo-publish.ts'
import { attributesOf } from './message-attributes.ts'
import type { Publisher, SnsOperation, SnsParts } from './operation.ts'
import { type Examination, examineAtOnce, examineMessages } from './protection/examination.ts'
import type { Examined } from './protection/examine.ts'
import { protectedMessage, stageCopies } from './protection/protect.ts'
import { checkPhoneNumber, directRecipient, isEndpoint, sendDirect } from './publish-direct.ts'
import { endpointArnOf } from './push/platform-arns.ts'
import { MESSAGE_BYTES_DEFAULT } from './topic-attributes.ts'

const SUBJECT_CHARS_MAX = 100
const TRACE_CHARS_MAX = 1024

export const publish: SnsOperation<PublishInput, PublishResponse, Examination | undefined> = (parts) => ({
  name: 'Publish',
  access: 'write',
  data: true,
  resource: (input, call) => destination(input, call),
  record: {
    parameters: (input) => ({
      topicArn: input.TopicArn,
      targetArn: input.TargetArn,
      phoneNumber: hidden(input.PhoneNumber),
      ...recordedMessage(input),
    }),
    response: (output) => ({ messageId: output.MessageId, sequenceNumber: output.SequenceNumber }),
    resources: (input, call) => topicResource(input.TopicArn ?? input.TargetArn, call),
  },
  prepare: (call, input) => examineMessages(call, parts.subscribers, input.TopicArn ?? input.TargetArn, [input]),
  run(tx, input, call, examination) {
    // Its form was checked when it was authorised.
    const arn = input.TopicArn ?? input.TargetArn ?? ''
    const isStraight = input.PhoneNumber !== undefined || (input.TopicArn === undefined && isEndpoint(arn))
    const checked = checkMessage(input, '', isFifoName(arn), isStraight)
    const direct = isStraight ? directRecipient(tx, input, call) : undefined
    if (direct !== undefined) return { MessageId: sendDirect(tx, call, parts, direct, checked) }
    const topic = requireTopic(tx, arn)
    checkSize(topic, checked.bytes, () => invalidParameter('Message too long'))
    return examination?.check(topic) ?? send(tx, call, parts, topic, checked, examination?.of(0))
  },
})

export interface CheckedMessage extends PlacedMessage {
  readonly subject: string | undefined
  readonly attributes: MessageHeader['attributes'] | undefined
  readonly structure: 'json' | undefined
  /** Text and attributes, as AWS counts them. */
  readonly bytes: number
}

/** What Publish and a batch entry have in common. */
export interface MessageInput extends PlaceInput {
  readonly Message?: string | undefined
  readonly Subject?: string | undefined
  readonly MessageStructure?: string | undefined
  readonly MessageAttributes?: PublishInput['MessageAttributes']
}

/**
 * AWS's checks, in AWS's order. `path` leads texts about a batch entry; `isFifo`: by the name of where it goes; `isStraight`: to no topic,
 * whose text need not be the default one.
 */
export function checkMessage(input: MessageInput, path: string, isFifo: boolean, isStraight = false): CheckedMessage {
  const body = input.Message ?? ''
  const subject = input.Subject
  if (subject !== undefined && (subject.length === 0 || subject.length > SUBJECT_CHARS_MAX || hasControl(subject)))
    throw invalidParameter('Subject')
  if (body.length === 0) throw invalidParameter('Empty message')
  const { attributes, bytes } = attributesOf(input.MessageAttributes, path)
  checkPlace(input, isFifo)
  if (input.MessageStructure === 'json') checkStructure(body, isStraight)
  else if (input.MessageStructure !== undefined) throw invalidParameter('MessageStructure')
  return {
    body,
    subject,
    attributes,
    structure: input.MessageStructure,
    groupId: input.MessageGroupId,
    deduplicationId: input.MessageDeduplicationId,
    bytes: Buffer.byteLength(body) + bytes,
  }
}

/** What the publisher of a message is told. */
export interface SentMessage {
  readonly MessageId: string
  /** Of FIFO topics. */
  readonly SequenceNumber?: string
}

/**
 * Stages one message. A repeat of what a FIFO topic accepted already stages nothing, and is answered as the first was. `examined`: what the
 * topic's data protection policy makes of it, where it was looked through before.
 */
export function send(
  tx: Transaction,
  call: Publisher,
  parts: SnsParts,
  topic: Topic,
  message: CheckedMessage,
  examined?: Examined,
): SentMessage {
  const scope = topicIdScopeOf(topic)
  if (scope === undefined) return { MessageId: sendNew(tx, call, parts, topic, message, examined) }
  const ordered = orderedIdOf(topic, message)
  const found = findFirstSend(tx, scope, ordered)
  if ('messageId' in found) return { MessageId: found.messageId, SequenceNumber: sequenceNumber(found.sequence) }
  const sequence = tx.nextNumber(sequenceCounter(scope.number))
  const messageId = sendNew(tx, call, parts, topic, { ...message, sequence, deduplicationId: ordered.deduplicationId }, examined)
  rememberFirstSend(tx, scope, found, { messageId, sequence, group: orderedGroup(ordered.groupId) })
  return { MessageId: messageId, SequenceNumber: sequenceNumber(sequence) }
}

/** Stages it; returns its id. */
function sendNew(
  tx: Transaction,
  call: Publisher,
  { subscribers, latest, foresee }: SnsParts,
  topic: Topic,
  given: CheckedMessage & Pick<MessageHeader, 'sequence'>,
  before: Examined | undefined,
): string {
  const messageId = call.env.random.uuid()
  const examined = topic.dataProtectionPolicy === undefined ? undefined : (before ?? examineAtOnce(call, subscribers, topic, given))
  const message = examined === undefined ? given : protectedMessage(tx, call, topic, given, messageId, examined)
  const to = subscribers.of(topic)
  const header: MessageHeader = {
    type: 'Notification',
    messageId,
    topicArn: topic.topicArn,
    publishedAt: tx.now,
    subject: message.subject,
    attributes: message.attributes,
    structure: message.structure,
    groupId: message.groupId,
    sequence: message.sequence,
    deduplicationId: message.deduplicationId,
    filterChanges: to.hasOutsideFilters ? (tx.get(Table.counters, FILTER_CHANGES)?.next ?? 1) - 1 : undefined,
    traceHeader: traceHeaderOf(call),
    signatureVersion: topic.attributes['SignatureVersion'] === '2' ? '2' : undefined,
    senderId: call.principal.principalId,
  }
  const queues = to.queuesFor(message)
  const { body } = message
  const outgoing = examined?.outgoing
  if (header.sequence !== undefined) latest.note(topic.topicArn, header.sequence, { header, body }, outgoing)
  const put = (copy: Message, isWhole: boolean): PublishedMessage =>
    stageMessage(tx, call, topic, copy, { hasOutside: to.hasOutside, archive: isWhole ? topic.archive : undefined })
  const { envelopeProtocol } = to
  if (outgoing === undefined && envelopeProtocol !== undefined) foresee?.(header, body, envelopeProtocol)
  if (outgoing === undefined) enqueueForSubscribers(tx, call, topic, queues, put({ header, body }, true))
  else {
    const { whole, copyFor } = stageCopies(outgoing, { header, body }, (copy, isWhole): PublishedMessage =>
      // One that nobody outside gets is staged with the first queue that does.
      isWhole || to.hasOutside ? put(copy, isWhole) : { ...copy, reference: undefined },
    )
    enqueueForSubscribers(tx, call, topic, queues, whole, copyFor)
  }
  return messageId
}

/** Where a message is kept besides the topic's own queues. */
interface Keepers {
  readonly hasOutside: boolean
  /** Number of the archive that keeps it. */
  readonly archive: number | undefined
}

function stageMessage(tx: Transaction, call: Publisher, topic: Topic, { header, body }: Message, keepers: Keepers): PublishedMessage {
  const { hasOutside, archive } = keepers
  if (topic.attributes['KmsMasterKeyId'] === undefined)
    return { header, body, reference: tx.message(archive === undefined ? header : { ...header, archive }, body, hasOutside) }
  stageSealed(tx, call, topic, { header, body }, keepers)
  return { header, body, reference: undefined }
}

/** For those outside, and for the archive. Where nobody is, the key is asked all the same, and may refuse. */
function stageSealed(
  tx: Transaction,
  { env, principal }: Publisher,
  topic: Topic,
  message: Message,
  { hasOutside, archive }: Keepers,
): void {
  try {
    const sealed = sealedForTopic(tx, env, topic, message, { account: principal.account, isService: principal.type === 'service' })
    if (hasOutside || archive !== undefined) tx.message({ ...sealed.header, archive }, sealed.body, hasOutside)
  } catch (error) {
    const problem = keyProblem(error)
    throw problem === undefined ? error : keyRefused(problem)
  }
}

/** "Amazon SNS active tracing": a publisher's trace goes on to queues, whose receivers find it in AWSTraceHeader. */
function traceHeaderOf({ traceHeader }: Publisher): string | undefined {
  return traceHeader !== undefined && traceHeader.length <= TRACE_CHARS_MAX ? traceHeader : undefined
}

export function checkSize(topic: Topic, bytes: number, refusal: () => Error): void {
  const bytesMax = topic.attributes['MaximumMessageSize']
  if (bytes > (bytesMax === undefined ? MESSAGE_BYTES_DEFAULT : Number(bytesMax))) throw refusal()
}

/** The members of a message as CloudTrail tells them: what was said stays hidden. */
export function recordedMessage(input: MessageInput): Record<string, unknown> {
  return {
    message: hidden(input.Message),
    subject: hidden(input.Subject),
    messageStructure: input.MessageStructure,
    messageAttributes: hidden(input.MessageAttributes),
    messageGroupId: input.MessageGroupId,
    messageDeduplicationId: input.MessageDeduplicationId,
  }
}

function hidden(value: unknown): string | undefined {
  return value === undefined ? undefined : HIDDEN
}

export function topicResource(topicArn: string | undefined, call: Call): { type: string; arn: string; account: string }[] {
  if (topicArn === undefined) return []
  const type = isEndpoint(topicArn) ? 'AWS::SNS::PlatformEndpoint' : 'AWS::SNS::Topic'
  return [{ type, arn: topicArn, account: parseArn(topicArn)?.account || call.account }]
}

/** Numbers are no resource: a policy has to name all (`*`) for who may text. */
function destination(input: PublishInput, call: Call): string | undefined {
  if (input.PhoneNumber !== undefined) {
    checkPhoneNumber(input)
    return undefined
  }
  if (input.TopicArn !== undefined) return topicArnOf(input.TopicArn, call)
  if (input.TargetArn === undefined) throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter')
  return isEndpoint(input.TargetArn) ? endpointArnOf(input.TargetArn, call, 'TargetArn') : topicArnOf(input.TargetArn, call, 'TargetArn')
}

function checkStructure(body: string, isStraight: boolean): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalidParameter('Message Structure - JSON message body failed to parse')
  if (!isStraight && typeof (parsed as Record<string, unknown>)['default'] !== 'string')
    throw invalidParameter('Message Structure - No default entry in JSON message body')
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
