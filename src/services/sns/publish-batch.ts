// PublishBatch: up to ten messages in one frame and one event. A malformed entry refuses the whole call, as on AWS.
import type { BatchResultErrorEntry, PublishBatchInput, PublishBatchResponse, PublishBatchResultEntry } from '@aws-sdk/client-sns'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { batchTooLong, emptyBatch, entryIdMalformed, entryIdTooLong, idsNotDistinct, tooManyEntries } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { type Examination, examineMessages } from './protection/examination.ts'
import { isDenial } from './protection/protect.ts'
import { checkMessage, checkSize, recordedMessage, send, topicResource } from './publish.ts'

const ENTRIES_MAX = 10
const ID_CHARS_MAX = 80

export const publishBatch: SnsOperation<PublishBatchInput, PublishBatchResponse, Examination | undefined> = (parts) => ({
  name: 'PublishBatch',
  access: 'write',
  data: true,
  action: 'Publish',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  record: {
    parameters: (input) => ({
      topicArn: input.TopicArn,
      publishBatchRequestEntries: input.PublishBatchRequestEntries?.map((entry) => ({ id: entry.Id, ...recordedMessage(entry) })),
    }),
    response: (output) => ({
      successful: output.Successful?.map(({ Id: id, MessageId: messageId, SequenceNumber: sequenceNumber }) => ({
        id,
        messageId,
        sequenceNumber,
      })),
      failed: output.Failed?.map(({ Id: id, Code: code, Message: message }) => ({ id, code, message })),
    }),
    resources: (input, call) => topicResource(input.TopicArn, call),
  },
  prepare: (call, input) =>
    examineMessages(call, parts.subscribers, input.TopicArn, (input.PublishBatchRequestEntries ?? []).slice(0, ENTRIES_MAX)),
  run(tx, input, call, examination) {
    const entries = input.PublishBatchRequestEntries ?? []
    if (entries.length > ENTRIES_MAX) throw tooManyEntries()
    if (entries.length === 0) throw emptyBatch()
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    checkIds(entries.map(({ Id }) => Id ?? ''))
    const isFifo = isFifoName(topic.topicArn)
    const checked = entries.map((entry, at) => checkMessage(entry, `publishBatchRequestEntries.${at + 1}.member.`, isFifo))
    checkSize(
      topic,
      checked.reduce((sum, { bytes }) => sum + bytes, 0),
      batchTooLong,
    )
    const wait = examination?.check(topic)
    if (wait !== undefined) return wait
    const successful: PublishBatchResultEntry[] = []
    const failed: BatchResultErrorEntry[] = []
    for (const [at, message] of checked.entries()) {
      const Id = entries[at]?.Id
      try {
        successful.push({ Id, ...send(tx, call, parts, topic, message, examination?.of(at)) })
      } catch (error) {
        if (!isDenial(error)) throw error
        failed.push({ Id, Code: error.code, Message: error.message, SenderFault: true })
      }
    }
    return { Successful: successful, Failed: failed }
  },
})

function checkIds(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw idsNotDistinct()
  for (const id of ids) {
    if (id.length > ID_CHARS_MAX) throw entryIdTooLong(id)
    if (!/^[A-Za-z0-9_-]+$/.test(id)) throw entryIdMalformed(id)
  }
}
