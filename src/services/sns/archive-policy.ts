// The archive of a FIFO topic through its ArchivePolicy: begun, kept for other lengths of time, ended. What of it is on disk follows from
// the record that is put here (followers/topic-archive.ts).
import { sequenceCounter } from '../../model/sequence-number.ts'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import {
  ARCHIVE_COUNTER,
  ArchivePolicyError,
  archiveKey,
  beginningOf,
  parseArchivePolicy,
  type TopicArchive,
} from '../../model/topic-archive.ts'
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { failReplays } from './replays.ts'

/** What is wrong with the text, or what to keep of it: undefined for an empty policy. */
export function checkArchivePolicy(text: string): { readonly keep: string | undefined } | { readonly problem: string } {
  try {
    return { keep: parseArchivePolicy(text) === undefined ? undefined : text }
  } catch (error) {
    if (error instanceof ArchivePolicyError) return { problem: `ArchivePolicy: ${error.message}` }
    throw error
  }
}

/** The archive that a topic's policy keeps now; one that ends does not count. */
export function archiveOf(tables: TableReader, { archive }: Topic): TopicArchive | undefined {
  const row = archive === undefined ? undefined : tables.get(Table.topicArchives, archiveKey(archive))
  return row?.isEnding === true ? undefined : row
}

/** BeginningArchiveTime, as GetTopicAttributes shows it. */
export function shownBeginning(archive: TopicArchive, now: number): string {
  return new Date(beginningOf(archive, now)).toISOString()
}

/** The topic with the archive that its ArchivePolicy asks for. */
export function withArchive(tx: Transaction, env: Env, topic: Topic): Topic {
  const policy = topic.attributes['ArchivePolicy']
  const days = policy === undefined ? undefined : parseArchivePolicy(policy)
  const { fifo, archive: number } = topic
  if (fifo === undefined) return topic
  const row = number === undefined ? undefined : tx.get(Table.topicArchives, archiveKey(number))
  if (days === undefined) return row === undefined ? topic : endArchive(tx, env, topic, row)
  const isNew = row === undefined || row.isEnding === true
  const kept = row ?? { number: tx.nextNumber(ARCHIVE_COUNTER), topicArn: topic.topicArn, topicNumber: fifo.number }
  const next = tx.get(Table.counters, sequenceCounter(fifo.number))?.next ?? 1
  tx.put(Table.topicArchives, archiveKey(kept.number), {
    ...{ number: kept.number, topicArn: topic.topicArn, topicNumber: fifo.number, days },
    // What an archive that was about to end still holds is none of this one's.
    since: isNew ? tx.now : row.since,
    first: row?.first ?? next,
  })
  return { ...topic, archive: kept.number }
}

/** Clearing the policy erases the archive, once all that replays still owe to their subscriptions has gone out. */
function endArchive(tx: Transaction, env: Env, topic: Topic, row: TopicArchive): Topic {
  if (row.isEnding === true) return topic
  const isOwed = failReplays(tx, env, topic, 'the ArchivePolicy of the topic was taken away')
  if (isOwed) {
    tx.put(Table.topicArchives, archiveKey(row.number), { ...row, isEnding: true })
    return topic
  }
  tx.delete(Table.topicArchives, archiveKey(row.number))
  const { archive: _, ...rest } = topic
  return rest
}
