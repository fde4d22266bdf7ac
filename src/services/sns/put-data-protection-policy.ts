// PutDataProtectionPolicy: one policy per topic, put whole; an empty text takes it away.
import type { PutDataProtectionPolicyInput } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { checkDataProtectionPolicy } from './protection/examination.ts'
import type { SnsOperation } from './operation.ts'

export const putDataProtectionPolicy: SnsOperation<PutDataProtectionPolicyInput, undefined> = () => ({
  name: 'PutDataProtectionPolicy',
  access: 'write',
  resource: (input, call) => topicArnOf(input.ResourceArn, call, 'ResourceArn'),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.ResourceArn, call, 'ResourceArn'))
    const policy = checkDataProtectionPolicy(input.DataProtectionPolicy ?? '')
    const { dataProtectionPolicy: _replaced, ...others } = topic
    tx.put(Table.topics, topic.topicArn, policy === undefined ? others : { ...others, dataProtectionPolicy: policy })
    return undefined
  },
})
