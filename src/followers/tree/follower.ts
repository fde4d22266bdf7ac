// The tree follower: every event of the journal becomes a leaf of one Merkle tree, in the journal's order. The tree's files come first and
// the commit that says how far they count comes after, so that the same events always give the same tree, wherever a crash falls.
import type { Env } from '../../engine/env.ts'
import type { Follower } from '../../engine/follow.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { addCounts, type CensusRow } from '../../model/acts.ts'
import { ENTRY_HEADER_BYTES, EntryKind, EventFlag, entryEnd, eventAt, readEntryAt } from '../../model/entry.ts'
import { Table } from '../../model/tables.ts'
import { treeCensus } from '../../model/tlog/census-line.ts'
import { EventLeaves } from '../../model/tlog/event-leaf.ts'
import type { TreeHead } from '../../model/tlog/merkle.ts'
import type { TreeState } from '../../model/tlog/tree-rows.ts'
import type { Frame, Position } from '../../storage/journal.ts'
import type { TreeStore } from '../../storage/tree.ts'

/** A step of reading; small, because its events are hashed in one go. */
const BATCH_BYTES = 256 * 1024
const PAUSE_MS = 100
/** Leaves that a crash may leave to be made again, and so much journal that waits for the tree. */
const UNCOMMITTED_LEAVES_MAX = 16 * 1024
const UNCOMMITTED_BYTES_MAX = 32 * 1024 * 1024

/** A tree's head, and what was counted of the calls behind its leaves. */
export interface CountedHead extends TreeHead {
  readonly census: TreeState['census']
}

export class TreeFollower implements Follower {
  readonly name = 'tree'
  readonly pauseMs = PAUSE_MS
  readonly batchBytesMax = BATCH_BYTES
  readonly #env: Env
  readonly #store: TreeStore
  #committed: TreeState
  #read: Position
  #bytesRead = 0
  #ownLeaves: number
  #census: TreeState['census']
  readonly #leaves = new EventLeaves()
  #committing: Promise<unknown> = Promise.resolve()

  /** `state`: what the store was opened with. */
  constructor(env: Env, store: TreeStore, state: TreeState) {
    this.#env = env
    this.#store = store
    this.#committed = state
    this.#ownLeaves = state.size
    this.#census = state.census
    this.#read = Math.max(state.position, env.journal.start)
    if (state.size > 0 && state.position < env.journal.start)
      env.log.error('events were trimmed before the tree could take them', { from: state.position, to: env.journal.start })
  }

  get checkpoint(): Position {
    return this.#committed.position
  }

  /** What counts durably. */
  get state(): TreeState {
    return this.#committed
  }

  /** The size of the tree behind the newest event that no publication or delivery of its own record caused. */
  get ownLeaves(): number {
    return this.#ownLeaves
  }

  async handle(frames: readonly Frame[]): Promise<void> {
    this.#take(frames)
    const leaves = this.#store.size - this.#committed.size
    if (leaves >= UNCOMMITTED_LEAVES_MAX || this.#bytesRead >= UNCOMMITTED_BYTES_MAX) await this.commit(() => {})
  }

  /** Resolves when the tree holds all that was durable at the call. */
  async catchUp(): Promise<void> {
    const { journal } = this.#env
    for (const until = journal.durable; this.#read < until;) {
      const frames = await journal.read(this.#read, BATCH_BYTES)
      if (frames.length === 0) return
      await this.handle(frames)
      journal.release(frames)
    }
  }

  /** Makes the tree as it is now count, with what `work` stages beside it; resolves with its head when that is durable. */
  commit(work: (tx: Transaction, head: CountedHead) => void): Promise<TreeHead> {
    const done = this.#committing.then(() => this.#commit(work))
    this.#committing = done.catch(() => {})
    return done
  }

  async stop(): Promise<void> {
    await this.#committing
    if (this.#store.size > this.#committed.size) await this.commit(() => {})
  }

  async #commit(work: (tx: Transaction, head: CountedHead) => void): Promise<TreeHead> {
    const head = { size: this.#store.size, root: this.#store.root() }
    const state: TreeState = {
      ...this.#committed,
      ...{ size: head.size, root: head.root.toString('base64'), position: this.#read },
      ...(this.#census !== undefined && { census: this.#census }),
    }
    const isWorthARow = state.size > this.#committed.size || state.position - this.#committed.position >= UNCOMMITTED_BYTES_MAX
    await this.#store.flush()
    // Commit point: from here on the tree has these leaves, and its files are there to show them.
    await this.#env.commits.commit((tx) => {
      if (isWorthARow) tx.put(Table.tree, 'state', state)
      work(tx, { ...head, census: state.census })
    }).done
    if (isWorthARow) this.#committed = state
    this.#bytesRead = 0
    return head
  }

  #take(frames: readonly Frame[]): void {
    const leaves = this.#leaves
    // A batch that failed comes again.
    leaves.take()
    let read = this.#read
    let bytes = 0
    for (const frame of frames) {
      if (frame.position < read) continue
      const { payload } = frame
      const before = this.#store.size + leaves.count
      for (let at = 0, end = 0; at < payload.length; at = end) {
        end = entryEnd(payload, at)
        const kind = payload[at]
        if (kind === EntryKind.put && payload[at + ENTRY_HEADER_BYTES] === Table.acts) this.#takeCensus(payload.subarray(at), before)
        if (kind !== EntryKind.event) continue
        const { class: eventClass, flags, jsonAt } = eventAt(payload, at)
        const isCaused = (flags & EventFlag.caused) !== 0
        leaves.add(eventClass, isCaused, payload, jsonAt, end)
        if (!isCaused) this.#ownLeaves = this.#store.size + leaves.count
      }
      read = frame.end
      bytes += frame.payload.length
    }
    this.#store.append(leaves.take())
    this.#read = read
    this.#bytesRead += bytes
  }

  /** A census speaks of the calls whose frames stand before its own. */
  #takeCensus(entry: Buffer, leaves: number): void {
    const put = readEntryAt(entry)
    if (put.kind !== 'put' || put.key !== 'census') return
    const { total, untold } = JSON.parse(put.value.toString('utf8')) as CensusRow
    const last = treeCensus(leaves, untold === undefined ? total : addCounts(total, untold))
    this.#census = { first: this.#census?.first ?? last, last }
  }
}
