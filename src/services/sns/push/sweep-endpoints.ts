// Takes away the rows of endpoints whose platform application is gone, and where their tokens pointed.
import { Table, type TableNumber } from '../../../model/tables.ts'
import type { Env } from '../../../engine/env.ts'
import type { TableReader } from '../../../engine/tables.ts'
import { findEndpoint } from './platform-arns.ts'

const PAGE_ROWS = 500

export function createEndpointSweep({ tables, commits }: Pick<Env, 'tables' | 'commits'>): () => Promise<void> {
  const sweep = async (table: TableNumber, isOver: (reader: TableReader, key: string) => boolean): Promise<void> => {
    for (let after: string | undefined; ;) {
      const rows = tables.range(table, { limit: PAGE_ROWS, ...(after !== undefined && { after }) })
      after = rows.at(-1)?.key
      if (after === undefined) return
      if (!rows.some(({ key }) => isOver(tables, key))) {
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      // Judged again inside the commit: what changed meanwhile stays.
      await commits.commit((tx) => {
        for (const { key } of rows) if (tx.get(table, key) !== undefined && isOver(tx, key)) tx.delete(table, key)
      }).done
    }
  }
  /** There may be millions of endpoints: they are looked at when an application went, or may have gone before the start. */
  let isDue = true
  tables.watch(Table.platformApplications, (key) => {
    if (tables.get(Table.platformApplications, key) === undefined) isDue = true
  })
  return async () => {
    if (!isDue) return
    isDue = false
    try {
      await sweepAll()
    } catch (error) {
      isDue = true
      throw error
    }
  }
  async function sweepAll(): Promise<void> {
    await sweep(Table.platformEndpoints, (reader, key) => findEndpoint(reader, key) === undefined)
    await sweep(Table.endpointTokens, (reader, key) => {
      const row = reader.get(Table.endpointTokens, key)
      return row !== undefined && findEndpoint(reader, row.endpointArn) === undefined
    })
  }
}
