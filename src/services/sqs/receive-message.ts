// ReceiveMessage: takes what is visible, hides it, and answers with it; with WaitTimeSeconds it waits for something to come.
// Messages past their retention are never given out, and those received too often go to the dead-letter queue; where nothing else was
// found, the call looks again behind them.
// Where order or a count of receives is promised the answer waits for the commit; elsewhere a crash may only show a message once more.
import { type Call, type Operation, Wait } from '../../engine/operation.ts'
import { checkQueueKey } from '../../engine/queued-message.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { type QueueSettings, settingsOf } from '../../model/queue-attributes.ts'
import type { Queue } from '../../model/topic.ts'
import type { Waiting } from '../../storage/queues.ts'
import { AnswerRoom } from './answer-room.ts'
import { VISIBILITY_SECONDS_MAX } from './change-message-visibility.ts'
import { invalidValue, notOfThisQueueType, tooManyInFlight, withKeyErrors } from './errors.ts'
import { checkToken } from './fifo-message.ts'
import { keyUserOf } from './key-user.ts'
import { queueArnOf, type QueueInput, queueResources, requireQueue } from './queue-address.ts'
import { rememberAttempt, repeatAttempt } from './receive-attempt.ts'
import { completeAnswer, type ReceiveMessageOutput, type TakenMessages } from './received-answer.ts'
import { checkSystemNames, type NotificationText, type TakenMessage, type WantedNames } from './received-message.ts'
import { deadLetterQueueOf, messagesToMove, moveMessages } from './redrive.ts'

export interface ReceiveMessageInput extends QueueInput, WantedNames {
  readonly MaxNumberOfMessages?: number
  readonly VisibilityTimeout?: number
  readonly WaitTimeSeconds?: number
  readonly ReceiveRequestAttemptId?: string
}

interface Taken extends TakenMessages {
  /** A crash must not take it back: order, or a count of receives, is built on it. */
  readonly isFirm: boolean
}
const MESSAGES_MAX = 10
const WAIT_SECONDS_MAX = 20
/** How often who waits looks again at a queue with as many messages in flight as there may be. */
const FULL_QUEUE_MS = 1000
/** The queue store counts no further; a handle says what it says. */
const RECEIVES_MAX = 0xffff
/** Messages that one call may look at. A queue full of expired ones is emptied of them at once, so that the next call finds the rest. */
const LOOKED_AT_MAX = 200

/** `inFlightMax`: messages of a queue that may be in flight at a time. */
export function createReceiveMessage(
  notificationText: NotificationText,
  inFlightMax = Infinity,
): Operation<ReceiveMessageInput, Taken | ReceiveMessageOutput> {
  const room = new AnswerRoom()
  return {
    name: 'ReceiveMessage',
    access: 'read',
    data: true,
    resource: queueArnOf,
    record: { resources: queueResources },
    isFirm: (output) => !('taken' in output) || output.isFirm,
    run(tx, input, call) {
      const queue = requireQueue(tx, input, call)
      return receive(tx, queue, { ...readLimits(input, settingsOf(queue)), inFlightMax }, call)
    },
    answer: (output, call, input) =>
      'taken' in output && output.taken.length > 0 ? completeAnswer(output, call, input, { notificationText, room }) : {},
  }
}

interface Limits {
  readonly messagesMax: number
  readonly visibilityMs: number
  readonly waitMs: number
  readonly attemptId: string | undefined
}

function readLimits(input: ReceiveMessageInput, settings: QueueSettings): Limits {
  const { MaxNumberOfMessages: max = 1, VisibilityTimeout: visibility, WaitTimeSeconds: wait, ReceiveRequestAttemptId: attemptId } = input
  if (!isWithin(max, 1, MESSAGES_MAX)) throw invalidValue(max, 'MaxNumberOfMessages', `Must be between 1 and ${MESSAGES_MAX}, if provided.`)
  if (visibility !== undefined && !isWithin(visibility, 0, VISIBILITY_SECONDS_MAX))
    throw invalidValue(visibility, 'VisibilityTimeout', `Must be between 0 and ${VISIBILITY_SECONDS_MAX}, if provided.`)
  if (wait !== undefined && !isWithin(wait, 0, WAIT_SECONDS_MAX))
    throw invalidValue(wait, 'WaitTimeSeconds', `Must be >= 0 and <= ${WAIT_SECONDS_MAX}, if provided.`)
  checkSystemNames(input)
  if (attemptId !== undefined) {
    if (settings.fifo === undefined) throw notOfThisQueueType(attemptId, 'ReceiveRequestAttemptId')
    checkToken(attemptId, 'ReceiveRequestAttemptId')
  }
  return {
    messagesMax: max,
    attemptId,
    visibilityMs: visibility === undefined ? settings.visibilityMs : visibility * 1000,
    waitMs: wait === undefined ? settings.waitMs : wait * 1000,
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

function receive(tx: Transaction, queue: Queue, limits: Limits & { readonly inFlightMax: number }, call: Call): Taken | Wait {
  const settings = settingsOf(queue)
  if (settings.encryption !== undefined) withKeyErrors(() => checkQueueKey(tx, call.env, queue, keyUserOf(call), tx.now))
  const isFirm = settings.fifo !== undefined || settings.redrive !== undefined || limits.visibilityMs === 0
  const visibleAt = tx.now + limits.visibilityMs
  const deadline = call.arrivedAt + limits.waitMs
  const attempt = limits.attemptId === undefined ? undefined : { queue: queue.number, attemptId: limits.attemptId, visibleAt }
  // Nobody is there to be given anything.
  if (call.patience?.isOver === true) return { queue, taken: [], isFirm }
  const repeated = attempt === undefined ? undefined : repeatAttempt(tx, attempt, call)
  if (repeated !== undefined) return repeated instanceof Wait ? repeated : { queue, taken: repeated, isFirm }
  const room = limits.inFlightMax === Infinity ? Infinity : limits.inFlightMax - call.env.queues.counts(queue.number, tx.now).inFlight
  if (room <= 0) {
    if (settings.fifo === undefined && limits.waitMs === 0) throw tooManyInFlight()
    return tx.now < deadline ? new Wait(pause(call, Math.min(deadline - tx.now, FULL_QUEUE_MS))) : { queue, taken: [], isFirm }
  }
  const deadLetterQueue = deadLetterQueueOf(tx, settings, call)
  const receivesMax = deadLetterQueue === undefined ? Infinity : (settings.redrive?.maxReceiveCount ?? Infinity)
  const expiredUpTo = tx.now - settings.retentionMs
  const { wanted, expired, exhausted } = sift(tx, queue, { max: Math.min(limits.messagesMax, room), expiredUpTo, receivesMax })
  if (wanted.length === 0 && expired.length === 0 && exhausted.length === 0)
    return tx.now < deadline ? new Wait(untilAvailable(call, queue.number, tx.now, deadline)) : { queue, taken: [], isFirm }
  if (exhausted.length > 0 && deadLetterQueue !== undefined) {
    const messages = messagesToMove(queue, exhausted, call)
    // Their bodies come from disk: nothing is staged yet, all that was taken goes back, and the call decides anew.
    if (messages instanceof Wait) return messages
    moveMessages(tx, queue, deadLetterQueue, messages, call)
  }
  if (expired.length > 0) {
    tx.drop(queue.number, call.env.queues.firstSentAt(queue.number, expiredUpTo + 1))
    for (const { sequence } of expired) tx.remove(queue.number, sequence)
  }
  // Behind those that just went may stand others, of the same group too.
  if (wanted.length === 0) return new Wait(Promise.resolve())
  const taken = wanted.map((waiting): TakenMessage => {
    const receives = Math.min(waiting.receives + 1, RECEIVES_MAX)
    const firstReceivedAt = waiting.receives === 0 ? tx.now : waiting.firstReceivedAt
    tx.hide(queue.number, waiting.sequence, { visibleAt, receives, firstReceivedAt })
    return { sequence: waiting.sequence, route: waiting.route, receives, firstReceivedAt }
  })
  if (attempt !== undefined) rememberAttempt(tx, attempt, taken)
  return { queue, taken, isFirm }
}

interface Sifted {
  readonly wanted: readonly Waiting[]
  /** Past their retention. */
  readonly expired: readonly Waiting[]
  /** Received too often. */
  readonly exhausted: readonly Waiting[]
}

/** Takes until `max` are found that may be given out. */
function sift(
  tx: Transaction,
  { number }: Queue,
  { max, expiredUpTo, receivesMax }: { readonly max: number; readonly expiredUpTo: number; readonly receivesMax: number },
): Sifted {
  const wanted: Waiting[] = []
  const expired: Waiting[] = []
  const exhausted: Waiting[] = []
  for (let lookedAt = 0; wanted.length < max && exhausted.length < MESSAGES_MAX && lookedAt < LOOKED_AT_MAX;) {
    const batch = tx.take(number, max - wanted.length)
    if (batch.length === 0) break
    lookedAt += batch.length
    for (const waiting of batch) {
      if (waiting.sentAt <= expiredUpTo) expired.push(waiting)
      else if (waiting.receives >= receivesMax) exhausted.push(waiting)
      else wanted.push(waiting)
    }
  }
  return { wanted, expired, exhausted }
}

/** Until something may be there, the time is up, or nobody waits any more. */
function untilAvailable(call: Call, queue: number, now: number, deadline: number): Promise<void> {
  return until(call, deadline - now, (wake) => call.env.queues.onceAvailable(queue, now, wake))
}

function pause(call: Call, milliseconds: number): Promise<void> {
  return until(call, milliseconds, () => () => {})
}

/** `watch` gives how to stop watching. */
function until({ env, patience }: Call, milliseconds: number, watch: (wake: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      stopWatching()
      stopWaiting?.()
      resolve()
    }
    const timer = env.clock.after(milliseconds, end)
    const stopWatching = watch(end)
    const stopWaiting = patience?.onceOver(end)
  })
}
