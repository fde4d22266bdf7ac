// DeleteObject. An absent key is deleted as well as a present one; a bucket that keeps versions gets a delete marker, unless the call names
// the version that is to go.
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Bucket, StoredBlob } from '../../model/bucket.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { existingBucket, objectArn, objectResource } from './existing-bucket.ts'
import { checkVersionId, type ObjectInput } from './existing-object.ts'
import { currentObject, deleteKey, findVersion, removeVersion, toldVersion } from './object-versions.ts'
import { checkWrite } from './preconditions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { answerReleased, type Releasing } from './release-blob.ts'
import { tellEvent } from './tell-event.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends ObjectInput {
  readonly IfMatch?: string
  readonly BypassGovernanceRetention?: boolean
}

interface Output extends Releasing {
  readonly DeleteMarker?: boolean
  readonly VersionId?: string
}

export const deleteObject: Operation<Input, Output> = {
  name: 'DeleteObject',
  access: 'write',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion'),
  resource: objectResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        versionId: input.VersionId,
        'x-amz-bypass-governance-retention': input.BypassGovernanceRetention,
      }),
    response: ({ DeleteMarker: marker, VersionId: versionId }) =>
      versionId === undefined ? null : { ...(marker === true && { 'x-amz-delete-marker': 'true' }), 'x-amz-version-id': versionId },
    resources: objectResources,
  },
  run(tx, input, call) {
    refuseUnsupported(input, SUPPORTED)
    return deleteOne(tx, call, existingBucket(tx, input), input)
  },
  answer: answerReleased,
}

export type OneDeletion = Pick<Input, 'Key' | 'VersionId' | 'IfMatch' | 'BypassGovernanceRetention'>

/** Throws before it stages anything. */
export function deleteOne(tx: Transaction, call: Call, bucket: Bucket, wanted: OneDeletion): Output & { released: readonly StoredBlob[] } {
  const { Key: key, VersionId: versionId, IfMatch } = wanted
  if (versionId === undefined) {
    checkWrite(IfMatch === undefined ? {} : { IfMatch }, key, currentObject(tx, bucket, key))
    const { version, released } = deleteKey(call.env, tx, bucket, key)
    if (version === undefined) return { released }
    tellEvent(tx, call, bucket, isDeleteMarker(version) ? 'ObjectRemoved:DeleteMarkerCreated' : 'ObjectRemoved:Delete', version)
    if (bucket.versioning === undefined) return { released }
    return { DeleteMarker: true, ...toldVersion(bucket, version), released }
  }
  checkVersionId(versionId)
  const bypassesGovernance = wanted.BypassGovernanceRetention === true
  if (bypassesGovernance) call.require('BypassGovernanceRetention', objectArn(bucket.name, key, call))
  const version = findVersion(tx, bucket, key, versionId)
  // What is not there is deleted already.
  if (version === undefined) return { VersionId: versionId, released: [] }
  if (IfMatch !== undefined) checkWrite({ IfMatch }, key, isDeleteMarker(version) ? undefined : version)
  const { released } = removeVersion(call.env, tx, bucket, version, { bypassesGovernance })
  tellEvent(tx, call, bucket, 'ObjectRemoved:Delete', version)
  return { ...(isDeleteMarker(version) && { DeleteMarker: true }), VersionId: versionId, released }
}

const SUPPORTED = new Set(['Bucket', 'Key', 'VersionId', 'RequestPayer', 'ExpectedBucketOwner', 'IfMatch', 'BypassGovernanceRetention'])
