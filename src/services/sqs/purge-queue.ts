// PurgeQueue: all that is in the queue at this moment goes.
import type { Operation } from '../../engine/operation.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'

export const purgeQueue: Operation<QueueInput, void> = {
  name: 'PurgeQueue',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const { number } = requireQueue(tx, input, call)
    tx.drop(number, call.env.queues.nextSequence(number))
  },
}
