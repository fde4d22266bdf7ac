// RemovePermission: takes the statement of a label out of the queue's policy, and the policy when it was the last one.
import type { Operation } from '../../engine/operation.ts'
import { withoutPermission } from '../../model/queue-policy.ts'
import { invalidValue } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'
import { changeAttributes } from './set-queue-attributes.ts'

export const removePermission: Operation<QueueInput & { readonly Label: string }, void> = {
  name: 'RemovePermission',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    const policy = withoutPermission(queue.attributes['Policy'], input.Label)
    if (policy === undefined) throw invalidValue(input.Label, 'Label', "can't find label.")
    changeAttributes(tx, queue, { Policy: policy })
  },
}
