// ListQueueTags: all tags of a queue.
import type { Operation } from '../../engine/operation.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'

export const listQueueTags: Operation<QueueInput, { readonly Tags?: Readonly<Record<string, string>> }> = {
  name: 'ListQueueTags',
  access: 'read',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const { tags } = requireOwnQueue(tx, input, call)
    return Object.keys(tags).length === 0 ? {} : { Tags: tags }
  },
}
