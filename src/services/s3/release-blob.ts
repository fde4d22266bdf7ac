// Lets go of blobs whose object was replaced or deleted. A download that began before may not have opened its blob yet, hence the delay;
// one that reads several blobs holds them all until it ends. What a crash leaves behind is swept at the next start.
import type { Env } from '../../engine/env.ts'
import type { Call } from '../../engine/operation.ts'
import { storeOf } from './archived-blob.ts'
import type { StoredBlob } from '../../model/bucket.ts'

const GRACE_MS = 10_000

/** Of an operation's output, until it is answered: bodies that the commit replaced or removed. */
export interface Releasing {
  readonly released?: readonly StoredBlob[]
}

/** The `answer` of an operation that releases blobs, which are no part of what the caller gets. */
export function answerReleased<Output extends Releasing>({ released, ...output }: Output, { env }: Call): Output {
  releaseBlobs(env, released ?? [])
  return output as unknown as Output
}

/** After the commit that no longer names the blobs. */
export function releaseBlobs(env: Env, body: readonly StoredBlob[]): void {
  if (body.length > 0) env.clock.after(GRACE_MS, () => discardBlobs(env, body))
}

/** Blobs that nothing names, or ever did. One that is being read goes when the last reader is done. */
export function discardBlobs(env: Env, body: readonly StoredBlob[]): void {
  for (const blob of body) {
    const held = holdsOf(env).get(blob.blobId)
    if (held === undefined) remove(env, blob)
    else held.remove = () => remove(env, blob)
  }
}

interface Hold {
  readers: number
  /** Set when the blob was discarded meanwhile. */
  remove: (() => void) | undefined
}

const holds = new WeakMap<Env['blobs'], Map<string, Hold>>()

/** Keeps the blobs until the function that is returned is called. */
export function holdBlobs(env: Pick<Env, 'blobs'>, body: readonly StoredBlob[]): () => void {
  const all = holdsOf(env)
  for (const { blobId } of body) {
    const hold = all.get(blobId)
    if (hold === undefined) all.set(blobId, { readers: 1, remove: undefined })
    else hold.readers++
  }
  return () => {
    for (const { blobId } of body) {
      const hold = all.get(blobId)
      if (hold === undefined || --hold.readers > 0) continue
      all.delete(blobId)
      hold.remove?.()
    }
  }
}

function holdsOf({ blobs }: Pick<Env, 'blobs'>): Map<string, Hold> {
  let all = holds.get(blobs)
  if (all === undefined) holds.set(blobs, (all = new Map()))
  return all
}

function remove(env: Env, blob: StoredBlob): void {
  storeOf(env, blob)
    .remove(blob.blobId)
    .catch((error: unknown) => {
      env.log.warn('a blob could not be removed; it is swept at the next start', {
        blobId: blob.blobId,
        error: error instanceof Error ? error.message : String(error),
      })
    })
}
