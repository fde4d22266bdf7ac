// DeleteResourcePolicy: from now on only the account itself puts events into the channel.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { channelErrors } from './channel-errors.ts'
import { policyChannel, policyChannelArn } from './channel-policy.ts'

export const deleteResourcePolicy: Operation<{ readonly ResourceArn: string }, object> = {
  name: 'DeleteResourcePolicy',
  access: 'write',
  resource: (input, call) => policyChannelArn(input.ResourceArn, call),
  run(tx, { ResourceArn: arn }, call) {
    const { policy, ...channel } = policyChannel(tx, call, arn)
    if (policy === undefined) throw channelErrors.policyMissing(arn)
    tx.put(Table.channels, arn, channel)
    return {}
  },
}
