// UntagQueue: takes tags away by key; keys that are not there are no error.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { missingParameter } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'

export const untagQueue: Operation<QueueInput & { readonly TagKeys: readonly string[] }, void> = {
  name: 'UntagQueue',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    if (input.TagKeys.length === 0) throw missingParameter('TagKeys')
    const tags = Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !input.TagKeys.includes(key)))
    tx.put(Table.queues, queue.queueArn, { ...queue, tags })
  },
}
