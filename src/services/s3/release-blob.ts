// Lets go of blobs whose object was replaced or deleted. A download that began before may not have opened its blob yet, hence the delay;
// what a crash leaves behind is swept at the next start.
import type { Env } from '../../engine/env.ts'
import { storeOf } from './archived-blob.ts'
import type { StoredBlob } from '../../model/bucket.ts'

const GRACE_MS = 10_000

/** After the commit that no longer names the blobs. */
export function releaseBlobs(env: Env, body: readonly StoredBlob[]): void {
  if (body.length > 0) env.clock.after(GRACE_MS, () => discardBlobs(env, body))
}

/** Blobs that nothing ever named. */
export function discardBlobs(env: Env, body: readonly StoredBlob[]): void {
  for (const blob of body)
    storeOf(env, blob)
      .remove(blob.blobId)
      .catch((error: unknown) => {
        env.log.warn('a blob could not be removed; it is swept at the next start', {
          blobId: blob.blobId,
          error: error instanceof Error ? error.message : String(error),
        })
      })
}
