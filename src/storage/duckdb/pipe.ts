// Messages over a pipe between the server and the SQL process: a JSON header and bytes beside it.
//
//   message = headerLength u32 | bodyLength u32 | header (JSON, UTF-8) | body      (little endian)
import type { Readable, Writable } from 'node:stream'

const LENGTHS_BYTES = 8
const NOTHING = Buffer.alloc(0)

/** Resolves when the other side keeps up; bytes are copied by the stream only when they cannot leave at once, so they MUST NOT change. */
export function sendMessage(into: Writable, header: unknown, body: Buffer = NOTHING): Promise<void> {
  const json = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(LENGTHS_BYTES)
  lengths.writeUInt32LE(json.length, 0)
  lengths.writeUInt32LE(body.length, 4)
  into.cork()
  into.write(lengths)
  const room = into.write(json)
  const roomBehind = body.length === 0 ? room : into.write(body)
  into.uncork()
  if (roomBehind || into.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      into.off('drain', done)
      into.off('close', done)
      resolve()
    }
    into.on('drain', done)
    into.on('close', done)
  })
}

/** Calls `take` for each message in order, within the turn that its last byte arrives. */
export function takeMessages(from: Readable, take: (header: unknown, body: Buffer) => void): void {
  let pieces: Buffer[] = []
  let held = 0
  let wanted = LENGTHS_BYTES
  let lengths: { readonly header: number; readonly body: number } | undefined
  from.on('data', (piece: Buffer) => {
    pieces.push(piece)
    held += piece.length
    while (held >= wanted) {
      const bytes = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, held)
      const part = bytes.subarray(0, wanted)
      pieces = bytes.length > wanted ? [bytes.subarray(wanted)] : []
      held = bytes.length - wanted
      if (lengths === undefined) {
        lengths = { header: part.readUInt32LE(0), body: part.readUInt32LE(4) }
        wanted = lengths.header + lengths.body
      } else {
        const { header } = lengths
        lengths = undefined
        wanted = LENGTHS_BYTES
        take(JSON.parse(part.toString('utf8', 0, header)), part.subarray(header))
      }
    }
  })
}
