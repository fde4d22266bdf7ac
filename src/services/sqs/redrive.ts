// The way into a dead-letter queue: a message that was received too often leaves its queue and arrives there in one commit, body and all.
import type { Env } from '../../engine/env.ts'
import { type Call, Wait } from '../../engine/operation.ts'
import { arrivalGroup } from '../../engine/queue-access.ts'
import { hasWorkingKey, readQueued, stageQueued } from '../../engine/queued-message.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import type { MessageHeader } from '../../model/message.ts'
import { allowsRedrive, type QueueSettings, settingsOf } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'
import type { Waiting } from '../../storage/queues.ts'
import { invalidValue, withKeyErrors } from './errors.ts'

/** The header of a message that came from another queue's redrive names that queue. */
export interface QueuedHeader extends MessageHeader {
  readonly deadLetterSourceArn?: string
  /** The id under which the queue shows it, where a move task made it another message. */
  readonly queuedId?: string
  /** Milliseconds since 1970, where that is not when it was sent: the queue counts anew from its arrival. */
  readonly enqueuedAt?: number
}

/** Undefined without a policy, and when the queue it names is gone or its key does not seal: then messages stay where they are. */
export function deadLetterQueueOf(tx: Transaction, { redrive }: QueueSettings, { env }: Call): Queue | undefined {
  const queue = redrive === undefined ? undefined : tx.get(Table.queues, redrive.deadLetterTargetArn)
  return queue === undefined || hasWorkingKey(tx, env, queue) ? queue : undefined
}

/** `text` is a RedrivePolicy that was read already: its queue must exist beside `sourceArn` and take messages from it. */
export function checkDeadLetterQueue(tables: TableReader, sourceArn: string, text: string): void {
  const { deadLetterTargetArn } = JSON.parse(text) as { readonly deadLetterTargetArn: string }
  const place = (arn: string): string => arn.slice(0, arn.lastIndexOf(':'))
  if (place(deadLetterTargetArn) !== place(sourceArn))
    throw invalidValue(
      text,
      'RedrivePolicy',
      'Dead letter target must be owned by the same account and lie in the same region as the source.',
    )
  // Quirk: AWS ends the sentence twice.
  if (isFifoName(deadLetterTargetArn) !== isFifoName(sourceArn))
    throw invalidValue(text, 'RedrivePolicy', 'Dead-letter queue must be same type of queue as the source..')
  const target = tables.get(Table.queues, deadLetterTargetArn)
  if (target === undefined) throw invalidValue(text, 'RedrivePolicy', 'Dead letter target does not exist.')
  if (!allowsRedrive(settingsOf(target), sourceArn))
    throw invalidValue(text, 'RedrivePolicy', 'The RedriveAllowPolicy of the dead letter target does not allow this source queue.')
}

export interface MovedMessage {
  readonly waiting: Waiting
  readonly header: MessageHeader
  readonly body: string
}

/** Of one call: what it had to read from disk before it could decide. */
const read = new WeakMap<Call, KnownBodies>()

/** The messages with their bodies; a Wait when some have to be read from disk first. Stages nothing. */
export function messagesToMove(queue: Queue, exhausted: readonly Waiting[], call: Call): readonly MovedMessage[] | Wait {
  const known: KnownBodies = read.get(call) ?? new Map()
  read.set(call, known)
  const stored = storedMessages(call.env, queue, exhausted, known)
  if (stored instanceof Promise) return new Wait(stored)
  return stored.map(({ waiting, bytes }) => ({ waiting, ...readMessage(call.env, queue.queueArn, bytes) }))
}

/** Bodies that had to be read from disk before a commit could decide, by sequence. */
export type KnownBodies = Map<number, Buffer>

export interface StoredMessage {
  readonly waiting: Waiting
  /** A message entry. */
  readonly bytes: Buffer
}

/** A promise where some have to be read from disk first: when it resolves, `known` holds them. */
export function storedMessages(
  { queues }: Env,
  { number }: Queue,
  messages: readonly Waiting[],
  known: KnownBodies,
): readonly StoredMessage[] | Promise<void> {
  const stored: StoredMessage[] = []
  const absent: Promise<unknown>[] = []
  for (const waiting of messages) {
    const bytes = known.get(waiting.sequence) ?? queues.body(number, waiting.sequence)
    if (bytes instanceof Promise) absent.push(bytes.then((body) => known.set(waiting.sequence, body)))
    else stored.push({ waiting, bytes })
  }
  return absent.length === 0 ? stored : Promise.all(absent).then(() => {})
}

/** One frame takes at most about as much as a batch of messages may bring. */
export const MOVED_BYTES_MAX = 1_048_576

export function moveMessages(tx: Transaction, from: Queue, to: Queue, messages: readonly MovedMessage[], { env }: Call): void {
  // Quirk: a FIFO queue counts the age of what arrives anew; a standard one goes on from when the message was sent.
  const isAnew = isFifoName(to.queueArn)
  let bytes = 0
  for (const { waiting, header, body } of messages) {
    const { sequence, route, sentAt, receives, firstReceivedAt } = waiting
    const bodyBytes = Buffer.byteLength(body)
    const isFull = bytes > 0 && bytes + bodyBytes > MOVED_BYTES_MAX
    bytes += bodyBytes
    if (isFull) {
      // Its turn comes with the next receive.
      tx.hide(from.number, sequence, { visibleAt: tx.now, receives, firstReceivedAt })
      continue
    }
    const moved: QueuedHeader = { ...header, deadLetterSourceArn: from.queueArn, ...(isAnew && { enqueuedAt: tx.now }) }
    const group = arrivalGroup(to, header)
    const reference = stageQueued(tx, env, to, { header: moved, body }, undefined)
    tx.enqueue(to.number, reference, { route, sentAt: isAnew ? tx.now : sentAt, group })
    tx.remove(from.number, sequence)
  }
}

/** `bytes`: a message entry as the queue store gives it. */
export function readMessage(env: Env, queueArn: string, bytes: Buffer): { readonly header: QueuedHeader; readonly body: string } {
  return withKeyErrors(() => readQueued<QueuedHeader>(env, queueArn, bytes))
}
