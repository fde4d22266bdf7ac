// SetQueueAttributes: changes what is named, leaves the rest; an empty text takes a policy away.
import type { Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { readQueueAttributes } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import { missingParameter, withAttributeErrors } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'
import { checkDeadLetterQueue } from './redrive.ts'

interface SetQueueAttributesInput extends QueueInput {
  readonly Attributes: Readonly<Record<string, string>>
}

export const setQueueAttributes: Operation<SetQueueAttributesInput, void> = {
  name: 'SetQueueAttributes',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    if (Object.keys(input.Attributes).length === 0) throw missingParameter('Attribute.Name')
    changeAttributes(tx, queue, input.Attributes)
  },
}

/** An empty text takes away. Throws the refusal of the first that does not hold. */
export function changeAttributes(tx: Transaction, queue: Queue, given: Queue['attributes']): void {
  const changes = withAttributeErrors(() =>
    readQueueAttributes(given, { isFifo: isFifoName(queue.queueArn), attributes: queue.attributes }),
  )
  if (changes['RedrivePolicy']) checkDeadLetterQueue(tx, queue.queueArn, changes['RedrivePolicy'])
  const attributes = Object.fromEntries(Object.entries({ ...queue.attributes, ...changes }).filter(([, text]) => text !== ''))
  tx.put(Table.queues, queue.queueArn, { ...queue, attributes, modifiedAt: tx.now })
}
