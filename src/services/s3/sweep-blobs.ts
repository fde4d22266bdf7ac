// Removes blobs that nothing names: uploads that never reached their commit, and bodies whose removal a crash cut short.
// Runs at the start, before calls are accepted or beside them: younger blobs are left alone.
import type { Blobs, BlobId } from '../../storage/blobs.ts'
import type { TableReader } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'

/** `isNamed`: whether someone else names the blob. Returns how many were removed. */
export async function sweepBlobs(
  parts: { readonly blobs: Blobs; readonly tables: TableReader },
  writtenBefore: number,
  isNamed: (id: BlobId) => boolean = () => false,
): Promise<number> {
  const { blobs, tables } = parts
  const named = new Set<BlobId>()
  for (let after: string | undefined; ;) {
    const rows = tables.range(Table.objects, { limit: PAGE_ROWS, ...(after !== undefined && { after }) })
    for (const { value } of rows) for (const { blobId } of value.blobs) named.add(blobId)
    after = rows.at(-1)?.key
    if (after === undefined) break
    await Promise.resolve()
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
}

const PAGE_ROWS = 1000
