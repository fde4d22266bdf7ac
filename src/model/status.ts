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
  /** Subscriptions at whose endpoint so much failed that nothing but probes is tried. Times in ms since 1970. */
  readonly parkedEndpoints: readonly ParkedEndpointStatus[]
  /** Bytes by store. */
  readonly bytes: Readonly<Record<string, number>>
  /** Absent where everything is in memory. */
  readonly sealing?: Sealing
  /** On the volume of the data directory; absent where everything is in memory. */
  readonly freeBytes?: number
  /** Days until the volume is full at the pace since the start; absent while nothing can be said. */
  readonly daysLeft?: number
}

/** What lies sealed and under which keys. Times in ms since 1970. */
export interface Sealing {
  /** `source`: file, environment or passphrase. */
  readonly rootKey: { readonly id: string; readonly source: string; readonly since: number }
  /** Root keys given up of which something may still be sealed. */
  readonly former: readonly { readonly id: string; readonly since: number }[]
  /** By store, as in `bytes`, and `backup`. `secrets`: keys and tokens only. `since`: when the key that seals now was made. */
  readonly stores: Readonly<
    Record<string, { readonly sealed: 'whole' | 'secrets' | 'nothing'; readonly key?: string; readonly since?: number }>
  >
}

export interface ParkedEndpointStatus {
  readonly subscriptionArn: string
  readonly since: number
  /** Why the last attempt failed. */
  readonly reason: string
  readonly nextProbeAt: number
}

export interface BucketEventStatus {
  readonly destinationArn: string
  readonly waiting: number
  /** Why the destination did not take the last ones. */
  readonly failing?: string
}
