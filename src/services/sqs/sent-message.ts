// A message on its way into a queue: checked as one part of SendMessage or of a batch, then staged.
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { md5OfAttributes, md5OfText } from '../../model/md5.ts'
import type { MessageHeader } from '../../model/message.ts'
import type { QueueSettings } from '../../model/queue-attributes.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidMessageContents, invalidValue, messageTooLong, missingParameter } from './errors.ts'
import {
  type AttributeValues,
  hasInvalidCharacters,
  type MessageAttributes,
  readMessageAttributes,
  readSystemAttributes,
} from './message-attributes.ts'

export interface MessageInput {
  readonly MessageBody: string
  readonly DelaySeconds?: number
  readonly MessageAttributes?: AttributeValues
  readonly MessageSystemAttributes?: AttributeValues
  readonly MessageDeduplicationId?: string
  readonly MessageGroupId?: string
}

export interface CheckedMessage {
  readonly body: string
  readonly delayMs: number
  readonly attributes: MessageAttributes
  readonly systemAttributes: MessageAttributes
  readonly groupId: string | undefined
  readonly bytes: number
}

export interface SentMessage {
  readonly MessageId: string
  readonly MD5OfMessageBody: string
  readonly MD5OfMessageAttributes?: string
  readonly MD5OfMessageSystemAttributes?: string
}

const DELAY_SECONDS_MAX = 900

export function checkMessage(input: MessageInput, settings: QueueSettings): CheckedMessage {
  const { MessageBody: body, DelaySeconds: delay, MessageGroupId: groupId } = input
  if (body === '') throw missingParameter('MessageBody')
  if (hasInvalidCharacters(body)) throw invalidMessageContents()
  if (delay !== undefined && !(Number.isInteger(delay) && delay >= 0 && delay <= DELAY_SECONDS_MAX))
    throw invalidValue(delay, 'DelaySeconds', `DelaySeconds must be >= 0 and <= ${DELAY_SECONDS_MAX}.`)
  if (input.MessageDeduplicationId !== undefined)
    throw invalidValue(
      input.MessageDeduplicationId,
      'MessageDeduplicationId',
      'The request include parameter that is not valid for this queue type.',
    )
  if (groupId !== undefined && !/^[!-~]{1,128}$/.test(groupId))
    throw invalidValue(
      groupId,
      'MessageGroupId',
      'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    )
  const { attributes, bytes: attributeBytes } = readMessageAttributes(input.MessageAttributes)
  const bytes = Buffer.byteLength(body) + attributeBytes
  if (bytes > settings.maximumMessageBytes) throw messageTooLong(settings.maximumMessageBytes)
  const systemAttributes = readSystemAttributes(input.MessageSystemAttributes)
  return { body, delayMs: delay === undefined ? settings.delayMs : delay * 1000, attributes, systemAttributes, groupId, bytes }
}

export function stageMessage(tx: Transaction, queue: Queue, message: CheckedMessage, call: Call): SentMessage {
  const attributesMd5 = md5OfAttributes(message.attributes)
  const systemMd5 = md5OfAttributes(message.systemAttributes)
  const header: MessageHeader = {
    type: 'Queued',
    messageId: call.env.random.uuid(),
    publishedAt: tx.now,
    attributes: attributesMd5 === undefined ? undefined : message.attributes,
    groupId: message.groupId,
    traceHeader: message.systemAttributes['AWSTraceHeader']?.value,
    senderId: call.principal.principalId,
  }
  const reference = tx.message(header, message.body, false)
  tx.enqueue(queue.number, reference, { route: 0, visibleAt: tx.now + message.delayMs })
  return {
    MessageId: header.messageId,
    MD5OfMessageBody: md5OfText(message.body),
    MD5OfMessageAttributes: attributesMd5,
    MD5OfMessageSystemAttributes: systemMd5,
  }
}
