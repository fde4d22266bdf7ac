// What the three operations on message move tasks share: their source's ARN, its tasks, and what moving asks of the caller.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { parseArn } from '../../model/arn.ts'
import { type MessageMoveTask, MOVE_TASKS_KEPT, moveTaskPrefix } from '../../model/message-move-task.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidParameter, resourceNotFound } from './errors.ts'
import { isQueueArn, requireOwner } from './queue-address.ts'

/** Throws InvalidParameterValue for what is no queue's ARN. */
export function checkQueueArn(arn: string, name: 'SourceArn' | 'DestinationArn'): string {
  if (!isQueueArn(arn))
    throw invalidParameter(`You must use this format to specify the ${name}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>`)
  return arn
}

/** The caller's own queue: cross-account permissions do not apply to move tasks. */
export function requireSource(tables: TableReader, sourceArn: string, call: Call): Queue {
  requireOwner(checkQueueArn(sourceArn, 'SourceArn'), call)
  const queue = parseArn(sourceArn)?.region === call.region ? tables.get(Table.queues, sourceArn) : undefined
  if (queue === undefined) throw resourceNotFound(NO_SOURCE)
  return queue
}

export const NO_SOURCE = "The resource that you specified for the SourceArn parameter doesn't exist."

/** The newest first. Those of an earlier queue of the name do not count. */
export function tasksOf(tables: TableReader, { queueArn, number }: Queue): readonly MessageMoveTask[] {
  return tables
    .range(Table.messageMoveTasks, { prefix: moveTaskPrefix(queueArn), reverse: true, limit: MOVE_TASKS_KEPT })
    .map(({ value }) => value)
    .filter(({ queue }) => queue === number)
}

/** SQS Developer Guide, "Configuring queue permissions for dead-letter queue redrive". */
export function requireMovePermissions(call: Call, sourceArn: string, destinations: readonly string[]): void {
  for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) call.require(action, sourceArn)
  for (const arn of destinations) call.require('SendMessage', arn)
}
