// DeleteObject: an absent key is deleted as well as a present one.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import { existingBucket, objectResource } from './existing-bucket.ts'
import { type ObjectInput, checkVersion } from './existing-object.ts'
import { checkWrite } from './preconditions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { releaseBlobs } from './release-blob.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends ObjectInput {
  readonly IfMatch?: string
}

interface Output {
  /** The body that goes; not part of the answer. */
  readonly removed?: readonly StoredBlob[]
}

export const deleteObject: Operation<Input, Output> = {
  name: 'DeleteObject',
  access: 'write',
  data: true,
  resource: objectResource,
  record: { parameters: (input, call) => bucketParameters(input, call), response: () => null, resources: objectResources },
  run(tx, input) {
    refuseUnsupported(input, SUPPORTED)
    const bucket = existingBucket(tx, input)
    checkVersion(input)
    const row = `${bucket.name}/${input.Key}`
    const present = tx.get(Table.objects, row)
    checkWrite(input.IfMatch === undefined ? {} : { IfMatch: input.IfMatch }, input.Key, present)
    if (present === undefined) return {}
    tx.delete(Table.objects, row)
    return { removed: present.blobs }
  },
  answer({ removed }, call) {
    releaseBlobs(call.env, removed ?? [])
    return {}
  },
}

const SUPPORTED = new Set(['Bucket', 'Key', 'VersionId', 'RequestPayer', 'ExpectedBucketOwner', 'IfMatch'])
