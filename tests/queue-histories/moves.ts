// Message move tasks: what waits in a dead-letter queue goes back to where it came from, or where the task says, as messages of their own.
// What nothing tells the way of makes the task fail, and stays.
import assert from 'node:assert/strict'
import { ServiceError } from '../../src/model/service-error.ts'
import { QUEUE_ARN, SECOND } from './calls.ts'
import { GONE, type ModelMessage, type ModelQueue, type Place, type Reference } from './reference.ts'
import type { QueueWorld } from './world.ts'

const STEPS_MAX = 200

export interface Move {
  readonly dead: ModelQueue
  /** Undefined: where each message came from. */
  readonly destination: ModelQueue | undefined
  /** One message a second, and a kill behind the first. */
  readonly isInterrupted: boolean
}

interface ListedTask {
  readonly Status: string
  readonly ApproximateNumberOfMessagesMoved: number
}

export async function move(world: QueueWorld, reference: Reference, { dead, destination, isInterrupted }: Move): Promise<void> {
  const SourceArn = QUEUE_ARN + dead.name
  const started = await world.tryCall('StartMessageMoveTask', {
    SourceArn,
    ...(destination !== undefined && { DestinationArn: QUEUE_ARN + destination.name }),
    ...(isInterrupted && { MaxNumberOfMessagesPerSecond: 1 }),
  })
  const isDeadLetterQueue = [...reference.queues.values()].some(({ settings }) => settings.redrive?.target === dead.name)
  if (started instanceof ServiceError) return assert.ok(!isDeadLetterQueue || destination === dead, `a move from ${dead.name} is refused`)
  assert.ok(isDeadLetterQueue && destination !== dead, `${dead.name} is no dead-letter queue, and yet moves`)
  const times = new Set([world.now()])
  const task = async (): Promise<ListedTask | undefined> =>
    (await world.call<{ readonly Results: readonly ListedTask[] }>('ListMessageMoveTasks', { SourceArn })).Results[0]
  await world.settle()
  let listed = await task()
  for (let steps = 0; listed?.Status === 'RUNNING'; steps++) {
    assert.ok(steps < STEPS_MAX, `the task at ${dead.name} never ends`)
    if (isInterrupted && steps === 1) await world.restart(true)
    // At the pace of the task, whose time is the time of its messages.
    await (isInterrupted ? world.pass(SECOND) : world.passToNext(world.now() + SECOND))
    times.add(world.now())
    listed = await task()
  }
  assert.ok(listed?.Status === 'COMPLETED' || listed?.Status === 'FAILED', `the task at ${dead.name} is ${listed?.Status}`)
  for (const message of reference.in(dead))
    moved(reference, { dead, destination, isInterrupted }, message, [...times], listed.Status === 'COMPLETED')
}

function moved(
  reference: Reference,
  { dead, destination }: Move,
  message: ModelMessage,
  times: readonly number[],
  isComplete: boolean,
): void {
  const [begin = 0] = times
  const end = times.at(-1) ?? begin
  const left = message.places.flatMap((place): (Place | typeof GONE)[] => {
    if (place === GONE || place.queue !== dead) return [place]
    // A name stands for the queue that bears it now.
    const to = destination ?? reference.queues.get(place.deadLetterSource?.name ?? '')
    const expiry = place.sentAt + dead.settings.retentionMs
    const stays: (Place | typeof GONE)[] = expiry <= end ? [place, GONE] : [place]
    if (place.visibleAt > end || to === undefined || expiry <= begin) return stays
    const goes = times.filter((time) => time >= place.visibleAt && time < expiry).map((time) => arrival(reference, to, time))
    const mustGo = isComplete && place.visibleAt <= begin && expiry > end && !isHeldBack(reference, dead, message, end)
    return mustGo ? goes : [...stays, ...goes]
  })
  assert.ok(left.length > 0, `a move from ${dead.name} came to its end and left what it had: ${reference.describe(message, end)}`)
  message.places = left
}

function arrival(reference: Reference, to: ModelQueue, time: number): Place {
  return {
    queue: to,
    sentAt: time,
    visibleAt: time + to.settings.delayMs,
    receives: 0,
    firstReceivedAt: 0,
    arrival: reference.nextArrival(),
    deadLetterSource: undefined,
  }
}

/** By another of its group that was, or may have been, in somebody's hands. */
function isHeldBack(reference: Reference, dead: ModelQueue, { group }: ModelMessage, now: number): boolean {
  if (!dead.isFifo) return false
  return [...reference.messages.values()].some(
    (other) => other.group === group && other.places.some((place) => place !== GONE && place.queue === dead && place.visibleAt > now),
  )
}
