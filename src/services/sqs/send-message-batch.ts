// SendMessageBatch: up to ten messages, together at most 1 MiB, in one commit.
import type { Operation } from '../../engine/operation.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { type BatchEntry, type BatchOutput, checkEntries, serveEntries } from './batch.ts'
import { batchTooLong } from './errors.ts'
import { checkPlaces } from './fifo-message.ts'
import { type AttributeValues } from './message-attributes.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'
import { HIDDEN_OF_MESSAGES } from './send-message.ts'
import { checkMessage, type MessageInput, type SentMessage, stageMessage } from './sent-message.ts'

interface SendMessageBatchInput extends QueueInput {
  readonly Entries: readonly (BatchEntry & MessageInput)[]
}

const BATCH_BYTES_MAX = 1_048_576

export const sendMessageBatch: Operation<SendMessageBatchInput, BatchOutput<BatchEntry & SentMessage>> = {
  name: 'SendMessageBatch',
  access: 'write',
  data: true,
  action: 'SendMessage',
  resource: queueArnOf,
  record: { hidden: HIDDEN_OF_MESSAGES, resources: queueResources },
  run(tx, input, call) {
    const queue = requireQueue(tx, input, call)
    const settings = settingsOf(queue)
    checkEntries(input.Entries, 'SendMessageBatchRequestEntry')
    const bytes = input.Entries.reduce(
      (sum, entry) => sum + Buffer.byteLength(entry.MessageBody) + attributeBytes(entry.MessageAttributes),
      0,
    )
    if (bytes > BATCH_BYTES_MAX) throw batchTooLong(BATCH_BYTES_MAX, bytes)
    if (settings.fifo !== undefined) checkPlaces(input.Entries, settings.fifo)
    return serveEntries(input.Entries, (entry) => ({ Id: entry.Id, ...stageMessage(tx, queue, checkMessage(entry, settings), call) }))
  },
}

/** As they were given: an entry with attributes that do not hold counts as well. */
function attributeBytes(given: AttributeValues | undefined): number {
  if (given === undefined) return 0
  return Object.entries(given).reduce(
    (sum, [name, { DataType, StringValue, BinaryValue }]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(DataType) + (BinaryValue?.length ?? Buffer.byteLength(StringValue ?? '')),
    0,
  )
}
