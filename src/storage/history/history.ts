// The event history over an ordered map of bytes: events in groups that are written once and never changed, compressed in blocks, and for
// each term and group which of its events have it. A page reads the newest groups of its term, whatever lies behind; letting go takes
// whole groups. The newest events wait in memory for their group to fill. What lies in the store: format.ts.
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib'
import type { Random } from '../../base/random.ts'
import {
  type FoundEvent,
  type FoundEvents,
  type History,
  HistoryDamaged,
  HistoryFormatUnknown,
  type HistoryQuery,
  type HistoryRow,
} from '../history.ts'
import type { Position } from '../journal.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_EVENTS,
  type BlockEvent,
  CHUNK_BLOCKS,
  CHUNK_EVENTS,
  chunkKey,
  decodePostings,
  decodeValue,
  encodeBlock,
  encodeChunk,
  encodePostings,
  encodeValue,
  firstOf,
  type GroupHead,
  groupKey,
  HASH_BYTES,
  hashOf,
  type Head,
  HEAD_KEY,
  HISTORY_FORMAT,
  Part,
  postingsKey,
  readBlockEvent,
  readChunkBlock,
  SALT_BYTES,
} from './format.ts'
import { OpenGroup, termText } from './group.ts'
import type { HistoryChange, HistoryStore } from './store.ts'

const compress = promisify(zstdCompress)
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }
const POSTINGS_PER_READ = 32
const FIRST_MAX = 2 ** 48 - 1
const NOTHING: Buffer = Buffer.alloc(0)
/** Hashes between two turns of the event loop: some two milliseconds. */
const HASHES_PER_TURN = 1000

interface Group extends GroupHead {
  readonly first: number
}

/** Throws HistoryFormatUnknown and HistoryDamaged. */
export function openHistory({ store, random }: { readonly store: HistoryStore; readonly random: Random }): History {
  return new StoredHistory(store, random)
}

class StoredHistory implements History {
  readonly #store: HistoryStore
  readonly #salt: Buffer
  /** Ascending. */
  #groups: Group[]
  #count = 0
  #checkpoint: Position
  #open: OpenGroup
  #closing: OpenGroup | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(store: HistoryStore, random: Random) {
    this.#store = store
    const head = readHead(store)
    this.#salt = head === undefined ? random.bytes(SALT_BYTES) : Buffer.from(head.salt, 'hex')
    this.#checkpoint = head?.checkpoint ?? 0
    this.#open = new OpenGroup(head?.next ?? 0, this.#checkpoint)
    this.#groups = store.forward(groupKey(Part.group, 0), groupKey(Part.group, FIRST_MAX)).map(({ key, value }) => ({
      first: firstOf(key),
      ...(JSON.parse(sound(key, value).toString('utf8')) as GroupHead),
    }))
    for (const { count } of this.#groups) this.#count += count
  }

  get checkpoint(): Position {
    return this.#checkpoint
  }

  get appended(): Position {
    return this.#open.upTo
  }

  get isFull(): boolean {
    return this.#open.isFull
  }

  append(rows: readonly HistoryRow[], upTo: Position): void {
    if (upTo <= this.#open.upTo) return
    for (const row of rows) this.#open.add(row)
    this.#open.upTo = upTo
    this.#count += rows.length
  }

  flush(): Promise<void> {
    const until = this.#open.upTo
    this.#writing = this.#writing.catch(() => {}).then(() => this.#writeUpTo(until))
    return this.#writing
  }

  find({ scope, term = '', from = -Infinity, to = Infinity, before = Infinity, limit }: HistoryQuery): FoundEvents {
    const found: FoundEvent[] = []
    const isEnough = (): boolean => found.length > limit
    for (const group of this.#closing === undefined ? [this.#open] : [this.#open, this.#closing])
      takeOpen(group, { text: termText(scope, term), from, to, before }, isEnough, found)
    if (!isEnough()) this.#takeStored({ scope, term, from, to, before }, isEnough, found)
    return { events: found.slice(0, limit), hasMore: found.length > limit }
  }

  async expire(beforeMs: number): Promise<number> {
    let gone = 0
    for (const group of this.#groups.filter(({ newest }) => newest < beforeMs)) {
      this.#groups = this.#groups.filter((other) => other !== group)
      this.#count -= group.count
      gone += group.count
      this.#writing = this.#writing.catch(() => {}).then(() => this.#store.write(this.#removalOf(group)))
      await this.#writing
    }
    return gone
  }

  count(): number {
    return this.#count
  }

  bytes(): number {
    return this.#store.bytes()
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#store.close()
    }
  }

  async #writeUpTo(until: Position): Promise<void> {
    if (this.#checkpoint >= until) return
    // One that could not be written stays closed until it is; what came meanwhile is written with the next flush.
    if (this.#closing === undefined) {
      this.#closing = this.#open
      this.#open = new OpenGroup(this.#closing.first + this.#closing.count, this.#closing.upTo)
    }
    const closing = this.#closing
    await this.#store.write(await this.#changesOf(closing))
    if (closing.count > 0) this.#groups.push(groupOf(closing))
    this.#checkpoint = closing.upTo
    this.#closing = undefined
    if (this.#checkpoint < until) await this.#writeUpTo(until)
  }

  async #changesOf(group: OpenGroup): Promise<HistoryChange[]> {
    const changes: HistoryChange[] = []
    const put = (key: Buffer, payload: Buffer): void => void changes.push({ key, value: encodeValue(key, payload) })
    const { first, count, upTo } = group
    const head: Head = { format: HISTORY_FORMAT, checkpoint: upTo, next: first + count, salt: this.#salt.toString('hex') }
    put(HEAD_KEY, Buffer.from(JSON.stringify(head)))
    if (count === 0) return changes
    const { oldest, newest } = group
    put(groupKey(Part.group, first), Buffer.from(JSON.stringify({ count, oldest, newest } satisfies GroupHead)))
    for (let at = 0; at < count; at += CHUNK_EVENTS) {
      const blocks: Buffer[] = []
      for (let block = at; block < Math.min(at + CHUNK_EVENTS, count); block += BLOCK_EVENTS)
        blocks.push(await compress(encodeBlock(group.events.slice(block, block + BLOCK_EVENTS)), LEVEL))
      put(chunkKey(first, at / CHUNK_EVENTS), encodeChunk(blocks))
    }
    const hashes: Buffer[] = []
    for (const [text, ordinals] of group.postings) {
      const hash = hashOf(this.#salt, text)
      hashes.push(hash)
      put(postingsKey(hash, first), encodePostings(ordinals))
      if (hashes.length % HASHES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    put(groupKey(Part.terms, first), Buffer.concat(hashes))
    return changes
  }

  #removalOf({ first, count }: Group): HistoryChange[] {
    const termsKey = groupKey(Part.terms, first)
    const keys = [groupKey(Part.group, first), termsKey]
    for (let chunk = 0; chunk * CHUNK_EVENTS < count; chunk++) keys.push(chunkKey(first, chunk))
    const hashes = sound(termsKey, this.#store.get(termsKey))
    for (let at = 0; at < hashes.length; at += HASH_BYTES) keys.push(postingsKey(hashes.subarray(at, at + HASH_BYTES), first))
    return keys.map((key) => ({ key, value: undefined }))
  }

  #takeStored(
    { scope, term, from, to, before }: Required<Omit<HistoryQuery, 'limit'>>,
    isEnough: () => boolean,
    found: FoundEvent[],
  ): void {
    const isWithin = (group: Group): boolean => group.first < before && group.oldest <= to && group.newest >= from
    const highest = this.#groups.findLast(isWithin)
    const lowest = this.#groups.find(isWithin)
    if (highest === undefined || lowest === undefined) return
    const hash = hashOf(this.#salt, termText(scope, term))
    const end = postingsKey(hash, lowest.first)
    let start = postingsKey(hash, highest.first)
    for (;;) {
      const page = this.#store.backward(start, end, POSTINGS_PER_READ)
      for (const { key, value } of page) {
        const group = this.#groupAt(firstOf(key))
        if (group === undefined || !isWithin(group)) continue
        this.#takeGroup(group, decodePostings(sound(key, value)), { from, to, before }, isEnough, found)
        if (isEnough()) return
      }
      const last = page.at(-1)
      if (page.length < POSTINGS_PER_READ || last === undefined || firstOf(last.key) === 0) return
      start = postingsKey(hash, firstOf(last.key) - 1)
    }
  }

  #takeGroup(group: Group, ordinals: readonly number[], range: Range, isEnough: () => boolean, found: FoundEvent[]): void {
    let chunk = { at: -1, bytes: NOTHING }
    let block = { at: -1, bytes: NOTHING }
    for (let at = ordinals.length - 1; at >= 0 && !isEnough(); at--) {
      const ordinal = ordinals[at] ?? 0
      if (group.first + ordinal >= range.before) continue
      const inChunk = Math.floor(ordinal / CHUNK_EVENTS)
      if (inChunk !== chunk.at) chunk = { at: inChunk, bytes: this.#readChunk(group.first, inChunk) }
      const inBlock = Math.floor(ordinal / BLOCK_EVENTS)
      if (inBlock !== block.at) block = { at: inBlock, bytes: readBlock(chunk.bytes, inBlock) }
      take(readBlockEvent(block.bytes, ordinal % BLOCK_EVENTS), group.first + ordinal, range, found)
    }
  }

  #readChunk(first: number, chunk: number): Buffer {
    const key = chunkKey(first, chunk)
    return sound(key, this.#store.get(key))
  }

  #groupAt(first: number): Group | undefined {
    let low = 0
    let high = this.#groups.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const group = this.#groups[middle]
      if (group === undefined || group.first === first) return group
      if (group.first < first) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }
}

function readBlock(chunk: Buffer, block: number): Buffer {
  return zstdDecompressSync(readChunkBlock(chunk, block % CHUNK_BLOCKS), { maxOutputLength: BLOCK_BYTES_MAX })
}

interface Range {
  readonly from: number
  readonly to: number
  readonly before: number
}

function takeOpen(
  group: OpenGroup,
  { text, ...range }: Range & { readonly text: string },
  isEnough: () => boolean,
  found: FoundEvent[],
): void {
  const ordinals = group.postings.get(text) ?? []
  for (let at = ordinals.length - 1; at >= 0 && !isEnough(); at--) {
    const ordinal = ordinals[at] ?? 0
    take(group.events[ordinal], group.first + ordinal, range, found)
  }
}

function take(event: BlockEvent | undefined, number: number, { from, to, before }: Range, found: FoundEvent[]): void {
  if (event === undefined || number >= before || event.time < from || event.time > to) return
  found.push({ number, json: event.json.toString('utf8') })
}

function groupOf({ first, count, oldest, newest }: OpenGroup): Group {
  return { first, count, oldest, newest }
}

function readHead(store: HistoryStore): Head | undefined {
  const value = store.get(HEAD_KEY)
  if (value === undefined) return undefined
  const head = JSON.parse(sound(HEAD_KEY, value).toString('utf8')) as Head
  if (head.format > HISTORY_FORMAT)
    throw new HistoryFormatUnknown(
      `the event history has format ${head.format}, this version of Sealcast reads up to ${HISTORY_FORMAT}: ` +
        'start a newer version, or restore a backup of this one',
    )
  return head
}

function sound(key: Buffer, value: Buffer | undefined): Buffer {
  const payload = value && decodeValue(key, value)
  if (payload === undefined)
    throw new HistoryDamaged(
      `the event history is damaged: part ${key[0]} of the group of event ${key.length > 1 ? firstOf(key) : 'none'} fails its checksum. ` +
        'Restore a backup, or use `sealcast fsck --salvage`.',
    )
  return payload
}
