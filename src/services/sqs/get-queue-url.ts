// GetQueueUrl: the address of a queue by its name.
import type { Call, Operation } from '../../engine/operation.ts'
import { isAccountId } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import { invalidValue, queueDoesNotExist } from './errors.ts'
import { isQueueName, queueArn, queueUrl } from './queue-address.ts'

interface GetQueueUrlInput {
  readonly QueueName: string
  readonly QueueOwnerAWSAccountId?: string
}

export const getQueueUrl: Operation<GetQueueUrlInput, { readonly QueueUrl: string }> = {
  name: 'GetQueueUrl',
  access: 'read',
  resource: arnOf,
  record: { resources: (input, call) => [{ type: 'AWS::SQS::Queue', arn: arnOf(input, call), account: ownerOf(input, call) }] },
  run(tx, input, call) {
    const arn = arnOf(input, call)
    if (tx.get(Table.queues, arn) === undefined) throw queueDoesNotExist()
    return { QueueUrl: queueUrl(call, arn) }
  },
}

function arnOf(input: GetQueueUrlInput, call: Call): string {
  if (!isQueueName(input.QueueName)) throw queueDoesNotExist()
  return queueArn(call, ownerOf(input, call), input.QueueName)
}

function ownerOf({ QueueOwnerAWSAccountId: owner }: GetQueueUrlInput, call: Call): string {
  if (owner === undefined || owner === '') return call.account
  if (!isAccountId(owner)) throw invalidValue(owner, 'QueueOwnerAWSAccountId', 'Must be an account id of 12 digits.')
  return owner
}
