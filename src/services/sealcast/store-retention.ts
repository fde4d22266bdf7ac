// How long each store of the data directory keeps what is in it, in words.
import { HISTORY_DAYS } from '../../model/history-event.ts'
import type { StoreRetention } from '../../model/retention.ts'

const MEBIBYTE = 1024 * 1024

export interface LakeRetention {
  readonly days: number
  readonly deliveriesDays: number
  readonly bytesMax: number
}

export function storeRetention(bytes: Readonly<Record<string, number>>, lake: LakeRetention): readonly StoreRetention[] {
  const kept: Readonly<Record<string, string>> = {
    journal: 'until every follower has read it and its records are on disk',
    records: 'while what they tell of is there',
    queues: "as each queue's MessageRetentionPeriod says",
    blobs: "as the buckets' rules say",
    archive: "as the buckets' rules say",
    topicArchives: "as each topic's ArchivePolicy says",
    history: `${HISTORY_DAYS} days`,
    lake:
      `events ${lake.days} days (lake.retentionDays), deliveries ${lake.deliveriesDays} days (deliveries.retentionDays), ` +
      `at most ${Math.floor(lake.bytesMax / MEBIBYTE)} MiB (lake.maxBytes)`,
  }
  return Object.entries(bytes).map(([store, size]) => ({ store, bytes: size, kept: kept[store] ?? 'while the server needs it' }))
}
