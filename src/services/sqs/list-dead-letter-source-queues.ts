// ListDeadLetterSourceQueues: the queues whose RedrivePolicy names this one.
import type { Operation } from '../../engine/operation.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import { type PageInput, readPage } from './list-page.ts'
import { queueArn, queueArnOf, type QueueInput, queueResources, queueUrl, requireQueue } from './queue-address.ts'

interface ListDeadLetterSourceQueuesOutput {
  /** Quirk: in lower case, unlike ListQueues. */
  readonly queueUrls: readonly string[]
  readonly NextToken?: string
}

export const listDeadLetterSourceQueues: Operation<QueueInput & PageInput, ListDeadLetterSourceQueuesOutput> = {
  name: 'ListDeadLetterSourceQueues',
  access: 'read',
  resource: queueArnOf,
  record: { resources: queueResources },
  run(tx, input, call) {
    const target = requireQueue(tx, input, call)
    const { keys, NextToken } = readPage(input, ({ after, limit }) =>
      tx
        .range(Table.queues, { prefix: queueArn(call, target.owner, ''), after })
        .filter(({ value }) => settingsOf(value).redrive?.deadLetterTargetArn === target.queueArn)
        .slice(0, limit)
        .map(({ key }) => key),
    )
    return { queueUrls: keys.map((arn) => queueUrl(call, arn)), ...(NextToken !== undefined && { NextToken }) }
  },
}
