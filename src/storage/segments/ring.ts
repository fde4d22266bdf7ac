// The last bytes of the journal, in memory: a ring of chunks that are allocated when they are first reached, so that a server that
// does little holds little. Addresses count bytes of the journal and never go back.

const CHUNK_BYTES = 1024 * 1024

export class Ring {
  readonly #chunkBytes: number
  readonly #chunks: (Buffer | undefined)[]
  #start: number
  #end: number

  /** Empty at `address`, a multiple of 8. Holds `bytes`, rounded up. */
  constructor(bytes: number, address: number) {
    this.#chunkBytes = Math.min(CHUNK_BYTES, (bytes + 7) & ~7)
    this.#chunks = new Array<Buffer | undefined>(Math.ceil(bytes / this.#chunkBytes)).fill(undefined)
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
      const length = Math.min(end - start, this.#chunkBytes - at)
      from.copy(this.#chunk(this.#end), at, start, start + length)
      start += length
      this.#end += length
    }
    this.#start = Math.max(this.#start, this.#end - this.#chunks.length * this.#chunkBytes)
  }

  /** A view that later writes overwrite, or a copy when the bytes lie in more than one chunk. They must be held. */
  view(address: number, length: number): Buffer {
    const at = address % this.#chunkBytes
    if (at + length > this.#chunkBytes) return this.copy(address, length)
    return this.#chunk(address).subarray(at, at + length)
  }

  copy(address: number, length: number): Buffer {
    const into = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const at = (address + done) % this.#chunkBytes
      done += this.#chunk(address + done).copy(into, done, at, Math.min(this.#chunkBytes, at + length - done))
    }
    return into
  }

  #chunk(address: number): Buffer {
    const index = Math.floor(address / this.#chunkBytes) % this.#chunks.length
    return (this.#chunks[index] ??= Buffer.allocUnsafeSlow(this.#chunkBytes))
  }
}
