// ChangeMessageVisibilityBatch: the same for up to ten messages in one commit.
import type { Operation } from '../../engine/operation.ts'
import { type BatchEntry, type BatchOutput, checkEntries, serveEntries } from './batch.ts'
import { stageVisibility } from './change-message-visibility.ts'
import { missingParameter } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'

interface ChangeMessageVisibilityBatchInput extends QueueInput {
  readonly Entries: readonly (BatchEntry & { readonly ReceiptHandle: string; readonly VisibilityTimeout?: number })[]
}

export const changeMessageVisibilityBatch: Operation<ChangeMessageVisibilityBatchInput, BatchOutput<BatchEntry>> = {
  name: 'ChangeMessageVisibilityBatch',
  access: 'write',
  data: true,
  action: 'ChangeMessageVisibility',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireQueue(tx, input, call)
    checkEntries(input.Entries, 'ChangeMessageVisibilityBatchRequestEntry')
    return serveEntries(input.Entries, ({ Id, ReceiptHandle, VisibilityTimeout }) => {
      if (VisibilityTimeout === undefined) throw missingParameter('VisibilityTimeout')
      stageVisibility(tx, queue, { ReceiptHandle, VisibilityTimeout }, call)
      return { Id }
    })
  },
}
