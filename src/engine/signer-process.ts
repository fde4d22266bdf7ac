// The child process that signs. Each of its threads has a pipe of its own to the parent, gets its key as the pipe's first frame, never on
// the command line or in the environment, and signs one text after the other: what goes to which thread is the parent's to say. The process
// ends when the parent does.
import { type KeyObject, createPrivateKey, sign } from 'node:crypto'
import { Socket } from 'node:net'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { FIRST_PIPE, FrameKind, FrameReader, formatFrame } from './signer-frames.ts'

if (isMainThread) {
  // The terminal sends its signals to the whole group; the parent decides when we go.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
}

const pipe = new Socket({ fd: isMainThread ? FIRST_PIPE : (workerData as number) })
const reader = new FrameReader()
let key: KeyObject | undefined
pipe.on('data', (bytes: Buffer) => {
  for (const { kind, id, text } of reader.take(bytes)) {
    if (kind === FrameKind.key) key = createPrivateKey(text)
    // What fails in a thread ends the process: the parent starts it again, and gives up when that does not help.
    else if (kind === FrameKind.thread) new Worker(import.meta.filename, { workerData: id })
    else if (key !== undefined) {
      const signature = sign(kind === FrameKind.sha1 ? 'sha1' : 'sha256', Buffer.from(text), key)
      pipe.write(formatFrame({ kind, id, text: signature.toString('base64') }))
    }
  }
})
pipe.on('error', () => process.exit(0))
pipe.on('close', () => process.exit(0))
