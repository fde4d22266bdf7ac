// The lake's manifest anew, from the files that are good. A damaged chunk is made anew from the journal where that reaches back to it.
import { chunkFileName, LAKE_FORMAT, type LakeFile, type Manifest, parseParquetFileName } from '../duckdb/format.ts'
import type { Position } from '../journal.ts'
import { writeNew } from './check.ts'
import { type ChunkFile, type LakePicture, MANIFEST_FILE } from './lake.ts'
import { countParquetRows } from './parquet-rows.ts'
import type { Salvage } from './repair.ts'
import type { Survey } from './survey.ts'

export function repairLake(salvage: Salvage, { lake, journal }: Survey): void {
  for (const name of lake.strangers) salvage.move(`lake/chunks/${name}`)
  const files = goodFiles(salvage, lake)
  const upTo = lake.manifest?.upTo ?? guessUpTo(lake)
  const chunks = repairChunks(salvage, lake, upTo, journal.start)
  const end = chunks.at(-1)?.upTo ?? upTo
  // Else the follower would wait for what the journal no longer has.
  const isBehind = end < journal.start
  if (isBehind) salvage.lost(`events in the lake between ${end} and ${journal.start} of the journal`)
  const manifest: Manifest = {
    format: LAKE_FORMAT,
    upTo: isBehind && chunks.length === 0 ? journal.start : upTo,
    imports: lake.manifest?.imports ?? nextImport(lake),
    files,
  }
  const last = chunks.at(-1)
  if (isBehind && last !== undefined) rename(salvage, last, { ...last, upTo: journal.start })
  writeNew(salvage, freshManifest(salvage), [Buffer.from(`${JSON.stringify(manifest)}\n`)])
  salvage.replace(MANIFEST_FILE)
  for (const name of lake.parquet.keys()) if (!files.some((file) => file.name === name)) salvage.move(`lake/parquet/${name}`)
}

function freshManifest(salvage: Salvage): string {
  salvage.files.makeFolder(salvage.fresh('lake'))
  return salvage.fresh(MANIFEST_FILE)
}

function goodFiles(salvage: Salvage, { manifest, parquet }: LakePicture): LakeFile[] {
  if (manifest !== undefined) {
    return manifest.files.filter(({ name, bytes, rows }) => {
      const found = parquet.get(name)
      const isGood = found !== undefined && found.isGood && found.bytes === bytes
      if (!isGood) salvage.lost(`${rows} rows of lake/parquet/${name}`)
      return isGood
    })
  }
  const files: LakeFile[] = []
  for (const [name, { bytes, isGood }] of parquet) {
    const span = parseParquetFileName(name)
    const rows = isGood && span !== undefined ? countParquetRows(salvage, salvage.path(`lake/parquet/${name}`)) : undefined
    if (span === undefined || rows === undefined) salvage.lost(`the rows of lake/parquet/${name}`)
    // Nothing tells when its rows were committed; they are kept as long as if they had come now.
    else files.push({ name, table: span.table, rows, bytes, oldest: 0, newest: salvage.now })
  }
  return files
}

/** Chunks begin where Parquet ends. */
function guessUpTo({ chunks, parquet }: LakePicture): Position {
  const spans = [...parquet.keys()].flatMap((name) => parseParquetFileName(name) ?? []).filter(({ table }) => table !== 'imported')
  return spans.reduce((furthest, { upTo }) => Math.max(furthest, upTo), Math.min(chunks[0]?.from ?? 0, Infinity))
}

function nextImport({ parquet }: LakePicture): number {
  const imports = [...parquet.keys()].flatMap((name) => parseParquetFileName(name) ?? []).filter(({ table }) => table === 'imported')
  return imports.reduce((next, { from }) => Math.max(next, from + 1), 0)
}

/** Chunks that follow one another from `after` on. */
function repairChunks(salvage: Salvage, { chunks }: LakePicture, after: Position, journalStart: Position): ChunkFile[] {
  const kept: ChunkFile[] = []
  let end = after
  for (const [index, chunk] of chunks.entries()) {
    if (chunk.upTo <= after) continue
    const isNext = chunk.isGood && chunk.from === end
    if (isNext) {
      kept.push(chunk)
      end = chunk.upTo
    } else if (journalStart <= end) {
      // From here on the follower reads the journal again.
      for (const { name } of chunks.slice(index)) salvage.move(`lake/chunks/${name}`)
      break
    } else if (chunk.isGood && chunk.from > end) {
      salvage.lost(`events in the lake between ${end} and ${chunk.from} of the journal`)
      kept.push(rename(salvage, chunk, { ...chunk, from: end }))
      end = chunk.upTo
    } else {
      salvage.move(`lake/chunks/${chunk.name}`)
    }
  }
  return kept
}

function rename({ files, path }: Salvage, { name }: ChunkFile, to: ChunkFile): ChunkFile {
  const renamed = chunkFileName(to)
  files.rename(path(`lake/chunks/${name}`), path(`lake/chunks/${renamed}`))
  files.syncFolder(path('lake/chunks'))
  return { ...to, name: renamed }
}
