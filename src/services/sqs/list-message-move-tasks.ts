// ListMessageMoveTasks: the newest tasks of a source, with how far they are.
import type { Operation } from '../../engine/operation.ts'
import { formatTaskHandle, MOVE_TASKS_KEPT, type MessageMoveTask } from '../../model/message-move-task.ts'
import { invalidValue } from './errors.ts'
import { checkQueueArn, requireSource, tasksOf } from './message-move-task.ts'
import { arnResources } from './queue-address.ts'

interface ListMessageMoveTasksInput {
  readonly SourceArn: string
  readonly MaxResults?: number
}
interface ListedTask {
  readonly TaskHandle?: string
  readonly Status: MessageMoveTask['status']
  readonly SourceArn: string
  readonly DestinationArn?: string
  readonly MaxNumberOfMessagesPerSecond?: number
  readonly ApproximateNumberOfMessagesMoved: number
  readonly ApproximateNumberOfMessagesToMove: number
  readonly FailureReason?: string
  /** Milliseconds since 1970. */
  readonly StartedTimestamp: number
}

export const listMessageMoveTasks: Operation<ListMessageMoveTasksInput, { readonly Results: readonly ListedTask[] }> = {
  name: 'ListMessageMoveTasks',
  access: 'read',
  resource: ({ SourceArn }) => checkQueueArn(SourceArn, 'SourceArn'),
  record: { resources: ({ SourceArn }) => arnResources(SourceArn) },
  run(tx, { SourceArn, MaxResults: max = 1 }, call) {
    const source = requireSource(tx, SourceArn, call)
    if (!(Number.isInteger(max) && max >= 1 && max <= MOVE_TASKS_KEPT))
      throw invalidValue(max, 'MaxResults', `Must be between 1 and ${MOVE_TASKS_KEPT}, if provided.`)
    return { Results: tasksOf(tx, source).slice(0, max).map(listed) }
  },
}

function listed(task: MessageMoveTask): ListedTask {
  return {
    // Quirk: only a task that runs has a handle.
    ...(task.status === 'RUNNING' && { TaskHandle: formatTaskHandle(task) }),
    Status: task.status,
    SourceArn: task.sourceArn,
    ...(task.destinationArn !== undefined && { DestinationArn: task.destinationArn }),
    ...(task.perSecondMax !== undefined && { MaxNumberOfMessagesPerSecond: task.perSecondMax }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason !== undefined && { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedAt,
  }
}
