// What a receive may answer. A standard queue gives any messages that are visible, and all of them up to the number asked for; a FIFO
// queue gives each group in its order, nothing of a group that has a message in flight, and as many of one group as it can.
import assert from 'node:assert/strict'
import { GONE, type ModelMessage, type ModelQueue, type Place, type Reference, type Shown } from './reference.ts'

export interface ReceiveFacts {
  readonly queue: ModelQueue
  readonly now: number
  readonly max: number
  readonly visibilityMs: number
  /** False where other calls may have taken what this one did not give. */
  readonly isAlone: boolean
  readonly arnOf: (queue: ModelQueue) => string
}

/** A call with something to give may have stopped at so many messages that were received too often. */
const MOVED_MAX = 10

export function received(reference: Reference, facts: ReceiveFacts, shown: readonly Shown[]): void {
  const { queue, now, max } = facts
  assert.ok(shown.length <= max, `${shown.length} messages came, ${max} were asked for`)
  assert.equal(new Set(shown.map(({ name }) => name)).size, shown.length, `a message came twice in one answer of ${queue.name}`)
  reference.expire(queue, now)
  const standings = reference.in(queue).flatMap((message) => message.places.map((place) => reference.standing(place, queue, now)))
  const exhausted = standings.filter((standing) => standing === 'exhausted').length
  // What a receive takes and must not give still holds its group until the call is over; only one without anything to give looks again.
  const holdsGroups = queue.isFifo && (exhausted > 0 || standings.includes('expired'))
  const looksAtAll = facts.isAlone && (shown.length === 0 || (exhausted < MOVED_MAX && !holdsGroups))
  const isComplete = looksAtAll && shown.length < max
  if (queue.isFifo) receivedInGroups(reference, facts, shown, { isComplete, looksAtAll })
  else {
    const names = new Set(shown.map(({ name }) => name))
    for (const message of reference.in(queue)) if (!names.has(message.name)) passedOver(reference, facts, message, isComplete)
  }
  for (const each of shown) gave(reference, facts, each)
}

function receivedInGroups(
  reference: Reference,
  facts: ReceiveFacts,
  shown: readonly Shown[],
  { isComplete, looksAtAll }: { readonly isComplete: boolean; readonly looksAtAll: boolean },
): void {
  const { queue, now } = facts
  const groups = new Map<string, ModelMessage[]>()
  for (const message of reference.in(queue)) {
    const group = message.group ?? ''
    const members = groups.get(group)
    if (members === undefined) groups.set(group, [message])
    else members.push(message)
  }
  const order = shown.map(({ name }) => reference.messages.get(name)?.group ?? '')
  const runs = order.filter((group, at) => group !== order[at - 1])
  assert.equal(new Set(runs).size, runs.length, `messages of one group come together: ${order.join(' ')}`)
  for (const [group, members] of groups) {
    const given = shown.filter(({ name }) => reference.messages.get(name)?.group === group).map(({ name }) => name)
    const isInFlight = (place: Place | typeof GONE): boolean => reference.standing(place, queue, now) === 'inFlight'
    // One that outlived its retention in somebody's hands may hold its group until it would have come back.
    const mayHold = (place: Place | typeof GONE): boolean => place !== GONE && place.queue === queue && place.visibleAt > now
    const isFree = members.every(({ places }) => !places.some(mayHold))
    if (given.length > 0)
      for (const message of members) {
        const left = message.places.filter((place) => !isInFlight(place))
        assert.ok(left.length > 0, `${given.join(' ')} came while ${message.name} of the same group was in flight`)
        message.places = left
      }
    // Nothing of it can have been given, nor moved away.
    else if (members.some(({ places }) => places.every(isInFlight))) continue
    // Another group's turn comes when nothing more can be given of this one.
    const isWhole = isComplete || (looksAtAll && given.length > 0 && order.at(-1) !== group)
    followGroup(reference, facts, { members, given, isWhole: isWhole && (isFree || given.length > 0) })
  }
}

interface GroupReceive {
  readonly members: readonly ModelMessage[]
  /** Names, in the order in which they came. */
  readonly given: readonly string[]
  /** All that could be given of the group was given. */
  readonly isWhole: boolean
}

function followGroup(reference: Reference, facts: ReceiveFacts, { members, given, isWhole }: GroupReceive): void {
  const { queue, now } = facts
  for (const [at, name] of given.entries()) {
    const came = members.find((message) => message.name === name)
    const ready = came?.places.filter((place): place is Place => reference.standing(place, queue, now) === 'ready') ?? []
    const arrival = Math.min(...ready.map((place) => place.arrival))
    for (const other of members) if (!given.slice(0, at + 1).includes(other.name)) standsBehind(reference, facts, other, { name, arrival })
  }
  let isHeldBack = false
  for (const message of members) {
    if (given.includes(message.name)) continue
    const standings = message.places.map((place) => reference.standing(place, queue, now))
    if (standings.includes('delayed') || standings.includes('inFlight')) isHeldBack = true
    passedOver(reference, facts, message, isWhole && !isHeldBack)
  }
}

/** One of the group came: another that is not given yet came into the queue later, or is not there to be given. */
function standsBehind(
  reference: Reference,
  { queue, now }: ReceiveFacts,
  other: ModelMessage,
  { name, arrival }: { readonly name: string; readonly arrival: number },
): void {
  const target = reference.deadLetterQueue(queue)
  const left = other.places.flatMap((place): (Place | typeof GONE)[] => {
    const standing = reference.standing(place, queue, now)
    if (place === GONE || standing === 'elsewhere' || standing === 'expired' || place.arrival > arrival) return [place]
    return standing === 'exhausted' && target !== undefined ? [reference.deadLettered(place, target, now)] : []
  })
  assert.ok(left.length > 0, `${name} came before ${reference.describe(other, now)}, of the same group`)
  other.places = left
}

/** It did not come. `isComplete`: all that could come did. */
function passedOver(reference: Reference, { queue, now }: ReceiveFacts, message: ModelMessage, isComplete: boolean): void {
  const left = message.places.flatMap((place): (Place | typeof GONE)[] => {
    const standing = reference.standing(place, queue, now)
    const target = reference.deadLetterQueue(queue)
    if (standing === 'exhausted' && place !== GONE && target !== undefined) {
      const moved = reference.deadLettered(place, target, now)
      return isComplete ? [moved] : [place, moved]
    }
    return standing === 'ready' && isComplete ? [] : [place]
  })
  assert.ok(left.length > 0, `${queue.name} gave less than was asked for, and not what it had: ${reference.describe(message, now)}`)
  message.places = left
}

function gave(reference: Reference, facts: ReceiveFacts, shown: Shown): void {
  const { queue, now, visibilityMs } = facts
  const message = reference.messages.get(shown.name)
  assert.ok(message !== undefined, `${queue.name} gave ${shown.name}, which nobody sent`)
  const allowed = message.places.filter((place): place is Place => reference.standing(place, queue, now) === 'ready')
  assert.ok(allowed.length > 0, `${queue.name} gave what it must not: ${reference.describe(message, now)}`)
  assert.deepEqual([shown.body, shown.group, shown.deduplicationId], [message.body, message.group, message.deduplicationId], shown.name)
  const agreeing = allowed.filter((place) => agrees(place, shown, facts))
  const told = JSON.stringify({ now, ...shown, handle: undefined })
  assert.ok(agreeing.length > 0, `${queue.name} told ${told}, though ${reference.describe(message, now)}`)
  message.places = agreeing.map((place) => ({
    ...place,
    visibleAt: now + visibilityMs,
    receives: shown.receives,
    firstReceivedAt: shown.firstReceivedAt,
  }))
  message.handles.push({ text: shown.handle, queue, receives: shown.receives, arrivals: agreeing.map(({ arrival }) => arrival) })
}

function agrees(place: Place, shown: Shown, { now, arnOf }: ReceiveFacts): boolean {
  if (place.receives !== undefined && shown.receives !== place.receives + 1) return false
  if (shown.receives < 1 || shown.sentAt > now) return false
  if (place.receives === 0 && shown.firstReceivedAt !== now) return false
  if ((place.receives ?? 0) > 0 && shown.firstReceivedAt !== place.firstReceivedAt) return false
  if (shown.sentAt !== place.sentAt) return false
  return shown.deadLetterSourceArn === (place.deadLetterSource === undefined ? undefined : arnOf(place.deadLetterSource))
}
