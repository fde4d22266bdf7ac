// The queue index and the copied bodies as their files hold them, and what the end of the journal does to them.
import { type Entry, readEntryAt } from '../../model/entry.ts'
import { FsckRefused } from '../fsck.ts'
import type { Position } from '../journal.ts'
import {
  BODY_KEY_BYTES,
  bodyKey,
  CHECKSUM_BYTES,
  decodeTail,
  HEAD_KEY,
  isSound,
  MEMORY_PART,
  memoryPlaces,
  PART_KEY_BYTES,
  QUEUES_FORMAT,
  readBodyKey,
  readChunk,
  readHead,
  readPartKey,
  type StoredMessage,
  TAIL_PART,
} from '../queues/format.ts'
import { bodyBound, openValue } from '../sealed-value.ts'
import { type Check, damage, NOTHING } from './check.ts'
import type { FrameFound, JournalPicture } from './journal.ts'
import { readEnvironment } from './records.ts'

export const INDEX_FILE = 'queues/index/data.mdb'
export const BODIES_FILE = 'queues/bodies/data.mdb'
const STEP_ENTRIES = 2000

type Placed = Pick<StoredMessage, 'position' | 'length' | 'route'>

export class QueuesPicture {
  readonly #check: Check
  /** Of the newest whole checkpoint; undefined: unreadable. */
  position: Position | undefined = 0
  /** Bodies before it are copies. */
  released: Position | undefined = 0
  /** As the checkpoint has them. */
  readonly stored = new Map<number, StoredMessage[]>()
  readonly tails = new Map<number, number>()
  /** Queues of whose memories a part is damaged. */
  readonly forgetful = new Set<number>()
  /** Parts that hold what queues remember, as they are stored. */
  readonly memoryParts: { readonly queue: number; readonly part: number; readonly value: Buffer }[] = []
  /** Those that wait, the journal's end included. */
  readonly waiting = new Map<number, Map<number, Placed>>()
  /** The first sequence that the journal tells of, by queue. */
  readonly firstSequences = new Map<number, number>()
  readonly #copies = new Set<string>()
  /** Where messages wait for the journal to show them. */
  readonly #needed = new Map<Position, number>()

  constructor(check: Check) {
    this.#check = check
  }

  get messages(): number {
    let messages = 0
    for (const waiting of this.waiting.values()) messages += waiting.size
    return messages
  }

  async load(): Promise<void> {
    await this.#loadIndex()
    await this.#loadBodies()
    await this.#check.step('queues', 1)
  }

  /** What a frame does to the queues, and which messages it holds. */
  see({ position, payloadPosition, entries }: FrameFound, journalFile: string): void {
    const messages = new Map(entries.flatMap(({ offset, length, entry }) => (entry.kind === 'message' ? [[offset, length] as const] : [])))
    for (const [offset, length] of messages)
      if (this.#needed.get(payloadPosition + offset) === length) this.#needed.delete(payloadPosition + offset)
    for (const { entry } of entries) {
      if (entry.kind === 'enqueue') {
        if (!this.firstSequences.has(entry.queue)) this.firstSequences.set(entry.queue, entry.sequence)
        if (messages.get(entry.messageOffset) !== entry.messageLength) {
          damage(this.#check, journalFile, `the frame at position ${position} enqueues a message that it does not hold`)
        }
      }
      if (position >= (this.position ?? 0)) this.#apply(entry, payloadPosition)
    }
  }

  /** After the journal: is every message that waits readable? */
  judge(journal: Pick<JournalPicture, 'start' | 'holes'>): void {
    let left = 0
    for (const [queue, waiting] of this.waiting) {
      const lost = [...waiting].filter(([sequence, message]) => !this.isReadable(queue, sequence, message, journal.start))
      const [first] = lost
      if (first === undefined) continue
      const count = lost.length === 1 ? 'a message' : `${lost.length} messages`
      const sequences = lost.length === 1 ? `sequence ${first[0]}` : `the first of sequence ${first[0]}`
      damage(
        this.#check,
        INDEX_FILE,
        `${count} of queue ${queue} cannot be read any more: the body is neither in the journal nor copied (${sequences})`,
      )
    }
    for (const key of this.#copies) {
      const { queue, sequence } = readBodyKey(Buffer.from(key, 'latin1'))
      if (!this.waiting.get(queue)?.has(sequence)) left++
    }
    if (left > 0)
      this.#check.report({ severity: 'info', file: BODIES_FILE, what: `${left} copied bodies of messages that are gone`, remedy: NOTHING })
    if (this.position !== undefined && this.position < journal.start) {
      damage(
        this.#check,
        INDEX_FILE,
        `its checkpoint stands at ${this.position}; the journal starts at ${journal.start}: the index is older than the journal`,
      )
    }
    if (this.released !== undefined && this.released < journal.start) {
      damage(
        this.#check,
        BODIES_FILE,
        `it holds bodies up to ${this.released}; the journal starts at ${journal.start}: the copies are older than the journal`,
      )
    }
  }

  isReadable(queue: number, sequence: number, { position }: Placed, journalStart: Position): boolean {
    if (position < Math.max(this.released ?? 0, journalStart)) return this.hasCopy(queue, sequence)
    return !this.#needed.has(position)
  }

  hasCopy(queue: number, sequence: number): boolean {
    return this.#copies.has(bodyKey(queue, sequence).toString('latin1'))
  }

  async #loadIndex(): Promise<void> {
    const check = this.#check
    const parts: { readonly key: Buffer; readonly value: Buffer }[] = []
    let generation = 0
    let read = 0
    for (const { key, value } of readEnvironment(check, INDEX_FILE, () => {})) {
      if (++read % STEP_ENTRIES === 0) await check.step('queues', 0.3)
      if (!key.equals(HEAD_KEY)) {
        parts.push({ key, value })
        continue
      }
      if (!isSound(key, value) || value.length !== 24) {
        damage(check, INDEX_FILE, 'the head of the queue index, which holds its checkpoint, is damaged')
        this.position = undefined
        continue
      }
      const { format, first, second } = readHead(value)
      refuseNewer(check, INDEX_FILE, format)
      generation = first
      this.position = second
    }
    if (this.position === undefined) generation = Infinity
    for (const [index, part] of parts.entries()) {
      const next = parts[index + 1]
      if (part.key.length !== PART_KEY_BYTES) damage(check, INDEX_FILE, `it holds a key of ${part.key.length} bytes, which is none of ours`)
      else if (readPartKey(part.key).generation <= generation && !isReplaced(part.key, next?.key, generation))
        this.#loadPart(part.key, part.value)
    }
  }

  #loadPart(key: Buffer, value: Buffer): void {
    const { queue, part } = readPartKey(key)
    const name =
      part === TAIL_PART
        ? `the tail of queue ${queue}`
        : part >= MEMORY_PART
          ? `block ${part - MEMORY_PART} of what queue ${queue} remembers`
          : `chunk ${part} of queue ${queue}`
    if (!isSound(key, value)) {
      if (part >= MEMORY_PART && part < TAIL_PART) this.forgetful.add(queue)
      return damage(this.#check, INDEX_FILE, `${name} fails its checksum`)
    }
    if (value.length === CHECKSUM_BYTES) return
    try {
      if (part === TAIL_PART) return void this.tails.set(queue, decodeTail(value))
      if (part >= MEMORY_PART) {
        memoryPlaces(value)
        return void this.memoryParts.push({ queue, part, value: Buffer.from(value) })
      }
      const messages = readChunk(part, value)
      this.stored.set(queue, [...(this.stored.get(queue) ?? []), ...messages])
      for (const message of messages) this.#wait(queue, message.sequence, message)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      damage(this.#check, INDEX_FILE, `${name} cannot be read: ${error.message}`)
    }
  }

  async #loadBodies(): Promise<void> {
    const check = this.#check
    let read = 0
    for (const { key, value } of readEnvironment(check, BODIES_FILE, () => {})) {
      if (++read % STEP_ENTRIES === 0) await check.step('queues', 0.7)
      if (key.equals(HEAD_KEY)) {
        const isGood = isSound(key, value) && value.length === 24
        if (!isGood) damage(check, BODIES_FILE, 'the head of the copied bodies is damaged')
        else refuseNewer(check, BODIES_FILE, readHead(value).format)
        this.released = isGood ? readHead(value).first : undefined
        continue
      }
      if (key.length !== BODY_KEY_BYTES) {
        damage(check, BODIES_FILE, `it holds a key of ${key.length} bytes, which is none of ours`)
        continue
      }
      const { queue, sequence } = readBodyKey(key)
      const body = openValue(check.storeKeys('queues'), bodyBound(queue, sequence), value.subarray(CHECKSUM_BYTES))
      if (!isSound(key, value) || !Buffer.isBuffer(body) || !isMessage(body)) {
        damage(check, BODIES_FILE, `the copied body of message ${sequence} of queue ${queue} is damaged`)
        continue
      }
      this.#copies.add(bodyKey(queue, sequence).toString('latin1'))
    }
  }

  #wait(queue: number, sequence: number, message: Placed, isSeen = false): void {
    let waiting = this.waiting.get(queue)
    if (waiting === undefined) this.waiting.set(queue, (waiting = new Map()))
    waiting.set(sequence, { position: message.position, length: message.length, route: message.route })
    if (!isSeen) this.#needed.set(message.position, message.length)
  }

  #apply(entry: Entry, payloadPosition: Position): void {
    switch (entry.kind) {
      case 'enqueue':
        if (entry.sequence < (this.tails.get(entry.queue) ?? 1)) return
        this.tails.set(entry.queue, entry.sequence + 1)
        return this.#wait(
          entry.queue,
          entry.sequence,
          { position: payloadPosition + entry.messageOffset, length: entry.messageLength, route: entry.route },
          true,
        )
      case 'remove':
        return void this.waiting.get(entry.queue)?.delete(entry.sequence)
      case 'drop': {
        const waiting = this.waiting.get(entry.queue)
        for (const sequence of waiting?.keys() ?? []) if (sequence < entry.before) waiting?.delete(sequence)
        if (entry.before === Infinity) this.tails.delete(entry.queue)
        else this.tails.set(entry.queue, Math.max(this.tails.get(entry.queue) ?? 1, entry.before))
        return
      }
      default:
    }
  }
}

function isReplaced(key: Buffer, next: Buffer | undefined, generation: number): boolean {
  return (
    next !== undefined &&
    next.length === PART_KEY_BYTES &&
    key.compare(next, 0, 8, 0, 8) === 0 &&
    readPartKey(next).generation <= generation
  )
}

function isMessage(bytes: Buffer): boolean {
  try {
    return readEntryAt(bytes).kind === 'message'
  } catch {
    return false
  }
}

function refuseNewer(check: Check, name: string, format: number): void {
  if (format <= QUEUES_FORMAT) return
  throw new FsckRefused(
    `${check.path(name)} has format ${format}; this release knows up to ${QUEUES_FORMAT}. Use the release that wrote it.`,
  )
}
