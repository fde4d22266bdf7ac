// How S3's calls stand in their events: parameters by S3's own spelling (bucketName, key, query and header names), resources by ARN.
import type { Call, EventResource } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { bucketArn, objectArn } from './existing-bucket.ts'

export interface RecordedInput {
  readonly Bucket?: string
  readonly Key?: string
}

/** `{bucketName, Host, key}`, then `further` by S3's names; members without a value are left out. */
export function bucketParameters(
  input: RecordedInput,
  call: Call,
  further: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const parameters: Record<string, unknown> = { bucketName: input.Bucket, Host: call.host }
  if (input.Key !== undefined) parameters['key'] = input.Key
  for (const [name, value] of Object.entries(further)) if (value !== undefined) parameters[name] = value
  return parameters
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
