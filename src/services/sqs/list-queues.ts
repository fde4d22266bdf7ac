// ListQueues: the account's queues in the call's region, by name.
import type { Operation } from '../../engine/operation.ts'
import { readPage, type PageInput } from './list-page.ts'
import { queueArn, queueUrl } from './queue-address.ts'
import { Table } from '../../model/tables.ts'

interface ListQueuesInput extends PageInput {
  readonly QueueNamePrefix?: string
}
interface ListQueuesOutput {
  readonly QueueUrls?: readonly string[]
  readonly NextToken?: string
}

export const listQueues: Operation<ListQueuesInput, ListQueuesOutput> = {
  name: 'ListQueues',
  access: 'read',
  run(tx, input, call) {
    const { keys, NextToken } = readPage(input, ({ after, limit }) =>
      tx.range(Table.queues, { prefix: queueArn(call, call.account, input.QueueNamePrefix ?? ''), after, limit }).map(({ key }) => key),
    )
    return { ...(keys.length > 0 && { QueueUrls: keys.map((arn) => queueUrl(call, arn)) }), ...(NextToken !== undefined && { NextToken }) }
  },
}
