// GetDataProtectionPolicy: the policy as it was put.
import type { GetDataProtectionPolicyInput, GetDataProtectionPolicyResponse } from '@aws-sdk/client-sns'
import { requireTopic, topicArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'

export const getDataProtectionPolicy: SnsOperation<GetDataProtectionPolicyInput, GetDataProtectionPolicyResponse> = () => ({
  name: 'GetDataProtectionPolicy',
  access: 'read',
  resource: (input, call) => topicArnOf(input.ResourceArn, call, 'ResourceArn'),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.ResourceArn, call, 'ResourceArn'))
    return { DataProtectionPolicy: topic.dataProtectionPolicy }
  },
})
