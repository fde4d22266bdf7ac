// What leaves the lake: whole files by age, then the oldest by size.
import type { Position } from '../journal.ts'
import type { LakeLimits } from '../lake.ts'
import type { Chunk } from './chunks.ts'
import type { LakeFile, Manifest } from './manifest.ts'

export interface Expired {
  readonly manifest: Manifest
  readonly files: readonly LakeFile[]
  /** Chunks that end here or before go as well. */
  readonly upTo: Position
  readonly count: number
  readonly bytes: number
}

export function chooseExpired(
  manifest: Manifest,
  chunks: readonly Chunk[],
  { beforeMs = -Infinity, deliveriesBeforeMs = beforeMs, bytesMax = Infinity }: LakeLimits,
): Expired | undefined {
  let kept = [...manifest.files, ...chunks].reduce((sum, { bytes }) => sum + bytes, 0)
  const leaves = (file: { readonly newest: number; readonly bytes: number; readonly table?: LakeFile['table'] }): boolean => {
    const { newest, bytes, table } = file
    if (newest >= (table === 'deliveries' ? deliveriesBeforeMs : beforeMs) && kept <= bytesMax) return false
    kept -= bytes
    return true
  }
  const files = manifest.files.toSorted((a, b) => a.newest - b.newest).filter(leaves)
  // Chunks are younger than what is Parquet, and go from the first on without a gap: what follows one begins where it ended.
  const stays = chunks.findIndex((chunk) => !leaves(chunk))
  const goneChunks = stays === -1 ? chunks : chunks.slice(0, stays)
  if (files.length + goneChunks.length === 0) return undefined
  const upTo = goneChunks.at(-1)?.upTo ?? manifest.upTo
  return {
    manifest: { ...manifest, upTo, files: manifest.files.filter((file) => !files.includes(file)) },
    files,
    upTo,
    count: files.length + goneChunks.length,
    bytes: [...files, ...goneChunks].reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
