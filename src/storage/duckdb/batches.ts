// What a query gives, batch by batch, until its reader has enough.
import type { LakeResult } from '../lake.ts'
import type { RunningQuery } from './sql-client.ts'

/** No generator: its `return` must end the query even when nothing was read yet. */
export function batchesOf(running: RunningQuery, release: () => void): LakeResult['batches'] {
  const done = { done: true, value: undefined } as const
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const value = await running.next()
          if (value !== undefined) return { done: false, value }
        } catch (error) {
          release()
          throw error
        }
        release()
        return done
      },
      async return() {
        running.cancel()
        release()
        return done
      },
    }),
  }
}
