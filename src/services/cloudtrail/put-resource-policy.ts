// PutResourcePolicy: who besides the account may put events into a channel.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { checkChannelPolicy, policyChannel, policyChannelArn } from './channel-policy.ts'

interface Input {
  readonly ResourceArn: string
  readonly ResourcePolicy: string
}

export const putResourcePolicy: Operation<Input, Input> = {
  name: 'PutResourcePolicy',
  access: 'write',
  resource: (input, call) => policyChannelArn(input.ResourceArn, call),
  run(tx, { ResourceArn: arn, ResourcePolicy: policy }, call) {
    const channel = policyChannel(tx, call, arn)
    checkChannelPolicy(policy, arn)
    tx.put(Table.channels, arn, { ...channel, policy })
    return { ResourceArn: arn, ResourcePolicy: policy }
  },
}
