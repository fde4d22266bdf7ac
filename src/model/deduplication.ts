// Deduplication: what was sent under an id is accepted once within five minutes (SQS Developer Guide, "Using the message deduplication ID";
// SNS Developer Guide, "Message deduplication for FIFO topics"). Queues and topics keep the same: a short key of the id, and what the
// first send was answered with, so that a repeat is answered alike.
import { hash } from 'node:crypto'
import { assert } from '../base/assert.ts'

/** From the first acceptance on; a repeat does not prolong it. */
export const DEDUPLICATION_MS = 5 * 60_000
const KEY_BYTES = 16
const FIRST_SEND_BYTES = 32

export interface FirstSend {
  /** A UUID. */
  readonly messageId: string
  /** What its sequence number is made of. */
  readonly sequence: number
  /** The number of its group: another scope may count by it. */
  readonly group: number
}

/** The id of a message that came without one: lower-case hex SHA-256 of its body alone. */
export function contentDeduplicationId(body: string): string {
  return hash('sha256', body, 'hex')
}

/** `groupId` where an id counts once in its group, and not in the whole queue or topic. */
export function deduplicationKey(deduplicationId: string, groupId?: string): Buffer {
  return shortKey(groupId === undefined ? `sent\n${deduplicationId}` : `sent in group\n${groupId}\n${deduplicationId}`)
}

/** Of a ReceiveMessage's attempt id; never equal to a key of what was sent. */
export function attemptKey(attemptId: string): Buffer {
  return shortKey(`received\n${attemptId}`)
}

export function formatFirstSend({ messageId, sequence, group }: FirstSend): Buffer {
  const bytes = Buffer.alloc(FIRST_SEND_BYTES)
  const written = bytes.write(messageId.replaceAll('-', ''), 'hex')
  assert(written === KEY_BYTES, 'a message id is a UUID')
  bytes.writeDoubleLE(sequence, 16)
  bytes.writeDoubleLE(group, 24)
  return bytes
}

export function readFirstSend(bytes: Buffer): FirstSend {
  const hex = bytes.toString('hex', 0, 16)
  return {
    messageId: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    sequence: bytes.readDoubleLE(16),
    group: bytes.readDoubleLE(24),
  }
}

/** Half of a SHA-256: nobody finds two ids with one key, who would make a message vanish. */
function shortKey(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, KEY_BYTES)
}
