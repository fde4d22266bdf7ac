// DeleteObjects: up to a thousand deletions in one call and one commit. Each is authorised, and answered, by itself.
import type { Call, Operation } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Bucket, StoredBlob } from '../../model/bucket.ts'
import { ServiceError } from '../../model/service-error.ts'
import { deleteOne } from './delete-object.ts'
import { errors } from './errors.ts'
import { type BucketInput, existingBucket, objectArn } from './existing-bucket.ts'
import { checkKey } from './object-key.ts'
import { bucketParameters, bucketResources } from './record.ts'
import { releaseBlobs } from './release-blob.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Wanted {
  readonly Key: string
  readonly VersionId?: string
  readonly ETag?: string
}

interface Input extends BucketInput {
  readonly Delete: { readonly Objects?: readonly Wanted[]; readonly Quiet?: boolean }
  readonly BypassGovernanceRetention?: boolean
}

interface Deleted {
  readonly Key: string
  readonly VersionId?: string
  readonly DeleteMarker?: boolean
  readonly DeleteMarkerVersionId?: string
}

interface Refused {
  readonly Key: string
  readonly VersionId?: string
  readonly Code: string
  readonly Message: string
}

interface Output {
  readonly Deleted?: readonly Deleted[]
  readonly Errors?: readonly Refused[]
  /** The bodies that go; not part of the answer. */
  readonly released?: readonly StoredBlob[]
  readonly counts?: { readonly deleted: number; readonly refused: number }
}

export const KEYS_MAX = 1000
/** Of keys in the event's resources; what is beyond is counted. */
const RECORDED_CHARS_MAX = 64 * 1024

export const deleteObjects: Operation<Input, Output> = {
  name: 'DeleteObjects',
  access: 'write',
  data: true,
  // Each key is authorised by itself, in `run`.
  ungated: true,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { delete: '', quiet: input.Delete.Quiet }),
    response: () => null,
    resources(input, call) {
      const [bucket] = bucketResources(input, call)
      if (bucket === undefined) return []
      const objects = recordedKeys(input).map((key) => ({ ...bucket, type: 'AWS::S3::Object', arn: objectArn(input.Bucket, key, call) }))
      return [...objects, bucket]
    },
    additional(output, input) {
      if (output?.counts === undefined) return undefined
      const unrecorded = (input.Delete.Objects ?? []).length - recordedKeys(input).length
      return { ...output.counts, ...(unrecorded > 0 && { keysNotRecorded: unrecorded }) }
    },
  },
  run(tx, input, call) {
    refuseUnsupported(input, SUPPORTED)
    const bucket = existingBucket(tx, input)
    const wanted = input.Delete.Objects ?? []
    if (wanted.length === 0 || wanted.length > KEYS_MAX) throw errors.malformedXml(`Name 1 to ${KEYS_MAX} objects.`)
    const released: StoredBlob[] = []
    const deleted: Deleted[] = []
    const refused: Refused[] = []
    for (const one of wanted) {
      const named = { Key: one.Key, ...(one.VersionId !== undefined && { VersionId: one.VersionId }) }
      try {
        const outcome = deleteWanted(tx, call, bucket, one, input.BypassGovernanceRetention === true)
        released.push(...outcome.released)
        deleted.push({
          ...named,
          ...(outcome.DeleteMarker === true && {
            DeleteMarker: true,
            ...(outcome.VersionId !== undefined && { DeleteMarkerVersionId: outcome.VersionId }),
          }),
        })
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        refused.push({ ...named, Code: error.code, Message: error.message })
      }
    }
    return {
      ...(input.Delete.Quiet !== true && deleted.length > 0 && { Deleted: deleted }),
      ...(refused.length > 0 && { Errors: refused }),
      released,
      counts: { deleted: deleted.length, refused: refused.length },
    }
  },
  answer({ released, counts: _counts, ...output }, call) {
    releaseBlobs(call.env, released ?? [])
    return output
  },
}

const SUPPORTED = new Set(['Bucket', 'Delete', 'RequestPayer', 'BypassGovernanceRetention', 'ExpectedBucketOwner', 'ChecksumAlgorithm'])
const SUPPORTED_OBJECT = new Set(['Key', 'VersionId', 'ETag'])

function deleteWanted(tx: Transaction, call: Call, bucket: Bucket, wanted: Wanted, bypasses: boolean): ReturnType<typeof deleteOne> {
  refuseUnsupported(wanted, SUPPORTED_OBJECT)
  checkKey(wanted.Key)
  call.require(wanted.VersionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion', objectArn(bucket.name, wanted.Key, call))
  return deleteOne(tx, call, bucket, {
    Key: wanted.Key,
    ...(wanted.VersionId !== undefined && { VersionId: wanted.VersionId }),
    ...(wanted.ETag !== undefined && { IfMatch: wanted.ETag }),
    BypassGovernanceRetention: bypasses,
  })
}

function recordedKeys(input: Input): readonly string[] {
  let chars = 0
  return (input.Delete.Objects ?? []).map(({ Key: key }) => key).filter((key) => (chars += key.length + ARN_CHARS) <= RECORDED_CHARS_MAX)
}

/** About what a resource takes beside its key. */
const ARN_CHARS = 140
