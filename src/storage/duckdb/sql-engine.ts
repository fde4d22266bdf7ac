// DuckDB with the lake's tables inside: what the SQL process runs. Locked down before the first statement from outside: no file beyond the
// lake's folder, no extension that is not built in, no change of settings.
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isUtf8 } from 'node:buffer'
import { zstdDecompress } from 'node:zlib'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { assert } from '../../base/assert.ts'
import { type LakeColumn, LakeQueryError, type LakeQueryFailure } from '../lake.ts'
import type { SqlValue } from '../../model/sql-rows.ts'
import type { Position } from '../journal.ts'
import { refusal } from './guard.ts'
import { linesFrom } from './lines.ts'
import type { TableFiles, WrittenFile } from './messages.ts'
import { columnList, createTable, DELIVERY_COLUMNS, deliveryRows, EVENT_COLUMNS, eventRows, lineParts } from './schema.ts'
import { toSqlValue } from './values.ts'

const decompress = promisify(zstdDecompress)

const PARQUET = '(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE 61440)'
const LINES_BYTES_MAX = 512 * 1024 * 1024
const TEMP_BYTES_MAX = '4GB'

export interface SqlEngineOptions {
  /** Absent: nothing touches a disk. */
  readonly folder: string | undefined
  readonly memoryBytes: number
  readonly threads: number
}

export interface RunningQuery {
  readonly columns: readonly LakeColumn[]
  readonly batches: AsyncIterable<readonly (readonly SqlValue[])[]>
}

export class SqlEngine {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  #files: TableFiles = { events: [], deliveries: [], imported: [] }
  #fed: Position = 0

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  static async open(options: SqlEngineOptions): Promise<SqlEngine> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${Math.floor(options.memoryBytes / 1024)}KiB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      allow_persistent_secrets: 'false',
    })
    const connection = await instance.connect()
    const { folder } = options
    const directories = folder === undefined ? '[]' : `[${quoted(`${folder}/`)}]`
    const statements = [
      "SET TimeZone = 'UTC'",
      `SET temp_directory = ${quoted(folder === undefined ? '' : `${folder}/tmp/spill`)}`,
      ...(folder === undefined ? [] : [`SET max_temp_directory_size = '${TEMP_BYTES_MAX}'`]),
      'SET errors_as_json = false',
      `SET allowed_directories = ${directories}`,
      'SET enable_external_access = false',
      'CREATE TABLE lines (line VARCHAR)',
      createTable('recent_events', EVENT_COLUMNS),
      createTable('recent_deliveries', DELIVERY_COLUMNS),
      createTable('imported_events', { ...EVENT_COLUMNS, identity: 'UUID' }),
    ]
    for (const statement of statements) await connection.run(statement)
    const engine = new SqlEngine(instance, connection)
    await engine.#defineTables()
    await connection.run('SET lock_configuration = true')
    return engine
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  /** Adds the rows of these lines that are new. */
  async feed(lines: Buffer, from: Position): Promise<void> {
    const fresh = linesFrom(lines, Math.max(from, this.#fed))
    if (fresh.length === 0) return
    await this.#transaction(async () => {
      await this.#loadLines(fresh)
      await this.#run(`INSERT INTO recent_events ${eventRows(`(SELECT * FROM (${lineParts('lines')}) WHERE class <> 'attempt')`)}`)
      await this.#run(`INSERT INTO recent_deliveries ${deliveryRows(`(SELECT * FROM (${lineParts('lines')}) WHERE class = 'attempt')`)}`)
      await this.#run('DELETE FROM lines')
    })
    this.#fed = lastPosition(fresh) + 1
  }

  async feedFile(path: string, from: Position): Promise<void> {
    let lines: Buffer
    try {
      lines = await decompress(await readFile(path), { maxOutputLength: LINES_BYTES_MAX })
    } catch (error) {
      throw new LakeQueryError('failed', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    await this.feed(lines, from)
  }

  async feedCompressed(lines: Buffer, from: Position): Promise<void> {
    await this.feed(await decompress(lines, { maxOutputLength: LINES_BYTES_MAX }), from)
  }

  /** Writes the fed rows below `upTo` to two files; none is written for no rows. */
  async compact(
    upTo: Position,
    eventsFile: string,
    deliveriesFile: string,
  ): Promise<{ readonly events: WrittenFile; readonly deliveries: WrittenFile }> {
    const below = `WHERE position < ${upTo}`
    return {
      events: await this.#write('recent_events', columnList(EVENT_COLUMNS), below, 'committed_at', eventsFile),
      deliveries: await this.#write('recent_deliveries', columnList(DELIVERY_COLUMNS), below, 'started_at', deliveriesFile),
    }
  }

  /** From now on these files are the tables' past; fed rows below `upTo` are in them. */
  async useFiles(files: TableFiles, upTo: Position): Promise<void> {
    await this.#transaction(async () => {
      this.#files = files
      await this.#defineTables()
      await this.#run(`DELETE FROM recent_events WHERE position < ${upTo}`)
      await this.#run(`DELETE FROM recent_deliveries WHERE position < ${upTo}`)
    })
    this.#fed = Math.max(this.#fed, upTo)
  }

  /**
   * Imports a batch of lines, each an identity of 32 hexadecimal digits and a record. Those whose identity is known are left out. Writes
   * the rest to `file`; without one they stay in memory. The file takes part from `addImported` on.
   */
  async importLines(lines: Buffer, importedAt: number, file: string | undefined): Promise<WrittenFile> {
    const inFiles = this.#files.imported.length === 0 ? '' : ` UNION ALL SELECT identity FROM ${parquet(this.#files.imported)}`
    const known = `SELECT identity FROM imported_events${inFiles}`
    const fresh =
      `(SELECT 'imported' AS class, NULL::BIGINT AS position, ${importedAt}::DOUBLE AS arrived, ${importedAt}::DOUBLE AS committed, ` +
      `line[33:] AS record, line[:32]::UUID AS identity FROM lines WHERE line <> '' AND line[:32]::UUID NOT IN (${known}))`
    let written: WrittenFile = { rows: 0, oldest: importedAt, newest: importedAt }
    await this.#transaction(async () => {
      await this.#loadLines(lines)
      if (file === undefined) {
        const before = await this.#count('imported_events')
        await this.#run(`INSERT INTO imported_events ${eventRows(fresh, ', identity')}`)
        written = { ...written, rows: (await this.#count('imported_events')) - before }
      } else {
        await this.#run(`INSERT INTO imported_events ${eventRows(fresh, ', identity')}`)
        written = await this.#write('imported_events', `${columnList(EVENT_COLUMNS)}, identity`, '', 'committed_at', file)
        await this.#run('DELETE FROM imported_events')
      }
      await this.#run('DELETE FROM lines')
    })
    return written
  }

  async addImported(file: string): Promise<void> {
    if (this.#files.imported.includes(file)) return
    this.#files = { ...this.#files, imported: [...this.#files.imported, file] }
    await this.#defineTables()
  }

  /**
   * Starts a statement from outside. Throws LakeQueryError when it is refused or wrong. `onStart` is given what stops it, from before the
   * first row is there.
   */
  async query(sql: string, onStart: (interrupt: () => void) => void = () => undefined): Promise<RunningQuery> {
    const connection = await this.#instance.connect()
    let open = true
    const close = (): void => {
      if (open) connection.closeSync()
      open = false
    }
    onStart(() => {
      if (open) connection.interrupt()
    })
    try {
      const refused = refusal(await serializeStatement(connection, sql))
      if (refused !== undefined) throw new LakeQueryError(refused.kind, refused.message)
      const result = await connection.stream(sql)
      const names = result.deduplicatedColumnNames()
      const columns = result.columnTypes().map((type, at) => ({ name: names[at] ?? '', type: String(type) }))
      return {
        columns,
        batches: rowsOf(result.yieldConvertedRows(toSqlValue), close),
      }
    } catch (error) {
      close()
      throw queryError(error)
    }
  }

  async #loadLines(lines: Buffer): Promise<void> {
    const text = isUtf8(lines) ? lines : Buffer.from(lines.toString('utf8'))
    const statement = await this.#connection.prepare("INSERT INTO lines SELECT unnest(string_split(decode($1::BLOB), '\n'))")
    try {
      statement.bindBlob(1, text)
      await statement.run()
    } finally {
      statement.destroySync()
    }
  }

  async #write(table: string, columns: string, where: string, time: string, file: string): Promise<WrittenFile> {
    const reader = await this.#connection.runAndReadAll(
      `SELECT count(*), coalesce(epoch_ms(min(${time})), 0), coalesce(epoch_ms(max(${time})), 0) FROM ${table} ${where}`,
    )
    const [rows = 0, oldest = 0, newest = 0] = (reader.getRows()[0] ?? []).map(Number)
    if (rows > 0) await this.#run(`COPY (SELECT ${columns} FROM ${table} ${where}) TO ${quoted(file)} ${PARQUET}`)
    return { rows, oldest, newest }
  }

  async #count(table: string): Promise<number> {
    const reader = await this.#connection.runAndReadAll(`SELECT count(*) FROM ${table}`)
    return Number(reader.getRows()[0]?.[0] ?? 0)
  }

  async #defineTables(): Promise<void> {
    const view = (name: string, columns: string, files: readonly string[], tables: readonly string[]): string => {
      const parts = tables.map((table) => `SELECT ${columns} FROM ${table}`)
      if (files.length > 0) parts.unshift(`SELECT ${columns} FROM ${parquet(files)}`)
      return `CREATE OR REPLACE VIEW ${name} AS ${parts.join(' UNION ALL ')}`
    }
    const { events, imported, deliveries } = this.#files
    await this.#run(view('events', columnList(EVENT_COLUMNS), [...events, ...imported], ['recent_events', 'imported_events']))
    // Files of older releases have fewer columns.
    const older = deliveries.length === 0 ? '' : ` UNION ALL BY NAME SELECT * FROM ${parquet(deliveries, ', union_by_name = true')}`
    await this.#run(
      `CREATE OR REPLACE VIEW deliveries AS SELECT ${columnList(DELIVERY_COLUMNS)} FROM (SELECT * FROM recent_deliveries${older})`,
    )
  }

  async #transaction(steps: () => Promise<void>): Promise<void> {
    await this.#run('BEGIN')
    try {
      await steps()
      await this.#run('COMMIT')
    } catch (error) {
      await this.#run('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql)
  }
}

async function serializeStatement(connection: DuckDBConnection, sql: string): Promise<string> {
  const statement = await connection.prepare('SELECT json_serialize_sql($1::VARCHAR)')
  try {
    statement.bindVarchar(1, sql)
    const text = (await statement.runAndReadAll()).getRows()[0]?.[0]
    assert(typeof text === 'string', 'a serialized statement')
    return text
  } finally {
    statement.destroySync()
  }
}

async function* rowsOf(
  chunks: AsyncIterable<readonly (readonly (SqlValue | null)[])[]>,
  close: () => void,
): AsyncGenerator<readonly (readonly SqlValue[])[]> {
  try {
    for await (const rows of chunks) yield rows
  } catch (error) {
    throw queryError(error)
  } finally {
    close()
  }
}

const FAILURES: readonly (readonly [RegExp, LakeQueryFailure])[] = [
  [/^INTERRUPT/i, 'cancelled'],
  [/^Out of Memory|max_temp_directory_size|failed to offload/i, 'resources'],
  [/^Permission Error/, 'refused'],
  [/^(?:Parser|Binder|Catalog|Conversion|Invalid Input|Out of Range|Not implemented|Syntax|Mismatch Type|Constraint) Error/i, 'invalid'],
]

function queryError(error: unknown): LakeQueryError {
  if (error instanceof LakeQueryError) return error
  const message = error instanceof Error ? error.message : String(error)
  const kind = FAILURES.find(([pattern]) => pattern.test(message))?.[1] ?? 'failed'
  return new LakeQueryError(
    kind,
    kind === 'resources' ? `${message}\nThe query needs more memory than the lake may use: narrow it, or raise lake.memoryBytes.` : message,
  )
}

function lastPosition(lines: Buffer): Position {
  const start = lines.lastIndexOf('\n', lines.length - 2) + 1
  return Number(/^\{"position":(\d+)/.exec(lines.toString('latin1', start, start + 40))?.[1] ?? 0)
}

function parquet(files: readonly string[], options = ''): string {
  return `read_parquet([${files.map(quoted).join(', ')}]${options})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
