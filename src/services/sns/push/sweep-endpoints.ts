// Takes away the rows of endpoints whose platform application is gone, and where their tokens pointed.
import { Table } from '../../../model/tables.ts'
import type { Env } from '../../../engine/env.ts'
import { sweepRows } from '../sweep-rows.ts'
import { findEndpoint } from '../../../engine/platform-endpoints.ts'

export function createEndpointSweep(env: Pick<Env, 'tables' | 'commits'>): () => Promise<void> {
  const { tables } = env
  /** There may be millions of endpoints: they are looked at when an application went, or may have gone before the start. */
  let isDue = true
  tables.watch(Table.platformApplications, (key) => {
    if (tables.get(Table.platformApplications, key) === undefined) isDue = true
  })
  return async () => {
    if (!isDue) return
    isDue = false
    try {
      for (const table of [Table.platformEndpoints, Table.endpointTokens] as const)
        await sweepRows(env, table, ({ endpointArn }, reader) => findEndpoint(reader, endpointArn) === undefined)
    } catch (error) {
      isDue = true
      throw error
    }
  }
}
