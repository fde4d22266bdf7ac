// The running count of calls: what was served against what was told of it. It counts in the very step that commits, so that a census,
// told in a commit of its own, speaks of exactly those calls whose frames stand before it.
import { addCounts, type CensusRow, type Counts, COUNTED, eventsOf, NOTHING_COUNTED } from '../model/acts.ts'
import { Table } from '../model/tables.ts'
import type { Acts } from './acts.ts'
import type { Position } from '../storage/journal.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

export type CallKind = 'aws' | 'own' | 'unsigned' | 'refusedSignature'

export interface Census {
  /** A call was committed with so many events. */
  served(kind: CallKind, events: number): void
  /** A call that was counted has left events beyond its first. */
  further(events: number): void
  /** Nothing was done and nothing recorded. */
  turnedAway(): void
}

/** What the server's life does with the counts. */
export interface RunningCensus extends Census {
  /** Since the last census. */
  counts(): Counts
  /** Tells the counts, and begins anew once `tx` is committed and `taken` called. `position`: where the frame of `tx` will stand. */
  tell(tx: Transaction, acts: Acts, position: Position): void
  /** Leaves the counts to the next census instead. */
  carry(tx: Transaction): void
  taken(): void
}

export function createCensus(tables: TableReader): RunningCensus {
  const counts: { -readonly [Name in keyof Counts]: Counts[Name] } = { ...NOTHING_COUNTED }
  return {
    served(kind, events) {
      counts[kind]++
      if (events > 1) counts.further += events - 1
      else if (events === 0) counts[kind === 'refusedSignature' ? 'unstored' : 'unasked']++
    },
    further: (events) => void (counts.further += events),
    turnedAway: () => void counts.turnedAway++,
    counts: () => ({ ...counts }),
    tell(tx, acts, position) {
      const before = lastCensus(tables)
      const since = addCounts(before.untold ?? NOTHING_COUNTED, counts)
      const total = addCounts(before.total, since)
      acts.tell(tx, {
        name: 'Census',
        details: {
          since: { position: before.position, ...(before.at > 0 && { time: new Date(before.at).toISOString() }) },
          ...described(since),
          total: described(total),
        },
      })
      tx.put(Table.acts, 'census', { kind: 'census', at: tx.now, position, total })
    },
    carry(tx) {
      const before = lastCensus(tables)
      tx.put(Table.acts, 'census', { ...before, untold: addCounts(before.untold ?? NOTHING_COUNTED, counts) })
    },
    taken() {
      for (const name of COUNTED) counts[name] = 0
    },
  }
}

export function lastCensus(tables: TableReader): CensusRow {
  const row = tables.get(Table.acts, 'census')
  return row?.kind === 'census' ? row : { kind: 'census', at: 0, position: 0, total: NOTHING_COUNTED }
}

function described(counts: Counts): Readonly<Record<string, unknown>> {
  const { aws, own, unsigned, refusedSignature, unasked, unstored, further, turnedAway, assumed } = counts
  return {
    calls: { aws, own, unsigned, refusedSignature },
    exceptions: { unaskedDataEvents: unasked, unstoredSignatureFailures: unstored, furtherEvents: further },
    events: eventsOf(counts),
    turnedAway,
    ...(assumed > 0 && { assumedAfterCrash: assumed }),
  }
}
