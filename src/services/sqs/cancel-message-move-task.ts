// CancelMessageMoveTask: no further message moves; what was moved stays where it is.
import type { Operation } from '../../engine/operation.ts'
import { moveTaskKey, readTaskHandle } from '../../model/message-move-task.ts'
import { Table } from '../../model/tables.ts'
import { invalidParameter, resourceNotFound, unsupportedOperation } from './errors.ts'
import { NO_SOURCE, requireMovePermissions, requireSource, tasksOf } from './message-move-task.ts'
import { arnResources, isQueueArn } from './queue-address.ts'

interface CancelMessageMoveTaskInput {
  readonly TaskHandle: string
}

export const cancelMessageMoveTask: Operation<CancelMessageMoveTaskInput, { readonly ApproximateNumberOfMessagesMoved: number }> = {
  name: 'CancelMessageMoveTask',
  access: 'write',
  resource: sourceOf,
  record: { resources: (input) => arnResources(sourceOf(input)) },
  run(tx, input, call) {
    const source = requireSource(tx, sourceOf(input), call)
    const taskId = readTaskHandle(input.TaskHandle)?.taskId
    const task = tasksOf(tx, source).find((other) => other.taskId === taskId)
    if (task === undefined) throw resourceNotFound('Task does not exist.')
    if (task.status !== 'RUNNING')
      throw unsupportedOperation(`Only a message movement task that is RUNNING can be cancelled; this one is ${task.status}.`)
    requireMovePermissions(call, source.queueArn, task.destinationArn === undefined ? [] : [task.destinationArn])
    tx.put(Table.messageMoveTasks, moveTaskKey(task), { ...task, status: 'CANCELLING' })
    return { ApproximateNumberOfMessagesMoved: task.moved }
  },
}

function sourceOf({ TaskHandle }: CancelMessageMoveTaskInput): string {
  const handle = readTaskHandle(TaskHandle)
  if (handle === undefined) throw invalidParameter('Value for parameter TaskHandle is invalid.')
  if (!isQueueArn(handle.sourceArn)) throw resourceNotFound(NO_SOURCE)
  return handle.sourceArn
}
