// GetResourcePolicy: the text that was put on a channel.
import type { Operation } from '../../engine/operation.ts'
import { channelErrors } from './channel-errors.ts'
import { policyChannel, policyChannelArn } from './channel-policy.ts'

interface Output {
  readonly ResourceArn: string
  readonly ResourcePolicy: string
}

export const getResourcePolicy: Operation<{ readonly ResourceArn: string }, Output> = {
  name: 'GetResourcePolicy',
  access: 'read',
  resource: (input, call) => policyChannelArn(input.ResourceArn, call),
  run(tx, { ResourceArn: arn }, call) {
    const { policy } = policyChannel(tx, call, arn)
    if (policy === undefined) throw channelErrors.policyMissing(arn)
    return { ResourceArn: arn, ResourcePolicy: policy }
  },
}
