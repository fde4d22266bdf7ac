// What deliveries leave in a trail's status.
import type { Transaction } from '../../engine/transaction.ts'
import { Table } from '../../model/tables.ts'
import type { TrailStatus } from '../../model/trail.ts'

/** A trail that is gone has no status. */
export function changeStatus(tx: Transaction, trailArn: string, change: (status: TrailStatus) => TrailStatus): void {
  const trail = tx.get(Table.trails, trailArn)
  if (trail === undefined) return
  const status = change(trail.status)
  if (JSON.stringify(status) !== JSON.stringify(trail.status)) tx.put(Table.trails, trailArn, { ...trail, status })
}
