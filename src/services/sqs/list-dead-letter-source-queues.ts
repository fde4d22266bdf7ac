// ListDeadLetterSourceQueues: the queues whose RedrivePolicy names this one.
import type { Operation } from '../../engine/operation.ts'
import { deadLetterSourcesOf } from './dead-letter-sources.ts'
import { type PageInput, readPage } from './list-page.ts'
import { queueArnOf, type QueueInput, queueResources, queueUrl, requireQueue } from './queue-address.ts'

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
      deadLetterSourcesOf(call.env.tables, target.queueArn)
        .filter((arn) => after === undefined || arn > after)
        .slice(0, limit),
    )
    return { queueUrls: keys.map((arn) => queueUrl(call, arn)), ...(NextToken !== undefined && { NextToken }) }
  },
}
