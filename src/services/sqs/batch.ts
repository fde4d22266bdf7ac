// What all batches share: up to ten entries with ids of their own, each of which succeeds or fails by itself.
import { ServiceError } from '../../model/service-error.ts'
import { batchEntryIdsNotDistinct, emptyBatch, invalidBatchEntryId, tooManyBatchEntries } from './errors.ts'

export interface BatchEntry {
  readonly Id: string
}

export interface FailedEntry extends BatchEntry {
  readonly SenderFault: boolean
  readonly Code: string
  readonly Message: string
}

/** Quirk: AWS leaves a list out when nothing is in it. */
export interface BatchOutput<Success> {
  readonly Successful?: readonly Success[]
  readonly Failed?: readonly FailedEntry[]
}

const ENTRIES_MAX = 10

/** `entryName` as AWS calls the shape: DeleteMessageBatchRequestEntry. */
export function checkEntries(entries: readonly BatchEntry[], entryName: string): void {
  if (entries.length === 0) throw emptyBatch(entryName)
  if (entries.length > ENTRIES_MAX) throw tooManyBatchEntries(ENTRIES_MAX, entries.length)
  const ids = new Set<string>()
  for (const { Id: id } of entries) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(id)) throw invalidBatchEntryId()
    if (ids.has(id)) throw batchEntryIdsNotDistinct(id)
    ids.add(id)
  }
}

/** `serve` MUST stage nothing before it may throw. */
export function serveEntries<Entry extends BatchEntry, Success>(
  entries: readonly Entry[],
  serve: (entry: Entry) => Success,
): BatchOutput<Success> {
  const successful: Success[] = []
  const failed: FailedEntry[] = []
  for (const entry of entries) {
    try {
      successful.push(serve(entry))
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      failed.push({ Id: entry.Id, SenderFault: error.fault === 'Sender', Code: error.code, Message: error.message })
    }
  }
  return { ...(successful.length > 0 && { Successful: successful }), ...(failed.length > 0 && { Failed: failed }) }
}
