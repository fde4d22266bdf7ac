// What S3 tells a queue or a topic of an object (S3 user guide, "Event message structure"), and who wants to hear it.
import type { BucketNotification } from './bucket-notification.ts'

/** The kinds that happen here. `s3:Kind:*` asks for all of a group. */
export const BUCKET_EVENTS = [
  'ObjectCreated:Put',
  'ObjectCreated:Copy',
  'ObjectCreated:CompleteMultipartUpload',
  'ObjectRemoved:Delete',
  'ObjectRemoved:DeleteMarkerCreated',
  'ObjectTagging:Put',
  'ObjectTagging:Delete',
  'LifecycleExpiration:Delete',
  'LifecycleExpiration:DeleteMarkerCreated',
  'LifecycleTransition',
] as const
export type BucketEventName = (typeof BUCKET_EVENTS)[number]

/** What is waiting to be told to one destination. */
export interface WaitingBucketEvent {
  readonly bucket: string
  readonly objectKey: string
  /** The whole text, decided when it happened. */
  readonly message: string
  readonly at: number
  /** A trail's own delivery put the object: what follows from it must not open a round of that trail. */
  readonly causedByTrail?: string
}

export function wants(notification: BucketNotification, event: BucketEventName, key: string): boolean {
  const { events, prefix = '', suffix = '' } = notification
  return key.startsWith(prefix) && key.endsWith(suffix) && events.some((wanted) => covers(wanted, event))
}

/** Whether the event types of two configurations share a kind, so that an object could be told of by both. */
export function sharesEvent(one: readonly string[], other: readonly string[]): boolean {
  return BUCKET_EVENTS.some((event) => one.some((wanted) => covers(wanted, event)) && other.some((wanted) => covers(wanted, event)))
}

export function isBucketEventPattern(text: string): boolean {
  return BUCKET_EVENTS.some((event) => covers(text, event))
}

function covers(wanted: string, event: BucketEventName): boolean {
  return wanted === `s3:${event}` || wanted === `s3:${event.slice(0, event.indexOf(':') + 1)}*`
}

export interface BucketEvent {
  readonly name: BucketEventName
  readonly region: string
  readonly at: number
  /** Who did it: `AWS:` and the unique id. */
  readonly principalId: string
  readonly sourceIp: string
  readonly requestId: string
  readonly hostId: string
  readonly bucket: string
  readonly bucketOwner: string
  readonly bucketArn: string
  /** As S3 writes it here: encoded as in a form. */
  readonly encodedKey: string
  readonly bytes?: number
  /** Without its quotes. */
  readonly etag?: string
  readonly versionId?: string
  /** Grows with each event of a key: texts of one length compare as the events came. */
  readonly sequencer: string
  readonly toStorageClass?: string
}

/** The text that is sent, by version 2.1 of the structure, and 2.3 where S3 uses it (tagging, lifecycle). */
export function bucketEventMessage(event: BucketEvent, configurationId: string): string {
  const { bytes, etag, versionId, toStorageClass } = event
  const isLater = event.name.startsWith('Lifecycle') || event.name.startsWith('ObjectTagging')
  const record = {
    eventVersion: isLater ? '2.3' : '2.1',
    eventSource: 'aws:s3',
    awsRegion: event.region,
    eventTime: new Date(event.at).toISOString(),
    eventName: event.name,
    userIdentity: { principalId: event.principalId },
    requestParameters: { sourceIPAddress: event.sourceIp },
    responseElements: { 'x-amz-request-id': event.requestId, 'x-amz-id-2': event.hostId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: event.bucket, ownerIdentity: { principalId: event.bucketOwner }, arn: event.bucketArn },
      object: {
        key: event.encodedKey,
        ...(bytes !== undefined && { size: bytes }),
        ...(etag !== undefined && { eTag: etag }),
        ...(versionId !== undefined && { versionId }),
        sequencer: event.sequencer,
      },
    },
    ...(toStorageClass !== undefined && {
      lifecycleEventData: { transitionEventData: { destinationStorageClass: toStorageClass } },
    }),
  }
  return JSON.stringify({ Records: [record] })
}
