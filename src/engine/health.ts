// How the server is: one picture for health checks, the operator and the metrics.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../base/clock.ts'
import type { Meter } from '../base/meter.ts'
import type { BucketEventStatus, ParkedEndpointStatus, Sealing, Status } from '../model/status.ts'
import type { FollowState } from './follow.ts'
import type { FreeSpace } from './upkeep.ts'

const DAY_MS = 86_400_000
/** Before that the pace says nothing. */
const PACE_MS_MIN = 600_000

export interface StatusParts {
  readonly clock: Clock
  readonly version: string
  readonly bytes: () => Readonly<Record<string, number>>
  readonly sealing: () => Sealing | undefined
  readonly freeSpace: FreeSpace
  readonly followers: () => readonly FollowState[]
  readonly bucketEvents: () => readonly BucketEventStatus[]
  readonly parkedEndpoints: () => readonly ParkedEndpointStatus[]
  /** Why calls are refused, or undefined. */
  readonly refusal: () => string | undefined
  readonly failure: () => Error | undefined
  readonly isStopping: () => boolean
}

export function createStatus(parts: StatusParts): () => Status {
  const { clock, freeSpace } = parts
  const startedAt = clock.now()
  const bytesBefore = sum(parts.bytes())
  return () => {
    const bytes = parts.bytes()
    const why = parts.refusal()
    const freeBytes = freeSpace.bytes()
    const sealing = parts.sealing()
    const left = daysLeft(sum(bytes) - bytesBefore, clock.now() - startedAt, freeBytes)
    return {
      status: parts.isStopping() ? 'stopping' : parts.failure() !== undefined ? 'read-only' : freeSpace.isLow() ? 'low-disk' : 'ready',
      ...(why !== undefined && { why }),
      version: parts.version,
      startedAt,
      followers: parts.followers().map(({ name, lagBytes, failing }) => ({ name, lagBytes, ...(failing !== undefined && { failing }) })),
      bucketEvents: parts.bucketEvents(),
      parkedEndpoints: parts.parkedEndpoints(),
      bytes,
      ...(sealing !== undefined && { sealing }),
      ...(freeBytes !== undefined && { freeBytes }),
      ...(left !== undefined && { daysLeft: left }),
    }
  }
}

/** Until the volume is full, at the pace at which the stores grew since the start. */
function daysLeft(grownBytes: number, elapsedMs: number, freeBytes: number | undefined): number | undefined {
  if (freeBytes === undefined || elapsedMs < PACE_MS_MIN) return undefined
  return grownBytes <= 0 ? Number.MAX_SAFE_INTEGER : freeBytes / ((grownBytes / elapsedMs) * DAY_MS)
}

function sum(bytes: Readonly<Record<string, number>>): number {
  return Object.values(bytes).reduce((all, one) => all + one, 0)
}

export function registerGauges(meter: Meter, status: () => Status): void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  meter.gauge('sealcast_event_loop_delay_p99_ms', 'Delay of the event loop since the start, 99th percentile.', () => [
    [{}, delay.percentile(99) / 1e6] as const,
  ])
  meter.gauge('sealcast_event_loop_delay_max_ms', 'The longest delay of the event loop since the start.', () => [
    [{}, delay.max / 1e6] as const,
  ])
  meter.gauge('sealcast_follower_lag_bytes', 'Journal bytes a follower has not read yet.', () =>
    status().followers.map(({ name, lagBytes }) => [{ follower: name }, lagBytes] as const),
  )
  meter.gauge('sealcast_bucket_events_waiting', 'Events of buckets that wait for their queue or topic.', () =>
    status().bucketEvents.map(({ destinationArn, waiting }) => [{ destination: destinationArn }, waiting] as const),
  )
  meter.gauge('sealcast_endpoints_parked', 'Subscriptions at whose endpoint nothing but probes is tried.', () => [
    [{}, status().parkedEndpoints.length] as const,
  ])
  meter.gauge('sealcast_store_bytes', 'Bytes by store.', () =>
    Object.entries(status().bytes).map(([store, bytes]) => [{ store }, bytes] as const),
  )
  meter.gauge('sealcast_disk_free_bytes', 'Bytes free on the volume of the data directory.', () => {
    const { freeBytes } = status()
    return freeBytes === undefined ? [] : [[{}, freeBytes] as const]
  })
}
