// Removes blobs that nothing names: uploads that never reached their commit, and bodies whose removal a crash cut short.
// Runs at the start, before calls are accepted or beside them: younger blobs are left alone.
import type { Blobs, BlobId } from '../../storage/blobs.ts'
import type { Tables } from '../../engine/tables.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { Table } from '../../model/tables.ts'

/** Their rows name blobs in `blobs`. */
const TABLES = [Table.objects, Table.objectVersions, Table.uploadedParts] as const

/** `isNamed`: whether someone else names the blob. Returns how many were removed. */
export async function sweepBlobs(
  parts: { readonly blobs: Blobs; readonly tables: Tables },
  writtenBefore: number,
  isNamed: (id: BlobId) => boolean = () => false,
): Promise<number> {
  const { blobs, tables } = parts
  const named = new Set<BlobId>()
  const name = (row: object | undefined): void => {
    const { blobs: body } = (row ?? {}) as { readonly blobs?: readonly StoredBlob[] | string }
    if (body !== undefined) for (const { blobId } of blobsOf({ blobs: body })) named.add(blobId)
  }
  // A version may move from a table that is still to be read to one that was: what changes meanwhile is looked at when it does.
  const unwatch = TABLES.map((table) => tables.watch(table, (key) => name(tables.get(table, key))))
  try {
    for (const table of TABLES) {
      for (let after: string | undefined; ;) {
        const rows = tables.range(table, { limit: PAGE_ROWS, ...(after !== undefined && { after }) })
        for (const { value } of rows) name(value)
        after = rows.at(-1)?.key
        if (after === undefined) break
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    for (const { value } of tables.range(Table.trailPlans, {}))
      if (value.kind === 'file' && value.spooled !== undefined) named.add(value.spooled)
    let removed = 0
    for await (const { id, writtenAt } of blobs.list()) {
      if (writtenAt >= writtenBefore || named.has(id) || isNamed(id)) continue
      await blobs.remove(id)
      removed++
    }
    return removed
  } finally {
    for (const end of unwatch) end()
  }
}

const PAGE_ROWS = 500
