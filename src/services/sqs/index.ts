// The operations of SQS.
import type { ResourcePolicy, Service } from '../../engine/operation.ts'
import { policyOf } from '../../engine/policies.ts'
import type { TableReader } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import { addPermission } from './add-permission.ts'
import { createFifoRates, IN_FLIGHT_MAX } from './aws-rates.ts'
import { cancelMessageMoveTask } from './cancel-message-move-task.ts'
import { changeMessageVisibilityBatch } from './change-message-visibility-batch.ts'
import { changeMessageVisibility } from './change-message-visibility.ts'
import { createCreateQueue } from './create-queue.ts'
import { deleteMessageBatch } from './delete-message-batch.ts'
import { deleteMessage } from './delete-message.ts'
import { createDeleteQueue } from './delete-queue.ts'
import { accessDenied, internalError, missingParameter } from './errors.ts'
import { createGetQueueAttributes } from './get-queue-attributes.ts'
import { getQueueUrl } from './get-queue-url.ts'
import { listDeadLetterSourceQueues } from './list-dead-letter-source-queues.ts'
import { listMessageMoveTasks } from './list-message-move-tasks.ts'
import { listQueueTags } from './list-queue-tags.ts'
import { listQueues } from './list-queues.ts'
import { createMinuteRules, NO_MINUTE_RULES } from './minute-rules.ts'
import { sqsModel } from './model.ts'
import { createPurgeQueue } from './purge-queue.ts'
import { createReceiveMessage } from './receive-message.ts'
import type { NotificationText } from './received-message.ts'
import { removePermission } from './remove-permission.ts'
import { sendMessageBatch } from './send-message-batch.ts'
import { sendMessage } from './send-message.ts'
import { setQueueAttributes } from './set-queue-attributes.ts'
import { startMessageMoveTask } from './start-message-move-task.ts'
import { tagQueue } from './tag-queue.ts'
import { untagQueue } from './untag-queue.ts'

export interface SqsParts {
  /** Makes the envelope of what a topic put into a queue, since signing is SNS's affair. */
  readonly notifications: NotificationText
  /** Counts and rates are limited as on AWS. */
  readonly hasAwsRates?: boolean
  /** What the server keeps of messages is sealed as a whole. */
  readonly isSealedAtRest?: boolean
}

export function createSqs({ notifications, hasAwsRates = false, isSealedAtRest = false }: SqsParts) {
  const minuteRules = hasAwsRates ? createMinuteRules() : NO_MINUTE_RULES
  const limited = hasAwsRates ? createFifoRates() : <Limited>(operation: Limited) => operation
  return {
    name: 'sqs',
    eventSource: 'sqs.amazonaws.com',
    actionPrefix: 'sqs',
    model: sqsModel,
    operations: {
      AddPermission: addPermission,
      CancelMessageMoveTask: cancelMessageMoveTask,
      ChangeMessageVisibility: changeMessageVisibility,
      ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
      CreateQueue: createCreateQueue(minuteRules, isSealedAtRest),
      DeleteMessage: limited(deleteMessage),
      DeleteMessageBatch: limited(deleteMessageBatch),
      DeleteQueue: createDeleteQueue(minuteRules),
      GetQueueAttributes: createGetQueueAttributes(isSealedAtRest),
      GetQueueUrl: getQueueUrl,
      ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
      ListMessageMoveTasks: listMessageMoveTasks,
      ListQueueTags: listQueueTags,
      ListQueues: listQueues,
      PurgeQueue: createPurgeQueue(minuteRules),
      ReceiveMessage: limited(createReceiveMessage(notifications, hasAwsRates ? IN_FLIGHT_MAX : Infinity)),
      RemovePermission: removePermission,
      SendMessage: limited(sendMessage),
      SendMessageBatch: limited(sendMessageBatch),
      SetQueueAttributes: setQueueAttributes,
      StartMessageMoveTask: startMessageMoveTask,
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
