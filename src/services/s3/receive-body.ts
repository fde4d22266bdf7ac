// Takes in an upload: the body becomes a blob while its ETag and checksums are computed, and what the caller says of it is verified.
// A refused body leaves no blob behind.
import { createHash } from 'node:crypto'
import type { Call } from '../../engine/operation.ts'
import type { ObjectEncryption, StorageClass, StoredBlob } from '../../model/bucket.ts'
import { sealBlob } from '../../model/sealed-blob.ts'
import { Table } from '../../model/tables.ts'
import { archiveUpload } from './archive.ts'
import {
  type Checksum,
  CHECKSUM_MEMBERS,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumBytes,
  createChecksum,
  readAlgorithm,
} from './checksums.ts'
import { newBlobKey } from './encryption.ts'
import { errors } from './errors.ts'
import { objectArn } from './existing-bucket.ts'
import { readBody } from './object-body.ts'

export interface BodyInput {
  readonly Bucket: string
  readonly Key: string
  readonly ContentMD5?: string
  readonly ChecksumAlgorithm?: string
  readonly ChecksumCRC32?: string
  readonly ChecksumCRC32C?: string
  readonly ChecksumCRC64NVME?: string
  readonly ChecksumSHA1?: string
  readonly ChecksumSHA256?: string
  readonly ChecksumSHA512?: string
  readonly ChecksumMD5?: string
}

/** Members of an input that are of its body. */
export const UPLOAD_MEMBERS: readonly string[] = ['Body', 'ContentLength', 'ContentMD5', 'ChecksumAlgorithm', ...CHECKSUM_MEMBERS]

export interface ReceivedBody {
  /** None for an empty body. */
  readonly blobs: readonly StoredBlob[]
  readonly bytes: number
  readonly etag: string
  readonly checksums: Readonly<Record<string, string>>
}

/**
 * The body is sealed as it comes in, and of the archive class brought there. Throws BadDigest, InvalidDigest, InvalidRequest,
 * EntityTooLarge and the errors of keys; what the stream itself throws passes through.
 */
export async function receiveBody(
  call: Call,
  input: BodyInput,
  bytesMax: number,
  encryption: ObjectEncryption,
  storageClass: StorageClass = 'STANDARD',
): Promise<ReceivedBody> {
  const body = await receive(call, input, bytesMax, encryption)
  const bucket = call.env.tables.get(Table.buckets, input.Bucket)
  if (storageClass === 'STANDARD' || bucket === undefined) return body
  return { ...body, blobs: await archiveUpload(call.env, bucket, { key: input.Key, blobs: body.blobs, encryption }) }
}

async function receive(call: Call, input: BodyInput, bytesMax: number, encryption: ObjectEncryption): Promise<ReceivedBody> {
  checkGiven(input)
  const announced = announcedAlgorithms(input)
  const meters = new Map<ChecksumAlgorithm, Checksum>(announced.map((algorithm) => [algorithm, createChecksum(algorithm)]))
  const md5 = createHash('md5')
  const { blobs } = call.env
  let bytes = 0
  let blob: StoredBlob | undefined
  let plainKey: Buffer | undefined
  const source = call.stream === undefined ? undefined : await firstOf(call.stream)
  if (source !== undefined) {
    const measured = measure(source, (chunk) => {
      bytes += chunk.length
      if (bytes > bytesMax) throw errors.entityTooLarge(bytesMax)
      md5.update(chunk)
      for (const meter of meters.values()) meter.update(chunk)
    })
    const { key, seal } = newBlobKey(call, encryption, objectArn(input.Bucket, input.Key, call))
    plainKey = key.plain
    const { id } = await blobs.write(sealBlob(measured, key.plain))
    blob = { blobId: id, bytes, seal: { ...seal, bytes } }
  }
  try {
    const digest = md5.digest()
    if (input.ContentMD5 !== undefined && input.ContentMD5 !== digest.toString('base64'))
      throw errors.digestMismatch('The Content-MD5 you specified did not match what we received.')
    const checksums: Record<string, string> = {}
    // A checksum may stand in the trailer, which is part of the input only now.
    checkGiven(input)
    for (const algorithm of checksumAlgorithms) {
      const given = input[`Checksum${algorithm}`]
      const meter = meters.get(algorithm)
      if (given === undefined && meter === undefined) continue
      const actual = meter?.digest() ?? (await checksumOf(call, blob, plainKey, algorithm))
      if (given !== undefined && given !== actual)
        throw errors.digestMismatch(`The ${algorithm} you specified did not match the calculated checksum.`)
      checksums[algorithm] = actual
    }
    return { blobs: blob === undefined ? [] : [blob], bytes, etag: `"${digest.toString('hex')}"`, checksums }
  } catch (error) {
    if (blob !== undefined) await blobs.remove(blob.blobId)
    throw error
  }
}

function announcedAlgorithms(input: BodyInput): ChecksumAlgorithm[] {
  const announced = new Set(checksumAlgorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined))
  if (input.ChecksumAlgorithm !== undefined) announced.add(readAlgorithm(input.ChecksumAlgorithm))
  return [...announced]
}

function checkGiven(input: BodyInput): void {
  if (input.ContentMD5 !== undefined && !isBase64Of(input.ContentMD5, 16)) throw errors.badContentMd5(input.ContentMD5)
  for (const algorithm of checksumAlgorithms) {
    const given = input[`Checksum${algorithm}`]
    if (given !== undefined && !isBase64Of(given, checksumBytes[algorithm]))
      throw errors.badChecksumHeader(`x-amz-checksum-${algorithm.toLowerCase()}`)
  }
}

function isBase64Of(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64')
  return decoded.length === bytes && decoded.toString('base64') === text
}

/** The stream again, or undefined when it has no bytes. */
async function firstOf(stream: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | undefined> {
  const chunks = stream[Symbol.asyncIterator]()
  for (;;) {
    const first = await chunks.next()
    if (first.done === true) return undefined
    if (first.value.length === 0) continue
    return {
      async *[Symbol.asyncIterator]() {
        try {
          yield first.value
          for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
        } finally {
          await chunks.return?.()
        }
      },
    }
  }
}

async function* measure(source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    see(chunk)
    yield chunk
  }
}

/** For a trailer that nothing announced: reads the body again. */
async function checksumOf(
  call: Call,
  blob: StoredBlob | undefined,
  key: Buffer | undefined,
  algorithm: ChecksumAlgorithm,
): Promise<string> {
  const checksum = createChecksum(algorithm)
  if (blob !== undefined) for await (const chunk of readBody(call.env, [blob], [key])) checksum.update(chunk as Uint8Array)
  return checksum.digest()
}
