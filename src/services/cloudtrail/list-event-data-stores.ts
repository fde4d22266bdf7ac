// ListEventDataStores: the account's one event data store.
import type { Operation } from '../../engine/operation.ts'
import { channelErrors } from './channel-errors.ts'
import { eventDataStore, type EventDataStoreForm } from './event-data-store.ts'

interface Input {
  readonly MaxResults?: number
  readonly NextToken?: string
}

const PAGE_MAX = 1000

export function createListEventDataStores(
  retentionDays: number,
): Operation<Input, { readonly EventDataStores: readonly EventDataStoreForm[] }> {
  return {
    name: 'ListEventDataStores',
    access: 'read',
    run(tx, { MaxResults: max = PAGE_MAX, NextToken: token }, call) {
      if (!Number.isInteger(max) || max < 1 || max > PAGE_MAX) throw channelErrors.invalidMax(max, PAGE_MAX)
      if (token !== undefined) throw channelErrors.invalidToken('ListEventDataStores')
      return { EventDataStores: [eventDataStore(tx, call, retentionDays)] }
    },
  }
}
