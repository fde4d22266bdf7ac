// Checkpoints of the queue index: many parts (chunks and tails), written in bounded transactions, valid all at once. Each part is stored
// under a generation; the head names the newest complete one. A part's newest generation up to the head's counts, so that a checkpoint that
// was not finished changes nothing, and a finished one writes only what changed.
// The bytes: format.ts.
import type { Position } from '../journal.ts'
import { QueuesDamaged, QueuesFormatUnknown } from '../queues.ts'
import {
  CHECKSUM_BYTES,
  encodeHead,
  HEAD_KEY,
  isSound,
  PART_KEY_BYTES,
  partKey as keyOf,
  QUEUES_FORMAT,
  readHead,
  readPartKey as readKey,
  seal,
} from './format.ts'
import type { StoredBytes, StoredChange } from './store.ts'

const FIRST_PART_KEY = Buffer.alloc(PART_KEY_BYTES)
const LAST_PART_KEY = Buffer.alloc(PART_KEY_BYTES + 1, 255)
const READ_ENTRIES = 64
const WRITE_ENTRIES = 256
const WRITE_BYTES = 1024 * 1024

export interface PartName {
  readonly queue: number
  readonly part: number
}
export interface StoredName extends PartName {
  readonly generation: number
}
export interface StoredPart extends StoredName {
  readonly value: Buffer
}
export interface ChangedPart extends PartName {
  /** The generation that holds the part so far, 0 when none does. */
  readonly previous: number
  /** Called once, when its turn comes: four free bytes and the part as of the checkpoint, or undefined when it is gone. */
  readonly encode: () => Buffer | undefined
}

export class Checkpoints {
  readonly #store: StoredBytes
  #position: Position = 0
  #generation = 0
  #format: number | undefined
  /** Written by checkpoints that were not finished; MUST go before the head moves past their generation. */
  #leftovers: Buffer[] = []
  /** Replaced by newer generations; may go once the head is past them. By name, since there may be many to note at once. */
  #superseded: StoredName[] = []

  constructor(store: StoredBytes) {
    this.#store = store
  }

  get position(): Position {
    return this.#position
  }

  /** The parts of the newest complete checkpoint. Throws QueuesFormatUnknown and QueuesDamaged. */
  *load(): Generator<StoredPart> {
    const head = this.#store.get(HEAD_KEY)
    if (head !== undefined) {
      verify(HEAD_KEY, head, 'the head of the queue index')
      const { format, first: generation, second: position } = readHead(head)
      if (format > QUEUES_FORMAT) {
        throw new QueuesFormatUnknown(
          `the queue index has format ${format}, this version of Sealcast reads up to ${QUEUES_FORMAT}: ` +
            'start a newer version, or restore a backup of this one',
        )
      }
      this.#generation = generation
      this.#position = position
      this.#format = format
    }
    let newest: { key: Buffer; value: Buffer } | undefined
    for (const entry of this.#entries()) {
      if (readKey(entry.key).generation > this.#generation) {
        this.#leftovers.push(entry.key)
        continue
      }
      if (newest !== undefined) {
        if (isSamePart(newest.key, entry.key)) this.#superseded.push(readKey(newest.key))
        else yield* this.#part(newest)
      }
      newest = entry
    }
    if (newest !== undefined) yield* this.#part(newest)
  }

  /** What was written by an older release says from now on that it is of our format: frames may tell what that release would pass over. */
  async upgrade(): Promise<void> {
    if (this.#format === undefined || this.#format === QUEUES_FORMAT) return
    await this.#store.write([{ key: HEAD_KEY, value: seal(HEAD_KEY, encodeHead(this.#generation, this.#position)) }])
  }

  /** The generation that the next `save` writes. */
  begin(): number {
    return ++this.#generation
  }

  /**
   * Writes what changed up to `position`, once `ready` resolves. When it fails the last checkpoint stands, and the next MUST have all of
   * `parts`, with the generation that failed as their previous one.
   */
  async save(position: Position, parts: readonly ChangedPart[], ready?: Promise<void>): Promise<void> {
    const generation = this.#generation
    // Before anything can fail, since the next save knows only this generation.
    for (const { queue, part, previous } of parts) if (previous > 0) this.#superseded.push({ queue, part, generation: previous })
    await Promise.all([ready, this.#removeAll(this.#leftovers)])
    let changes: StoredChange[] = []
    let bytes = 0
    for (const { queue, part, encode } of parts) {
      const key = keyOf(queue, part, generation)
      const value = encode()
      // The mark of a part that is gone must outlive what it covers: it is removed behind it.
      if (value === undefined) this.#superseded.push({ queue, part, generation })
      this.#leftovers.push(key)
      changes.push({ key, value: seal(key, value ?? Buffer.alloc(CHECKSUM_BYTES)) })
      bytes += value?.length ?? 0
      if (changes.length < WRITE_ENTRIES && bytes < WRITE_BYTES) continue
      await this.#store.write(changes)
      changes = []
      bytes = 0
    }
    const head = encodeHead(generation, position)
    // Commit point: with the head the whole checkpoint counts.
    await this.#store.write([...changes, { key: HEAD_KEY, value: seal(HEAD_KEY, head) }])
    this.#position = position
    this.#leftovers = []
    await this.#removeAll(this.#superseded)
  }

  /** In their order; what could not be removed is kept. */
  async #removeAll(gone: (Buffer | StoredName)[]): Promise<void> {
    while (gone.length > 0) {
      const some = gone.slice(0, WRITE_ENTRIES)
      await this.#store.write(
        some.map((each) => ({ key: Buffer.isBuffer(each) ? each : keyOf(each.queue, each.part, each.generation), value: undefined })),
      )
      gone.splice(0, some.length)
    }
  }

  *#part({ key, value }: { readonly key: Buffer; readonly value: Buffer }): Generator<StoredPart> {
    const name = readKey(key)
    verify(key, value, `part ${name.part} of queue ${name.queue} in the queue index`)
    if (value.length > CHECKSUM_BYTES) yield { ...name, value }
    else this.#superseded.push(name)
  }

  *#entries(): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
    let from = FIRST_PART_KEY
    for (;;) {
      const entries = this.#store.entries(from, LAST_PART_KEY, READ_ENTRIES)
      yield* entries
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_ENTRIES) return
      from = Buffer.concat([last.key, Buffer.alloc(1)])
    }
  }
}

function isSamePart(a: Buffer, b: Buffer): boolean {
  return a.readUInt32BE(0) === b.readUInt32BE(0) && a.readUInt32BE(4) === b.readUInt32BE(4)
}

function verify(key: Buffer, value: Buffer, what: string): void {
  if (isSound(key, value)) return
  throw new QueuesDamaged(`${what} fails its checksum: restore a backup, or let fsck --salvage leave it out`)
}
