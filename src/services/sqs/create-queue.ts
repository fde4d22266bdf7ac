// CreateQueue: idempotent as long as the attributes that are given do not differ from the queue's.
import type { Operation } from '../../engine/operation.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { ownedAttributes, readQueueAttributes } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import { invalidParameter, queueNameExists, withAttributeErrors } from './errors.ts'
import type { MinuteRules } from './minute-rules.ts'
import { arnResources, isQueueName, queueArn, queueUrl } from './queue-address.ts'
import { readTags } from './queue-tags.ts'
import { checkDeadLetterQueue } from './redrive.ts'

interface CreateQueueInput {
  readonly QueueName: string
  readonly Attributes?: Readonly<Record<string, string>>
  /** Quirk: the one input member of SQS in lower case. */
  readonly tags?: Readonly<Record<string, string>>
}

export const createCreateQueue = (
  minuteRules: MinuteRules,
  isSealedAtRest: boolean,
): Operation<CreateQueueInput, { readonly QueueUrl: string }> => ({
  name: 'CreateQueue',
  access: 'write',
  resource: ({ QueueName }, call) => queueArn(call, call.account, QueueName),
  record: {
    resources: ({ QueueName }, call) => (isQueueName(QueueName) ? arnResources(queueArn(call, call.account, QueueName)) : []),
  },
  run(tx, { QueueName: name, Attributes = {}, tags = {} }, call) {
    checkName(name, Attributes['FifoQueue'])
    const attributes = withAttributeErrors(() => readQueueAttributes(Attributes, { isFifo: isFifoName(name), attributes: {} }))
    const readableTags = readTags({}, tags)
    const arn = queueArn(call, call.account, name)
    const existing = tx.get(Table.queues, arn)
    if (existing !== undefined) {
      const current = ownedAttributes(existing, isSealedAtRest)
      const different = Object.keys(attributes).find((key) => attributes[key] !== (current[key] ?? ''))
      if (different !== undefined) throw queueNameExists(different)
      return { QueueUrl: queueUrl(call, arn) }
    }
    minuteRules.checkCreate(arn, tx.now)
    if (attributes['RedrivePolicy']) checkDeadLetterQueue(tx, arn, attributes['RedrivePolicy'])
    tx.put(Table.queues, arn, {
      queueArn: arn,
      number: tx.nextNumber('queue'),
      owner: call.account,
      createdAt: tx.now,
      modifiedAt: tx.now,
      // An empty one is none, as when it is cleared.
      attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')),
      tags: readableTags,
    })
    return { QueueUrl: queueUrl(call, arn) }
  },
})

function checkName(name: string, fifoQueue: string | undefined): void {
  if (fifoQueue === 'true' && !(isFifoName(name) && isQueueName(name)))
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, ' +
        'must end with .fifo suffix and be 1 to 80 in length.',
    )
  // Quirk: without the attribute the suffix is no suffix, and a dot is no character of a name.
  if (!isQueueName(name) || (isFifoName(name) && (fifoQueue ?? 'false') === 'false'))
    throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length')
}
