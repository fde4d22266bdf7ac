// DeleteMessage: a message that was handled goes. Any handle of it will do, also an older one, and one of a message that is gone already;
// of a FIFO queue's message only that of its newest receive, while it is hidden: its group may be with somebody else by then.
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidValue } from './errors.ts'
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
  const { sequence, receives } = readReceiptHandle(queue.number, handle)
  const message = env.queues.find(queue.number, sequence)
  if (message === undefined) return
  if (isFifoName(queue.queueArn) && (message.receives !== receives || message.visibleAt <= tx.now))
    throw invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.')
  tx.remove(queue.number, sequence)
}
