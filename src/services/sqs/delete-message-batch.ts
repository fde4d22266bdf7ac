// DeleteMessageBatch: up to ten messages go in one commit.
import type { Operation } from '../../engine/operation.ts'
import { type BatchEntry, type BatchOutput, checkEntries, serveEntries } from './batch.ts'
import { stageDelete } from './delete-message.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'

interface DeleteMessageBatchInput extends QueueInput {
  readonly Entries: readonly (BatchEntry & { readonly ReceiptHandle: string })[]
}

export const deleteMessageBatch: Operation<DeleteMessageBatchInput, BatchOutput<BatchEntry>> = {
  name: 'DeleteMessageBatch',
  access: 'write',
  data: true,
  action: 'DeleteMessage',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireQueue(tx, input, call)
    checkEntries(input.Entries, 'DeleteMessageBatchRequestEntry')
    return serveEntries(input.Entries, ({ Id, ReceiptHandle }) => {
      stageDelete(tx, queue, ReceiptHandle, call)
      return { Id }
    })
  },
}
