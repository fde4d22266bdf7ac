// CreateQueue: idempotent as long as the attributes that are given do not differ from the queue's.
import type { Operation } from '../../engine/operation.ts'
import { FIFO_UNSUPPORTED, ownedAttributes, readQueueAttributes } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import { invalidParameter, queueNameExists, unsupportedOperation, withAttributeErrors } from './errors.ts'
import type { MinuteRules } from './minute-rules.ts'
import { isQueueName, queueArn, queueUrl } from './queue-address.ts'
import { readTags } from './queue-tags.ts'
import { checkDeadLetterQueue } from './redrive.ts'

interface CreateQueueInput {
  readonly QueueName: string
  readonly Attributes?: Readonly<Record<string, string>>
  /** Quirk: the one input member of SQS in lower case. */
  readonly tags?: Readonly<Record<string, string>>
}

export const createCreateQueue = (minuteRules: MinuteRules): Operation<CreateQueueInput, { readonly QueueUrl: string }> => ({
  name: 'CreateQueue',
  access: 'write',
  resource: ({ QueueName }, call) => queueArn(call, call.account, QueueName),
  run(tx, { QueueName: name, Attributes = {}, tags = {} }, call) {
    if (/^[A-Za-z0-9_-]{1,75}\.fifo$/.test(name)) throw unsupportedOperation(FIFO_UNSUPPORTED)
    if (!isQueueName(name)) throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length')
    const attributes = withAttributeErrors(() => readQueueAttributes(Attributes))
    const readableTags = readTags({}, tags)
    const arn = queueArn(call, call.account, name)
    const existing = tx.get(Table.queues, arn)
    if (existing !== undefined) {
      const current = ownedAttributes(existing)
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
      attributes,
      tags: readableTags,
    })
    return { QueueUrl: queueUrl(call, arn) }
  },
})
