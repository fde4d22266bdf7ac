// The child process that signs. It gets its key as the first frame of its pipe, never on the command line or in its environment, and ends
// when its parent does.
import { type KeyObject, createPrivateKey, sign } from 'node:crypto'
import { Socket } from 'node:net'
import { FrameKind, FrameReader, formatFrame } from './signer-frames.ts'

/** The file descriptor that the parent opened. */
const PIPE = 3
/** An answer goes as soon as it is made; with more than a few still to make, several go together, which takes less of both processes. */
const FEW = 3
const TOGETHER_MAX = 4

// The terminal sends its signals to the whole group; the parent decides when we go.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const pipe = new Socket({ fd: PIPE })
const reader = new FrameReader()
let key: KeyObject | undefined
pipe.on('data', (bytes: Buffer) => {
  const frames = reader.take(bytes)
  let answers: Buffer[] = []
  frames.forEach(({ kind, id, text }, at) => {
    if (kind === FrameKind.key) key = createPrivateKey(text)
    else if (key !== undefined) {
      const signature = sign(kind === FrameKind.sha1 ? 'sha1' : 'sha256', Buffer.from(text), key)
      answers.push(formatFrame({ kind, id, text: signature.toString('base64') }))
    }
    if (frames.length - at > FEW && answers.length < TOGETHER_MAX) return
    pipe.write(Buffer.concat(answers))
    answers = []
  })
})
pipe.on('error', () => process.exit(0))
pipe.on('close', () => process.exit(0))
