// The lake on DuckDB. What is appended waits as lines in memory, then as compressed chunks, then as Parquet; a query sees all three. The
// server itself never runs SQL: a process of its own does, which starts with the first query and ends when nobody asks for a while.
//
//   <folder>/manifest.json   which Parquet files count, and up to where            (manifest.ts)
//   <folder>/chunks/         what is not yet Parquet                               (chunks.ts)
//   <folder>/parquet/        events-<from>-<upTo>, deliveries-<from>-<upTo>, imported-<n>
//   <folder>/tmp/            what is being written; emptied at the start
import { basename } from 'node:path'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Files } from '../files.ts'
import type { Position } from '../journal.ts'
import {
  type Lake,
  type LakeBatch,
  type LakeImport,
  type LakeImportOptions,
  type LakeLimits,
  LakeQueryError,
  type LakeQueryOptions,
  type LakeResult,
} from '../lake.ts'
import { batchesOf } from './batches.ts'
import { type Chunks, openChunkFolder, openChunkMemory } from './chunks.ts'
import { chooseExpired } from './expiry.ts'
import { Inflow } from './inflow.ts'
import {
  checkFiles,
  EMPTY_MANIFEST,
  encodeManifest,
  flushFile,
  type LakeFile,
  type Manifest,
  readManifest,
  writeManifest,
} from './manifest.ts'
import type { TableFiles, WrittenFile } from './messages.ts'
import { SqlClient } from './sql-client.ts'

export interface DuckdbLakeOptions {
  /** Absolute. Absent: all in memory, the oldest rows give way beyond `memoryRowsBytes`. */
  readonly folder: string | undefined
  /** Needed with a folder. */
  readonly files: Files
  readonly clock: Clock
  readonly log: Log
  /** What the SQL process may use. */
  readonly memoryBytes?: number
  readonly threads?: number
  /** How long the SQL process waits for another query before it ends. */
  readonly idleMs?: number
  /** Lines that wait in memory before they become a chunk. */
  readonly chunkBytes?: number
  /** Lines in chunks before they become Parquet. */
  readonly compactBytes?: number
  /** Lines kept without a folder. */
  readonly memoryRowsBytes?: number
}

const DEFAULTS = {
  memoryBytes: 512 * 1024 * 1024,
  threads: 2,
  idleMs: 60_000,
  chunkBytes: 8 * 1024 * 1024,
  compactBytes: 32 * 1024 * 1024,
  memoryRowsBytes: 192 * 1024 * 1024,
} as const

const QUERY_MS_MAX = 60_000
/** Small chunks become Parquet as well when there are many. */
const CHUNKS_MAX = 128
/** Parquet is made by itself when fewer lines than this came in within QUIET_MS, or when so much waits that a query would wait long. */
const QUIET_MS = 30_000
const QUIET_BYTES = 8 * 1024 * 1024
const BACKLOG_BYTES_MAX = 1024 * 1024 * 1024

export function openDuckdbLake(options: DuckdbLakeOptions): Lake {
  const { folder, files } = options
  if (folder === undefined) {
    return new DuckdbLake(options, EMPTY_MANIFEST, (onDrop) => openChunkMemory(options.memoryRowsBytes ?? DEFAULTS.memoryRowsBytes, onDrop))
  }
  for (const name of ['', '/chunks', '/parquet', '/tmp']) files.makeFolder(folder + name)
  for (const name of files.list(`${folder}/tmp`)) if (name !== 'spill') files.remove(`${folder}/tmp/${name}`)
  const manifest = readManifest(files, `${folder}/manifest.json`)
  checkFiles(files, folder, manifest)
  return new DuckdbLake(options, manifest, () => openChunkFolder(files, folder, manifest.upTo))
}

class DuckdbLake implements Lake {
  readonly #options: DuckdbLakeOptions
  readonly #limits: Required<Pick<DuckdbLakeOptions, keyof typeof DEFAULTS>>
  readonly #chunks: Chunks
  readonly #inflow: Inflow
  #manifest: Manifest
  #client: SqlClient | undefined
  #fed: Position = 0
  #holdsImports = false
  #nextImport: number
  #turn: Promise<unknown> = Promise.resolve()
  #users = 0
  #idle: Timer | undefined
  #quiet: Timer | undefined
  #quietBytes = 0
  #expired: string[] = []
  #closed = false

  constructor(options: DuckdbLakeOptions, manifest: Manifest, openChunks: (onDrop: (upTo: Position) => void) => Chunks) {
    this.#options = options
    this.#limits = {
      memoryBytes: options.memoryBytes ?? DEFAULTS.memoryBytes,
      threads: options.threads ?? DEFAULTS.threads,
      idleMs: options.idleMs ?? DEFAULTS.idleMs,
      chunkBytes: options.chunkBytes ?? DEFAULTS.chunkBytes,
      compactBytes: options.compactBytes ?? DEFAULTS.compactBytes,
      memoryRowsBytes: options.memoryRowsBytes ?? DEFAULTS.memoryRowsBytes,
    }
    this.#manifest = manifest
    this.#nextImport = manifest.imports
    this.#chunks = openChunks((upTo) => this.#dropped(upTo))
    this.#inflow = new Inflow({
      chunks: this.#chunks,
      from: this.#chunks.list().at(-1)?.upTo ?? manifest.upTo,
      chunkBytes: this.#limits.chunkBytes,
      clock: options.clock,
      log: options.log,
      onChunk: (plainBytes) => this.#chunkAdded(plainBytes),
    })
  }

  get checkpoint(): Position {
    // Without a folder nothing survives, so that nothing need be kept for it either.
    return this.#options.folder === undefined ? this.#inflow.appended : this.#inflow.checkpoint
  }

  get appended(): Position {
    return this.#inflow.appended
  }

  append(batch: LakeBatch): Promise<void> {
    return this.#inflow.append(batch)
  }

  flush(): Promise<void> {
    return this.#inflow.flush()
  }

  async query(sql: string, options: LakeQueryOptions = {}): Promise<LakeResult> {
    const release = this.#use()
    try {
      const client = await this.#inTurn(() => this.#upToDate(this.appended))
      const running = await client.query(sql, { timeoutMs: options.timeoutMs ?? QUERY_MS_MAX, rowsMax: options.rowsMax })
      return { columns: running.columns, batches: batchesOf(running, release), truncated: () => running.truncated() }
    } catch (error) {
      release()
      throw error instanceof LakeQueryError ? error : new LakeQueryError('failed', error instanceof Error ? error.message : String(error))
    }
  }

  async importPaths(paths: readonly string[], options: LakeImportOptions = {}): Promise<LakeImport> {
    const release = this.#use()
    try {
      const client = await this.#inTurn(() => this.#started())
      const { folder, clock } = this.#options
      if (folder === undefined) this.#holdsImports = true
      const first = this.#nextImport++
      const result = await client.import(
        {
          paths,
          importedAt: options.importedAt ?? clock.now(),
          prefix: folder === undefined ? undefined : `${folder}/parquet/imported-${first}-`,
        },
        {
          onProgress: options.onProgress ?? (() => undefined),
          signal: options.signal,
          onWritten: (path, written) => this.#inTurn(() => this.#takeImported(path, written)),
        },
      )
      if (options.signal?.aborted === true) throw new LakeQueryError('cancelled', 'The import was cancelled; what it had read whole is in.')
      return result
    } finally {
      release()
    }
  }

  expire(limits: LakeLimits): Promise<{ files: number; bytes: number }> {
    const release = this.#use()
    return this.#inTurn(async () => {
      const expired = chooseExpired(this.#manifest, this.#chunks.list(), limits)
      if (expired === undefined) return { files: 0, bytes: 0 }
      const { folder, files } = this.#options
      if (folder !== undefined) writeManifest(files, folder, expired.manifest)
      this.#manifest = expired.manifest
      this.#chunks.dropUpTo(expired.upTo)
      this.#expired.push(...expired.files.map(({ name }) => `${folder}/parquet/${name}`))
      await this.#client?.request({ kind: 'files', files: this.#tableFiles(), upTo: expired.upTo })
      return { files: expired.count, bytes: expired.bytes }
    }).finally(release)
  }

  picture(): { readonly manifest: Buffer; readonly files: readonly string[] } | undefined {
    if (this.#options.folder === undefined) return undefined
    const chunks = this.#chunks.list().flatMap(({ held }) => (typeof held === 'string' ? [`chunks/${basename(held)}`] : []))
    return { manifest: encodeManifest(this.#manifest), files: [...this.#manifest.files.map(({ name }) => `parquet/${name}`), ...chunks] }
  }

  bytes(): number {
    return [...this.#chunks.list(), ...this.#manifest.files].reduce((sum, { bytes }) => sum + bytes, this.#inflow.waitingBytes)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#idle?.cancel()
    this.#quiet?.cancel()
    try {
      await this.flush()
      await this.#turn
    } finally {
      await this.#client?.end()
    }
  }

  #chunkAdded(plainBytes: number): void {
    this.#quietBytes += plainBytes
    this.#watchQuiet()
  }

  /** Steps that change what the SQL process holds, or the manifest, one after the other. */
  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    if (this.#closed) return Promise.reject(new LakeQueryError('failed', 'The lake is closed.'))
    const result = this.#turn.then(step)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #started(): Promise<SqlClient> {
    if (this.#client !== undefined) return this.#client
    const { folder, clock, log } = this.#options
    const client = new SqlClient({ clock, log, onEnd: () => this.#engineGone(client) })
    this.#client = client
    this.#fed = this.#manifest.upTo
    try {
      await client.request({ kind: 'open', folder, memoryBytes: this.#limits.memoryBytes, threads: this.#limits.threads })
      await client.request({ kind: 'files', files: this.#tableFiles(), upTo: this.#manifest.upTo })
    } catch (error) {
      client.kill()
      throw error
    }
    return client
  }

  #engineGone(client: SqlClient): void {
    if (this.#client !== client) return
    this.#client = undefined
    if (this.#holdsImports && !this.#closed) this.#options.log.error('the SQL process ended, and with it what was imported into memory')
    this.#holdsImports = false
  }

  /** Gives the SQL process all rows below `target`, and turns chunks into Parquet on the way when many wait. */
  async #upToDate(target: Position): Promise<SqlClient> {
    const client = await this.#started()
    await this.#compactWaiting(client)
    while (this.#fed < target) {
      const next = this.#inflow.next(this.#fed)
      if (next === undefined) break
      const { held } = next
      const body = typeof held === 'string' ? undefined : held
      const file = typeof held === 'string' ? held : undefined
      await client.request({ kind: 'feed', from: this.#fed, file, compressed: next.compressed }, body)
      this.#fed = next.upTo
      await this.#compactWaiting(client)
    }
    return client
  }

  async #compactWaiting(client: SqlClient): Promise<void> {
    const { folder } = this.#options
    if (folder === undefined) return
    const fed = this.#chunks.list().filter(({ upTo }) => upTo <= this.#fed)
    const plainBytes = fed.reduce((sum, chunk) => sum + chunk.plainBytes, 0)
    const last = fed.at(-1)
    if (last === undefined || (plainBytes < this.#limits.compactBytes && fed.length < CHUNKS_MAX)) return
    await this.#compact(client, folder, last.upTo)
  }

  async #compact(client: SqlClient, folder: string, upTo: Position): Promise<void> {
    const { files } = this.#options
    const span = `${this.#manifest.upTo}-${upTo}.parquet`
    const path = (table: string): string => `${folder}/tmp/${table}-${span}`
    const { events, deliveries } = await client.request({ kind: 'compact', upTo, events: path('events'), deliveries: path('deliveries') })
    const made: LakeFile[] = []
    for (const [table, written] of [
      ['events', events],
      ['deliveries', deliveries],
    ] as const) {
      if (written === undefined || written.rows === 0) continue
      const name = `${table}-${span}`
      const bytes = flushFile(files, path(table))
      files.rename(path(table), `${folder}/parquet/${name}`)
      made.push({ name, table, bytes, ...written, newest: written.newest === 0 ? this.#options.clock.now() : written.newest })
    }
    files.syncFolder(`${folder}/parquet`)
    const manifest = { ...this.#manifest, upTo, files: [...this.#manifest.files, ...made] }
    // Commit point: from this rename on the rows are in Parquet, before it in chunks.
    writeManifest(files, folder, manifest)
    this.#manifest = manifest
    try {
      await client.request({ kind: 'files', files: this.#tableFiles(), upTo })
    } catch (error) {
      // It does not know what is in the files now, and would count rows twice.
      client.kill()
      this.#engineGone(client)
      throw error
    }
    this.#chunks.dropUpTo(upTo)
  }

  async #takeImported(path: string, written: WrittenFile): Promise<void> {
    const { folder, files } = this.#options
    if (folder === undefined) return
    const bytes = flushFile(files, path)
    files.syncFolder(`${folder}/parquet`)
    const file: LakeFile = { name: path.slice(path.lastIndexOf('/') + 1), table: 'imported', bytes, ...written }
    const manifest = { ...this.#manifest, imports: this.#nextImport, files: [...this.#manifest.files, file] }
    writeManifest(files, folder, manifest)
    this.#manifest = manifest
  }

  #tableFiles(): TableFiles {
    const of = (table: LakeFile['table']): string[] =>
      this.#manifest.files.filter((file) => file.table === table).map(({ name }) => `${this.#options.folder}/parquet/${name}`)
    return { events: of('events'), deliveries: of('deliveries'), imported: of('imported') }
  }

  /** Rows that gave way in memory leave the SQL process as well. */
  #dropped(upTo: Position): void {
    this.#options.log.warn('the lake in memory is full: its oldest rows give way', { upTo })
    this.#manifest = { ...this.#manifest, upTo }
    if (this.#client === undefined) return
    this.#inTurn(async () => this.#client?.request({ kind: 'files', files: this.#tableFiles(), upTo })).catch(() => undefined)
  }

  #use(): () => void {
    this.#users++
    this.#idle?.cancel()
    let released = false
    return () => {
      if (released) return
      released = true
      this.#users--
      this.#removeExpired()
      if (this.#users === 0) this.#watchIdle()
    }
  }

  #watchIdle(): void {
    this.#idle?.cancel()
    if (this.#closed || this.#holdsImports) return
    this.#idle = this.#options.clock.after(this.#limits.idleMs, () => {
      if (this.#users > 0) return
      const client = this.#client
      this.#client = undefined
      void client?.end()
    })
  }

  /** A running query may still read what has expired. */
  #removeExpired(): void {
    if (this.#users > 0) return
    for (const path of this.#expired.splice(0)) this.#options.files.remove(path)
  }

  #watchQuiet(): void {
    if (this.#closed || this.#options.folder === undefined || this.#quiet !== undefined || !this.#compactable()) return
    this.#quietBytes = 0
    this.#quiet = this.#options.clock.after(QUIET_MS, () => {
      this.#quiet = undefined
      if (this.#quietBytes > QUIET_BYTES && this.#backlogBytes() < BACKLOG_BYTES_MAX) return this.#watchQuiet()
      const release = this.#use()
      this.#inTurn(() => this.#upToDate(this.#inflow.checkpoint))
        .catch((error: unknown) => this.#options.log.warn('the lake could not make Parquet of its chunks yet', { error: String(error) }))
        .finally(release)
    })
  }

  #compactable(): boolean {
    return this.#backlogBytes() >= this.#limits.compactBytes || this.#chunks.list().length >= CHUNKS_MAX
  }

  #backlogBytes(): number {
    return this.#chunks.list().reduce((sum, { plainBytes }) => sum + plainBytes, 0)
  }
}
