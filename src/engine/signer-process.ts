// The child process that signs. It gets its key as the first frame of its pipe, never on the command line or in its environment, and ends
// when its parent does.
import { type KeyObject, createPrivateKey, sign } from 'node:crypto'
import { Socket } from 'node:net'
import { FrameKind, FrameReader, type SignerFrame, formatFrame } from './signer-frames.ts'

/** The file descriptor that the parent opened. */
const PIPE = 3

// The terminal sends its signals to the whole group; the parent decides when we go.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const pipe = new Socket({ fd: PIPE })
const reader = new FrameReader()
let key: KeyObject | undefined
let underWay = 0
pipe.on('data', (bytes: Buffer) => {
  const frames = reader.take(bytes)
  for (const frame of frames) {
    if (frame.kind === FrameKind.key) key = createPrivateKey(frame.text)
    else if (key !== undefined) signed(frame, key, frames.length === 1 && underWay === 0)
  }
})
pipe.on('error', () => process.exit(0))
pipe.on('close', () => process.exit(0))

/** One that is alone is signed in this step; where there are several, each core may take one. */
function signed({ kind, id, text }: SignerFrame, by: KeyObject, isAlone: boolean): void {
  const algorithm = kind === FrameKind.sha1 ? 'sha1' : 'sha256'
  const answer = (signature: Buffer): void => void pipe.write(formatFrame({ kind, id, text: signature.toString('base64') }))
  if (isAlone) return answer(sign(algorithm, Buffer.from(text), by))
  underWay++
  sign(algorithm, Buffer.from(text), by, (failure, signature) => {
    underWay--
    // Who has the key as well starts us again, and gives up when that does not help.
    if (failure !== null) throw failure
    answer(signature)
  })
}
