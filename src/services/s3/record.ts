// How S3's calls stand in their events: parameters by S3's own spelling (bucketName, key, query and header names), resources by ARN.
import type { Call, EventResource } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { documentForm } from './document-form.ts'
import { bucketArn, objectArn } from './existing-bucket.ts'
import { inHashOrder } from './parameter-order.ts'

export interface RecordedInput {
  readonly Bucket?: string
  readonly Key?: string
}

/** `bucketName`, `Host`, `key` and `further` by S3's names, in S3's order; members without a value are left out. */
export function bucketParameters(
  input: RecordedInput,
  call: Call,
  further: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const documents: Record<string, unknown> = {}
  const queries: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(further)) {
    const document = documentForm(call.operation, name, value)
    if (document === undefined) queries[name] = value
    else documents[name] = document
  }
  // What falls into one place stays in this order.
  return inHashOrder({ ...queries, bucketName: input.Bucket, ...documents, Host: call.host, key: input.Key })
}

export function bucketResources(input: RecordedInput, call: Call): readonly EventResource[] {
  const { Bucket: name } = input
  if (name === undefined) return []
  const owner = call.env.tables.get(Table.buckets, name)?.owner
  return [{ type: 'AWS::S3::Bucket', arn: bucketArn(name, call), ...(owner !== undefined && { account: owner }) }]
}

export function objectResources(input: RecordedInput, call: Call): readonly EventResource[] {
  if (input.Bucket === undefined || input.Key === undefined) return bucketResources(input, call)
  const buckets = bucketResources(input, call)
  const owner = buckets[0]?.account
  return [
    { type: 'AWS::S3::Object', arn: objectArn(input.Bucket, input.Key, call), ...(owner !== undefined && { account: owner }) },
    ...buckets,
  ]
}

/** Calls on what a bucket holds: data events, which a selector picks by the bucket's ARN with a slash. */
export function bucketContentResources(input: RecordedInput & { readonly Prefix?: string }, call: Call): readonly EventResource[] {
  return input.Bucket === undefined ? [] : objectResources({ Bucket: input.Bucket, Key: input.Prefix ?? '' }, call)
}

/** What S3 tells of a request beside its parameters; nothing of calls that did not come over the wire. */
export function requestDetails(input: { readonly ContentLength?: number }, call: Call): Readonly<Record<string, unknown>> | undefined {
  const { wire, tls } = call
  if (wire === undefined) return undefined
  return {
    SignatureVersion: 'SigV4',
    ...(tls !== undefined && { CipherSuite: tls.cipher }),
    bytesTransferredIn: input.ContentLength ?? wire.bodyBytes,
    AuthenticationMethod: wire.isPresigned ? 'QueryString' : 'AuthHeader',
    'x-amz-id-2': wire.hostId(),
  }
}
