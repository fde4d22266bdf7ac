// The queues of this process: the index in memory, its checkpoints, and the bodies by position. `apply` is the only way to change what a
// checkpoint holds, live and at recovery alike; what groups have to give follows from the messages' states, here and there.
import { assert, unreachable } from '../../base/assert.ts'
import type { DropEntry, EnqueueEntry, HideEntry, RemoveEntry } from '../../model/entry.ts'
import { JournalTrimmed, type Journal, type Position } from '../journal.ts'
import { type FoundMessage, MessageGone, QueuesDamaged, type QueueCounts, type QueueEntry, type Queues, type Waiting } from '../queues.ts'
import { Changes } from './changes.ts'
import { Checkpoints, type StoredPart } from './checkpoint.ts'
import { Chunk, chunkNumber, type Found, isHidden, MessageState } from './chunk.ts'
import { ChunkLives } from './chunk-lives.ts'
import { ColdBodies } from './cold-bodies.ts'
import { copyBodies } from './copy-bodies.ts'
import { decodeTail, MEMORY_PART, TAIL_PART } from './format.ts'
import { Queue } from './queue.ts'
import { Remembering } from './remembering.ts'
import { Tally } from './tally.ts'
import type { ValueSealing } from '../sealed-value.ts'
import type { QueueStore } from './store.ts'
import { Visibility } from './visibility.ts'
import { Wakes } from './wakes.ts'

export interface OpenQueuesOptions {
  readonly journal: Pick<Journal, 'readBytes'>
  readonly store: QueueStore
  /** Of copied bodies. */
  readonly sealing?: ValueSealing
}

/** Loads the last checkpoint; the caller replays the journal from `checkpointed` on. Throws QueuesFormatUnknown and QueuesDamaged. */
export async function openQueues(options: OpenQueuesOptions): Promise<Queues> {
  const queues = new IndexedQueues(options)
  await queues.load()
  return queues
}

const EXPIRES_PER_CALL = 512

class IndexedQueues implements Queues {
  readonly #journal: Pick<Journal, 'readBytes'>
  readonly #store: QueueStore
  readonly #checkpoints: Checkpoints
  readonly #cold: ColdBodies
  readonly #queues = new Map<number, Queue>()
  readonly #changes = new Changes(this.#queues)
  readonly #remembering = new Remembering(this.#changes)
  readonly #visibility = new Visibility((visibleAt, number, sequence) => {
    const chunk = this.#queues.get(number)?.chunks.get(chunkNumber(sequence))
    const index = chunk?.find(sequence) ?? -1
    return chunk !== undefined && index >= 0 && chunk.visibleAt(index) === visibleAt && isHidden(chunk.state(index))
  })
  readonly #wakes = new Wakes((queue) => this.#queues.get(queue)?.available)
  readonly #tally = new Tally()
  readonly #living = new ChunkLives(this.#changes, this.#tally, this.#wakes)
  #applied: Position = 0
  #checkpointing: Promise<Position> | undefined
  #releasing: Promise<boolean> | undefined

  constructor({ journal, store, sealing }: OpenQueuesOptions) {
    this.#journal = journal
    this.#store = store
    this.#checkpoints = new Checkpoints(store.index)
    this.#cold = new ColdBodies(store.bodies, sealing)
  }

  recall(number: number, key: Buffer, now: number): Buffer | undefined {
    return this.#queues.get(number)?.memories?.recall(key, now)
  }

  async load(): Promise<void> {
    for (const part of this.#checkpoints.load()) {
      try {
        this.#loadPart(part)
      } catch (failure) {
        if (!(failure instanceof RangeError)) throw failure
        throw new QueuesDamaged(`part ${part.part} of queue ${part.queue} in the queue index cannot be read: restore a backup`)
      }
    }
    for (const queue of this.#queues.values()) queue.loaded()
    this.#applied = this.#checkpoints.position
    await this.#checkpoints.upgrade()
  }

  get checkpointed(): Position {
    return this.#checkpoints.position
  }

  get released(): Position {
    return this.#cold.released
  }

  nextSequence(number: number): number {
    const queue = this.#queueOf(number)
    queue.next = Math.max(queue.next, queue.tail)
    return queue.next++
  }

  take(number: number, max: number, now: number): Waiting[] {
    this.expire(now)
    const queue = this.#queues.get(number)
    const taken: Waiting[] = []
    queue?.take(max, (chunk, index) => {
      this.#tally.move(queue, chunk, index, MessageState.reserved)
      taken.push(chunk.describe(index))
    })
    return taken
  }

  untake(number: number, sequence: number): void {
    const queue = this.#queues.get(number)
    const found = queue?.find(sequence)
    if (queue === undefined || found === undefined || found.chunk.state(found.index) !== MessageState.reserved) return
    this.#tally.move(queue, found.chunk, found.index, MessageState.visible)
    const groups = queue.groupsOf(sequence)
    if (groups === undefined) queue.untaken(sequence)
    else groups.untaken(found.chunk, found.index)
    this.#wakes.due(number)
  }

  find(number: number, sequence: number): FoundMessage | undefined {
    const found = this.#find(number, sequence)
    if (found === undefined) return undefined
    const { chunk, index } = found
    const isReserved = chunk.state(index) === MessageState.reserved
    return { ...chunk.describe(index), visibleAt: chunk.visibleAt(index) || chunk.sentAt(index), isReserved }
  }

  counts(number: number, now: number): QueueCounts {
    this.expire(now)
    const [, visible, delayed, inFlight, reserved] = this.#queues.get(number)?.counts ?? [0, 0, 0, 0, 0]
    return { visible, delayed, inFlight: inFlight + reserved }
  }

  oldest(number: number): number | undefined {
    const oldest = this.#queues.get(number)?.oldest()
    return oldest?.chunk.sentAt(oldest.index)
  }

  firstSentAt(number: number, time: number): number {
    return this.#queues.get(number)?.firstSentAt(time) ?? 1
  }

  body(number: number, sequence: number): Buffer | Promise<Buffer> {
    const found = this.#find(number, sequence)
    if (found === undefined) throw new MessageGone(`message ${sequence} of queue ${number} is gone`)
    const position = found.chunk.position(found.index)
    if (position < this.#cold.released) return this.#cold.read(number, sequence)
    const bytes = this.#journal.readBytes(position, found.chunk.length(found.index))
    if (Buffer.isBuffer(bytes)) return bytes
    return bytes.catch((failure: unknown) => {
      // The segment went while the read was under way: the copy was made before that.
      if (failure instanceof JournalTrimmed && position < this.#cold.released) return this.body(number, sequence)
      throw failure
    })
  }

  onceAvailable(number: number, now: number, wake: () => void): () => void {
    this.expire(now)
    const stop = this.#wakes.once(number, wake)
    if ((this.#queues.get(number)?.available ?? 0) > 0) this.#wakes.due(number)
    return stop
  }

  nextVisibleAt(): number | undefined {
    return this.#visibility.next()
  }

  expire(now: number): void {
    this.#visibility.expire(now, EXPIRES_PER_CALL, this.#expired)
    this.#remembering.expire(now)
  }

  readonly #expired = (number: number, sequence: number): void => {
    const queue = this.#queues.get(number)
    const found = queue?.find(sequence)
    if (queue === undefined || found === undefined) return
    this.#tally.move(queue, found.chunk, found.index, MessageState.visible)
    if (queue.groupsOf(sequence) === undefined) queue.returned(sequence)
    this.#wakes.due(number)
  }

  apply(entry: QueueEntry, position: Position): void {
    switch (entry.kind) {
      case 'enqueue':
        return this.#enqueue(entry, position)
      case 'hide':
        return this.#hide(entry)
      case 'remove':
        return this.#remove(entry)
      case 'drop':
        return this.#drop(entry)
      case 'remember':
        return this.#remembering.remember(this.#queueOf(entry.queue), entry)
      default:
        return unreachable(entry, 'queue entry')
    }
  }

  applied(end: Position): void {
    this.#applied = Math.max(this.#applied, end)
  }

  async release(before: Position): Promise<boolean> {
    assert(before <= this.#applied, 'a release of what was applied')
    while (this.#releasing !== undefined) await this.#releasing
    if (before <= this.#cold.released) return true
    this.#releasing = copyBodies({ queues: this.#queues, cold: this.#cold, journal: this.#journal }, before).finally(
      () => (this.#releasing = undefined),
    )
    return this.#releasing
  }

  checkpoint(): Promise<Position> {
    this.#checkpointing ??= this.#checkpoint().finally(() => (this.#checkpointing = undefined))
    return this.#checkpointing
  }

  bytes(): { readonly index: number; readonly memories: number; readonly coldBodies: number } {
    let [index, memories] = [0, 0]
    for (const queue of this.#queues.values()) {
      for (const chunk of queue.chunks.values()) index += chunk.bytes
      memories += queue.memories?.bytes ?? 0
    }
    return { index, memories, coldBodies: this.#cold.bytes() }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#checkpointing, this.#releasing, this.#cold.sweep()])
    await this.#store.close()
  }

  #enqueue(entry: EnqueueEntry, framePosition: Position): void {
    const queue = this.#queueOf(entry.queue)
    if (entry.sequence < queue.tail) return
    const chunk = this.#living.open(queue, chunkNumber(entry.sequence))
    this.#changes.chunk(chunk)
    const index = chunk.append(entry.sequence, {
      position: framePosition + entry.messageOffset,
      length: entry.messageLength,
      sentAt: entry.sentAt,
      route: entry.route,
      group: entry.group,
    })
    queue.counts[MessageState.visible]++
    queue.tail = entry.sequence + 1
    this.#changes.tail(queue)
    if (entry.group !== 0 || queue.groups !== undefined) queue.line(chunk, index)
    if (entry.visibleAt > entry.sentAt) this.#conceal(queue, chunk, index, { visibleAt: entry.visibleAt, receives: 0, firstReceivedAt: 0 })
    else this.#wakes.due(entry.queue)
  }

  #hide(entry: HideEntry): void {
    const queue = this.#queues.get(entry.queue)
    const found = queue?.find(entry.sequence)
    if (queue === undefined || found === undefined) return
    this.#changes.chunk(found.chunk)
    this.#conceal(queue, found.chunk, found.index, entry)
    if (queue.groups !== undefined) this.#wakes.due(entry.queue)
  }

  #conceal(queue: Queue, chunk: Chunk, index: number, until: Pick<HideEntry, 'visibleAt' | 'receives' | 'firstReceivedAt'>): void {
    const { visibleAt, receives, firstReceivedAt } = until
    const isListed = isHidden(chunk.state(index)) && chunk.visibleAt(index) === visibleAt
    chunk.setHidden(index, visibleAt, receives, firstReceivedAt)
    this.#tally.move(queue, chunk, index, receives > 0 ? MessageState.inFlight : MessageState.delayed)
    if (!isListed) this.#visibility.push(visibleAt, queue.number, chunk.sequence(index), this.#tally.hidden)
  }

  #remove(entry: RemoveEntry): void {
    const queue = this.#queues.get(entry.queue)
    const found = queue?.find(entry.sequence)
    if (queue === undefined || found === undefined) return
    this.#changes.chunk(found.chunk)
    this.#removeFrom(queue, found.chunk, found.index)
    this.#living.freeIfEmpty(queue, found.chunk)
    // It may have held back others of its group.
    if (queue.groups !== undefined) this.#wakes.due(entry.queue)
  }

  #drop({ queue: number, before }: DropEntry): void {
    const queue = this.#queueOf(number)
    this.#living.drop(queue, before)
    this.#cold.dropped(number, before)
    if (before === Infinity) {
      this.#queues.delete(number)
      this.#remembering.forgetAll(queue)
      this.#changes.queueGone(queue)
    } else {
      // Else a sequence below it could be given again after a restart, and a replay of this drop would take that message away.
      queue.tail = Math.max(queue.tail, before)
      this.#changes.tail(queue)
      queue.advance(before)
    }
    this.#wakes.due(number)
  }

  #removeFrom(queue: Queue, chunk: Chunk, index: number): void {
    this.#tally.removed(queue, chunk, index)
    this.#cold.removed(queue.number, chunk.sequence(index), chunk.position(index))
    chunk.remove(index, chunk.number === chunkNumber(queue.tail))
  }

  #queueOf(number: number): Queue {
    const present = this.#queues.get(number)
    if (present !== undefined) return present
    const queue = new Queue(number)
    queue.generation = this.#changes.reclaim(number, TAIL_PART)
    this.#queues.set(number, queue)
    if (queue.generation > 0) this.#changes.tail(queue)
    return queue
  }

  #find(number: number, sequence: number): Found | undefined {
    return this.#queues.get(number)?.find(sequence)
  }

  async #checkpoint(): Promise<Position> {
    const position = this.#applied
    const { parts, restore } = this.#changes.take(this.#checkpoints.begin())
    try {
      // Copies of what the checkpoint no longer knows would never be asked for again: they go before it counts.
      await this.#checkpoints.save(position, parts, this.#cold.sweep())
      return position
    } catch (failure) {
      restore()
      throw failure
    }
  }

  #loadPart({ queue: number, part, generation, value }: StoredPart): void {
    const queue = this.#queueOf(number)
    if (part === TAIL_PART) {
      queue.tail = decodeTail(value)
      queue.generation = generation
      return
    }
    if (part >= MEMORY_PART) {
      this.#remembering.load(queue, part, value, generation)
      return
    }
    const chunk = Chunk.decode(number, part, value)
    chunk.generation = generation
    queue.load(chunk)
    this.#tally.chunk(queue, chunk, 1)
    if (chunk.counts[MessageState.delayed] + chunk.counts[MessageState.inFlight] === 0) return
    for (let index = 0; index < chunk.count; index++) {
      if (isHidden(chunk.state(index))) this.#visibility.push(chunk.visibleAt(index), number, chunk.sequence(index), Infinity)
    }
  }
}
