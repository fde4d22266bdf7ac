// Who writes the journal's groups: a thread of its own, woken through Atomics, or this one. Both do the same through GroupWriter; never
// the pool of libuv, whose threads are late exactly when the machine has work for them.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import type { Files } from '../files.ts'
import { GroupWriter, type WriterState } from './group-writer.ts'

export interface Commit {
  /** The memory that groups are staged in. One is written at a time. */
  readonly slabs: readonly Buffer[]
  start(state: WriterState): void
  /** Writes the group in a slab (see GroupWriter); `done` follows, once, on a later turn. */
  write(slab: number, first: number, second: number): void
  recycle(numbers: readonly number[]): void
  /** Nothing may be under way. */
  close(): Promise<void>
}

export interface CommitOptions {
  readonly files: Files
  readonly slabBytes: number
  readonly schedule: (run: () => void) => void
  readonly done: (failure?: Error) => void
  /** Housekeeping failed; commits go on. */
  readonly warn: (failure: Error) => void
}

const SLABS = 2

export function inlineCommit({ files, slabBytes, schedule, done, warn }: CommitOptions): Commit {
  let writer: GroupWriter | undefined
  let stepping = false
  let failed = false
  const step = (): void => {
    stepping = false
    if (writer === undefined || failed) return
    try {
      if (!writer.step()) return
    } catch (error) {
      warn(asError(error))
    }
    later()
  }
  const later = (): void => {
    if (stepping) return
    stepping = true
    schedule(step)
  }
  const slabs = Array.from({ length: SLABS }, () => Buffer.allocUnsafeSlow(slabBytes))
  return {
    slabs,
    start(state) {
      writer = new GroupWriter(files, state)
      later()
    },
    write(slab, first, second) {
      let failure: Error | undefined
      try {
        writer?.write(slabs[slab] as Buffer, first, second)
      } catch (error) {
        failure = asError(error)
        failed = true
      }
      later()
      schedule(() => done(failure))
    },
    recycle(numbers) {
      writer?.recycle(numbers)
      later()
    },
    async close() {
      writer?.close()
      writer = undefined
    },
  }
}

/** Words of the memory shared with the thread. */
export const Word = { wake: 0, group: 1, done: 2, failed: 3, slab: 4, first: 5, second: 6, reasonBytes: 7 } as const
export const WORDS = 8
export const REASON_BYTES = 1024

export interface WriterThreadSetup {
  readonly elsewhere: { readonly module: string; readonly name: string }
  readonly words: SharedArrayBuffer
  readonly reason: SharedArrayBuffer
  readonly slabs: readonly SharedArrayBuffer[]
  readonly jobs: MessagePort
}
export type WriterJob =
  | { readonly kind: 'start'; readonly state: WriterState }
  | { readonly kind: 'recycle'; readonly numbers: readonly number[] }
  | { readonly kind: 'close' }

export function threadCommit({ files, slabBytes, schedule, done, warn }: CommitOptions): Commit {
  assert(files.elsewhere !== undefined, 'files that another thread can open, for a writer thread')
  const shared = Array.from({ length: SLABS }, () => new SharedArrayBuffer(slabBytes))
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4))
  const reason = new SharedArrayBuffer(REASON_BYTES)
  const { port1: jobs, port2 } = new MessageChannel()
  const setup = { elsewhere: files.elsewhere, words: words.buffer, reason, slabs: shared, jobs: port2 }
  const worker = new Worker(new URL('./writer.ts', import.meta.url), {
    name: 'journal-writer',
    workerData: setup,
    transferList: [port2],
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 },
  })
  let closing = false
  let ended = false
  let pending = false
  const finish = (failure?: Error): void => {
    if (!pending) return
    pending = false
    done(failure)
  }
  const end = (failure: Error): void => {
    if (ended) return
    ended = true
    if (closing) return
    pending = true
    finish(failure)
  }
  worker.on('error', (error) => end(asError(error)))
  worker.on('exit', (code) => end(new Error(`the journal's writer thread ended by itself (exit code ${code})`)))
  jobs.on('message', (message: string) => warn(new Error(message)))
  jobs.unref()
  const wake = (): void => {
    Atomics.add(words, Word.wake, 1)
    Atomics.notify(words, Word.wake)
  }
  const send = (job: WriterJob): void => {
    jobs.postMessage(job)
    wake()
  }
  const completed = (): void => {
    if (Atomics.load(words, Word.failed) === 0) return finish()
    finish(asError(JSON.parse(Buffer.from(reason).toString('utf8', 0, Atomics.load(words, Word.reasonBytes)))))
  }
  return {
    slabs: shared.map((slab) => Buffer.from(slab)),
    start: (state) => send({ kind: 'start', state }),
    write(slab, first, second) {
      const before = Atomics.load(words, Word.done)
      pending = true
      Atomics.store(words, Word.slab, slab)
      Atomics.store(words, Word.first, first)
      Atomics.store(words, Word.second, second)
      Atomics.add(words, Word.group, 1)
      wake()
      const wait = Atomics.waitAsync(words, Word.done, before)
      if (wait.async) void wait.value.then(() => schedule(completed))
      else schedule(completed)
    },
    recycle: (numbers) => send({ kind: 'recycle', numbers }),
    async close() {
      closing = true
      if (ended) return
      const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      send({ kind: 'close' })
      await exit
      jobs.close()
    },
  }
}

function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { message, code } = thrown as { message?: string; code?: string }
  return Object.assign(new Error(message ?? String(thrown)), code === undefined ? {} : { code })
}
