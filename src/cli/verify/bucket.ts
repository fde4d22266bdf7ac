// A bucket as a place to verify, Sealcast's or AWS's. Endpoint, region and credentials come from where the AWS CLI has them
// (AWS_ENDPOINT_URL, AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, ...). The SDK is loaded only here.
import type { Readable } from 'node:stream'
import type { LogReader, Source, SourceFile } from '../../verify/source.ts'
import { CommandError } from '../command.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface BucketPlace {
  readonly bucket: string
  /** Without a slash at either end. */
  readonly prefix: string
}

/** Undefined for what is no s3:// address. */
export function parseBucketPlace(place: string): BucketPlace | undefined {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(place)
  return match === null ? undefined : { bucket: match[1] ?? '', prefix: (match[2] ?? '').replace(/^\/+|\/+$/g, '') }
}

export function regionOf(environment: Environment): string {
  return environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1'
}

export async function bucketSource({ bucket, prefix }: BucketPlace, environment: Environment): Promise<Source> {
  const { GetObjectCommand, HeadObjectCommand, paginateListObjectsV2 } = await import('@aws-sdk/client-s3')
  const client = await createClient(environment)
  // A digest's metadata come with its content, and are asked for right behind it.
  let latest: { readonly name: string; readonly metadata: Readonly<Record<string, string>> } | undefined
  const beginning = prefix === '' ? '' : `${prefix}/`
  return {
    place: `s3://${bucket}/${beginning}`,
    bucket,
    prefix: beginning,
    async *list(wanted): AsyncGenerator<SourceFile> {
      try {
        for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: wanted }))
          for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) yield { name: Key, bytes: Size ?? 0 }
      } catch (error) {
        throw explain(error, `s3://${bucket}`)
      }
    },
    async read(name, bytesMax) {
      try {
        const { Body, ContentLength, Metadata } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }))
        if (Body === undefined) return undefined
        latest = { name, metadata: Metadata ?? {} }
        if (ContentLength !== undefined && ContentLength <= bytesMax) return Buffer.from(await Body.transformToByteArray())
        return Body as Readable as AsyncIterable<Buffer>
      } catch (error) {
        if (nameOf(error) === 'NoSuchKey') return undefined
        throw explain(error, `s3://${bucket}/${name}`)
      }
    },
    async metadata(name) {
      if (latest?.name === name) return latest.metadata
      return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }))).Metadata ?? {}
    },
  }
}

/** A static log in a bucket. */
export async function bucketLog({ bucket, prefix }: BucketPlace, environment: Environment): Promise<LogReader> {
  const source = await bucketSource({ bucket, prefix }, environment)
  return async (path) => {
    const found = await source.read(prefix === '' ? path : `${prefix}/${path}`, Infinity)
    return Buffer.isBuffer(found) ? found : undefined
  }
}

/** What ListPublicKeys answers in a region, for that span of time. */
export async function publicKeysOf(region: string, from: Date, to: Date): Promise<object> {
  const { CloudTrailClient, ListPublicKeysCommand } = await import('@aws-sdk/client-cloudtrail')
  const client = new CloudTrailClient({ region })
  const keys: object[] = []
  let token: string | undefined
  do {
    const page = await client.send(
      new ListPublicKeysCommand({ StartTime: from, EndTime: to, ...(token !== undefined && { NextToken: token }) }),
    )
    keys.push(...(page.PublicKeyList ?? []))
    token = page.NextToken
  } while (token !== undefined)
  return { PublicKeyList: keys }
}

async function createClient(environment: Environment) {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const isOwnEndpoint = (environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL']) !== undefined
  return new S3Client({ region: regionOf(environment), followRegionRedirects: true, ...(isOwnEndpoint && { forcePathStyle: true }) })
}

function explain(error: unknown, what: string): CommandError {
  const name = nameOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const advice =
    name === 'CredentialsProviderError' ? '; give credentials as the AWS CLI takes them (AWS_PROFILE or AWS_ACCESS_KEY_ID)' : ''
  return new CommandError(`${what} cannot be read: ${name}: ${message}${advice}`)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error'
}
