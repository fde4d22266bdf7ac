// What is swept while the server runs: remains of a crash, uploads and subscriptions that time has passed by.
import type { Env } from '../engine/env.ts'
import { sweepParts } from '../services/s3/multipart/uploads.ts'
import { sweepBlobs } from '../services/s3/sweep-blobs.ts'
import { createEndpointSweep } from '../services/sns/push/sweep-endpoints.ts'
import { createSubscriptionSweep } from '../services/sns/sweep-subscriptions.ts'

type Sweep = () => Promise<unknown>

export function createSweeps(env: Env, startedAt: number): readonly Sweep[] {
  const { blobs, archive, tables } = env
  return [
    once(() => sweepParts(env)),
    once(() => sweepBlobs({ blobs, tables }, startedAt)),
    once(() => sweepBlobs({ blobs: archive, tables }, startedAt)),
    createSubscriptionSweep(env),
    createEndpointSweep(env),
  ]
}

/** For what only a crash before this start can have left behind. A failure is tried again. */
function once(sweep: () => Promise<number>): () => Promise<number> {
  let isDone = false
  return async () => {
    if (isDone) return 0
    const swept = await sweep()
    isDone = true
    return swept
  }
}
