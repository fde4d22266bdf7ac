// ListParts: the parts of an upload so far, in the order of their numbers.
import type { Operation } from '../../../engine/operation.ts'
import { partNumberOf, partRow, partsPrefix, type UploadedPart } from '../../../model/multipart-upload.ts'
import { Table } from '../../../model/tables.ts'
import { canonicalUserId } from '../canonical-user-id.ts'
import { checksumMembers } from '../checksums.ts'
import { errors } from '../errors.ts'
import { objectResource } from '../existing-bucket.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { abortMembers, existingUpload, type UploadInput } from './uploads.ts'

interface Input extends UploadInput {
  readonly MaxParts?: number
  readonly PartNumberMarker?: string
}

const PARTS_MAX = 1000
const SUPPORTED = new Set(['Bucket', 'Key', 'UploadId', 'MaxParts', 'PartNumberMarker', 'RequestPayer', 'ExpectedBucketOwner'])

export const listParts: Operation<Input, object> = {
  name: 'ListParts',
  access: 'read',
  data: true,
  action: 'ListMultipartUploadParts',
  resource: objectResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        uploadId: input.UploadId,
        'max-parts': input.MaxParts,
        'part-number-marker': input.PartNumberMarker,
      }),
    resources: objectResources,
  },
  run(tx, input) {
    refuseUnsupported(input, SUPPORTED)
    const { bucket, upload } = existingUpload(tx, input)
    const max = Math.min(numberOf('max-parts', input.MaxParts ?? PARTS_MAX), PARTS_MAX)
    const marker = numberOf('part-number-marker', Number(input.PartNumberMarker ?? 0))
    const rows =
      max === 0
        ? []
        : tx.range(Table.uploadedParts, {
            prefix: partsPrefix(upload.uploadId),
            after: partRow(upload.uploadId, Math.min(marker, 99_999)),
            limit: max + 1,
          })
    const page = rows.slice(0, max)
    const last = page.at(-1)
    const owner = { ID: canonicalUserId(bucket.owner) }
    return {
      ...abortMembers(bucket, upload),
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.uploadId,
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(last === undefined ? 0 : partNumberOf(last.key)),
      MaxParts: max,
      IsTruncated: rows.length > page.length,
      ...(page.length > 0 && { Parts: page.map(({ key, value }) => listed(partNumberOf(key), value)) }),
      Initiator: { ID: upload.initiator, DisplayName: upload.initiator },
      Owner: owner,
      StorageClass: upload.storageClass ?? 'STANDARD',
      ...(upload.checksumAlgorithm !== undefined && { ChecksumAlgorithm: upload.checksumAlgorithm, ChecksumType: upload.checksumType }),
    }
  },
}

function listed(number: number, part: UploadedPart): object {
  return {
    PartNumber: number,
    LastModified: new Date(part.modifiedAt),
    ETag: part.etag,
    Size: part.bytes,
    ...checksumMembers(part.checksums),
  }
}

function numberOf(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 2_147_483_647) return value
  throw errors.invalidArgument(name, String(value), `Argument ${name} must be an integer between 0 and 2147483647`)
}
