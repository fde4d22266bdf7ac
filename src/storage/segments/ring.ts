// The last bytes of the journal, in memory: a ring of chunks that are allocated when they are first reached, so that a server that
// does little holds little. Addresses count bytes of the journal and never go back.

/** Several of the largest frames, so that few lie in two chunks and are copied for each reader. */
const CHUNK_BYTES = 8 * 1024 * 1024
/** At least so many chunks, of which the one that fills holds nothing old. */
const CHUNKS_MIN = 4

export interface SharedBytes {
  readonly bytes: Buffer
  readonly chunk: Buffer | undefined
}

export class Ring {
  readonly #chunkBytes: number
  readonly #chunks: (Buffer | undefined)[]
  /** Chunks of which readers have so many views: new ones take their places, so that the views stay as they are. */
  readonly #shared = new Map<Buffer, number>()
  #start: number
  #end: number

  /** Empty at `address`, a multiple of 8. Holds `bytes` at least. */
  constructor(bytes: number, address: number) {
    this.#chunkBytes = Math.min(CHUNK_BYTES, (Math.ceil(bytes / CHUNKS_MIN) + 7) & ~7)
    this.#chunks = new Array<Buffer | undefined>(Math.ceil(bytes / this.#chunkBytes) + 1).fill(undefined)
    this.#start = address
    this.#end = address
  }

  /** The oldest address held. */
  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  /** Copies bytes to the end, over the oldest. */
  write(from: Buffer, start: number, end: number): void {
    while (start < end) {
      const at = this.#end % this.#chunkBytes
      if (at === 0) this.#begin(this.#end)
      const length = Math.min(end - start, this.#chunkBytes - at)
      from.copy(this.#chunk(this.#end), at, start, start + length)
      start += length
      this.#end += length
    }
  }

  /** A view that later writes overwrite, or a copy when the bytes lie in more than one chunk. They must be held. */
  view(address: number, length: number): Buffer {
    const at = address % this.#chunkBytes
    if (at + length > this.#chunkBytes) return this.copy(address, length)
    return this.#chunk(address).subarray(at, at + length)
  }

  /**
   * A view that stays as it is until `release` of its chunk, of `length` bytes or what of them lies in one chunk; a copy of `least` bytes,
   * which is of no chunk, where that is less.
   */
  share(address: number, length: number, least: number): SharedBytes {
    const at = address % this.#chunkBytes
    const room = this.#chunkBytes - at
    if (room < least) return { bytes: this.copy(address, least), chunk: undefined }
    const chunk = this.#chunk(address)
    this.#shared.set(chunk, (this.#shared.get(chunk) ?? 0) + 1)
    return { bytes: chunk.subarray(at, at + Math.min(room, length)), chunk }
  }

  /** The holder of one view on the chunk is done with it. */
  release(chunk: Buffer): void {
    const views = this.#shared.get(chunk)
    if (views === 1) this.#shared.delete(chunk)
    else if (views !== undefined) this.#shared.set(chunk, views - 1)
  }

  copy(address: number, length: number): Buffer {
    const into = Buffer.allocUnsafe(length)
    for (let done = 0; done < length;) {
      const at = (address + done) % this.#chunkBytes
      done += this.#chunk(address + done).copy(into, done, at, Math.min(this.#chunkBytes, at + length - done))
    }
    return into
  }

  #chunk(address: number): Buffer {
    return (this.#chunks[this.#index(address)] ??= Buffer.allocUnsafeSlow(this.#chunkBytes))
  }

  /** Lets go of the oldest chunk, whole: a view on what is left of it would change as it fills. */
  #begin(address: number): void {
    const index = this.#index(address)
    const chunk = this.#chunks[index]
    if (chunk !== undefined && this.#shared.delete(chunk)) this.#chunks[index] = undefined
    this.#start = Math.max(this.#start, address - (this.#chunks.length - 1) * this.#chunkBytes)
  }

  #index(address: number): number {
    return Math.floor(address / this.#chunkBytes) % this.#chunks.length
  }
}
