// What a FIFO queue asks of a message, and how it tells a repeat from a message (SQS API Reference, "SendMessage"; SQS Developer Guide,
// "Exactly-once processing in Amazon SQS"). The first send of an id is remembered in its own commit, so a repeat finds it as long as it
// may be asked for, wherever the message is by then.
import type { Transaction } from '../../engine/transaction.ts'
import {
  contentDeduplicationId,
  DEDUPLICATION_MS,
  deduplicationKey,
  type FirstSend,
  formatFirstSend,
  readFirstSend,
} from '../../model/deduplication.ts'
import type { FifoSettings } from '../../model/fifo-attributes.ts'
import { orderedGroup } from '../../model/message-group.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import type { Queue } from '../../model/topic.ts'
import { invalidParameter, invalidValue, missingParameter, notOfThisQueueType } from './errors.ts'

export interface FifoInput {
  readonly MessageBody: string
  readonly DelaySeconds?: number
  readonly MessageDeduplicationId?: string
  readonly MessageGroupId?: string
}

/** A message's group and its deduplication id: both in a FIFO queue, at most a group in a standard one. */
export interface MessagePlace {
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
}

const NO_ID = 'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
const NO_GROUP = 'The request must contain the parameter MessageGroupId.'

export function readPlace(input: FifoInput, fifo: FifoSettings | undefined): MessagePlace {
  const { MessageGroupId: groupId, MessageDeduplicationId: given } = input
  if (fifo === undefined) {
    if (given !== undefined) throw notOfThisQueueType(given, 'MessageDeduplicationId')
    if (groupId !== undefined) checkToken(groupId, 'MessageGroupId')
    return { groupId, deduplicationId: undefined }
  }
  if (groupId === undefined || groupId === '') throw missingParameter('MessageGroupId')
  checkToken(groupId, 'MessageGroupId')
  if (given === undefined && !fifo.isContentBased) throw invalidParameter(NO_ID)
  if (given !== undefined) checkToken(given, 'MessageDeduplicationId')
  // Quirk: a delay of no seconds is let pass.
  if (input.DelaySeconds) throw notOfThisQueueType(input.DelaySeconds, 'DelaySeconds')
  return { groupId, deduplicationId: given ?? contentDeduplicationId(input.MessageBody) }
}

/** Quirk: what every entry of a batch must have fails the whole batch, and under another code than SendMessage's. */
export function checkPlaces(entries: readonly FifoInput[], fifo: FifoSettings): void {
  for (const { MessageGroupId: groupId, MessageDeduplicationId: id } of entries) {
    if (groupId === undefined || groupId === '') throw invalidParameter(NO_GROUP)
    if (id === undefined && !fifo.isContentBased) throw invalidParameter(NO_ID)
  }
}

/** Alphanumeric or punctuation, 1 to 128 characters: ids of groups, deduplication and attempts. */
export function checkToken(text: string, name: string): void {
  if (!/^[!-~]{1,128}$/.test(text))
    throw invalidValue(text, name, `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`)
}

/** The send that this one repeats, or undefined: then it counts from now on. */
export function findFirstSend(tx: Transaction, queue: Queue, { groupId, deduplicationId }: MessagePlace): FirstSend | undefined {
  const { fifo } = settingsOf(queue)
  if (fifo === undefined || groupId === undefined || deduplicationId === undefined) return undefined
  const isByGroup = fifo.scope === 'messageGroup'
  const keyOf = (byGroup: boolean): Buffer => deduplicationKey(deduplicationId, byGroup ? groupId : undefined)
  const bytes = tx.recall(queue.number, keyOf(isByGroup))
  if (bytes !== undefined) return readFirstSend(bytes)
  // The scope may have changed since the first send: in its own group an id counts in both.
  if (tx.now - queue.modifiedAt >= DEDUPLICATION_MS) return undefined
  const other = tx.recall(queue.number, keyOf(!isByGroup))
  const first = other === undefined ? undefined : readFirstSend(other)
  return first?.group === orderedGroup(groupId) ? first : undefined
}

export function rememberFirstSend(tx: Transaction, queue: Queue, { groupId, deduplicationId }: MessagePlace, first: FirstSend): void {
  const { fifo } = settingsOf(queue)
  if (fifo === undefined || deduplicationId === undefined) return
  const key = deduplicationKey(deduplicationId, fifo.scope === 'messageGroup' ? groupId : undefined)
  tx.remember(queue.number, key, tx.now + DEDUPLICATION_MS, formatFirstSend(first))
}
