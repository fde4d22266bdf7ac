// One step of a message move task: some messages leave the dead-letter queue and arrive at their destination in the same commit as the
// task's count, so that none moves twice and none is lost, wherever the process ends.
import type { Env } from '../../engine/env.ts'
import { arrivalGroup, arrivalVisibleAt } from '../../engine/queue-access.ts'
import { checkQueueKey, stageQueued } from '../../engine/queued-message.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { isActive, type MessageMoveTask, MOVE_TASK_MS_MAX, type MoveTaskStatus } from '../../model/message-move-task.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import { withKeyErrors } from './errors.ts'
import { type KnownBodies, MOVED_BYTES_MAX, type QueuedHeader, readMessage, type StoredMessage, storedMessages } from './redrive.ts'

/**
 * `full`: the messages were too large for one step, and what was left went back; `over`: the task is not active any more. A promise:
 * nothing is staged, and `known` holds what was missing when it resolves.
 */
export type Step = 'more' | 'full' | 'over' | Promise<void>

export function moveSome(tx: Transaction, env: Env, key: string, messagesMax: number, known: KnownBodies): Step {
  const task = tx.get(Table.messageMoveTasks, key)
  if (task === undefined || !isActive(task)) return 'over'
  const source = tx.get(Table.queues, task.sourceArn)
  if (source === undefined || source.number !== task.queue) {
    tx.delete(Table.messageMoveTasks, key)
    return 'over'
  }
  const end = (status: MoveTaskStatus, moved: number, failureReason?: string): 'over' =>
    endTask(tx, env, key, { ...task, status, moved, failureReason })
  if (task.status === 'CANCELLING') return end('CANCELLED', task.moved)
  if (tx.now - task.startedAt > MOVE_TASK_MS_MAX) return end('FAILED', task.moved, 'TaskTimedOut')
  const batch = tx.take(source.number, messagesMax)
  if (batch.length === 0) return end('COMPLETED', task.moved)
  const stored = storedMessages(env, source, batch, known)
  if (stored instanceof Promise) return stored
  const { moved, failure, isFull } = moveBatch(tx, env, source, task, stored)
  if (failure !== undefined) return end('FAILED', task.moved + moved, failure)
  tx.put(Table.messageMoveTasks, key, { ...task, moved: task.moved + moved })
  return isFull ? 'full' : 'more'
}

/** What cannot move now goes back in its order: behind the first that has no place to go, and beyond the bytes of a step. */
function moveBatch(
  tx: Transaction,
  env: Env,
  source: Queue,
  task: MessageMoveTask,
  batch: readonly StoredMessage[],
): { readonly moved: number; readonly failure: string | undefined; readonly isFull: boolean } {
  const expiredUpTo = tx.now - settingsOf(source).retentionMs
  let moved = 0
  let bytes = 0
  let failure: string | undefined
  let isFull = false
  for (const { waiting, bytes: stored } of batch) {
    const { sequence, route, sentAt, receives, firstReceivedAt } = waiting
    isFull ||= bytes > 0 && bytes + stored.length > MOVED_BYTES_MAX
    bytes += stored.length
    if (sentAt <= expiredUpTo) {
      tx.remove(source.number, sequence)
      continue
    }
    const found = failure !== undefined || isFull ? undefined : placeOf(tx, env, task, stored)
    if (typeof found === 'string') failure = found
    if (found === undefined || typeof found === 'string') {
      tx.hide(source.number, sequence, { visibleAt: tx.now, receives, firstReceivedAt })
      continue
    }
    const { to, header, body } = found
    const { deadLetterSourceArn: _, ...kept } = header
    // To the queue it is a new message: with an id, a time and a count of receives of its own.
    const arrived: QueuedHeader = { ...kept, queuedId: env.random.uuid(), enqueuedAt: tx.now }
    const group = arrivalGroup(to, header)
    tx.enqueue(to.number, stageQueued(tx, env, to, { header: arrived, body }, undefined), {
      route,
      visibleAt: arrivalVisibleAt(to, tx.now),
      group,
    })
    tx.remove(source.number, sequence)
    moved++
  }
  return { moved, failure, isFull }
}

interface Place {
  readonly to: Queue
  readonly header: QueuedHeader
  readonly body: string
}

/** Where the message goes, or why nowhere: in AWS's words. */
function placeOf(tx: Transaction, env: Env, task: MessageMoveTask, stored: Buffer): Place | string {
  try {
    return openPlace(tx, env, task, stored)
  } catch (error) {
    // A key that does not open or seal.
    if (error instanceof ServiceError) return error.code
    throw error
  }
}

function openPlace(tx: Transaction, env: Env, task: MessageMoveTask, stored: Buffer): Place | string {
  const { header, body } = readMessage(env, task.sourceArn, stored)
  const arn = task.destinationArn ?? header.deadLetterSourceArn
  // Letters of subscriptions, and what was sent there directly, came from no queue.
  if (arn === undefined) return 'CouldNotDetermineMessageSource'
  const to = tx.get(Table.queues, arn)
  if (to === undefined) return 'AWS.SimpleQueueService.NonExistentQueue'
  withKeyErrors(() => checkQueueKey(tx, env, to, undefined, tx.now))
  return { to, header, body }
}

function endTask(tx: Transaction, { acts }: Env, key: string, task: MessageMoveTask): 'over' {
  tx.put(Table.messageMoveTasks, key, task)
  const { taskId, sourceArn, destinationArn, status, failureReason, moved, toMove } = task
  acts.tell(tx, { name: 'MessageMoveTaskEnded', details: { taskId, sourceArn, destinationArn, status, failureReason, moved, toMove } })
  return 'over'
}
