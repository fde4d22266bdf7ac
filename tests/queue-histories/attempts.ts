// Receive request attempt ids: for five minutes who asks again under the same id gets the same messages by the same handles, hidden anew,
// unless something happened to one of them.
import { type ModelMessage, type ModelQueue, GONE, type Place, type Reference, type Shown } from './reference.ts'
import assert from 'node:assert/strict'

const ATTEMPT_MS = 300_000

interface Attempt {
  readonly at: number
  readonly handles: readonly string[]
  readonly messages: readonly ModelMessage[]
  readonly receives: readonly number[]
  visibleAt: number
}

export class Attempts {
  readonly #attempts = new Map<string, Attempt>()

  /** True when the answer is that of an earlier receive again, and the reference knows of it. */
  isRepeat(queue: ModelQueue, id: string, shown: readonly Shown[], { now, visibilityMs }: { now: number; visibilityMs: number }): boolean {
    const key = keyOf(queue, id)
    const attempt = this.#attempts.get(key)
    if (attempt === undefined) return false
    const isSame =
      shown.length > 0 && shown.every(({ handle }, at) => handle === attempt.handles[at]) && shown.length === attempt.handles.length
    const age = now - attempt.at
    const isHeld = (place: Place | typeof GONE, receives: number | undefined): boolean =>
      place !== GONE &&
      place.queue === queue &&
      place.receives === receives &&
      place.visibleAt === attempt.visibleAt &&
      place.visibleAt > now
    const isUntouched = attempt.messages.every(({ places }, at) => places.every((place) => isHeld(place, attempt.receives[at])))
    const hasExpired = attempt.messages.some(({ places }) =>
      places.some((place) => place !== GONE && place.sentAt + queue.settings.retentionMs <= now),
    )
    if (age < ATTEMPT_MS && isUntouched && !hasExpired)
      assert.ok(isSame, `${queue.name} gave ${shown.map(({ name }) => name).join(' ')} to an attempt that had been given others`)
    if (!isSame) {
      this.#attempts.delete(key)
      return false
    }
    assert.ok(age <= ATTEMPT_MS, `${queue.name} gave the messages of an attempt again after ${age} ms`)
    attempt.visibleAt = now + visibilityMs
    for (const message of attempt.messages) {
      const left = message.places.filter((place): place is Place => place !== GONE && place.queue === queue && place.visibleAt > now)
      assert.ok(left.length > 0, `${queue.name} gave ${message.name} to an attempt again, though it was not in flight any more`)
      message.places = left.map((place) => ({ ...place, visibleAt: attempt.visibleAt }))
    }
    return true
  }

  /** A receive of its own, under that id. */
  given(queue: ModelQueue, id: string, shown: readonly Shown[], reference: Reference, times: { now: number; visibilityMs: number }): void {
    if (shown.length === 0) return
    this.#attempts.set(keyOf(queue, id), {
      at: times.now,
      handles: shown.map(({ handle }) => handle),
      receives: shown.map(({ receives }) => receives),
      messages: shown.flatMap(({ name }) => reference.messages.get(name) ?? []),
      visibleAt: times.now + times.visibilityMs,
    })
  }
}

function keyOf(queue: ModelQueue, id: string): string {
  return `${queue.url} ${queue.createdAt} ${id}`
}
