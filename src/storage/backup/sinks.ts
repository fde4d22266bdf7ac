// Where a backup's files go: to a child process that copies, or, with files that no other process can see, to a writer right here.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BackupDamaged, type BackupProgress, BackupRefused, type BackupSink, type BackupSummary } from '../backup.ts'
import type { Files } from '../files.ts'
import type { FromCopier, ToCopier } from './process.ts'
import { BackupWriter } from './writer.ts'

const NOTHING_YET: BackupProgress = { phase: 'copying', files: 0, bytes: 0, copiedBytes: 0 }
const BATCH_FILES = 200

export function inlineSink(files: Files): BackupSink {
  let writer: BackupWriter | undefined
  const begun = (): BackupWriter => {
    if (writer === undefined) throw new Error('the copy was not begun')
    return writer
  }
  return {
    async begin(run) {
      writer = new BackupWriter(files, run)
      return writer.generation
    },
    copy: async (batch, isFinal) => batch.filter((file) => !begun().copy(file, isFinal)).map(({ path }) => path),
    finish: async (head, keep, seal) => begun().finish(head, keep, seal),
    progress: () => writer?.progress() ?? NOTHING_YET,
    close: async () => writer?.close(),
  }
}

type Job = ToCopier extends infer Message ? (Message extends { readonly id: number } ? Omit<Message, 'id'> : never) : never

/** `files`: ones that another process can open. */
export function processSink({ elsewhere }: Files): BackupSink {
  if (elsewhere === undefined) throw new Error('files that another process can open, for a process that copies')
  const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), [], {
    execArgv: [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let asked = 0
  let progress = NOTHING_YET
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  child.on('message', (message: FromCopier) => {
    const asker = waiting.get(message.id)
    waiting.delete(message.id)
    if ('error' in message) return asker?.reject(revived(message.error))
    progress = message.progress ?? progress
    asker?.resolve(message.value)
  })
  child.once('error', (error) => end(new Error(`the copying process could not be started: ${error.message}`)))
  child.once('exit', (code, signal) => end(new Error(`the copying process ended with ${signal ?? code}`)))
  const ask = <T>(job: Job): Promise<T> => {
    if (ended !== undefined) return Promise.reject(ended)
    const id = ++asked
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject })) as Promise<T>
    child.send({ ...job, id })
    return answer
  }
  return {
    begin: (run) => ask<number>({ kind: 'begin', run, elsewhere }),
    async copy(files, isFinal) {
      const gone: string[] = []
      for (let at = 0; at < files.length; at += BATCH_FILES)
        gone.push(...(await ask<readonly string[]>({ kind: 'copy', files: files.slice(at, at + BATCH_FILES), isFinal })))
      return gone
    },
    finish: (head, keep, seal) => ask<BackupSummary>({ kind: 'finish', head, keep, seal }),
    progress: () => progress,
    close: () => endChild(child, end),
  }
}

function endChild(child: ChildProcess, end: (error: Error) => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    end(new Error('the copy was ended'))
    child.kill('SIGKILL')
  })
}

function revived({ name, message, code }: { readonly name: string; readonly message: string; readonly code?: string }): Error {
  const error =
    name === 'BackupRefused' ? new BackupRefused(message) : name === 'BackupDamaged' ? new BackupDamaged(message) : new Error(message)
  return Object.assign(error, code === undefined ? {} : { code })
}
