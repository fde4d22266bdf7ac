// What the deliveries read in a frame of the journal: messages for outside, and traces of what was done already.
import type { Audience } from '../../model/data-protection/audience.ts'
import { deliveryIdOf } from '../../model/delivery.ts'
import { EntryKind, type MessageEntry, readEntries } from '../../model/entry.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Frame } from '../../storage/journal.ts'
import type { OpenFrame } from './progress.ts'

/** A message of the frame under way. */
export interface Message {
  readonly header: MessageHeader
  readonly body: string
  readonly frame: OpenFrame
  /** The subscriptions whose deliveries were begun. */
  readonly begun: Set<string>
}

const MESSAGES: ReadonlySet<number> = new Set([EntryKind.message])
const TRACES: ReadonlySet<number> = new Set([EntryKind.attempt, EntryKind.put])

/** The messages of a frame that somebody outside may want. */
export function messagesOf({ payload }: Frame): MessageEntry[] {
  const messages: MessageEntry[] = []
  for (const { entry } of readEntries(payload, MESSAGES)) if (entry.kind === 'message' && entry.isForOutside) messages.push(entry)
  return messages
}

/** Whom this copy is for stands apart: it is of no use to who delivers it. */
export function headerOf(entry: MessageEntry): { readonly header: MessageHeader; readonly audience: Audience | undefined } {
  const read = JSON.parse(entry.header.toString('utf8')) as MessageHeader
  if (read.audience === undefined) return { header: read, audience: undefined }
  const { audience, ...header } = read
  return { header, audience }
}

/** Deliveries of which a frame tells that they were done, or recorded. */
export function* settledIn(payload: Buffer): Generator<string> {
  for (const { entry } of readEntries(payload, TRACES)) {
    if (entry.kind === 'attempt') yield (JSON.parse(entry.json.toString('utf8')) as { readonly deliveryId: string }).deliveryId
    else if (entry.kind === 'put' && entry.table === Table.pendingDeliveries) yield deliveryIdOf(entry.key)
  }
}
