// The door to a trail's bucket: log files and digests go through it alike, as calls of CloudTrail's own.
import type { Readable } from 'node:stream'
import type { CallRequest, CallResult } from '../../engine/call.ts'
import type { Env } from '../../engine/env.ts'
import { servicePrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'

const CLOUDTRAIL = 'cloudtrail.amazonaws.com'

/** Who writes, and for which region's records. */
export interface TrailOrigin {
  readonly trailArn: string
  readonly account: string
  readonly region: string
}

/** A log file or digest: gzipped JSON. */
export interface TrailObject extends TrailOrigin {
  readonly bucketName: string
  readonly key: string
  /** x-amz-meta-* without the prefix. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Encrypted under this key; else as the bucket says. */
  readonly kmsKeyId?: string
  readonly content: Readable
}

/** Writes the object; its content is destroyed at the end. The error is S3's, with its code and status. */
export async function putTrailObject(env: Env, object: TrailObject): Promise<CallResult> {
  const { bucketName, key, metadata, kmsKeyId, content } = object
  const region = env.tables.get(Table.buckets, bucketName)?.region ?? object.region
  try {
    return await env.invoke({
      ...trailCall(env, object, region, `${bucketName}.s3.${region}.amazonaws.com`),
      service: 's3',
      operation: 'PutObject',
      input: {
        Bucket: bucketName,
        Key: key,
        ACL: 'bucket-owner-full-control',
        ContentType: 'application/json',
        ContentEncoding: 'gzip',
        ...(metadata !== undefined && { Metadata: metadata }),
        ...(kmsKeyId !== undefined && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId }),
      },
      stream: content,
    })
  } finally {
    content.destroy()
  }
}

/** What all calls have in common that CloudTrail makes for a trail. */
export function trailCall({ random, clock }: Env, { trailArn, account }: TrailOrigin, region: string, host: string) {
  return {
    region,
    host,
    requestId: random.bytes(8).toString('hex').toUpperCase(),
    arrivedAt: clock.now(),
    sourceIp: CLOUDTRAIL,
    userAgent: CLOUDTRAIL,
    principal: servicePrincipal(CLOUDTRAIL, account),
    causedByTrail: trailArn,
  } as const satisfies Partial<CallRequest>
}
