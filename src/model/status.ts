// How a server is, for health checks, for `sealcast status` and for its metrics.

export interface Status {
  readonly status: 'ready' | 'read-only' | 'low-disk' | 'stopping'
  readonly why?: string
  readonly version: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly followers: readonly { readonly name: string; readonly lagBytes: number; readonly failing?: string }[]
  /** Queues and topics for which events of buckets wait. */
  readonly bucketEvents: readonly BucketEventStatus[]
  /** Bytes by store. */
  readonly bytes: Readonly<Record<string, number>>
  /** On the volume of the data directory; absent where everything is in memory. */
  readonly freeBytes?: number
  /** Days until the volume is full at the pace since the start; absent while nothing can be said. */
  readonly daysLeft?: number
}

export interface BucketEventStatus {
  readonly destinationArn: string
  readonly waiting: number
  /** Why the destination did not take the last ones. */
  readonly failing?: string
}
