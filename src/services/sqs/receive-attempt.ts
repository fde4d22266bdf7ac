// Receive request attempt ids: who lost the answer to a ReceiveMessage of a FIFO queue asks again under the same id, and gets the same
// messages by the same receipt handles, hidden anew (SQS API Reference, "ReceiveMessage"). What was given is remembered in the receive's
// own commit, for five minutes; it holds as long as none of the messages was deleted, changed or came back.
import type { Call } from '../../engine/operation.ts'
import { Wait } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { attemptKey } from '../../model/deduplication.ts'
import type { TakenMessage } from './received-message.ts'

const ATTEMPT_MS = 5 * 60_000
const HEADER_BYTES = 8
const MESSAGE_BYTES = 20

interface GivenMessage {
  readonly sequence: number
  readonly receives: number
  readonly visibleAt: number
}
interface Attempt {
  readonly until: number
  readonly given: readonly GivenMessage[]
}

export interface AttemptOf {
  readonly queue: number
  readonly attemptId: string
  readonly visibleAt: number
}

/**
 * What was given under the id already, hidden until `visibleAt` from now on. Undefined when nothing was, or something happened to it; a
 * Wait while the first call under the id is not committed yet.
 */
export function repeatAttempt(
  tx: Transaction,
  { queue, attemptId, visibleAt }: AttemptOf,
  call: Call,
): readonly TakenMessage[] | Wait | undefined {
  const key = attemptKey(attemptId)
  const bytes = tx.recall(queue, key)
  if (bytes === undefined) return undefined
  const { until, given } = readAttempt(bytes)
  const taken: TakenMessage[] = []
  for (const { sequence, receives, visibleAt: wasVisibleAt } of given) {
    const message = call.env.queues.find(queue, sequence)
    if (message !== undefined && message.receives < receives) return new Wait(call.env.commits.settled())
    if (message === undefined || message.receives !== receives || message.visibleAt !== wasVisibleAt || wasVisibleAt <= tx.now)
      return undefined
    taken.push({ sequence, route: message.route, receives, firstReceivedAt: message.firstReceivedAt })
  }
  for (const { sequence, receives, firstReceivedAt } of taken) tx.hide(queue, sequence, { visibleAt, receives, firstReceivedAt })
  tx.remember(queue, key, until, formatAttempt({ until, given: taken.map((message) => ({ ...message, visibleAt })) }))
  return taken
}

export function rememberAttempt(tx: Transaction, { queue, attemptId, visibleAt }: AttemptOf, taken: readonly TakenMessage[]): void {
  const until = tx.now + ATTEMPT_MS
  const given = taken.map((message) => ({ ...message, visibleAt }))
  tx.remember(queue, attemptKey(attemptId), until, formatAttempt({ until, given }))
}

function formatAttempt({ until, given }: Attempt): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + given.length * MESSAGE_BYTES)
  bytes.writeDoubleLE(until, 0)
  for (const [index, { sequence, receives, visibleAt }] of given.entries()) {
    const at = HEADER_BYTES + index * MESSAGE_BYTES
    bytes.writeDoubleLE(sequence, at)
    bytes.writeUInt32LE(receives, at + 8)
    bytes.writeDoubleLE(visibleAt, at + 12)
  }
  return bytes
}

function readAttempt(bytes: Buffer): Attempt {
  const given: GivenMessage[] = []
  for (let at = HEADER_BYTES; at < bytes.length; at += MESSAGE_BYTES)
    given.push({ sequence: bytes.readDoubleLE(at), receives: bytes.readUInt32LE(at + 8), visibleAt: bytes.readDoubleLE(at + 12) })
  return { until: bytes.readDoubleLE(0), given }
}
