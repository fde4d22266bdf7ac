// The server under the histories: SQS's operations called in the process, over parts of a store that outlive it, so that it can be closed
// or killed and opened again at any point.
import { setImmediate as turn } from 'node:timers/promises'
import { startVisibility } from '../../src/engine/visibility.ts'
import { ServiceError } from '../../src/model/service-error.ts'
import { createSqs } from '../../src/services/sqs/index.ts'
import { MessageMoveRuns } from '../../src/services/sqs/message-move-runs.ts'
import { memoryFiles } from '../../src/storage/memory/files.ts'
import { memoryRecords } from '../../src/storage/memory/records.ts'
import { memoryQueueStore } from '../../src/storage/queues/memory-store.ts'
import { createHarness, type Harness } from '../harness.ts'

/** So small that a history fills several segments: checkpoints then trim the journal and copy what waits. */
const SIZES = { segmentBytes: 40 * 1024, slabBytes: 32 * 1024, ringBytes: 32 * 1024 }
/** What a call needs at most to come to its end or to where it waits. */
const TURNS = 12

export interface QueueWorld {
  now(): number
  call<T>(operation: string, input: object): Promise<T>
  /** What the call gives, or the refusal. Throws what is no refusal of the caller's. */
  tryCall<T>(operation: string, input: object): Promise<T | ServiceError>
  /** Lets time pass, with all that becomes due on the way, and what that starts come to rest. */
  pass(milliseconds: number): Promise<void>
  /** Until the next timer, but no further than `until`. */
  passToNext(until: number): Promise<void>
  settle(): Promise<void>
  checkpoint(): Promise<void>
  restart(isKilled: boolean): Promise<void>
  close(): Promise<void>
}

export async function openWorld(): Promise<QueueWorld> {
  const parts = { files: memoryFiles(), records: memoryRecords(), queueStore: memoryQueueStore(), sizes: SIZES }
  let seed = 1
  let now = Date.UTC(2026, 0, 2, 3, 4, 5)
  let harness: Harness
  let stop: () => Promise<void>
  const open = async (): Promise<void> => {
    harness = await createHarness(() => ({ sqs: createSqs({ notifications: () => Promise.reject(new Error('no topic sends here')) }) }), {
      ...parts,
      now,
      seed: seed++,
    })
    const visibility = startVisibility(harness.env)
    const moves = new MessageMoveRuns(harness.env, () => undefined)
    stop = () => {
      visibility.stop()
      return moves.stop()
    }
  }
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < TURNS; turns++) await turn()
  }
  await open()
  const call = async <T>(operation: string, input: object): Promise<T> => {
    const output = (await harness.call('sqs', operation, input)) as T
    // Some answers come before their commit; time stands still here, where outside the way to the caller takes some.
    await harness.env.commits.settled()
    return output
  }
  return {
    now: () => harness.clock.now(),
    call,
    tryCall: <T>(operation: string, input: object) =>
      call<T>(operation, input).then(
        (output) => output,
        (error: unknown) => {
          if (error instanceof ServiceError && error.status < 500) return error
          throw error
        },
      ),
    settle,
    async pass(milliseconds) {
      harness.clock.advance(milliseconds)
      await settle()
    },
    async passToNext(until) {
      const next = harness.clock.nextTimerAt() ?? until
      harness.clock.advance(Math.max(0, Math.min(next, until) - harness.clock.now()))
      await settle()
    },
    checkpoint: () => harness.store.tidy(harness.store.journal.durable),
    async restart(isKilled) {
      await settle()
      now = harness.clock.now()
      // A process that was killed writes no more: nothing moves its clock from here on.
      if (!isKilled) {
        await stop()
        await harness.close()
      }
      await open()
    },
    async close() {
      await stop()
      await harness.close()
    },
  }
}
