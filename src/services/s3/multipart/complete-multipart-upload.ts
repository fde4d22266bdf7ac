// CompleteMultipartUpload: the parts become one object. Their blobs are its body as they lie; nothing is copied.
import { createHash } from 'node:crypto'
import type { Operation } from '../../../engine/operation.ts'
import type { StoredBlob, StoredObject } from '../../../model/bucket.ts'
import { blobsOf, packBlobs, packParts } from '../../../model/packed-body.ts'
import { type MultipartUpload, partNumberOf, partsPrefix, type UploadedPart } from '../../../model/multipart-upload.ts'
import { Table } from '../../../model/tables.ts'
import { CHECKSUM_MEMBERS, type ChecksumAlgorithm, checksumAlgorithms, checksumMembers } from '../checksums.ts'
import { describeEncryption } from '../encryption.ts'
import { errors } from '../errors.ts'
import { objectResource } from '../existing-bucket.ts'
import { newObjectLock } from '../new-object.ts'
import { currentObject, putVersion, toldVersion } from '../object-versions.ts'
import { checkWrite } from '../preconditions.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { releaseBlobs } from '../release-blob.ts'
import { tellEvent } from '../tell-event.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { compositeChecksum, fullChecksum } from './joined-checksum.ts'
import { clearPartsSoon, existingUpload, type UploadInput } from './uploads.ts'

interface CompletedPart {
  readonly ETag?: string
  readonly PartNumber?: number
  readonly [checksum: `Checksum${string}`]: string | undefined
}

interface Input extends UploadInput {
  readonly MultipartUpload: { readonly Parts?: readonly CompletedPart[] }
  readonly ChecksumType?: string
  readonly MpuObjectSize?: number
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
}

interface Output {
  readonly Location: string
  readonly Bucket: string
  readonly Key: string
  readonly ETag: string
  /** The body that this one replaces, and the blobs it is made of; not part of the answer. */
  readonly released?: readonly StoredBlob[]
  readonly kept?: ReadonlySet<string>
}

interface Joined {
  readonly blobs: StoredObject['blobs']
  readonly bytes: number
  readonly etag: string
  readonly checksums: Readonly<Record<string, string>>
  readonly parts: NonNullable<StoredObject['parts']>
  /** Whether the upload's parts are still those that were joined; ends the watch over them. */
  readonly isStill: () => boolean
}

export const PART_BYTES_MIN = 5 * 1024 * 1024
const OBJECT_BYTES_MAX = 5 * 1024 ** 4

export const completeMultipartUpload: Operation<Input, Output, Joined> = {
  name: 'CompleteMultipartUpload',
  access: 'write',
  data: true,
  action: 'PutObject',
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { uploadId: input.UploadId }),
    response: ({ Location: location, Bucket: bucketName, Key: key, ETag: etag }) => ({ location, bucketName, key, eTag: etag }),
    resources: objectResources,
  },
  async prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    const { tables } = call.env
    const { upload } = existingUpload(tables, input)
    let isChanged = false
    const unwatch = tables.watch(Table.uploadedParts, (key) => (isChanged ||= key.startsWith(partsPrefix(upload.uploadId))))
    try {
      const present = new Map<number, UploadedPart>()
      for (let after: string | undefined; ;) {
        const rows = tables.range(Table.uploadedParts, {
          prefix: partsPrefix(upload.uploadId),
          limit: PAGE_ROWS,
          ...(after !== undefined && { after }),
        })
        for (const { key, value } of rows) present.set(partNumberOf(key), value)
        after = rows.at(-1)?.key
        if (after === undefined) break
        await new Promise((resolve) => setImmediate(resolve))
      }
      const joined = await join(upload, input, present)
      return {
        ...joined,
        isStill() {
          unwatch()
          return !isChanged
        },
      }
    } catch (error) {
      unwatch()
      throw error
    }
  },
  run(tx, input, call, { isStill, ...joined }) {
    if (!isStill()) throw errors.operationAborted()
    const { bucket, upload, row } = existingUpload(tx, input)
    checkWrite(input, input.Key, currentObject(tx, bucket, input.Key))
    const { headers, metadata, tags, storageClass, retention, hasLegalHold, encryption } = upload
    const { version, released } = putVersion(call.env, tx, bucket, {
      key: input.Key,
      headers,
      metadata,
      encryption,
      ...(tags !== undefined && { tags }),
      ...(storageClass !== undefined && { storageClass }),
      ...newObjectLock(call.env.clock, bucket, {}),
      ...(retention !== undefined && { retention }),
      ...(hasLegalHold !== undefined && { hasLegalHold }),
      ...(upload.checksumType === 'COMPOSITE' && { checksumType: 'COMPOSITE' }),
      ...joined,
    })
    tx.delete(Table.multipartUploads, row)
    tellEvent(tx, call, bucket, 'ObjectCreated:CompleteMultipartUpload', version)
    return {
      Location: `${call.tls === undefined ? 'http' : 'https'}://${call.host}/${bucket.name}/${encodeURIComponent(input.Key)}`,
      Bucket: bucket.name,
      Key: input.Key,
      ETag: joined.etag,
      ...checksumMembers(joined.checksums),
      ...(upload.checksumType !== undefined && { ChecksumType: upload.checksumType }),
      ...describeEncryption(encryption),
      ...toldVersion(bucket, version),
      released,
      kept: new Set(blobsOf(joined).map(({ blobId }) => blobId)),
    }
  },
  answer({ released, kept, ...output }, call, input) {
    releaseBlobs(call.env, released ?? [])
    clearPartsSoon(call.env, input.UploadId, kept)
    return output
  },
}

const PAGE_ROWS = 500
const SUPPORTED: ReadonlySet<string> = new Set([
  'Bucket',
  'Key',
  'UploadId',
  'MultipartUpload',
  ...CHECKSUM_MEMBERS,
  'ChecksumType',
  'MpuObjectSize',
  'RequestPayer',
  'ExpectedBucketOwner',
  'IfMatch',
  'IfNoneMatch',
])

async function join(upload: MultipartUpload, input: Input, present: ReadonlyMap<number, UploadedPart>): Promise<Omit<Joined, 'isStill'>> {
  const wanted = input.MultipartUpload.Parts ?? []
  if (wanted.length === 0) throw errors.malformedXml('Name at least one part.')
  const chosen = choose(upload, wanted, present)
  const bytes = chosen.reduce((sum, { part }) => sum + part.bytes, 0)
  if (bytes > OBJECT_BYTES_MAX) throw errors.entityTooLarge(OBJECT_BYTES_MAX)
  const { MpuObjectSize: size } = input
  if (size !== undefined && size !== bytes)
    throw errors.invalidRequest(`The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${bytes}`)
  const md5 = createHash('md5')
  for (const { part } of chosen) md5.update(Buffer.from(part.etag.replaceAll('"', ''), 'hex'))
  return {
    blobs: packBlobs(chosen.flatMap(({ part }) => part.blobs)),
    bytes,
    etag: `"${md5.digest('hex')}-${chosen.length}"`,
    checksums: await checksumsOf(upload, input, chosen),
    parts: packParts(chosen.map(({ number, part }) => ({ number, bytes: part.bytes, checksums: part.checksums }))),
  }
}

interface ChosenPart {
  readonly number: number
  readonly part: UploadedPart
}

/** The parts that the caller names, each held to what the caller says of it. */
function choose(
  { uploadId, checksumAlgorithm, checksumType }: MultipartUpload,
  wanted: readonly CompletedPart[],
  present: ReadonlyMap<number, UploadedPart>,
): readonly ChosenPart[] {
  const chosen: ChosenPart[] = []
  for (const { PartNumber: number = 0, ETag: etag = '', ...checksums } of wanted) {
    if (number <= (chosen.at(-1)?.number ?? 0)) throw errors.invalidPartOrder(uploadId)
    const part = present.get(number)
    if (part === undefined || etag.replaceAll('"', '') !== part.etag.replaceAll('"', '')) throw errors.invalidPart(uploadId, number, etag)
    if (checksumType === 'COMPOSITE' && checksums[`Checksum${checksumAlgorithm ?? ''}`] === undefined)
      throw errors.invalidRequest(
        `The upload was created using a ${checksumAlgorithm?.toLowerCase()} checksum. The complete request must include the checksum for ` +
          `each part. It was missing for part ${number} in the request.`,
      )
    for (const algorithm of checksumAlgorithms) {
      const given = checksums[`Checksum${algorithm}`]
      if (given !== undefined && given !== part.checksums[algorithm]) throw errors.invalidPart(uploadId, number, etag)
    }
    const before = chosen.at(-1)
    if (before !== undefined && before.part.bytes < PART_BYTES_MIN)
      throw errors.entityTooSmall(before.part.bytes, PART_BYTES_MIN, before.number, before.part.etag)
    chosen.push({ number, part })
  }
  return chosen
}

/** The object's checksum, held to the one that the caller gives. */
async function checksumsOf(
  { checksumAlgorithm, checksumType }: MultipartUpload,
  input: Input,
  chosen: readonly ChosenPart[],
): Promise<Readonly<Record<string, string>>> {
  const { ChecksumType: givenType } = input
  if (givenType !== undefined && givenType !== checksumType)
    throw errors.invalidRequest(
      `The upload was created using the ${checksumType ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    )
  const given = input as unknown as Readonly<Record<string, string | undefined>>
  const other = checksumAlgorithms.find((algorithm) => algorithm !== checksumAlgorithm && given[`Checksum${algorithm}`] !== undefined)
  if (other !== undefined) {
    const kind = checksumAlgorithm === undefined ? 'without a checksum' : `using a ${checksumAlgorithm.toLowerCase()} checksum`
    throw errors.invalidRequest(`The upload was created ${kind}. The complete request must not have a ${other.toLowerCase()} checksum.`)
  }
  if (checksumAlgorithm === undefined) return {}
  const algorithm = checksumAlgorithm as ChecksumAlgorithm
  const parts = chosen.map(({ part }) => ({ bytes: part.bytes, checksum: part.checksums[algorithm] ?? '' }))
  const value = checksumType === 'FULL_OBJECT' ? await fullChecksum(algorithm, parts) : compositeChecksum(algorithm, parts)
  const claimed = given[`Checksum${algorithm}`]
  if (claimed !== undefined && claimed !== value)
    throw errors.digestMismatch(`The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`)
  return value === undefined ? {} : { [algorithm]: value }
}
