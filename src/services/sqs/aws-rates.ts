// What AWS limits by count and by rate where queues are used (SQS Developer Guide, "Amazon SQS message quotas"): it holds where
// `limits.profile` asks for the limits of AWS. Rates are kept in memory.
import type { Call, Operation } from '../../engine/operation.ts'
import { createRateLimit, type RateLimit } from '../../engine/rate-limit.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import type { BatchEntry } from './batch.ts'
import { requestThrottled } from './errors.ts'
import type { FifoInput } from './fifo-message.ts'
import { type QueueInput, requireQueue } from './queue-address.ts'

/** Messages of one queue that may be in flight at a time. A standard queue's short poll is then refused; otherwise nothing is given. */
export const IN_FLIGHT_MAX = 120_000
const FIFO_CALLS_PER_SECOND = 300

type FifoCall = QueueInput & Partial<FifoInput> & { readonly Entries?: readonly (BatchEntry & Partial<FifoInput>)[] }

/**
 * Holds calls on a FIFO queue to 300 a second for each action, a batch being one; with FifoThroughputLimit perMessageGroupId sends to 300 a
 * second for each group. What it gives is for the operations of one service, which share their rates.
 */
export function createFifoRates(): <Input extends QueueInput, Output>(operation: Operation<Input, Output>) => Operation<Input, Output> {
  let limit: RateLimit | undefined
  /** Throws RequestThrottled. */
  const take = (action: string, input: FifoCall, call: Call): void => {
    const queue = requireQueue(call.env.tables, input, call)
    const { fifo } = settingsOf(queue)
    if (fifo === undefined) return
    limit ??= createRateLimit({ clock: call.env.clock, perSecond: FIFO_CALLS_PER_SECOND })
    for (const name of fifo.throughputLimit === 'perQueue' ? [''] : groupsOf(input))
      if (!limit.take(`${queue.queueArn} ${action} ${name}`)) throw requestThrottled()
  }
  return (operation) => {
    const action = typeof operation.action === 'string' ? operation.action : operation.name
    // Once for each call, however often a call that waits is run.
    return { ...operation, prepare: (call, input) => take(action, input, call) }
  }
}

/** None for calls that send nothing: those are not limited by group. */
function groupsOf(input: FifoCall): ReadonlySet<string> {
  const groups = [input, ...(input.Entries ?? [])].map(({ MessageGroupId: groupId }) => groupId)
  return new Set(groups.filter((groupId) => groupId !== undefined))
}
