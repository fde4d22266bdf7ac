// GetEventDataStore: the account's one event data store, by ARN or id.
import type { Operation } from '../../engine/operation.ts'
import { eventDataStore, type EventDataStoreForm } from './event-data-store.ts'
import { resolveStore } from './existing-channel.ts'

export function createGetEventDataStore(
  retentionDays: number,
): Operation<{ readonly EventDataStore: string }, EventDataStoreForm & { readonly BillingMode: string }> {
  return {
    name: 'GetEventDataStore',
    access: 'read',
    resource: (input, call) => resolveStore(call, input.EventDataStore),
    run(tx, input, call) {
      resolveStore(call, input.EventDataStore)
      return { ...eventDataStore(tx, call, retentionDays), BillingMode: 'FIXED_RETENTION_PRICING' }
    },
  }
}
