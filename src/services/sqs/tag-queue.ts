// TagQueue: adds tags; a key that is there already gets the new value.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { missingParameter } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'
import { readTags } from './queue-tags.ts'

export const tagQueue: Operation<QueueInput & { readonly Tags: Readonly<Record<string, string>> }, void> = {
  name: 'TagQueue',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    if (Object.keys(input.Tags).length === 0) throw missingParameter('Tags')
    tx.put(Table.queues, queue.queueArn, { ...queue, tags: readTags(queue.tags, input.Tags) })
  },
}
