// Sends, as the histories make them, and what the answers to a FIFO queue's sends may be.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { SendOutput } from './calls.ts'
import type { Command } from './commands.ts'
import { DEDUPLICATION_MS, type ModelMessage, type ModelQueue } from './reference.ts'

type Send = Extract<Command, { kind: 'send' }>

export interface Draft {
  readonly input: object
  readonly message: Omit<ModelMessage, 'places' | 'handles'>
}

/** What is sent, and the message it makes; `deduplication` is one of the few that come again. */
export function draft(name: string, queue: ModelQueue, { group, deduplication, delay }: Send): Draft {
  const isAgain = queue.isFifo && deduplication !== undefined
  const body = isAgain && queue.isContentBased ? `again ${deduplication}` : `${name} of ${queue.name}`
  const groupId = queue.isFifo || group > 0 ? `group-${group}` : undefined
  const given = queue.isFifo && !queue.isContentBased ? (isAgain ? `id-${deduplication}` : `id-of-${name}`) : undefined
  const deduplicationId = queue.isContentBased ? createHash('sha256').update(body).digest('hex') : given
  return {
    input: {
      MessageBody: body,
      MessageAttributes: { name: { DataType: 'String', StringValue: name } },
      ...(!queue.isFifo && delay !== undefined && { DelaySeconds: delay }),
      ...(groupId !== undefined && { MessageGroupId: groupId }),
      ...(given !== undefined && { MessageDeduplicationId: given }),
    },
    message: { name, body, group: groupId, deduplicationId },
  }
}

/** Tells by the answer whether it counts as one that was sent before, which only some may. */
export function isDuplicate(
  queue: ModelQueue,
  message: Omit<ModelMessage, 'places' | 'handles'>,
  output: SendOutput,
  now: number,
): boolean {
  const key = `${queue.isScopedToGroup ? message.group : ''} ${message.deduplicationId}`
  const first = queue.sent.get(key)
  const isSame = first !== undefined && output.MessageId === first.messageId
  const age = now - (first?.at ?? -Infinity)
  const mayDiffer = first !== undefined && (first.isUncertain || age === DEDUPLICATION_MS)
  if (!mayDiffer)
    assert.equal(
      isSame,
      age < DEDUPLICATION_MS,
      `${message.name} with ${key}, ${age} ms behind the first: ${isSame ? 'the first again' : 'a new one'}`,
    )
  if (isSame) {
    assert.equal(output.SequenceNumber, first.sequenceNumber, 'a duplicate is answered as the first was')
    return true
  }
  assert.match(output.SequenceNumber ?? '', /^\d{20}$/)
  const sequence = BigInt(output.SequenceNumber ?? 0)
  assert.ok(sequence > queue.lastSequence, `sequence ${sequence} comes behind ${queue.lastSequence}`)
  queue.lastSequence = sequence
  queue.sent.set(key, { at: now, messageId: output.MessageId, sequenceNumber: output.SequenceNumber, isUncertain: false })
  return false
}
