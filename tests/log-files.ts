// A trail that logs everything, made by the stock SDK, and what it wrote.
import { gunzipSync } from 'node:zlib'
import type { CloudTrail } from '@aws-sdk/client-cloudtrail'
import type { S3 } from '@aws-sdk/client-s3'

const BUCKET = 'logs'

/** A trail of every event, its own deliveries included, in the bucket `logs`. */
export async function trailOfEverything({ s3, cloudtrail }: { readonly s3: S3; readonly cloudtrail: CloudTrail }): Promise<void> {
  await s3.createBucket({ Bucket: BUCKET })
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const Statement = [
    { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${BUCKET}` },
    { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/AWSLogs/*` },
  ]
  await s3.putBucketPolicy({ Bucket: BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
  await cloudtrail.createTrail({ Name: 'everything', S3BucketName: BUCKET, IsMultiRegionTrail: true })
  const data = ['AWS::SNS::Topic', 'AWS::S3::Object', 'AWS::SQS::Queue'].map((type) => ({
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: [type] },
    ],
  }))
  const management = { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }
  await cloudtrail.putEventSelectors({ TrailName: 'everything', AdvancedEventSelectors: [management, ...data] })
  await cloudtrail.startLogging({ Name: 'everything' })
}

/** The log files as they lie in the bucket, by key. */
export async function readLogFiles({ s3 }: { readonly s3: S3 }): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const { Contents = [] } = await s3.listObjectsV2({ Bucket: BUCKET, Prefix: 'AWSLogs/' })
  for (const { Key = '' } of Contents) {
    const { Body } = await s3.getObject({ Bucket: BUCKET, Key })
    files.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []))
  }
  return files
}

export function recordsOf(files: ReadonlyMap<string, Buffer>): readonly Record<string, unknown>[] {
  return [...files.values()].flatMap(
    (bytes) => (JSON.parse(gunzipSync(bytes).toString('utf8')) as { Records: Record<string, unknown>[] }).Records,
  )
}
