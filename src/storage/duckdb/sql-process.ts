// The SQL process: runs DuckDB and imports for the server, which speaks to it over stdin and stdout and ends it by closing stdin. It keeps
// nothing that the server could not give it again.
import { setPriority } from 'node:os'
import { assert } from '../../base/assert.ts'
import { systemClock } from '../../base/clock.ts'
import { LakeQueryError } from '../lake.ts'
import { importFiles } from './importer.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { sendMessage, takeMessages } from './pipe.ts'
import { SqlEngine } from './sql-engine.ts'

/** Batches of one query that may be on their way unread. */
const BATCHES_AHEAD = 2
const INTERRUPT_MS = 50
/** Publishing goes first; a question still gets its answer on a busy machine. */
const NICE = 5

let engine: SqlEngine | undefined
let writes: Promise<unknown> = Promise.resolve()
const jobs = new Map<number, Job>()

interface Job {
  cancelled: boolean
  credits: number
  more: (() => void) | undefined
  interrupt: (() => void) | undefined
  over: boolean
}

function send(message: FromEngine, body?: Buffer): Promise<void> {
  return sendMessage(process.stdout, message, body)
}

function ready(): SqlEngine {
  assert(engine !== undefined, 'an opened SQL engine')
  return engine
}

/** What changes tables runs one after the other; queries run beside it, each on its own snapshot. */
function inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
  const result = writes.then(step)
  writes = result.catch(() => undefined)
  return result
}

function write(id: number, step: () => Promise<FromEngine>): void {
  void inTurn(step)
    .catch((error: unknown) => failure(id, error))
    .then((answer) => send(answer))
}

function failure(id: number, error: unknown): FromEngine {
  if (error instanceof LakeQueryError) return { kind: 'failed', id, failure: error.kind, message: error.message }
  return { kind: 'failed', id, failure: 'failed', message: error instanceof Error ? error.message : String(error) }
}

function take(message: ToEngine, body: Buffer): void {
  const { id } = message
  switch (message.kind) {
    case 'open':
      write(id, async () => {
        engine = await SqlEngine.open(message)
        return { kind: 'done', id }
      })
      break
    case 'feed':
      write(id, async () => {
        if (message.file !== undefined) await ready().feedFile(message.file, message.from)
        else if (message.compressed) await ready().feedCompressed(body, message.from)
        else await ready().feed(body, message.from)
        return { kind: 'done', id }
      })
      break
    case 'compact':
      write(id, async () => ({ kind: 'done', id, ...(await ready().compact(message.upTo, message.events, message.deliveries)) }))
      break
    case 'files':
      write(id, async () => {
        await ready().useFiles(message.files, message.upTo)
        return { kind: 'done', id }
      })
      break
    case 'query':
      void runQuery(id, message.sql, message.rowsMax)
      break
    case 'import':
      void runImport(message)
      break
    case 'more':
    case 'cancel': {
      const job = jobs.get(id)
      if (job === undefined) break
      if (message.kind === 'cancel') {
        job.cancelled = true
        interrupt(job)
      } else job.credits++
      job.more?.()
      break
    }
  }
}

function startJob(id: number): Job {
  const job: Job = { cancelled: false, credits: 0, more: undefined, interrupt: undefined, over: false }
  jobs.set(id, job)
  return job
}

function endJob(id: number, job: Job): void {
  job.over = true
  jobs.delete(id)
}

/** Again and again, since an interrupt that comes just before a statement begins is forgotten. */
function interrupt(job: Job): void {
  if (job.over) return
  job.interrupt?.()
  systemClock.after(INTERRUPT_MS, () => interrupt(job))
}

/** Resolves when the other side wants more, or nothing any longer. */
async function credit(job: Job): Promise<void> {
  while (job.credits === 0 && !job.cancelled) await new Promise<void>((resolve) => (job.more = resolve))
  job.credits--
}

async function runQuery(id: number, sql: string, rowsMax: number | undefined): Promise<void> {
  const job = startJob(id)
  job.credits = BATCHES_AHEAD
  try {
    const query = await ready().query(sql, (stop) => (job.interrupt = stop))
    await send({ kind: 'columns', id, columns: query.columns })
    let left = rowsMax ?? Infinity
    let truncated = false
    for await (const rows of query.batches) {
      await credit(job)
      if (job.cancelled) throw new LakeQueryError('cancelled', 'The query was cancelled.')
      truncated = rows.length > left
      const batch = truncated ? rows.slice(0, left) : rows
      left -= batch.length
      if (batch.length > 0) await send({ kind: 'rows', id }, Buffer.from(JSON.stringify(batch)))
      if (truncated) break
    }
    await send({ kind: 'end', id, truncated })
  } catch (error) {
    await send(failure(id, error))
  } finally {
    endJob(id, job)
  }
}

async function runImport(message: Extract<ToEngine, { kind: 'import' }>): Promise<void> {
  const { id, paths, importedAt, prefix } = message
  const job = startJob(id)
  let files = 0
  const takeBatch = async (lines: Buffer): Promise<number> => {
    const file = prefix === undefined ? undefined : `${prefix}${files++}.parquet`
    const written = await inTurn(() => ready().importLines(lines, importedAt, file))
    if (file !== undefined && written.rows > 0) {
      await send({ kind: 'written', id, file, written })
      await credit(job)
      if (job.cancelled) throw new LakeQueryError('cancelled', 'The import was cancelled.')
      await inTurn(() => ready().addImported(file))
    }
    return written.rows
  }
  try {
    const result = await importFiles(paths, {
      clock: systemClock,
      take: takeBatch,
      onProgress: (progress) => void send({ kind: 'progress', id, progress }),
      cancelled: () => job.cancelled,
    })
    await send({ kind: 'imported', id, result })
  } catch (error) {
    await send(failure(id, error))
  } finally {
    endJob(id, job)
  }
}

// Quirk: a low priority is refused in some sandboxes, which is no reason to stop.
try {
  setPriority(NICE)
} catch {}
takeMessages(process.stdin, (header, body) => take(header as ToEngine, body))
process.stdin.on('end', () => process.exit(0))
process.stdin.on('error', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))
