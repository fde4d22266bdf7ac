// AddPermission: one more statement in the queue's policy, for whole accounts.
import type { Operation } from '../../engine/operation.ts'
import { isAccountId } from '../../model/arn.ts'
import { problemOfActions, withPermission } from '../../model/queue-policy.ts'
import { invalidParameter, invalidValue, missingParameter, overLimit } from './errors.ts'
import { queueArnOf, type QueueInput, queueResources, requireOwnQueue } from './queue-address.ts'
import { changeAttributes } from './set-queue-attributes.ts'

interface AddPermissionInput extends QueueInput {
  readonly Label: string
  readonly AWSAccountIds: readonly string[]
  readonly Actions: readonly string[]
}

export const addPermission: Operation<AddPermissionInput, void> = {
  name: 'AddPermission',
  access: 'write',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const queue = requireOwnQueue(tx, input, call)
    const { Label: label, AWSAccountIds: accounts, Actions: actions } = input
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(label))
      throw invalidValue(label, 'Label', 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length')
    if (actions.length === 0) throw missingParameter('Actions')
    if (accounts.length === 0) throw invalidValue('[]', 'PrincipalId', 'Unable to verify.')
    const problem = problemOfActions(actions)
    if (problem !== undefined) throw (problem.kind === 'overLimit' ? overLimit : invalidParameter)(problem.message)
    const stranger = accounts.find((account) => !isAccountId(account))
    if (stranger !== undefined) throw invalidValue(`[${stranger}]`, 'PrincipalId', 'Unable to verify principal.')
    const permission = { label, accounts, actions, resource: queue.queueArn }
    const policy = withPermission(queue.attributes['Policy'], permission, call.partition)
    if (policy === undefined) throw invalidValue(label, 'Label', 'Already exists.')
    changeAttributes(tx, queue, { Policy: policy })
  },
}
