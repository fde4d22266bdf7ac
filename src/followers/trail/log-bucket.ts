// The door to a trail's bucket: log files and digests go through it alike. Into a bucket of this server as calls of CloudTrail's own, into
// one of another S3 as signed requests.
import type { Readable } from 'node:stream'
import type { CallRequest, CallResult } from '../../engine/call.ts'
import type { Env } from '../../engine/env.ts'
import { putOutside, TIMED_OUT } from '../../engine/outside-bucket.ts'
import { servicePrincipal } from '../../model/principal.ts'
import type { ServiceError } from '../../model/service-error.ts'
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
  /** Gives up what goes to another S3. */
  readonly signal?: AbortSignal
}

/** Writes the object; its content is destroyed at the end. The error is S3's, with its code and status. */
export async function putTrailObject(env: Env, object: TrailObject): Promise<CallResult> {
  const outside = env.tables.get(Table.outsideBuckets, object.bucketName)
  try {
    if (outside === undefined || env.tables.get(Table.buckets, object.bucketName) !== undefined) return await putInside(env, object)
    const error = await putOutside(env, outside, { ...object, headers: outsideHeaders(object) })
    return error === undefined ? { output: undefined } : { error }
  } finally {
    object.content.destroy()
  }
}

/**
 * What a trail's status shows of an error. Another S3's failures tell of the bucket whatever their status, our own only of ourselves; a
 * time-out is never shown (CloudTrail API, GetTrailStatus).
 */
export function shownCode(env: Env, bucketName: string, { code, status }: ServiceError): string | undefined {
  const isOutside = env.tables.get(Table.outsideBuckets, bucketName) !== undefined
  return isOutside ? (code === TIMED_OUT ? undefined : code) : status < 500 ? code : undefined
}

function outsideHeaders({ trailArn, metadata = {}, kmsKeyId }: TrailObject): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'x-amz-acl': 'bucket-owner-full-control',
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, value])),
    ...(kmsKeyId !== undefined && {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyId,
      'x-amz-server-side-encryption-context': contextOf(trailArn),
    }),
  }
}

function putInside(env: Env, object: TrailObject): Promise<CallResult> {
  const { bucketName, key, metadata, kmsKeyId, content } = object
  const region = env.tables.get(Table.buckets, bucketName)?.region ?? object.region
  return env.invoke({
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
      ...(kmsKeyId !== undefined && {
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: kmsKeyId,
        SSEKMSEncryptionContext: contextOf(object.trailArn),
      }),
    },
    stream: content,
  })
}

/** CloudTrail binds the trail in. */
function contextOf(trailArn: string): string {
  return Buffer.from(JSON.stringify({ 'aws:cloudtrail:arn': trailArn })).toString('base64')
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
