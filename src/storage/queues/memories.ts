// What one queue remembers until a time: deduplication ids, mostly, hundreds of thousands of them. They lie in blocks of bytes, as a
// checkpoint stores them, each block once it is full for ever; a table of numbers finds them. What ends within the same minute lies
// together and is forgotten together: no memory is ever looked for because its time is over. A memory weighs 26 bytes and its value, and
// about 14 in the table.
import { BlockAt, MEMORY_PART, MEMORY_PARTS, MemoryAt, memoryPlaces, SLICE_MS } from './format.ts'

const KEY_BYTES = MemoryAt.value - MemoryAt.key
const BLOCK_BYTES_MIN = 256
const BLOCK_BYTES_MAX = 64 * 1024
/** A table grows in one go: to this many at most, so that nobody waits for it. */
const SHELF_MEMORIES_MAX = 98_304
const TABLE_SLOTS_MIN = 8

interface Memory {
  readonly key: Buffer
  readonly until: number
  readonly value: Buffer
}

export class Memories {
  readonly #queue: number
  readonly #onSlice: (slice: number) => void
  readonly #shelves: Shelf[] = []
  /** The shelf of a slice that takes more. */
  readonly #open = new Map<number, Shelf>()
  #nextOrder = 0
  #nextBlock = 0

  /** `onSlice` is told of each slice that something is remembered in, so that `forget` is called when it ends. */
  constructor(queue: number, onSlice: (slice: number) => void) {
    this.#queue = queue
    this.#onSlice = onSlice
  }

  get bytes(): number {
    return this.#shelves.reduce((sum, shelf) => sum + shelf.bytes, 0)
  }

  /** Returns the block that holds it now. */
  remember({ key, until, value }: Memory): MemoryBlock {
    // Not before one that is under the key already, which would come to light again when the newer one is forgotten.
    let slice = Math.floor(until / SLICE_MS)
    const hash = hashOf(key)
    for (const other of this.#shelves) if (other.slice > slice && other.find(key, hash) !== undefined) slice = other.slice
    const shelf = this.#shelfFor(slice)
    let block = shelf.blocks.at(-1)
    if (block === undefined || !block.hasRoom(value.length)) {
      block = new MemoryBlock(this.#queue, MEMORY_PART + (this.#nextBlock++ % MEMORY_PARTS), slice, this.#nextOrder)
      shelf.blocks.push(block)
    }
    const at = block.append(key, until - slice * SLICE_MS, value, this.#nextOrder++)
    shelf.list(key, (shelf.blocks.length - 1) * BLOCK_BYTES_MAX + at)
    return block
  }

  /** MUST NOT be changed; good until the next `remember`. */
  recall(key: Buffer, now: number): Buffer | undefined {
    let newest: { readonly block: MemoryBlock; readonly at: number } | undefined
    let newestOrder = -1
    const hash = hashOf(key)
    for (const shelf of this.#shelves) {
      const found = shelf.find(key, hash)
      if (found === undefined) continue
      const order = found.block.order(found.at)
      if (order > newestOrder) [newest, newestOrder] = [found, order]
    }
    return newest !== undefined && newest.block.until(newest.at) > now ? newest.block.value(newest.at) : undefined
  }

  /** Only asked when a checkpoint failed. */
  block(part: number): MemoryBlock | undefined {
    for (const { blocks } of this.#shelves) for (const block of blocks) if (block.part === part) return block
    return undefined
  }

  /** Lets go of a slice. Returns its blocks. */
  forget(slice: number): MemoryBlock[] {
    const blocks: MemoryBlock[] = []
    for (let at = this.#shelves.length - 1; at >= 0; at--) {
      const shelf = this.#shelves[at]
      if (shelf?.slice !== slice) continue
      blocks.push(...shelf.blocks)
      this.#shelves.splice(at, 1)
    }
    this.#open.delete(slice)
    for (const block of blocks) block.isGone = true
    return blocks
  }

  forgetAll(): MemoryBlock[] {
    return [...new Set(this.#shelves.map(({ slice }) => slice))].flatMap((slice) => this.forget(slice))
  }

  /** Blocks come in the order of their parts. Throws RangeError on bytes that are none. */
  load(part: number, encoded: Buffer): MemoryBlock {
    const places = memoryPlaces(encoded)
    const block = MemoryBlock.decode(this.#queue, part, encoded)
    const shelf = this.#shelfFor(block.slice, block.count)
    shelf.blocks.push(block)
    const base = (shelf.blocks.length - 1) * BLOCK_BYTES_MAX
    for (const at of places) {
      shelf.list(block.key(at), base + at)
      this.#nextOrder = Math.max(this.#nextOrder, block.order(at) + 1)
    }
    this.#nextBlock = Math.max(this.#nextBlock, part - MEMORY_PART + 1)
    return block
  }

  #shelfFor(slice: number, more = 1): Shelf {
    const open = this.#open.get(slice)
    if (open !== undefined && open.count + more <= SHELF_MEMORIES_MAX) return open
    const shelf = new Shelf(slice)
    this.#open.set(slice, shelf)
    this.#shelves.push(shelf)
    if (open === undefined) this.#onSlice(slice)
    return shelf
  }
}

/** Blocks of one slice, and a table over them: for each memory a hash of its key, and where it stands, 0 for none. */
class Shelf {
  readonly slice: number
  readonly blocks: MemoryBlock[] = []
  #table = new Uint32Array(2 * TABLE_SLOTS_MIN)
  #count = 0

  constructor(slice: number) {
    this.slice = slice
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#table.byteLength + this.blocks.reduce((sum, block) => sum + block.bytes, 0)
  }

  /** `place`: the block's index times BLOCK_BYTES_MAX, and the place within. What was listed under the key is replaced. */
  list(key: Buffer, place: number): void {
    if (this.#count * 8 >= this.#table.length * 3) this.#grow()
    const hash = hashOf(key)
    const slot = this.#slotOf(key, hash)
    if (this.#table[slot + 1] === 0) this.#count++
    this.#table[slot] = hash
    this.#table[slot + 1] = place
  }

  find(key: Buffer, hash: number): { readonly block: MemoryBlock; readonly at: number } | undefined {
    const place = this.#table[this.#slotOf(key, hash) + 1] ?? 0
    return place === 0 ? undefined : this.#placed(place)
  }

  /** Where the key stands in the table, or would. */
  #slotOf(key: Buffer, hash: number): number {
    const table = this.#table
    for (let slot = (hash * 2) & (table.length - 1); ; slot = (slot + 2) & (table.length - 1)) {
      const place = table[slot + 1] ?? 0
      if (place === 0) return slot
      if (table[slot] === hash && this.#placed(place)?.block.hasKey(place % BLOCK_BYTES_MAX, key) === true) return slot
    }
  }

  #placed(place: number): { readonly block: MemoryBlock; readonly at: number } | undefined {
    const block = this.blocks[Math.floor(place / BLOCK_BYTES_MAX)]
    return block && { block, at: place % BLOCK_BYTES_MAX }
  }

  #grow(): void {
    const old = this.#table
    const table = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += 2) {
      const [hash, place] = [old[from] ?? 0, old[from + 1] ?? 0]
      if (place === 0) continue
      let slot = (hash * 2) & (table.length - 1)
      while (table[slot + 1] !== 0) slot = (slot + 2) & (table.length - 1)
      table[slot] = hash
      table[slot + 1] = place
    }
    this.#table = table
  }
}

/** Memories as they are stored, end to end behind the block's head; only appended to. */
export class MemoryBlock {
  readonly queue: number
  readonly part: number
  readonly slice: number
  readonly #firstOrder: number
  /** The checkpoint that holds it, 0 when none does. */
  generation = 0
  isGone = false
  count = 0
  #bytes: Buffer
  #end: number = BlockAt.memories

  constructor(queue: number, part: number, slice: number, firstOrder: number, bytes: Buffer = Buffer.alloc(BLOCK_BYTES_MIN)) {
    this.queue = queue
    this.part = part
    this.slice = slice
    this.#firstOrder = firstOrder
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes.length
  }

  hasRoom(valueBytes: number): boolean {
    return this.#end + MemoryAt.value + valueBytes <= BLOCK_BYTES_MAX
  }

  /** Returns its place. */
  append(key: Buffer, untilMs: number, value: Buffer, order: number): number {
    const at = this.#end
    const end = at + MemoryAt.value + value.length
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.min(Math.max(end, this.#bytes.length * 2), BLOCK_BYTES_MAX))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    this.#bytes.writeUInt32LE(order - this.#firstOrder, at + MemoryAt.order)
    this.#bytes.writeUInt16LE(value.length, at + MemoryAt.valueLength)
    this.#bytes.writeInt32LE(untilMs, at + MemoryAt.untilMs)
    key.copy(this.#bytes, at + MemoryAt.key, 0, KEY_BYTES)
    value.copy(this.#bytes, at + MemoryAt.value)
    this.#end = end
    this.count++
    return at
  }

  key(at: number): Buffer {
    return this.#bytes.subarray(at + MemoryAt.key, at + MemoryAt.value)
  }

  hasKey(at: number, key: Buffer): boolean {
    return this.#bytes.compare(key, 0, KEY_BYTES, at + MemoryAt.key, at + MemoryAt.value) === 0
  }

  order(at: number): number {
    return this.#firstOrder + this.#bytes.readUInt32LE(at + MemoryAt.order)
  }

  until(at: number): number {
    return this.slice * SLICE_MS + this.#bytes.readInt32LE(at + MemoryAt.untilMs)
  }

  value(at: number): Buffer {
    return this.#bytes.subarray(at + MemoryAt.value, at + MemoryAt.value + this.#bytes.readUInt16LE(at + MemoryAt.valueLength))
  }

  /** How to make what a checkpoint stores, as of now, at any later time; the first four bytes are left for its checksum. */
  snapshot(): () => Buffer {
    const { count } = this
    const end = this.#end
    return () => {
      const encoded = Buffer.from(this.#bytes.subarray(0, end))
      encoded.writeUInt32LE(count, BlockAt.count)
      encoded.writeDoubleLE(this.slice, BlockAt.slice)
      encoded.writeDoubleLE(this.#firstOrder, BlockAt.firstOrder)
      return encoded
    }
  }

  /** Of what `snapshot` made. */
  static decode(queue: number, part: number, encoded: Buffer): MemoryBlock {
    const [slice, firstOrder] = [encoded.readDoubleLE(BlockAt.slice), encoded.readDoubleLE(BlockAt.firstOrder)]
    const block = new MemoryBlock(queue, part, slice, firstOrder, Buffer.from(encoded))
    block.#end = encoded.length
    block.count = encoded.readUInt32LE(BlockAt.count)
    return block
  }
}

/** Keys are hashes already. */
function hashOf(key: Buffer): number {
  return (key.readUInt32LE(0) ^ key.readUInt32LE(KEY_BYTES - 4)) >>> 0
}
