// The lake: what its manifest names is there, whole and of the right kind; chunks follow one another; both end within the journal.
import { zstdDecompressSync } from 'node:zlib'
import { LAKE_FORMAT, type LakeFile, type Manifest, parseChunkFileName, parseParquetFileName } from '../duckdb/format.ts'
import { FsckRefused } from '../fsck.ts'
import type { Position } from '../journal.ts'
import { type Check, damage, listOf, readWhole } from './check.ts'

export const MANIFEST_FILE = 'lake/manifest.json'
const PARQUET_MAGIC = 'PAR1'
const PARQUET_BYTES_MIN = 12

export interface ChunkFile {
  readonly name: string
  readonly from: Position
  readonly upTo: Position
  readonly newest: number
  readonly plainBytes: number
  readonly isGood: boolean
}

export interface LakePicture {
  /** Undefined: unreadable. */
  readonly manifest: Manifest | undefined
  readonly chunks: readonly ChunkFile[]
  /** Parquet files by name: their bytes, and whether head and tail are those of Parquet. */
  readonly parquet: ReadonlyMap<string, { readonly bytes: number; readonly isGood: boolean }>
  /** Names in the chunks' folder that are none of the lake's. */
  readonly strangers: readonly string[]
  /** Rows below it are in the lake. */
  readonly checkpoint: Position
}

export async function checkLake(check: Check): Promise<LakePicture> {
  const parquet = new Map<string, { readonly bytes: number; readonly isGood: boolean }>()
  const names = listOf(check, check.path('lake/parquet'))
  const chunkNames = listOf(check, check.path('lake/chunks'))
  for (const [index, name] of names.entries()) {
    parquet.set(name, inspectParquet(check, check.path(`lake/parquet/${name}`)))
    await check.step('lake', index / (names.length + chunkNames.length))
  }
  const manifest = readManifest(check, names.length > 0 || chunkNames.length > 0)
  const chunks: ChunkFile[] = []
  const strangers: string[] = []
  for (const [index, name] of chunkNames.entries()) {
    const span = parseChunkFileName(name)
    if (span === undefined) {
      strangers.push(name)
      damage(check, `lake/chunks/${name}`, 'it is no file of the lake', 'move it away')
      continue
    }
    const problem = inspectChunk(check, name, span.plainBytes)
    // What the manifest has as Parquet already is left over from a crash.
    if (problem !== undefined && span.upTo > (manifest?.upTo ?? 0)) damage(check, `lake/chunks/${name}`, problem)
    chunks.push({ name, ...span, isGood: problem === undefined })
    await check.step('lake', (names.length + index) / (names.length + chunkNames.length))
  }
  chunks.sort((a, b) => a.from - b.from)
  if (manifest !== undefined) {
    for (const file of manifest.files) checkFile(check, file, parquet.get(file.name))
    checkChain(check, chunks, manifest.upTo)
  }
  tellLeftovers(check, names, manifest)
  await check.step('lake', 1)
  return { manifest, chunks, parquet, strangers, checkpoint: Math.max(manifest?.upTo ?? 0, chunks.at(-1)?.upTo ?? 0) }
}

/** Against the journal, once it is known. */
export function judgeLake(
  check: Check,
  { checkpoint, manifest }: LakePicture,
  journal: { readonly start: Position; readonly durable: Position },
): void {
  if (checkpoint > journal.durable)
    damage(check, 'journal', `it ends at ${journal.durable}; the lake holds what it told up to ${checkpoint}: its end is missing`)
  if (manifest !== undefined && checkpoint < journal.start) {
    damage(check, 'lake', `it ends at ${checkpoint}; the journal starts at ${journal.start}: events between are missing`)
  }
}

function readManifest(check: Check, hasFiles: boolean): Manifest | undefined {
  const bytes = readWhole(check, check.path(MANIFEST_FILE))
  if (bytes === undefined) {
    const hasParquet = listOf(check, check.path('lake/parquet')).length > 0
    if (!hasFiles || !hasParquet) return { format: LAKE_FORMAT, upTo: 0, imports: 0, files: [] }
    damage(check, MANIFEST_FILE, 'it is missing, though Parquet files exist')
    return undefined
  }
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(bytes.toString('utf8')) as Partial<Manifest>
  } catch {
    damage(check, MANIFEST_FILE, 'it is not JSON')
    return undefined
  }
  if (typeof manifest.format === 'number' && manifest.format > LAKE_FORMAT) {
    throw new FsckRefused(
      `${check.path(MANIFEST_FILE)} has format ${manifest.format}; this release knows up to ${LAKE_FORMAT}. Use the release that wrote it.`,
    )
  }
  const isWhole =
    manifest.format === LAKE_FORMAT &&
    isNumber(manifest.upTo) &&
    isNumber(manifest.imports) &&
    Array.isArray(manifest.files) &&
    manifest.files.every(isLakeFile)
  if (isWhole) return manifest as Manifest
  damage(check, MANIFEST_FILE, 'it does not hold what a manifest holds')
  return undefined
}

function isLakeFile(file: unknown): file is LakeFile {
  if (typeof file !== 'object' || file === null) return false
  const { name, table, rows, bytes, oldest, newest } = file as Partial<Record<keyof LakeFile, unknown>>
  return typeof name === 'string' && typeof table === 'string' && [rows, bytes, oldest, newest].every(isNumber)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function checkFile(check: Check, { name, bytes }: LakeFile, found: { readonly bytes: number; readonly isGood: boolean } | undefined): void {
  const file = `lake/parquet/${name}`
  if (found === undefined) damage(check, file, 'it is missing; the manifest names it')
  else if (found.bytes !== bytes) damage(check, file, `it has ${found.bytes} bytes; the manifest says ${bytes}`)
  else if (!found.isGood) damage(check, file, 'it is not the Parquet file it was')
}

function checkChain(check: Check, chunks: readonly ChunkFile[], after: Position): void {
  let end = after
  for (const { from, upTo } of chunks.filter((chunk) => chunk.upTo > after)) {
    if (from !== end) damage(check, 'lake/chunks', `there is nothing for the positions from ${end} to ${from}: a file is missing`)
    end = upTo
  }
}

function tellLeftovers(check: Check, names: readonly string[], manifest: Manifest | undefined): void {
  if (manifest === undefined) return
  const known = new Set(manifest.files.map(({ name }) => name))
  for (const name of names) {
    if (known.has(name)) continue
    const isOurs = parseParquetFileName(name) !== undefined
    check.report({
      severity: isOurs ? 'info' : 'warning',
      file: `lake/parquet/${name}`,
      what: 'the manifest does not name it',
      remedy: 'the next start removes it',
    })
  }
}

function inspectParquet(check: Check, path: string): { readonly bytes: number; readonly isGood: boolean } {
  const file = check.files.open(path, 'read')
  try {
    const bytes = file.size()
    if (bytes < PARQUET_BYTES_MIN) return { bytes, isGood: false }
    const ends = Buffer.alloc(PARQUET_BYTES_MIN)
    file.read(ends, 0, 4, 0)
    file.read(ends, 4, 8, bytes - 8)
    const footerBytes = ends.readUInt32LE(4)
    const isGood =
      ends.toString('latin1', 0, 4) === PARQUET_MAGIC &&
      ends.toString('latin1', 8) === PARQUET_MAGIC &&
      footerBytes <= bytes - PARQUET_BYTES_MIN
    return { bytes, isGood }
  } finally {
    file.close()
  }
}

function inspectChunk(check: Check, name: string, plainBytes: number): string | undefined {
  const bytes = readWhole(check, check.path(`lake/chunks/${name}`))
  if (bytes === undefined) return 'it is missing'
  try {
    // Its checksum is verified on the way.
    const lines = zstdDecompressSync(bytes, { maxOutputLength: plainBytes + 1 })
    return lines.length === plainBytes ? undefined : `it unpacks to ${lines.length} bytes; its name says ${plainBytes}`
  } catch (error) {
    return `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`
  }
}
