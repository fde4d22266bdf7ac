// ChangeMessageVisibility: who works on a message asks for more time, or gives it back.
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidValue, messageNotInflight } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'
import { readReceiptHandle } from './receipt-handle.ts'

export interface VisibilityInput {
  readonly ReceiptHandle: string
  readonly VisibilityTimeout: number
}

export const VISIBILITY_SECONDS_MAX = 43_200

export const changeMessageVisibility: Operation<QueueInput & VisibilityInput, void> = {
  name: 'ChangeMessageVisibility',
  access: 'write',
  data: true,
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    stageVisibility(tx, requireQueue(tx, input, call), input, call)
  },
}

export function stageVisibility(tx: Transaction, queue: Queue, input: VisibilityInput, { env }: Call): void {
  const { ReceiptHandle: handle, VisibilityTimeout: seconds } = input
  if (!(Number.isInteger(seconds) && seconds >= 0 && seconds <= VISIBILITY_SECONDS_MAX))
    throw invalidValue(seconds, 'VisibilityTimeout', `Must be between 0 and ${VISIBILITY_SECONDS_MAX}.`)
  const receipt = readReceiptHandle(queue.number, handle)
  const message = env.queues.find(queue.number, receipt.sequence)
  // A receive may be answered before its commit is applied: until then its handle is ahead of what the queue knows.
  const isJustTaken = message?.isReserved === true && receipt.receives > message.receives
  // A handle of an earlier receive must not release or hold what somebody else works on by now.
  if (message === undefined || !(isJustTaken || message.receives === receipt.receives))
    throw invalidValue(handle, 'ReceiptHandle', 'Message does not exist or is not available for visibility timeout change.')
  if (!isJustTaken && message.visibleAt <= tx.now) throw messageNotInflight()
  const visibleAt = tx.now + seconds * 1000
  // Only of a first receive its time is known; later ones may be held a little longer than AWS would.
  if (message.receives === 1 && visibleAt - message.firstReceivedAt > VISIBILITY_SECONDS_MAX * 1000)
    throw invalidValue(
      seconds,
      'VisibilityTimeout',
      `Total VisibilityTimeout for the message is beyond the limit [${VISIBILITY_SECONDS_MAX} seconds]`,
    )
  const firstReceivedAt = message.receives === 0 ? tx.now : message.firstReceivedAt
  tx.hide(queue.number, receipt.sequence, { visibleAt, receives: receipt.receives, firstReceivedAt })
}
