// The lake's folder, format 1, and nothing else: shared by the lake and by whoever verifies it from outside.
//
//   manifest.json            a Manifest
//   chunks/<from>-<upTo>-<newest>-<plainBytes>.ndjson.zst      positions; ms since 1970; bytes unpacked
//   parquet/<events|deliveries>-<from>-<upTo>.parquet          positions
//   parquet/imported-<n>-<m>.parquet                           the m-th file of the n-th import
import type { Position } from '../journal.ts'

export const LAKE_FORMAT = 1

export interface LakeFile {
  readonly name: string
  readonly table: 'events' | 'deliveries' | 'imported'
  readonly rows: number
  readonly bytes: number
  /** When its oldest and youngest row were committed, in ms since 1970. */
  readonly oldest: number
  readonly newest: number
}

export interface Manifest {
  readonly format: typeof LAKE_FORMAT
  /** Rows below it are in the Parquet files, or have expired. */
  readonly upTo: Position
  /** Counts imported files; never reused. */
  readonly imports: number
  readonly files: readonly LakeFile[]
}

export interface ChunkSpan {
  readonly from: Position
  readonly upTo: Position
  /** When its youngest row was committed, in ms since 1970. */
  readonly newest: number
  readonly plainBytes: number
}

const CHUNK_NAME = /^(\d+)-(\d+)-(\d+)-(\d+)\.ndjson\.zst$/

export function chunkFileName({ from, upTo, newest, plainBytes }: ChunkSpan): string {
  return `${from}-${upTo}-${Math.ceil(newest)}-${plainBytes}.ndjson.zst`
}

export function parseChunkFileName(name: string): ChunkSpan | undefined {
  const match = CHUNK_NAME.exec(name)
  if (match === null) return undefined
  const [from = 0, upTo = 0, newest = 0, plainBytes = 0] = match.slice(1).map(Number)
  return { from, upTo, newest, plainBytes }
}

const PARQUET_NAME = /^(events|deliveries|imported)-(\d+)-(\d+)\.parquet$/

/** What a Parquet file's name tells: its table and two numbers. */
export function parseParquetFileName(
  name: string,
): { readonly table: LakeFile['table']; readonly from: number; readonly upTo: number } | undefined {
  const [, table, from, upTo] = PARQUET_NAME.exec(name) ?? []
  return table === undefined ? undefined : { table: table as LakeFile['table'], from: Number(from), upTo: Number(upTo) }
}
