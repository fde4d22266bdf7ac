// DeleteMessage: a message that was handled goes. Any handle of it will do, also an older one, and one of a message that is gone already.
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Queue } from '../../model/topic.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'
import { readReceiptHandle } from './receipt-handle.ts'

export const deleteMessage: Operation<QueueInput & { readonly ReceiptHandle: string }, void> = {
  name: 'DeleteMessage',
  access: 'write',
  data: true,
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    stageDelete(tx, requireQueue(tx, input, call), input.ReceiptHandle, call)
  },
}

export function stageDelete(tx: Transaction, queue: Queue, handle: string, { env }: Call): void {
  const { sequence } = readReceiptHandle(queue.number, handle)
  if (env.queues.find(queue.number, sequence) !== undefined) tx.remove(queue.number, sequence)
}
