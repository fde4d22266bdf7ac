// PurgeQueue: all that is in the queue at this moment goes.
import type { Operation } from '../../engine/operation.ts'
import type { MinuteRules } from './minute-rules.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'

export const createPurgeQueue = (minuteRules: MinuteRules): Operation<QueueInput, void> => ({
  name: 'PurgeQueue',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const { number, queueArn } = requireQueue(tx, input, call)
    minuteRules.checkPurge(queueArn, tx.now)
    tx.drop(number, call.env.queues.nextSequence(number))
    minuteRules.purged(queueArn, tx.now)
  },
})
