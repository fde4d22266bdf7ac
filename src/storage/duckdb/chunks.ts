// The young part of the lake: lines that are not Parquet yet, in compressed files that each hold what the journal told between two
// positions. A file is there whole or not at all; its name says what is in it. Without a folder they are buffers, and the oldest give way.
//
//   chunks/<from>-<upTo>-<newest>-<plainBytes>.ndjson.zst      positions; ms since 1970; bytes unpacked
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import type { Files } from '../files.ts'
import type { Position } from '../journal.ts'
import { LakeDamaged } from '../lake.ts'
import { chunkFileName, parseChunkFileName } from './format.ts'
import { replaceFile, withFile } from '../whole-files.ts'

export interface Chunk {
  readonly from: Position
  readonly upTo: Position
  /** When its youngest row was committed, in ms since 1970. */
  readonly newest: number
  readonly plainBytes: number
  readonly bytes: number
  /** A path, or the compressed lines themselves. */
  readonly held: string | Buffer
}

export interface Chunks {
  /** What is kept, in order, each beginning where the one before ends. */
  list(): readonly Chunk[]
  /** Takes lines in; durable when it resolves. */
  add(lines: Buffer, span: { readonly from: Position; readonly upTo: Position; readonly newest: number }): Promise<Chunk>
  /** Lets go of what ends at or before `upTo`. */
  dropUpTo(upTo: Position): void
}

const compress = promisify(zstdCompress)
/** The cheapest level that still finds the repeats of which records consist. The checksum names a flipped bit when the chunk is read. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } }

export function openChunkFolder(files: Files, folder: string, after: Position): Chunks {
  const chunkFolder = `${folder}/chunks`
  let chunks: readonly Chunk[] = []
  for (const name of files.list(chunkFolder)) {
    const span = parseChunkFileName(name)
    if (span === undefined) throw new LakeDamaged(`${chunkFolder}/${name} is none of the lake's files`)
    const path = `${chunkFolder}/${name}`
    chunks = [...chunks, { ...span, bytes: withFile(files, path, 'read', (file) => file.size()), held: path }]
  }
  chunks = chunks.toSorted((a, b) => a.from - b.from)
  const drop = (upTo: Position): void => {
    for (const chunk of chunks) if (chunk.upTo <= upTo && typeof chunk.held === 'string') files.remove(chunk.held)
    chunks = chunks.filter((chunk) => chunk.upTo > upTo)
  }
  drop(after)
  let end = after
  for (const chunk of chunks) {
    if (chunk.from !== end)
      throw new LakeDamaged(`${chunkFolder} holds nothing for the positions from ${end} to ${chunk.from}: a file is missing`)
    end = chunk.upTo
  }
  return {
    list: () => chunks,
    async add(lines, { from, upTo, newest }) {
      const bytes = await compress(lines, COMPRESSION)
      const name = chunkFileName({ from, upTo, newest, plainBytes: lines.length })
      const held = `${chunkFolder}/${name}`
      replaceFile(files, `${folder}/tmp/${name}`, held, bytes)
      files.syncFolder(chunkFolder)
      const chunk = { from, upTo, newest, plainBytes: lines.length, bytes: bytes.length, held }
      chunks = [...chunks, chunk]
      return chunk
    },
    dropUpTo: drop,
  }
}

/** Keeps at most about `plainBytesMax` of lines, counted unpacked; the oldest give way, which `onDrop` tells. */
export function openChunkMemory(plainBytesMax: number, onDrop: (upTo: Position) => void): Chunks {
  let chunks: readonly Chunk[] = []
  let dropped: Position = 0
  return {
    list: () => chunks,
    async add(lines, { from, upTo, newest }) {
      const held = await compress(lines, COMPRESSION)
      const chunk = { from: Math.max(from, dropped), upTo, newest, plainBytes: lines.length, bytes: held.length, held }
      chunks = [...chunks, chunk]
      let plainBytes = chunks.reduce((sum, { plainBytes }) => sum + plainBytes, 0)
      while (plainBytes > plainBytesMax && chunks.length > 1) {
        plainBytes -= chunks[0]?.plainBytes ?? 0
        dropped = chunks[0]?.upTo ?? dropped
        chunks = chunks.slice(1)
        onDrop(dropped)
      }
      return chunk
    },
    dropUpTo(upTo) {
      chunks = chunks.filter((chunk) => chunk.upTo > upTo)
    },
  }
}
