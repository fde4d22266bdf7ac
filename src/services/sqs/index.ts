// The operations of SQS.
import type { ResourcePolicy, Service } from '../../engine/operation.ts'
import { policyOf } from '../../engine/policies.ts'
import type { TableReader } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import { changeMessageVisibilityBatch } from './change-message-visibility-batch.ts'
import { changeMessageVisibility } from './change-message-visibility.ts'
import { createQueue } from './create-queue.ts'
import { deleteMessageBatch } from './delete-message-batch.ts'
import { deleteMessage } from './delete-message.ts'
import { deleteQueue } from './delete-queue.ts'
import { accessDenied, internalError, missingParameter } from './errors.ts'
import { getQueueAttributes } from './get-queue-attributes.ts'
import { getQueueUrl } from './get-queue-url.ts'
import { listDeadLetterSourceQueues } from './list-dead-letter-source-queues.ts'
import { listQueueTags } from './list-queue-tags.ts'
import { listQueues } from './list-queues.ts'
import { sqsModel } from './model.ts'
import { purgeQueue } from './purge-queue.ts'
import { createReceiveMessage } from './receive-message.ts'
import type { NotificationText } from './received-message.ts'
import { sendMessageBatch } from './send-message-batch.ts'
import { sendMessage } from './send-message.ts'
import { setQueueAttributes } from './set-queue-attributes.ts'
import { tagQueue } from './tag-queue.ts'
import { untagQueue } from './untag-queue.ts'

/** `notifications` makes the envelope of what a topic put into a queue, since signing is SNS's affair. */
export function createSqs({ notifications }: { readonly notifications: NotificationText }) {
  return {
    name: 'sqs',
    eventSource: 'sqs.amazonaws.com',
    actionPrefix: 'sqs',
    model: sqsModel,
    operations: {
      ChangeMessageVisibility: changeMessageVisibility,
      ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
      CreateQueue: createQueue,
      DeleteMessage: deleteMessage,
      DeleteMessageBatch: deleteMessageBatch,
      DeleteQueue: deleteQueue,
      GetQueueAttributes: getQueueAttributes,
      GetQueueUrl: getQueueUrl,
      ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
      ListQueueTags: listQueueTags,
      ListQueues: listQueues,
      PurgeQueue: purgeQueue,
      ReceiveMessage: createReceiveMessage(notifications),
      SendMessage: sendMessage,
      SendMessageBatch: sendMessageBatch,
      SetQueueAttributes: setQueueAttributes,
      TagQueue: tagQueue,
      UntagQueue: untagQueue,
    },
    resourcePolicy: queuePolicy,
    accessDenied,
    internalError,
    recordsDataEvents: 'when-selected',
    missing: ([path = '']) => missingParameter(parameterName(path)),
  } satisfies Service
}

function queuePolicy(tables: TableReader, arn: string): ResourcePolicy | undefined {
  const queue = tables.get(Table.queues, arn)
  if (queue === undefined) return undefined
  const text = queue.attributes['Policy']
  return { owner: queue.owner, policy: text === undefined || text === '' ? undefined : policyOf(queue, text) }
}

/** `entries.1.member.messageBody` -> `MessageBody`, the way SQS names what is absent. */
function parameterName(path: string): string {
  const name = path.slice(path.lastIndexOf('.') + 1)
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}
