// A request body as it is collected. A large one goes into one buffer of its own, and what it came in is given back as it is copied, the
// whole when it was handled: memory that only the collector can free makes it run every few large bodies, and all requests wait for it.
import { type Hash, createHash } from 'node:crypto'
import { LARGE_BODY_BYTES } from './large-turns.ts'

const NO_BYTES = Buffer.alloc(0)

export class CollectedBody {
  readonly #expected: number
  readonly #chunks: Buffer[] = []
  #large: Buffer | undefined
  #hash: Hash | undefined
  #bytes = 0

  /** `expected`: the bytes that the client announced, of which no more can come; 0 when it did not. */
  constructor(expected: number) {
    this.#expected = expected
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes the chunk over. */
  add(chunk: Buffer): void {
    const at = this.#bytes
    this.#bytes += chunk.length
    if (this.#expected <= LARGE_BODY_BYTES) {
      this.#chunks.push(chunk)
      return
    }
    this.#large ??= Buffer.allocUnsafeSlow(this.#expected)
    this.#hash ??= createHash('sha256')
    this.#large.set(chunk, at)
    this.#hash.update(chunk)
    release(chunk)
  }

  /** All that came, and of a large body its SHA-256 in hexadecimal, taken as it came: all at once would hold up others. For once. */
  finish(): { readonly bytes: Buffer; readonly sha256: string | undefined } {
    const [first = NO_BYTES] = this.#chunks
    if (this.#large !== undefined) return { bytes: this.#large.subarray(0, this.#bytes), sha256: this.#hash?.digest('hex') }
    return { bytes: this.#chunks.length < 2 ? first : Buffer.concat(this.#chunks, this.#bytes), sha256: undefined }
  }

  /** Ends what `finish` gave. */
  free(): void {
    if (this.#large !== undefined) release(this.#large)
    this.#large = undefined
  }
}

/** Only of memory that is nobody else's. */
function release({ buffer, length }: Buffer): void {
  if (buffer.byteLength === length && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
