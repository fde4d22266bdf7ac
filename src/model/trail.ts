// Trails as the records keep them, and the plans of their log files.
import type { BlobSeal } from './bucket.ts'
import type { DigestEra } from './digest-chain.ts'

export interface Trail {
  readonly trailArn: string
  readonly name: string
  readonly account: string
  readonly homeRegion: string
  readonly bucketName: string
  readonly keyPrefix: string
  readonly snsTopicName?: string
  readonly snsTopicArn?: string
  /** Its files are encrypted with this key; absent: as their bucket says. */
  readonly kmsKeyArn?: string
  readonly includeGlobalServiceEvents: boolean
  readonly isMultiRegion: boolean
  readonly logFileValidation: boolean
  /** Present while the trail logs with validation. */
  readonly digests?: DigestEra
  /** Whether the trail tells of its own deliveries (RecursiveLogging). */
  readonly isRecursive: boolean
  readonly createdAt: number
  readonly isLogging: boolean
  readonly startedAt?: number
  readonly stoppedAt?: number
  /** Basic selectors or advanced ones, never both; in the API's own shape. */
  readonly eventSelectors?: readonly EventSelector[]
  readonly advancedEventSelectors?: readonly AdvancedEventSelector[]
  /** In the API's own shape; kept for the follower that makes insight events. Absent: none. */
  readonly insightSelectors?: readonly InsightSelector[]
  readonly tags: Readonly<Record<string, string>>
  readonly status: TrailStatus
}

export interface TrailStatus {
  readonly latestDeliveryAt?: number
  readonly latestDeliveryAttemptAt?: number
  readonly latestDeliveryError?: string
  readonly latestNotificationAt?: number
  readonly latestNotificationAttemptAt?: number
  readonly latestNotificationError?: string
  readonly latestDigestDeliveryAt?: number
  readonly latestDigestDeliveryError?: string
}

export interface InsightSelector {
  readonly InsightType?: string
  readonly EventCategories?: readonly string[]
}

export interface EventSelector {
  readonly ReadWriteType?: 'ReadOnly' | 'WriteOnly' | 'All'
  readonly IncludeManagementEvents?: boolean
  readonly DataResources?: readonly { readonly Type?: string; readonly Values?: readonly string[] }[]
  readonly ExcludeManagementEventSources?: readonly string[]
}

export interface AdvancedEventSelector {
  readonly Name?: string
  readonly FieldSelectors: readonly AdvancedFieldSelector[]
}

export interface AdvancedFieldSelector {
  readonly Field: string
  readonly Equals?: readonly string[]
  readonly StartsWith?: readonly string[]
  readonly EndsWith?: readonly string[]
  readonly NotEquals?: readonly string[]
  readonly NotStartsWith?: readonly string[]
  readonly NotEndsWith?: readonly string[]
}

/** What decides which events a trail takes, and where they go. */
export type TrailSelection = Pick<
  Trail,
  | 'trailArn'
  | 'account'
  | 'homeRegion'
  | 'bucketName'
  | 'keyPrefix'
  | 'snsTopicArn'
  | 'isMultiRegion'
  | 'includeGlobalServiceEvents'
  | 'isRecursive'
  | 'isLogging'
  | 'digests'
  | 'eventSelectors'
  | 'advancedEventSelectors'
>

/** What a trail's delivery has to remember (Table.trailPlans), by kind. */
export type TrailPlan = PlannedFile | CarriedRecord | TrailView

/** A log file that is decided: the same plan always writes the same file. Committed before the file is written. */
export interface PlannedFile {
  readonly kind: 'file'
  readonly trailArn: string
  readonly account: string
  readonly region: string
  readonly objectKey: string
  /** Where it was to go when it was planned. While the trail exists, its present bucket and topic count. */
  readonly bucketName: string
  readonly snsTopicArn?: string
  /** Records between these journal positions that the trail selects for the region. */
  readonly from: number
  readonly to: number
  /** What the trail selected at `from`; changes of it on the way stand in the journal. Absent when there was no such trail. */
  readonly selection?: TrailSelection
  /** Carried records that open the file, from the first number to the last. */
  readonly carried?: { readonly first: number; readonly last: number }
  readonly plannedAt: number
  /** When the oldest and the newest of its events were committed. */
  readonly oldestEventAt?: number
  readonly newestEventAt?: number
  /** The chain whose digest is to list it, while the trail validates its log files. */
  readonly digestChain?: number
  /** The finished file as a blob, once delivery has failed: the journal is no longer needed. */
  readonly spooled?: string
  readonly spooledBytes?: number
  readonly spooledSeal?: BlobSeal
  /** Hex SHA-256 of the uncompressed file, where a digest is to list it. */
  readonly spooledHash?: string
}

/** A record that a trail's own delivery caused, and that waits for the next log file of its region. */
export interface CarriedRecord {
  readonly kind: 'carried'
  readonly trailArn: string
  readonly region: string
  readonly number: number
  readonly committedAt?: number
  readonly json: string
}

/** What a logging trail selected at the follower's checkpoint. */
export interface TrailView {
  readonly kind: 'view'
  readonly selection: TrailSelection
}
