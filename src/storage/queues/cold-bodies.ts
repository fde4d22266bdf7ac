// The queues' own copies of bodies whose journal segments are to go. A body is copied once, when its segment is released, and removed with
// its message. Two marks tell where a body is: all living ones before `released` are here; before `begun` some may be.
// The bytes: format.ts.
import type { Position } from '../journal.ts'
import { QueuesDamaged, QueuesFormatUnknown } from '../queues.ts'
import { bodyBound, openValue, sealValue, type ValueSealing } from '../sealed-value.ts'
import { NO_STORE_KEYS } from '../store-keys.ts'
import { bodyKey as keyOf, CHECKSUM_BYTES, encodeHead, HEAD_KEY as MARKS_KEY, isSound, QUEUES_FORMAT, readHead, seal } from './format.ts'
import type { StoredBytes, StoredChange } from './store.ts'

const BATCH = 64

export interface Body {
  readonly queue: number
  readonly sequence: number
  readonly bytes: Buffer
}

export class ColdBodies {
  readonly #store: StoredBytes
  #released: Position = 0
  #begun: Position = 0
  readonly #sealing: ValueSealing | undefined
  /** Removed messages that may have a copy, and dropped parts of queues, whose copies still have to go. */
  #removed: Buffer[] = []
  #dropped: { readonly queue: number; readonly before: number }[] = []
  #sweeping: Promise<void> = Promise.resolve()
  #writing: Promise<void> = Promise.resolve()

  /** Throws QueuesFormatUnknown and QueuesDamaged. */
  constructor(store: StoredBytes, sealing: ValueSealing | undefined) {
    this.#store = store
    this.#sealing = sealing
    const marks = store.get(MARKS_KEY)
    if (marks === undefined) return
    verify(MARKS_KEY, marks, 'the head of the copied bodies')
    const { format, first: released, second: begun } = readHead(marks)
    if (format > QUEUES_FORMAT) {
      throw new QueuesFormatUnknown(
        `the copied bodies have format ${format}, this version of Sealcast reads up to ${QUEUES_FORMAT}: ` +
          'start a newer version, or restore a backup of this one',
      )
    }
    this.#released = released
    this.#begun = begun
  }

  get released(): Position {
    return this.#released
  }

  read(queue: number, sequence: number): Buffer {
    const key = keyOf(queue, sequence)
    const value = this.#store.get(key)
    const what = `the copied body of message ${sequence} of queue ${queue}`
    if (value === undefined) throw new QueuesDamaged(`${what} is missing: restore a backup`)
    verify(key, value, what)
    const body = openValue(this.#sealing?.keys ?? NO_STORE_KEYS, bodyBound(queue, sequence), value.subarray(CHECKSUM_BYTES))
    if (Buffer.isBuffer(body)) return body
    throw new QueuesDamaged(`${what} cannot be read: ${body.problem}`)
  }

  /** MUST resolve before the first copy of a body before `before`. */
  async begin(before: Position): Promise<void> {
    if (before <= this.#begun) return
    this.#begun = before
    await this.#writeMarks()
  }

  async write(bodies: readonly Body[]): Promise<void> {
    this.#writing = this.#store.write(
      bodies.map(({ queue, sequence, bytes }) => {
        const key = keyOf(queue, sequence)
        const stored = this.#sealing === undefined ? bytes : sealValue(this.#sealing, bodyBound(queue, sequence), bytes)
        return { key, value: seal(key, Buffer.concat([Buffer.alloc(CHECKSUM_BYTES), stored])) }
      }),
    )
    await this.#writing
  }

  /** All living bodies before `before` are copied and flushed. */
  async finish(before: Position): Promise<void> {
    this.#released = before
    await this.#writeMarks()
  }

  /** A message is gone whose body stands at `position`. */
  removed(queue: number, sequence: number, position: Position): void {
    if (position >= this.#begun) return
    this.#removed.push(keyOf(queue, sequence))
    if (this.#removed.length >= BATCH) this.#sweepSoon()
  }

  dropped(queue: number, before: number): void {
    if (this.#begun === 0) return
    this.#dropped.push({ queue, before })
    this.#sweepSoon()
  }

  /** Removes the copies of all that was removed or dropped before the call. Rejects when the store does; the rest is kept for the next. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.catch(() => {}).then(() => this.#sweep())
    return this.#sweeping
  }

  bytes(): number {
    return this.#store.bytes()
  }

  #sweepSoon(): void {
    // A failure is met again, and told, by the next checkpoint.
    this.sweep().catch(() => {})
  }

  async #sweep(): Promise<void> {
    while (this.#removed.length > 0) {
      const keys = this.#removed.slice(0, BATCH)
      await this.#removeKeys(keys)
      this.#removed.splice(0, keys.length)
    }
    // What is being written is not listed yet.
    await this.#writing.catch(() => {})
    for (let drop = this.#dropped[0]; drop !== undefined; drop = this.#dropped[0]) {
      const [from, to] = [keyOf(drop.queue, 0), keyOf(drop.queue, drop.before)]
      for (;;) {
        const entries = this.#store.entries(from, to, BATCH)
        if (entries.length === 0) break
        await this.#removeKeys(entries.map(({ key }) => key))
      }
      this.#dropped.shift()
    }
  }

  #removeKeys(keys: readonly Buffer[]): Promise<void> {
    return this.#store.write(keys.map((key): StoredChange => ({ key, value: undefined })))
  }

  #writeMarks(): Promise<void> {
    return this.#store.write([{ key: MARKS_KEY, value: seal(MARKS_KEY, encodeHead(this.#released, this.#begun)) }])
  }
}

function verify(key: Buffer, value: Buffer, what: string): void {
  if (isSound(key, value)) return
  throw new QueuesDamaged(`${what} fails its checksum: restore a backup`)
}
