// GetQueueAttributes: what the owner set, what the queue was born with, and how many messages it holds.
import type { Operation } from '../../engine/operation.ts'
import { ownedAttributes, QUEUE_ATTRIBUTE_NAMES } from '../../model/queue-attributes.ts'
import { unknownAttributeName } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'

interface GetQueueAttributesInput extends QueueInput {
  readonly AttributeNames?: readonly string[]
}
interface GetQueueAttributesOutput {
  /** Absent when nothing was asked for, or nothing of it is set. */
  readonly Attributes?: Readonly<Record<string, string>>
}

export const createGetQueueAttributes = (isSealedAtRest: boolean): Operation<GetQueueAttributesInput, GetQueueAttributesOutput> => ({
  name: 'GetQueueAttributes',
  access: 'read',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireQueue(tx, input, call)
    const names = input.AttributeNames ?? []
    for (const name of names) if (name !== 'All' && !QUEUE_ATTRIBUTE_NAMES.has(name)) throw unknownAttributeName(name)
    if (names.length === 0) return {}
    const counts = call.env.queues.counts(queue.number, tx.now)
    const all: Record<string, string> = {
      QueueArn: queue.queueArn,
      ApproximateNumberOfMessages: String(counts.visible),
      ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
      ApproximateNumberOfMessagesDelayed: String(counts.delayed),
      CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
      LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
      ...ownedAttributes(queue, isSealedAtRest),
    }
    if (names.includes('All')) return { Attributes: all }
    const wanted = Object.entries(all).filter(([name]) => names.includes(name))
    return wanted.length === 0 ? {} : { Attributes: Object.fromEntries(wanted) }
  },
})
