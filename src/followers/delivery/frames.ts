// What the deliveries read in a frame of the journal: messages for outside, and traces of what was done already.
import { deliveryIdOf } from '../../model/delivery.ts'
import { EntryKind, type MessageEntry, readEntries } from '../../model/entry.ts'
import { Table } from '../../model/tables.ts'
import type { Frame } from '../../storage/journal.ts'

const MESSAGES: ReadonlySet<number> = new Set([EntryKind.message])
const TRACES: ReadonlySet<number> = new Set([EntryKind.attempt, EntryKind.put])

/** The messages of a frame that somebody outside may want. */
export function messagesOf({ payload }: Frame): MessageEntry[] {
  const messages: MessageEntry[] = []
  for (const { entry } of readEntries(payload, MESSAGES)) if (entry.kind === 'message' && entry.isForOutside) messages.push(entry)
  return messages
}

/** Deliveries of which a frame tells that they were done, or recorded. */
export function* settledIn(payload: Buffer): Generator<string> {
  for (const { entry } of readEntries(payload, TRACES)) {
    if (entry.kind === 'attempt') yield (JSON.parse(entry.json.toString('utf8')) as { readonly deliveryId: string }).deliveryId
    else if (entry.kind === 'put' && entry.table === Table.pendingDeliveries) yield deliveryIdOf(entry.key)
  }
}
