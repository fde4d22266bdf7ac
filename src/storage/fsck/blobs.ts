// Blobs: those that are named are there with their size; what nobody names is told, and no damage.
import { join } from 'node:path'
import { type BlobId, readBlobId } from '../blobs.ts'
import { NEW_BLOBS } from '../disk/format.ts'
import { type Check, damage, listOf, NOTHING, sizeOf } from './check.ts'

export interface BlobsPicture {
  readonly found: number
  /** Those whose files are as long as they were written. */
  readonly good: ReadonlySet<BlobId>
  /** Paths of files of another length, in the data directory. */
  readonly cut: readonly string[]
}

export async function checkBlobs(check: Check, named: ReadonlyMap<BlobId, number>): Promise<BlobsPicture> {
  const good = new Set<BlobId>()
  const cut: string[] = []
  let found = 0
  let orphans = 0
  let orphanBytes = 0
  const firsts = listOf(check, check.path('blobs')).filter((name) => name !== NEW_BLOBS)
  for (const [index, first] of firsts.entries()) {
    for (const second of listOf(check, check.path(join('blobs', first)))) {
      for (const name of listOf(check, check.path(join('blobs', first, second)))) {
        const file = join('blobs', first, second, name)
        const blob = readBlobId(name)
        if (blob === undefined) {
          check.report({ severity: 'warning', file, what: 'it is none of our files', remedy: 'move it away' })
          continue
        }
        found++
        const bytes = sizeOf(check, check.path(file))
        if (bytes === blob.bytes) good.add(blob.id)
        else {
          cut.push(file)
          damage(check, file, `it has ${bytes} bytes; ${blob.bytes} were written`)
        }
        if (named.has(blob.id)) continue
        orphans++
        orphanBytes += bytes
      }
    }
    await check.step('blobs', (index + 1) / firsts.length)
  }
  if (orphans > 0) {
    check.report({
      severity: 'info',
      file: 'blobs',
      what: `${orphans} blobs of ${orphanBytes} bytes that nothing names, as a crash may leave them`,
      remedy: NOTHING,
    })
  }
  return { found, good, cut }
}
