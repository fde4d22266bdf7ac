// StartMessageMoveTask: the messages of a dead-letter queue go back to where they came from, or to another queue. The call keeps the task;
// message-move-runs.ts does the work.
import type { Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import {
  formatTaskHandle,
  isActive,
  type MessageMoveTask,
  MOVE_TASKS_KEPT,
  MOVES_PER_SECOND_MAX,
  moveTaskKey,
} from '../../model/message-move-task.ts'
import { Table } from '../../model/tables.ts'
import { deadLetterSourcesOf } from './dead-letter-sources.ts'
import { invalidParameter, invalidValue, resourceNotFound } from './errors.ts'
import { checkQueueArn, requireMovePermissions, requireSource, tasksOf } from './message-move-task.ts'
import { arnResources } from './queue-address.ts'

interface StartMessageMoveTaskInput {
  readonly SourceArn: string
  readonly DestinationArn?: string
  readonly MaxNumberOfMessagesPerSecond?: number
}

export const startMessageMoveTask: Operation<StartMessageMoveTaskInput, { readonly TaskHandle: string }> = {
  name: 'StartMessageMoveTask',
  access: 'write',
  resource: ({ SourceArn }) => checkQueueArn(SourceArn, 'SourceArn'),
  record: { resources: ({ SourceArn }) => arnResources(SourceArn) },
  run(tx, input, call) {
    const source = requireSource(tx, input.SourceArn, call)
    const { MaxNumberOfMessagesPerSecond: perSecondMax } = input
    if (perSecondMax !== undefined && !(Number.isInteger(perSecondMax) && perSecondMax >= 1 && perSecondMax <= MOVES_PER_SECOND_MAX))
      throw invalidValue(perSecondMax, 'MaxNumberOfMessagesPerSecond', `Must be between 1 and ${MOVES_PER_SECOND_MAX}, if provided.`)
    const destinationArn = checkDestination(tx, input)
    const origins = deadLetterSourcesOf(call.env.tables, source.queueArn)
    if (origins.length === 0) throw invalidParameter('Source queue must be configured as a Dead Letter Queue.')
    requireMovePermissions(call, source.queueArn, destinationArn === undefined ? origins : [destinationArn])
    const earlier = tasksOf(tx, source)
    if (earlier.some(isActive))
      throw invalidParameter('There is already a task running. Only one active task is allowed for a source queue arn at a given time.')
    for (const task of earlier.slice(MOVE_TASKS_KEPT - 1)) tx.delete(Table.messageMoveTasks, moveTaskKey(task))
    const task: MessageMoveTask = {
      taskId: call.env.random.uuid(),
      sourceArn: source.queueArn,
      queue: source.number,
      ...(destinationArn !== undefined && { destinationArn }),
      ...(perSecondMax !== undefined && { perSecondMax }),
      status: 'RUNNING',
      startedAt: Math.max(tx.now, (earlier[0]?.startedAt ?? 0) + 1),
      toMove: call.env.queues.counts(source.number, tx.now).visible,
      moved: 0,
    }
    tx.put(Table.messageMoveTasks, moveTaskKey(task), task)
    return { TaskHandle: formatTaskHandle(task) }
  },
}

function checkDestination(tx: Transaction, { SourceArn, DestinationArn: arn }: StartMessageMoveTaskInput): string | undefined {
  if (arn === undefined || arn === '') return undefined
  const place = (queueArn: string): string => queueArn.split(':').slice(0, 4).join(':')
  checkQueueArn(arn, 'DestinationArn')
  if (arn === SourceArn) throw invalidParameter('Source queue and destination queue must be different.')
  if (isFifoName(arn) !== isFifoName(SourceArn)) throw invalidParameter('Source queue and destination queue must be of the same type.')
  if (place(arn) !== place(SourceArn) || tx.get(Table.queues, arn) === undefined)
    throw resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
  return arn
}
