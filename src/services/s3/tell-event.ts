// Tells what became of an object to whom its bucket notifies: staged in the very commit that does it, sent later by
// followers/bucket-events.ts. A bucket that notifies nobody pays one look at its row.
import type { Random } from '../../base/random.ts'
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Bucket, ObjectVersion } from '../../model/bucket.ts'
import { type BucketEventName, bucketEventMessage, type WaitingBucketEvent, wants } from '../../model/bucket-event.ts'
import { partitionOf } from '../../model/arn.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { Table } from '../../model/tables.ts'
import { encodeKey } from './object-listing.ts'
import { toldId } from './object-versions.ts'

export interface Origin {
  readonly principalId: string
  readonly sourceIp: string
  readonly requestId: string
  readonly causedByTrail?: string | undefined
}

/** What a call did to a version: the one it made, changed or removed. */
export function tellEvent(tx: Transaction, call: Call, bucket: Bucket, event: BucketEventName, version: ObjectVersion): void {
  if (bucket.notifications === undefined) return
  const { principal, sourceIp, requestId, causedByTrail } = call
  stageEvents(tx, call.env.random, bucket, event, version, {
    principalId: `AWS:${principal.principalId}`,
    sourceIp,
    requestId,
    causedByTrail,
  })
}

/** What the server did by a rule of the bucket. */
export function tellOwnEvent(tx: Transaction, random: Random, bucket: Bucket, event: BucketEventName, version: ObjectVersion): void {
  if (bucket.notifications === undefined) return
  const requestId = random.bytes(8).toString('hex').toUpperCase()
  stageEvents(tx, random, bucket, event, version, { principalId: 's3.amazonaws.com', sourceIp: 's3.amazonaws.com', requestId })
}

function stageEvents(tx: Transaction, random: Random, bucket: Bucket, name: BucketEventName, version: ObjectVersion, origin: Origin): void {
  const { key } = version
  const { causedByTrail } = origin
  const versionId = toldId(bucket, version)
  for (const notification of bucket.notifications ?? []) {
    if (!wants(notification, name, key)) continue
    const number = tx.nextNumber('bucket-events')
    const message = bucketEventMessage(
      {
        name,
        region: bucket.region,
        at: tx.now,
        ...origin,
        hostId: random.bytes(48).toString('base64'),
        bucket: bucket.name,
        bucketOwner: bucket.owner,
        bucketArn: `arn:${partitionOf(bucket.region)}:s3:::${bucket.name}`,
        encodedKey: encodeKey(key),
        ...contentOf(name, version),
        ...(versionId !== undefined && { versionId }),
        sequencer: number.toString(16).toUpperCase().padStart(18, '0'),
        ...(name === 'LifecycleTransition' && { toStorageClass: 'GLACIER_IR' }),
      },
      notification.id,
    )
    const waiting: WaitingBucketEvent = {
      bucket: bucket.name,
      objectKey: key,
      message,
      at: tx.now,
      ...(causedByTrail !== undefined && { causedByTrail }),
    }
    tx.put(Table.bucketEvents, `${notification.destinationArn}/${String(number).padStart(15, '0')}`, waiting)
  }
}

/** Quirk: a delete marker has the ETag of nothing, and what is gone has none (S3 user guide, "Event message structure"). */
function contentOf(name: BucketEventName, version: ObjectVersion): { readonly bytes?: number; readonly etag?: string } {
  if (isDeleteMarker(version)) return name.endsWith('Created') ? { etag: ETAG_OF_NOTHING } : {}
  if (name.endsWith(':Delete') && !name.startsWith('ObjectTagging')) return {}
  const etag = version.etag.replaceAll('"', '')
  return name.startsWith('ObjectTagging') ? { etag } : { bytes: version.bytes, etag }
}

const ETAG_OF_NOTHING = 'd41d8cd98f00b204e9800998ecf8427e'
