// ListMultipartUploads: the uploads under way, by key and then by age, with keys that share a prefix up to the delimiter rolled into one.
import type { Operation } from '../../../engine/operation.ts'
import type { MultipartUpload } from '../../../model/multipart-upload.ts'
import { uploadRow } from '../../../model/multipart-upload.ts'
import { behindVersions, versionsFrom } from '../../../model/object-version.ts'
import { Table } from '../../../model/tables.ts'
import { canonicalUserId } from '../canonical-user-id.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { encoderOf, keysMaxOf } from '../list-objects-common.ts'
import { commonPrefixOf, endsRolledUp, LAST_CHARACTER } from '../object-listing.ts'
import { bucketContentResources, bucketParameters } from '../record.ts'

interface Input extends BucketInput {
  readonly Delimiter?: string
  readonly EncodingType?: string
  readonly KeyMarker?: string
  readonly MaxUploads?: number
  readonly Prefix?: string
  readonly UploadIdMarker?: string
}

export const listMultipartUploads: Operation<Input, object> = {
  name: 'ListMultipartUploads',
  access: 'read',
  data: true,
  action: 'ListBucketMultipartUploads',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        uploads: '',
        prefix: input.Prefix,
        delimiter: input.Delimiter,
        'max-uploads': input.MaxUploads,
        'key-marker': input.KeyMarker,
        'upload-id-marker': input.UploadIdMarker,
        'encoding-type': input.EncodingType,
      }),
    resources: bucketContentResources,
  },
  run(tx, input) {
    const { name } = existingBucket(tx, input)
    const encode = encoderOf(input)
    const max = keysMaxOf(input.MaxUploads === undefined ? {} : { MaxKeys: input.MaxUploads }, 'max-uploads')
    const { Prefix: prefix = '', Delimiter: delimiter = '', KeyMarker: keyMarker = '', UploadIdMarker: idMarker = '' } = input
    const uploads: MultipartUpload[] = []
    const commonPrefixes: string[] = []
    let after = startOf(name, prefix, delimiter, keyMarker, idMarker)
    let next: { readonly key: string; readonly uploadId: string } | undefined
    let isTruncated = false
    for (let isOver = max === 0; !isOver && !isTruncated;) {
      const rows = tx.range(Table.multipartUploads, {
        prefix: versionsFrom(name, prefix),
        limit: max + 1 - uploads.length - commonPrefixes.length,
        ...(after !== undefined && { after }),
      })
      isOver = rows.length === 0
      for (const row of rows) {
        if (uploads.length + commonPrefixes.length === max) {
          isTruncated = true
          break
        }
        const { key, uploadId } = row.value
        const common = commonPrefixOf(key, prefix, delimiter)
        if (common !== undefined) {
          commonPrefixes.push(common)
          next = { key: common, uploadId: '' }
          after = versionsFrom(name, common) + LAST_CHARACTER
          break
        }
        uploads.push(row.value)
        next = { key, uploadId }
        after = row.key
      }
    }
    return {
      Bucket: name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      ...(isTruncated && next !== undefined && { NextKeyMarker: encode(next.key), NextUploadIdMarker: next.uploadId }),
      Prefix: encode(prefix),
      ...(delimiter !== '' && { Delimiter: encode(delimiter) }),
      MaxUploads: max,
      IsTruncated: isTruncated,
      ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
      ...(uploads.length > 0 && { Uploads: uploads.map((upload) => listed(upload, encode)) }),
      ...(commonPrefixes.length > 0 && { CommonPrefixes: commonPrefixes.map((common) => ({ Prefix: encode(common) })) }),
    }
  },
}

/** The row behind which the page starts. An upload id alone says nothing, as in S3. */
function startOf(bucket: string, prefix: string, delimiter: string, key: string, uploadId: string): string | undefined {
  if (key === '') return undefined
  if (uploadId !== '') {
    const row = uploadRow(bucket, key, uploadId)
    if (row === undefined) throw errors.invalidArgument('upload-id-marker', uploadId, 'Invalid uploadId marker')
    return row
  }
  if (endsRolledUp(key, prefix, delimiter)) return versionsFrom(bucket, key) + LAST_CHARACTER
  return behindVersions(bucket, key)
}

function listed(upload: MultipartUpload, encode: (text: string) => string): object {
  return {
    UploadId: upload.uploadId,
    Key: encode(upload.key),
    Initiated: new Date(upload.initiatedAt),
    StorageClass: upload.storageClass ?? 'STANDARD',
    Owner: { ID: canonicalUserId(upload.owner) },
    Initiator: { ID: upload.initiator, DisplayName: upload.initiator },
    ...(upload.checksumAlgorithm !== undefined && { ChecksumAlgorithm: upload.checksumAlgorithm, ChecksumType: upload.checksumType }),
  }
}
