// The server's end of the SQL process: starts it, asks it, and notices when it is gone. An end of the process fails what was asked of it
// and nothing else.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { SqlValue } from '../../model/sql-rows.ts'
import { type LakeColumn, type LakeImport, type LakeImportProgress, LakeQueryError } from '../lake.ts'
import type { FromEngine, ToEngine, WrittenFile } from './messages.ts'
import { sendMessage, takeMessages } from './pipe.ts'

type Done = Extract<FromEngine, { kind: 'done' }>
type WithoutId<Message> = Message extends unknown ? Omit<Message, 'id'> : never

const HEAP_MEGABYTES_MAX = 512
/** How long a cancelled statement may take to stop before the process is ended instead. */
const CANCEL_MS_MAX = 5000

export interface RunningQuery {
  readonly columns: readonly LakeColumn[]
  /** The next batch, or undefined when there is none left. */
  next(): Promise<readonly (readonly SqlValue[])[] | undefined>
  /** Ends the query, whatever is left of it. Harmless when it has ended. */
  cancel(): void
  /** Known when `next` has given undefined. */
  truncated(): boolean
}

export class SqlClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #clock: Clock
  readonly #jobs = new Map<number, (message: FromEngine, body: Buffer) => void>()
  #nextId = 1
  #ended: LakeQueryError | undefined

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly onEnd: () => void }) {
    const { clock, log } = options
    this.#clock = clock
    const script = fileURLToPath(new URL('./sql-process.ts', import.meta.url))
    const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_MEGABYTES_MAX}`]
    this.#child = spawn(process.execPath, [...flags, script], { env: {}, stdio: ['pipe', 'pipe', 'pipe'] })
    takeMessages(this.#child.stdout, (header, body) => {
      const message = header as FromEngine
      this.#jobs.get(message.id)?.(message, body)
    })
    this.#child.stderr.on('data', (text: Buffer) => log.warn('the SQL process says', { text: text.toString().trim().slice(0, 2000) }))
    this.#child.stdin.on('error', () => undefined)
    const ended = (why: string): void => {
      if (this.#ended !== undefined) return
      this.#ended = new LakeQueryError('failed', `The SQL process ended (${why}); ask again.`)
      options.onEnd()
      for (const [id, take] of [...this.#jobs])
        take({ kind: 'failed', id, failure: 'failed', message: this.#ended.message }, Buffer.alloc(0))
      this.#jobs.clear()
    }
    this.#child.once('error', (error) => ended(error.message))
    this.#child.once('close', (code, signal) => ended(signal ?? `exit code ${code}`))
  }

  request(message: WithoutId<ToEngine>, body?: Buffer): Promise<Done> {
    return new Promise((resolve, reject) => {
      const id = this.#start((answer) => {
        this.#jobs.delete(id)
        if (answer.kind === 'done') resolve(answer)
        else reject(failureOf(answer))
      })
      this.#send(id, message, body)
    })
  }

  async query(sql: string, limits: { readonly timeoutMs: number; readonly rowsMax: number | undefined }): Promise<RunningQuery> {
    const { timeoutMs } = limits
    const waiting: (readonly (readonly SqlValue[])[])[] = []
    let columns: readonly LakeColumn[] | undefined
    let over: { readonly truncated: boolean } | { readonly failure: LakeQueryError } | undefined
    let wake: (() => void) | undefined
    let timedOut = false
    let leftMs = timeoutMs
    let timer: Timer | undefined
    const id = this.#start((message, body) => {
      if (message.kind === 'columns') columns = message.columns
      else if (message.kind === 'rows') waiting.push(JSON.parse(body.toString('utf8')))
      else if (message.kind === 'end') over = { truncated: message.truncated }
      else if (message.kind === 'failed') over = { failure: timedOut ? timeout(timeoutMs) : failureOf(message) }
      if (over !== undefined) this.#jobs.delete(id)
      wake?.()
    })
    const cancel = (): void => {
      if (over !== undefined) return
      this.#send(id, { kind: 'cancel' })
      this.#clock.after(CANCEL_MS_MAX, () => {
        if (over === undefined) this.kill()
      })
    }
    // The time in which the reader does not ask for more is not the statement's.
    const answer = async (): Promise<void> => {
      const askedAt = this.#clock.monotonic()
      timer = this.#clock.after(Math.max(0, leftMs), () => {
        timedOut = true
        cancel()
      })
      await new Promise<void>((resolve) => (wake = resolve))
      timer.cancel()
      wake = undefined
      leftMs -= this.#clock.monotonic() - askedAt
    }
    this.#send(id, { kind: 'query', sql, rowsMax: limits.rowsMax })
    while (columns === undefined && over === undefined) await answer()
    if (over !== undefined && 'failure' in over) throw over.failure
    return {
      columns: columns ?? [],
      cancel,
      truncated: () => over !== undefined && 'truncated' in over && over.truncated,
      next: async () => {
        for (;;) {
          const batch = waiting.shift()
          if (batch !== undefined) {
            if (over === undefined) this.#send(id, { kind: 'more' })
            return batch
          }
          if (over === undefined) await answer()
          else if ('failure' in over) throw over.failure
          else return undefined
        }
      },
    }
  }

  import(
    request: { readonly paths: readonly string[]; readonly importedAt: number; readonly prefix: string | undefined },
    callbacks: {
      readonly onProgress: (progress: LakeImportProgress) => void
      /** A batch's file is written; the next may come once this resolves. */
      readonly onWritten: (file: string, written: WrittenFile) => Promise<void>
      readonly signal: AbortSignal | undefined
    },
  ): Promise<LakeImport> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => this.#send(id, { kind: 'cancel' })
      const settle = (run: () => void): void => {
        this.#jobs.delete(id)
        callbacks.signal?.removeEventListener('abort', cancel)
        run()
      }
      const id = this.#start((message) => {
        if (message.kind === 'progress') callbacks.onProgress(message.progress as LakeImportProgress)
        else if (message.kind === 'imported') settle(() => resolve(message.result as LakeImport))
        else if (message.kind === 'failed') settle(() => reject(failureOf(message)))
        else if (message.kind === 'written') {
          callbacks.onWritten(message.file, message.written).then(
            () => this.#send(id, { kind: 'more' }),
            (error: unknown) => {
              cancel()
              settle(() => reject(error instanceof Error ? error : new Error(String(error))))
            },
          )
        }
      })
      callbacks.signal?.addEventListener('abort', cancel, { once: true })
      this.#send(id, { kind: 'import', ...request })
    })
  }

  /** Lets the process end by itself; resolves when it is gone. */
  end(): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve()
    const gone = new Promise<void>((resolve) => void this.#child.once('close', () => resolve()))
    this.#child.stdin.end()
    return gone
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #start(take: (message: FromEngine, body: Buffer) => void): number {
    if (this.#ended !== undefined) throw this.#ended
    const id = this.#nextId++
    this.#jobs.set(id, take)
    return id
  }

  #send(id: number, message: WithoutId<ToEngine>, body?: Buffer): void {
    if (this.#ended === undefined) void sendMessage(this.#child.stdin, { ...message, id }, body)
  }
}

function failureOf(message: FromEngine): LakeQueryError {
  if (message.kind === 'failed') return new LakeQueryError(message.failure, message.message)
  return new LakeQueryError('failed', `The SQL process answered ${message.kind} where it should not.`)
}

function timeout(timeoutMs: number): LakeQueryError {
  return new LakeQueryError(
    'timeout',
    `The query ran longer than ${timeoutMs} ms. Narrow it, for example by event_time, or allow it more time.`,
  )
}
