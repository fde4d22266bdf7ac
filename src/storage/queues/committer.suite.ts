// Commits to queues under test as a service would: frames in a journal of their own, applied at once, to be replayed after a restart.
import { setImmediate as turn } from 'node:timers/promises'
import { JournalTrimmed, type Position } from '../journal.ts'
import type { QueueEntry, Queues } from '../queues.ts'

/** Frames as a journal keeps them: their entries to replay, and bodies by position. */
export class FakeJournal {
  start: Position = 0
  tail: Position = 0
  #frames: { position: Position; end: Position; entries: QueueEntry[]; payload: Buffer }[] = []
  #reads = 0

  append(entries: QueueEntry[], payload: Buffer): { position: Position; end: Position } {
    const frame = { position: this.tail + 40, end: this.tail + 40 + payload.length, entries, payload }
    this.#frames.push(frame)
    this.tail = frame.end
    return frame
  }

  /** By turns from memory and as from disk. */
  readBytes(position: Position, length: number): Buffer | Promise<Buffer> {
    const read = (): Buffer => {
      const frame = this.#frames.find((each) => each.position <= position && position + length <= each.end)
      if (frame === undefined || position < this.start) throw new JournalTrimmed(`position ${position} is trimmed`)
      return frame.payload.subarray(position - frame.position, position - frame.position + length)
    }
    return this.#reads++ % 2 === 0 ? read() : turn().then(read)
  }

  trim(before: Position): void {
    this.start = before
    this.#frames = this.#frames.filter(({ end }) => end > before)
  }

  /** Frames in groups of up to three, as a flush would make them. */
  replay(queues: Queues, from: Position): void {
    for (const [at, { position, end, entries }] of this.#frames.filter((frame) => frame.end > from).entries()) {
      for (const entry of entries) queues.apply(entry, position)
      if (at % 3 === 2) queues.applied(end)
    }
    queues.applied(this.tail)
  }
}

interface SendOptions {
  readonly count?: number
  readonly delay?: number
  readonly route?: number
  readonly group?: number
}

/** Commits entries: appends, applies at once. Bodies are `QUEUE:SEQUENCE`. */
export class Committer {
  readonly journal: FakeJournal
  queues: Queues

  constructor(journal: FakeJournal, queues: Queues) {
    this.journal = journal
    this.queues = queues
  }

  send(queue: number, now: number, { count = 1, delay = 0, route = 0, group = 0 }: SendOptions = {}): number[] {
    const bodies: Buffer[] = [Buffer.from('frame head')]
    const entries: QueueEntry[] = []
    let messageOffset = 10
    for (let sent = 0; sent < count; sent++) {
      const sequence = this.queues.nextSequence(queue)
      const body = Buffer.from(`${queue}:${sequence}`)
      const times = { visibleAt: now + delay, sentAt: now }
      entries.push({ kind: 'enqueue', queue, sequence, ...times, messageOffset, messageLength: body.length, route, group })
      bodies.push(body)
      messageOffset += body.length
    }
    this.commit(entries, Buffer.concat(bodies))
    return entries.map((entry) => ('sequence' in entry ? entry.sequence : 0))
  }

  commit(entries: QueueEntry[], payload: Buffer = Buffer.from('frame without bodies')): void {
    const { position, end } = this.journal.append(entries, payload)
    for (const entry of entries) this.queues.apply(entry, position)
    this.queues.applied(end)
  }

  hide(queue: number, sequence: number, visibleAt: number, receives: number, firstReceivedAt: number): void {
    this.commit([{ kind: 'hide', queue, sequence, visibleAt, receives, firstReceivedAt }])
  }

  /** Receives as a service does: takes, and commits that what was taken is hidden. */
  receive(queue: number, max: number, now: number, timeout: number): number[] {
    const taken = this.queues.take(queue, max, now)
    for (const { sequence, receives, firstReceivedAt } of taken) {
      this.hide(queue, sequence, now + timeout, receives + 1, firstReceivedAt || now)
    }
    return taken.map(({ sequence }) => sequence)
  }

  remove(queue: number, sequences: readonly number[]): void {
    this.commit(sequences.map((sequence) => ({ kind: 'remove', queue, sequence })))
  }
}
