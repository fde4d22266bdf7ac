// Lets go of blobs whose object was replaced or deleted. A download that began before may not have opened its blob yet, hence the delay;
// what a crash leaves behind is swept at the next start.
import type { Env } from '../../engine/env.ts'
import type { BlobId } from '../../storage/blobs.ts'

const GRACE_MS = 10_000

/** After the commit that no longer names the blob. */
export function releaseBlob(env: Env, blobId: BlobId): void {
  env.clock.after(GRACE_MS, () => discardBlob(env, blobId))
}

/** A blob that nothing ever named. */
export function discardBlob({ blobs, log }: Env, blobId: BlobId): void {
  blobs.remove(blobId).catch((error: unknown) => {
    log.warn('a blob could not be removed; it is swept at the next start', {
      blobId,
      error: error instanceof Error ? error.message : String(error),
    })
  })
}
