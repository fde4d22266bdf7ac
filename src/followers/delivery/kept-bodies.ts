// Bodies of messages that wait among the records. A small one stands in the row of its delivery. A larger one stands once, however many
// deliveries wait with it, so that a message to a thousand dead endpoints is kept once and a retry writes a small row; it goes with the
// last of them.
import { hash } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import { type PendingDelivery, pendingKey } from '../../model/delivery.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'

/** Characters, from which on a body stands apart. */
export const SHARED_BODY_CHARS_MIN = 2048
const ROW_BYTES = 500

/** By the header that all deliveries of a message share. */
const keys = new WeakMap<MessageHeader, string>()

/** Undefined where the body stands in the delivery's own row. */
export function bodyKeyOf(header: MessageHeader, body: string): string | undefined {
  if (body.length < SHARED_BODY_CHARS_MIN) return undefined
  let key = keys.get(header)
  if (key === undefined) keys.set(header, (key = `${header.messageId}/${hash('sha256', body).slice(0, 32)}`))
  return key
}

/** The delivery of a row, with its body. */
export function withBody(tables: TableReader, row: PendingDelivery): PendingDelivery {
  if (row.bodyKey === undefined) return row
  const kept = tables.get(Table.pendingBodies, row.bodyKey)
  assert(kept !== undefined, `the body ${row.bodyKey} of a waiting delivery is kept; sealcast fsck tells what is missing`)
  return { ...row, body: kept.body }
}

/** What a delivery has among the records. */
export interface Recorded {
  readonly key: string | undefined
  readonly bodyKey: string | undefined
}

/** Writes the row of a delivery in place of the one it had; undefined: it is over. */
export function stagePending(tx: Transaction, before: Recorded, after: PendingDelivery | undefined): void {
  const key = after === undefined ? undefined : pendingKey(after)
  if (before.key !== undefined && before.key !== key) tx.delete(Table.pendingDeliveries, before.key)
  if (after !== undefined && key !== undefined)
    tx.put(Table.pendingDeliveries, key, after.bodyKey === undefined ? after : { ...after, body: '' })
  const formerBody = before.key === undefined ? undefined : before.bodyKey
  if (formerBody === after?.bodyKey) return
  if (after?.bodyKey !== undefined) keep(tx, after.bodyKey, after.body)
  if (formerBody !== undefined) release(tx, formerBody)
}

/** About what `stagePending` adds to a frame. */
export function pendingBytes(tables: TableReader, { body, bodyKey }: PendingDelivery): number {
  const isKept = bodyKey !== undefined && tables.get(Table.pendingBodyUses, bodyKey) !== undefined
  return ROW_BYTES + (isKept ? 0 : body.length)
}

function keep(tx: Transaction, bodyKey: string, body: string): void {
  const uses = tx.get(Table.pendingBodyUses, bodyKey)?.uses
  if (uses === undefined) tx.put(Table.pendingBodies, bodyKey, { body })
  tx.put(Table.pendingBodyUses, bodyKey, { uses: (uses ?? 0) + 1 })
}

/** One whose uses are not known stays: better kept too long than lost. */
function release(tx: Transaction, bodyKey: string): void {
  const uses = tx.get(Table.pendingBodyUses, bodyKey)?.uses
  if (uses === undefined) return
  if (uses > 1) return tx.put(Table.pendingBodyUses, bodyKey, { uses: uses - 1 })
  tx.delete(Table.pendingBodyUses, bodyKey)
  tx.delete(Table.pendingBodies, bodyKey)
}
