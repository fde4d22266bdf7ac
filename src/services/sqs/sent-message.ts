// A message on its way into a queue: checked as one part of SendMessage or of a batch, then staged.
import { findFirstSend, idScopeOf, rememberFirstSend } from '../../engine/first-sends.ts'
import type { Call } from '../../engine/operation.ts'
import { arrivalGroup } from '../../engine/queue-access.ts'
import { stageQueued } from '../../engine/queued-message.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { md5OfAttributes, md5OfText } from '../../model/md5.ts'
import type { MessageHeader } from '../../model/message.ts'
import type { QueueSettings } from '../../model/queue-attributes.ts'
import { sequenceNumber } from '../../model/sequence-number.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidMessageContents, invalidValue, messageTooLong, missingParameter, withKeyErrors } from './errors.ts'
import { type FifoInput, type MessagePlace, readPlace } from './fifo-message.ts'
import { keyUserOf } from './key-user.ts'
import {
  type AttributeValues,
  hasInvalidCharacters,
  type MessageAttributes,
  readMessageAttributes,
  readSystemAttributes,
} from './message-attributes.ts'

export interface MessageInput extends FifoInput {
  readonly MessageAttributes?: AttributeValues
  readonly MessageSystemAttributes?: AttributeValues
}

export interface CheckedMessage extends MessagePlace {
  readonly body: string
  readonly delayMs: number
  readonly attributes: MessageAttributes
  readonly systemAttributes: MessageAttributes
  readonly bytes: number
}

export interface SentMessage {
  readonly MessageId: string
  readonly MD5OfMessageBody: string
  readonly MD5OfMessageAttributes?: string
  readonly MD5OfMessageSystemAttributes?: string
  /** Of FIFO queues. */
  readonly SequenceNumber?: string
}

const DELAY_SECONDS_MAX = 900

export function checkMessage(input: MessageInput, settings: QueueSettings): CheckedMessage {
  const { MessageBody: body, DelaySeconds: delay } = input
  if (body === '') throw missingParameter('MessageBody')
  if (hasInvalidCharacters(body)) throw invalidMessageContents()
  if (delay !== undefined && !(Number.isInteger(delay) && delay >= 0 && delay <= DELAY_SECONDS_MAX))
    throw invalidValue(delay, 'DelaySeconds', `DelaySeconds must be >= 0 and <= ${DELAY_SECONDS_MAX}.`)
  const place = readPlace(input, settings.fifo)
  const { attributes, bytes: attributeBytes } = readMessageAttributes(input.MessageAttributes)
  const bytes = Buffer.byteLength(body) + attributeBytes
  if (bytes > settings.maximumMessageBytes) throw messageTooLong(settings.maximumMessageBytes)
  const systemAttributes = readSystemAttributes(input.MessageSystemAttributes)
  const delayMs = delay === undefined || settings.fifo !== undefined ? settings.delayMs : delay * 1000
  return { body, delayMs, attributes, systemAttributes, bytes, ...place }
}

/** A repeat of what a FIFO queue accepted already stages nothing, and is answered as the first was; the checksums are of what came now. */
export function stageMessage(tx: Transaction, queue: Queue, message: CheckedMessage, call: Call): SentMessage {
  const attributesMd5 = md5OfAttributes(message.attributes)
  const checksums = {
    MD5OfMessageBody: md5OfText(message.body),
    MD5OfMessageAttributes: attributesMd5,
    MD5OfMessageSystemAttributes: md5OfAttributes(message.systemAttributes),
  }
  const { ordered } = message
  const scope = idScopeOf(queue)
  const found = scope === undefined || ordered === undefined ? undefined : findFirstSend(tx, scope, ordered)
  if (found !== undefined && 'messageId' in found)
    return { MessageId: found.messageId, ...checksums, SequenceNumber: sequenceNumber(found.sequence) }
  const header: MessageHeader = {
    type: 'Queued',
    messageId: call.env.random.uuid(),
    publishedAt: tx.now,
    bodyMd5: checksums.MD5OfMessageBody,
    attributes: attributesMd5 === undefined ? undefined : message.attributes,
    groupId: message.groupId,
    deduplicationId: ordered?.deduplicationId,
    traceHeader: message.systemAttributes['AWSTraceHeader']?.value,
    senderId: call.principal.principalId,
  }
  const reference = withKeyErrors(() => stageQueued(tx, call.env, queue, { header, body: message.body }, keyUserOf(call)))
  const group = arrivalGroup(queue, message)
  const sequence = tx.enqueue(queue.number, reference, { route: 0, visibleAt: tx.now + message.delayMs, group })
  if (scope === undefined || found === undefined) return { MessageId: header.messageId, ...checksums }
  rememberFirstSend(tx, scope, found, { messageId: header.messageId, sequence, group })
  return { MessageId: header.messageId, ...checksums, SequenceNumber: sequenceNumber(sequence) }
}
