// Publish: the hot path. One frame holds the message, its arrival in the topic's own queues and the event.
import type { PublishInput, PublishResponse } from '@aws-sdk/client-sns'
import { parseArn } from '../../model/arn.ts'
import { FILTER_CHANGES } from '../../model/filter-policy/former-filters.ts'
import type { MessageHeader } from '../../model/message.ts'
import { isPhoneNumber } from '../../model/sms.ts'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import { HIDDEN } from '../../engine/audit.ts'
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { sealedForTopic, topicKeyProblem } from '../../engine/topic-message.ts'
import type { MessageReference, Transaction } from '../../engine/transaction.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { protectedMessage, type ProtectionScans, scanMessages } from './data-protection.ts'
import { applicationDisabled, endpointDisabled, invalidParameter, invalidPersonal, keyRefused } from './errors.ts'
import { enqueueForSubscribers } from './fan-out.ts'
import { attributesOf } from './message-attributes.ts'
import type { SnsOperation, SnsParts } from './operation.ts'
import { endpointArnOf, findEndpoint, requireApplication } from './push/platform-arns.ts'
import { MESSAGE_BYTES_DEFAULT } from './topic-attributes.ts'

const SUBJECT_CHARS_MAX = 100
const TRACE_CHARS_MAX = 1024
const GROUP_ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;?@[\\\]^_`{|}~]{1,128}$/

export const publish: SnsOperation<PublishInput, PublishResponse, ProtectionScans | undefined> = (parts) => ({
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
    response: (output) => ({ messageId: output.MessageId }),
    resources: (input, call) => topicResource(input.TopicArn ?? input.TargetArn, call),
  },
  prepare: (call, input) => scanMessages(call, input.TopicArn ?? input.TargetArn ?? '', [input]),
  run(tx, input, call, scans) {
    const checked = checkMessage(input, '')
    if (isToEndpoint(input)) throw endpointRefusal(tx, destination(input, call))
    const topic = requireTopic(tx, destination(input, call))
    checkSize(topic, checked.bytes, () => invalidParameter('Message too long'))
    return { MessageId: send(tx, call, parts, topic, checked, scans) }
  },
})

export interface CheckedMessage {
  readonly body: string
  readonly subject: string | undefined
  readonly attributes: MessageHeader['attributes'] | undefined
  readonly structure: 'json' | undefined
  readonly groupId: string | undefined
  /** Text and attributes, as AWS counts them. */
  readonly bytes: number
}

/** What Publish and a batch entry have in common. */
export interface MessageInput {
  readonly Message?: string | undefined
  readonly Subject?: string | undefined
  readonly MessageStructure?: string | undefined
  readonly MessageAttributes?: PublishInput['MessageAttributes']
  readonly MessageGroupId?: string | undefined
  readonly MessageDeduplicationId?: string | undefined
}

/** AWS's checks, in AWS's order. `path` leads texts about a batch entry. */
export function checkMessage(input: MessageInput, path: string): CheckedMessage {
  const body = input.Message ?? ''
  const subject = input.Subject
  if (subject !== undefined && (subject.length === 0 || subject.length > SUBJECT_CHARS_MAX || hasControl(subject)))
    throw invalidParameter('Subject')
  if (body.length === 0) throw invalidParameter('Empty message')
  const { attributes, bytes } = attributesOf(input.MessageAttributes, path)
  const groupId = input.MessageGroupId
  if (groupId !== undefined && !GROUP_ID.test(groupId))
    throw invalidParameter('MessageGroupId Reason: must have 1 to 128 characters, alphanumeric or punctuation')
  if (input.MessageDeduplicationId !== undefined)
    throw invalidParameter(
      'MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type',
    )
  if (input.MessageStructure === 'json') checkStructure(body)
  else if (input.MessageStructure !== undefined) throw invalidParameter('MessageStructure')
  return {
    body,
    subject,
    attributes,
    structure: input.MessageStructure,
    groupId,
    bytes: Buffer.byteLength(body) + bytes,
  }
}

/** Stages one message; returns its id. */
export function send(
  tx: Transaction,
  call: Call,
  { subscribers }: SnsParts,
  topic: Topic,
  given: CheckedMessage,
  scans?: ProtectionScans,
): string {
  const messageId = call.env.random.uuid()
  const message = protectedMessage(tx, call, topic, given, messageId, scans)
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
    filterChanges: to.hasOutsideFilters ? (tx.get(Table.counters, FILTER_CHANGES)?.next ?? 1) - 1 : undefined,
    traceHeader: traceHeaderOf(call),
    signatureVersion: topic.attributes['SignatureVersion'] === '2' ? '2' : undefined,
    senderId: call.principal.principalId,
  }
  const queues = to.queuesFor(message)
  const published = { header, body: message.body }
  const reference = stage(tx, call, topic, published, to.hasOutside)
  if (queues.length > 0) enqueueForSubscribers(tx, call, topic, queues, { ...published, reference })
  return messageId
}

/** Stages the message, sealed where the topic asks for it. Gives what queues that keep it as it is refer to. */
function stage(
  tx: Transaction,
  { env, principal }: Call,
  topic: Topic,
  { header, body }: { readonly header: MessageHeader; readonly body: string },
  hasOutside: boolean,
): () => MessageReference {
  if (topic.attributes['KmsMasterKeyId'] === undefined) {
    const reference = tx.message(header, body, hasOutside)
    return () => reference
  }
  const sealed = guarded(() =>
    sealedForTopic(tx, env, topic, { header, body }, { account: principal.account, isService: principal.type === 'service' }),
  )
  if (hasOutside) tx.message(sealed.header, sealed.body)
  let plain: MessageReference | undefined
  return () => (plain ??= tx.message(header, body, false))
}

function guarded<Result>(seal: () => Result): Result {
  try {
    return seal()
  } catch (error) {
    const problem = topicKeyProblem(error)
    throw problem === undefined ? error : keyRefused(problem)
  }
}

/** "Amazon SNS active tracing": a publisher's trace goes on to queues, whose receivers find it in AWSTraceHeader. */
function traceHeaderOf({ traceHeader }: Call): string | undefined {
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
  const type = /:endpoint\//.test(topicArn) ? 'AWS::SNS::PlatformEndpoint' : 'AWS::SNS::Topic'
  return [{ type, arn: topicArn, account: parseArn(topicArn)?.account || call.account }]
}

function destination(input: PublishInput, call: Call): string {
  if (input.PhoneNumber !== undefined && !isPhoneNumber(input.PhoneNumber))
    throw invalidPersonal((number) => `Invalid parameter: PhoneNumber Reason: ${number} is not valid to publish to`, input.PhoneNumber)
  if (input.PhoneNumber !== undefined)
    throw invalidParameter('PhoneNumber Reason: publishing to a phone number is not offered by this version of Sealcast')
  if (input.TopicArn === undefined && input.TargetArn === undefined)
    throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter')
  if (isToEndpoint(input)) return endpointArnOf(input.TargetArn, call, 'TargetArn')
  return input.TopicArn !== undefined ? topicArnOf(input.TopicArn, call) : topicArnOf(input.TargetArn, call, 'TargetArn')
}

function isToEndpoint({ TopicArn: topicArn, TargetArn: targetArn }: PublishInput): boolean {
  return topicArn === undefined && targetArn !== undefined && /:endpoint\//.test(targetArn)
}

/** Why nothing can be published to a platform endpoint. */
function endpointRefusal(tables: TableReader, endpointArn: string): Error {
  const endpoint = findEndpoint(tables, endpointArn)
  if (endpoint === undefined) return invalidParameter('TargetArn Reason: No endpoint found for the target arn specified')
  if (requireApplication(tables, endpoint.applicationArn).attributes['Enabled'] !== 'true') return applicationDisabled()
  if (!endpoint.isEnabled) return endpointDisabled()
  return invalidParameter('TargetArn Reason: publishing to a platform endpoint is not offered by this version of Sealcast')
}

function checkStructure(body: string): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalidParameter('Message Structure - JSON message body failed to parse')
  if (typeof (parsed as Record<string, unknown>)['default'] !== 'string')
    throw invalidParameter('Message Structure - No default entry in JSON message body')
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
