// What the server and its signing process say to each other over their pipes: frames of a length, a kind, a number and bytes.

/** The file descriptor of the first pipe; the others follow. */
export const FIRST_PIPE = 3

/**
 * `key`: the private key (PEM) for all that follows. `thread`: one more, for the pipe with that number. The others ask for a signature; an
 * answer has kind and number of its question.
 */
export const FrameKind = { key: 0, sha1: 1, sha256: 2, thread: 3 } as const

export interface SignerFrame {
  readonly kind: number
  readonly id: number
  readonly text: string
}

const HEAD_BYTES = 9
/** No message is so large; a length beyond it is no frame. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024

/** `text` in UTF-8; at most 16 MiB of it. */
export function formatFrame({ kind, id, text }: SignerFrame): Buffer {
  const bytes = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes)
  frame.writeUInt32LE(bytes, 0)
  frame[4] = kind
  frame.writeUInt32LE(id, 5)
  frame.write(text, HEAD_BYTES, 'utf8')
  return frame
}

/** Frames out of pieces of any size. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that are whole now. Throws RangeError for a length that no frame has. */
  take(bytes: Buffer): SignerFrame[] {
    let buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: SignerFrame[] = []
    while (buffer.length >= HEAD_BYTES) {
      const length = buffer.readUInt32LE(0)
      if (length > TEXT_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes`)
      const end = HEAD_BYTES + length
      if (buffer.length < end) break
      frames.push({ kind: buffer[4] ?? 0, id: buffer.readUInt32LE(5), text: buffer.toString('utf8', HEAD_BYTES, end) })
      buffer = buffer.subarray(end)
    }
    this.#rest = buffer
    return frames
  }
}
