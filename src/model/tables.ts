// The record tables: one number each, for ever. Values are JSON unless said. Keys sort so that what is listed together lies together.
// A number is never reused; docs/DATA.md lists the same.

import type { ActsRow } from './acts.ts'
import type { PendingDelivery } from './delivery.ts'
import type { WaitingBucketEvent } from './bucket-event.ts'
import type { DigestKey, DigestRow } from './digest-chain.ts'
import type { Bucket, NullVersion, ObjectVersion, StoredObject } from './bucket.ts'
import type { MultipartUpload, UploadedPart } from './multipart-upload.ts'
import type { LifecycleRun } from './lifecycle-run.ts'
import type { MessageMoveTask } from './message-move-task.ts'
import type { OutsideBucket } from './outside-bucket.ts'
import type { StoredKey, StoredKeyVersion } from './key.ts'
import type { CapturedRow } from './captured.ts'
import type { Channel } from './channel.ts'
import type { AccessKey, Account } from './principal.ts'
import type { PlatformApplication, PlatformEndpoint } from './platform.ts'
import type { Queue, Route, Subscription, Topic } from './topic.ts'
import type { Replay } from './replay.ts'
import type { SmsAccount, SmsNumber } from './sms.ts'
import type { TreeKey, TreeRow } from './tlog/tree-rows.ts'
import type { TopicArchive } from './topic-archive.ts'
import type { Trail, TrailPlan } from './trail.ts'

export const Table = {
  /** Settings of the data directory itself: format version, cluster id. */
  meta: 1,
  /** Account id -> Account. */
  accounts: 2,
  /** Access key id -> AccessKey (secret sealed). */
  accessKeys: 3,
  /** Topic ARN -> Topic. */
  topics: 4,
  /** Subscription ARN (topic ARN, colon, UUID) -> Subscription. */
  subscriptions: 5,
  /** SHA-256 of a confirmation token -> Confirmation. */
  confirmations: 6,
  /** Route number -> Route. */
  routes: 7,
  /** Queue ARN -> Queue. */
  queues: 8,
  /** Follower name -> { position }. */
  checkpoints: 9,
  /** Subscription ARN, slash, due time (15 digits), slash, delivery id -> a delivery that waits for its next attempt. */
  pendingDeliveries: 10,
  /** Bucket name -> Bucket. */
  buckets: 11,
  /** Bucket name, slash, object key -> StoredObject: the current version, unless that is a delete marker. */
  objects: 12,
  /** Trail ARN -> Trail. */
  trails: 13,
  /** Trail ARN, then /view, /file/<n> or /carried/<region>/<n> -> TrailPlan. */
  trailPlans: 14,
  /** Counter name -> its next number (queues, routes). */
  counters: 15,
  /** Signing key id -> key pair (private part sealed). */
  signingKeys: 16,
  /** By object-version.ts: a key's delete markers and the versions that are not current, newest first -> ObjectVersion. */
  objectVersions: 17,
  /** By multipart-upload.ts: a key's uploads under way, the oldest first -> MultipartUpload. */
  multipartUploads: 18,
  /** Upload id, slash, part number (5 digits) -> UploadedPart. */
  uploadedParts: 19,
  /** ARN of a queue or topic, slash, number (15 digits) -> what a bucket has to tell it. */
  bucketEvents: 20,
  /** Bucket name -> what its lifecycle rules did last. */
  lifecycleRuns: 21,
  /** Key id -> StoredKey. */
  keys: 22,
  /** Key id, slash, version -> StoredKeyVersion (material sealed). */
  keyVersions: 23,
  /** Region, slash, fingerprint -> a key pair that signs digests (private part sealed). */
  digestKeys: 24,
  /** Trail ARN, then /chain, /file, /digest or /region and the region, by digest-chain.ts -> DigestRow. */
  digests: 25,
  /** `state`: how far the tree counts; `checkpoint`: the newest one signed; `published`: what went out. */
  tree: 26,
  /** Key id -> a key that signs checkpoints (private part sealed). */
  treeKeys: 27,
  /** Channel ARN -> Channel. */
  channels: 28,
  /** life, alive, census, lineage; down/, time (15 digits) -> what the server remembers of its own life. */
  acts: 31,
  /** Bucket name -> a bucket of another S3 that trails may write to (secret sealed). */
  outsideBuckets: 32,
  /** Queue ARN, slash, time (15 digits), slash, task id -> a task that moves the queue's messages on. */
  messageMoveTasks: 33,
  /** Application ARN -> PlatformApplication (credentials sealed). */
  platformApplications: 34,
  /** Endpoint ARN -> PlatformEndpoint. */
  platformEndpoints: 35,
  /** Application ARN, slash, SHA-256 of a device's token -> the endpoint that has it. */
  endpointTokens: 36,
  /** Account, slash, region -> SmsAccount. */
  smsAccounts: 37,
  /** Account, then /opted-out/ and the number, or /sandbox/ with region and number -> SmsNumber (codes sealed). */
  smsNumbers: 38,
  /** Number (15 digits) -> what a provider `capture` kept (sealed). */
  captured: 39,
  /** Message id, slash, the beginning of its hash (32 hex digits) -> a larger body that deliveries wait with. */
  pendingBodies: 43,
  /** The same key -> how many wait with it. */
  pendingBodyUses: 44,
  /** Number (10 digits) -> TopicArchive. */
  topicArchives: 45,
  /** Subscription ARN -> a replay under way. */
  replays: 46,
} as const

/** What each table's values are, by table number. */
export interface Rows {
  1: string | number
  2: Account
  3: AccessKey
  4: Topic
  5: Subscription
  6: Confirmation
  7: Route
  8: Queue
  9: { readonly position: number }
  10: PendingDelivery
  11: Bucket
  12: StoredObject
  13: Trail
  14: TrailPlan
  15: { readonly next: number }
  16: SigningKey
  17: ObjectVersion | NullVersion
  18: MultipartUpload
  19: UploadedPart
  20: WaitingBucketEvent
  21: LifecycleRun
  22: StoredKey
  23: StoredKeyVersion
  24: DigestKey
  25: DigestRow
  26: TreeRow
  27: TreeKey
  28: Channel
  31: ActsRow
  32: OutsideBucket
  33: MessageMoveTask
  34: PlatformApplication
  35: PlatformEndpoint
  36: { readonly endpointArn: string }
  37: SmsAccount
  38: SmsNumber
  39: CapturedRow
  43: { readonly body: string }
  44: { readonly uses: number }
  45: TopicArchive
  46: Replay
}

export type TableNumber = keyof Rows

export interface Confirmation {
  readonly subscriptionArn: string
  readonly expiresAt: number
  /** What an unsubscription took away, and the token brings back. */
  readonly restores?: Subscription
}

export interface SigningKey {
  readonly keyId: string
  readonly sealedPrivateKey: string
  readonly certificatePem: string
  readonly createdAt: number
}
