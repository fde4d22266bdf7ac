// What clients know of the messages they sent, received and deleted while the server was killed again and again: what was acknowledged, and
// what was asked for without an answer. Tells at once when a receive gives what it must not, and at the end what is missing.
import assert from 'node:assert/strict'

type Known = 'no' | 'asked' | 'acknowledged'

interface Entry {
  readonly group: string | undefined
  /** Counts within the group, in the order in which they were sent. */
  readonly number: number
  sent: Known
  deleted: Known
  /** A moment of the ledger. */
  deletedAt: number
  /** As far as clients were told. */
  receives: number
  /** In the final look. */
  found: number
}

export interface LedgerOptions {
  /** After so many receives a message may have gone to the dead-letter queue, and come back from there out of its order. */
  readonly receivesMax?: number | undefined
}

export class Ledger {
  readonly #receivesMax: number
  readonly #entries = new Map<string, Entry>()
  readonly #groups = new Map<string, Entry[]>()
  readonly counts = { sent: 0, received: 0, deleted: 0 }
  #moment = 0
  #kills = 0

  constructor({ receivesMax = Infinity }: LedgerOptions = {}) {
    this.#receivesMax = receivesMax
  }

  /** A kill may have swallowed the answer of one receive of each message. */
  killed(): void {
    this.#kills++
  }

  /** Before a receive is sent: what was deleted before this moment must not be in its answer. */
  moment(): number {
    return ++this.#moment
  }

  asksToSend(body: string, group?: string): void {
    const members = group === undefined ? undefined : (this.#groups.get(group) ?? [])
    const entry: Entry = { group, number: members?.length ?? 0, sent: 'asked', deleted: 'no', deletedAt: Infinity, receives: 0, found: 0 }
    this.#entries.set(body, entry)
    if (group === undefined || members === undefined) return
    members.push(entry)
    this.#groups.set(group, members)
  }

  sent(body: string): void {
    this.#entry(body).sent = 'acknowledged'
    this.counts.sent++
  }

  /** Of an ordered group: nothing that surely stands before it is left out. */
  received(bodies: readonly string[], since: number, round: number): void {
    for (const [at, body] of bodies.entries()) {
      const entry = this.#entry(body)
      this.counts.received++
      entry.receives++
      assert.ok(entry.deletedAt > since, `round ${round}: ${body} was deleted, and comes again`)
      if (entry.group === undefined) continue
      const inThisAnswer = new Set(bodies.slice(0, at).map((each) => this.#entry(each)))
      const skipped = this.#groups
        .get(entry.group)
        ?.slice(0, entry.number)
        .find(
          (before) => before.sent === 'acknowledged' && before.deleted === 'no' && !inThisAnswer.has(before) && !this.#mayBeDead(before),
        )
      assert.equal(skipped, undefined, `round ${round}: ${body} comes before number ${skipped?.number} of ${entry.group}`)
    }
  }

  asksToDelete(body: string): void {
    const entry = this.#entry(body)
    if (entry.deleted === 'no') entry.deleted = 'asked'
  }

  deleted(body: string): void {
    const entry = this.#entry(body)
    entry.deleted = 'acknowledged'
    entry.deletedAt = Math.min(entry.deletedAt, ++this.#moment)
    this.counts.deleted++
  }

  /** One message of the final look, when nothing else goes on. */
  found(body: string): void {
    const entry = this.#entry(body)
    entry.found++
    assert.notEqual(entry.deleted, 'acknowledged', `${body} was deleted, and is there`)
    assert.equal(entry.found, 1, `${body} is there twice`)
  }

  /** After the final look. Returns how many were found that nobody had been told of. */
  close(): number {
    let unasked = 0
    for (const [body, { sent, deleted, found }] of this.#entries) {
      assert.ok(found === 1 || sent !== 'acknowledged' || deleted !== 'no', `${body} was acknowledged, and is lost`)
      if (found === 1 && sent === 'asked') unasked++
    }
    return unasked
  }

  /** Ordered messages whose send was not answered. */
  inDoubt(): readonly { readonly body: string; readonly group: string }[] {
    return [...this.#entries].flatMap(([body, { group, sent }]) => (sent === 'asked' && group !== undefined ? [{ body, group }] : []))
  }

  #mayBeDead({ receives }: Entry): boolean {
    return receives + this.#kills >= this.#receivesMax
  }

  #entry(body: string): Entry {
    const entry = this.#entries.get(body)
    assert.ok(entry !== undefined, `${body} comes, though nobody sent it`)
    return entry
  }
}
