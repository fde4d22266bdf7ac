// What UploadPart and UploadPartCopy share: which checksum a part has to have, and how it becomes one of its upload's parts.
import type { Env } from '../../../engine/env.ts'
import type { Transaction } from '../../../engine/transaction.ts'
import type { StoredBlob } from '../../../model/bucket.ts'
import { type MultipartUpload, partRow } from '../../../model/multipart-upload.ts'
import { Table } from '../../../model/tables.ts'
import { checksumAlgorithms } from '../checksums.ts'
import { errors } from '../errors.ts'
import type { BodyInput, ReceivedBody } from '../receive-body.ts'
import { discardBlobs } from '../release-blob.ts'
import { existingUpload, type UploadInput } from './uploads.ts'

/**
 * The same input, announcing the checksum that the upload asks for; it is computed where the client sent none. It reads through, since a
 * checksum in a trailer joins the input only when the body has ended. Throws InvalidRequest for another algorithm.
 */
export function announcedBody(upload: MultipartUpload, input: BodyInput): BodyInput {
  const { checksumAlgorithm: expected } = upload
  if (expected === undefined) return input
  const named = input.ChecksumAlgorithm?.toUpperCase()
  const sent = checksumAlgorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined)
  const other = [...(named === undefined ? [] : [named]), ...sent].find((algorithm) => algorithm !== expected)
  if (other !== undefined)
    throw errors.invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${other.toLowerCase()}`,
    )
  return new Proxy(input, { get: (target, name) => (name === 'ChecksumAlgorithm' ? expected : Reflect.get(target, name)) })
}

/** Throws NoSuchUpload, and then keeps nothing of the body. `released`: the blobs of the part that is replaced. */
export function putPart(
  tx: Transaction,
  env: Env,
  input: UploadInput & { readonly PartNumber: number },
  body: ReceivedBody,
): { readonly upload: MultipartUpload; readonly released: readonly StoredBlob[] } {
  try {
    const { upload } = existingUpload(tx, input)
    const row = partRow(upload.uploadId, input.PartNumber)
    const replaced = tx.get(Table.uploadedParts, row)
    const { blobs, bytes, etag, checksums } = body
    tx.put(Table.uploadedParts, row, { blobs, bytes, etag, checksums, modifiedAt: tx.now })
    return { upload, released: replaced?.blobs ?? [] }
  } catch (error) {
    discardBlobs(env, body.blobs)
    throw error
  }
}
