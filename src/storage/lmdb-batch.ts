// A batch of writes to an lmdb environment, one transaction. Its failure comes to whoever awaits the batch, and to nobody else.
import type { RootDatabase } from 'lmdb'

export interface BatchWrite {
  readonly key: Buffer
  /** Undefined removes the key. */
  readonly value: Buffer | undefined
}

/** Quirk: lmdb's own batches of an event turn drop a promise that is rejected when a write fails, which ends the process. */
export const OWN_BATCHES = { eventTurnBatching: false } as const

/** Resolves when the transaction is on stable storage. */
export async function writeBatch(database: RootDatabase<Buffer, Buffer>, writes: Iterable<BatchWrite>): Promise<void> {
  try {
    await database.batch(() => {
      let heard: Promise<boolean> | undefined
      for (const { key, value } of writes) {
        const written = value === undefined ? database.remove(key) : database.put(key, value)
        // Quirk: lmdb rejects the promise of each write, and one inside the error; unheard, they would end the process.
        if (written !== heard) written.catch(() => {})
        heard = written
      }
    })
  } catch (error) {
    const { commitError } = error as { readonly commitError?: Promise<unknown> }
    commitError?.catch(() => {})
    throw error
  }
}
