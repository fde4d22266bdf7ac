// DeleteQueue: the queue goes with all that waits in it.
import type { Operation } from '../../engine/operation.ts'
import { moveTaskPrefix } from '../../model/message-move-task.ts'
import { Table } from '../../model/tables.ts'
import type { MinuteRules } from './minute-rules.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'

export const createDeleteQueue = (minuteRules: MinuteRules): Operation<QueueInput, void> => ({
  name: 'DeleteQueue',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    tx.delete(Table.queues, queue.queueArn)
    for (const { key } of tx.range(Table.messageMoveTasks, { prefix: moveTaskPrefix(queue.queueArn) }))
      tx.delete(Table.messageMoveTasks, key)
    tx.drop(queue.number, Infinity)
    minuteRules.deleted(queue.queueArn, tx.now)
  },
})
