// CreateBucket. Names are global: one bucket of a name in the whole server, whatever account or region.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { bucketParameters } from './record.ts'
import { bucketTags, type Tag } from './tags.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input {
  readonly Bucket: string
  readonly ACL?: string
  readonly ObjectOwnership?: string
  readonly ObjectLockEnabledForBucket?: boolean
  readonly CreateBucketConfiguration?: { readonly LocationConstraint?: string; readonly Tags?: readonly Tag[] }
}

interface Output {
  readonly Location: string
}

export const createBucket: Operation<Input, Output> = {
  name: 'CreateBucket',
  access: 'write',
  // The name may belong to another account, which then answers BucketAlreadyExists and not a refusal by its policy.
  resource: () => undefined,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        ...(input.CreateBucketConfiguration !== undefined && { CreateBucketConfiguration: input.CreateBucketConfiguration }),
        'x-amz-acl': input.ACL,
        'x-amz-object-ownership': input.ObjectOwnership,
        'x-amz-bucket-object-lock-enabled': input.ObjectLockEnabledForBucket,
      }),
    response: () => null,
  },
  run(tx, input, call) {
    const name = input.Bucket
    if (!isBucketName(name)) throw errors.invalidBucketName(name)
    refuseUnsupported(input, SUPPORTED)
    refuseUnsupported(input.CreateBucketConfiguration ?? {}, SUPPORTED_CONFIGURATION)
    const region = regionOf(input, call.region)
    const { Tags: given } = input.CreateBucketConfiguration ?? {}
    const tags = given === undefined ? undefined : bucketTags({ TagSet: given })
    if (input.ObjectOwnership !== undefined && input.ObjectOwnership !== 'BucketOwnerEnforced')
      throw errors.notImplemented('ObjectOwnership')
    if (input.ACL !== undefined && input.ACL !== 'private') throw errors.bucketAclWithOwnership()
    const output = { Location: region === FIRST_REGION ? `/${name}` : `http://${name}.s3.amazonaws.com/` }
    const present = tx.get(Table.buckets, name)
    // Trails would not know which of the two is meant.
    if (tx.get(Table.outsideBuckets, name) !== undefined) throw errors.bucketExists(name)
    if (present !== undefined) {
      if (present.owner !== call.account) throw errors.bucketExists(name)
      // Quirk: in us-east-1 the owner may create a bucket again (CreateBucket, "BucketAlreadyOwnedByYou").
      if (region !== FIRST_REGION || present.region !== FIRST_REGION) throw errors.bucketOwnedByYou(name)
      return output
    }
    const isLockable = input.ObjectLockEnabledForBucket === true
    tx.put(Table.buckets, name, {
      name,
      owner: call.account,
      region,
      createdAt: tx.now,
      ...(tags !== undefined && { tags }),
      ...(isLockable && { versioning: 'Enabled', objectLock: {} }),
    })
    return output
  },
}

const FIRST_REGION = 'us-east-1'
const SUPPORTED = new Set(['Bucket', 'ACL', 'ObjectOwnership', 'ObjectLockEnabledForBucket', 'CreateBucketConfiguration'])
const SUPPORTED_CONFIGURATION = new Set(['LocationConstraint', 'Tags'])

/** Where the bucket is to lie: the constraint, which outside us-east-1 must be the region that is called. */
function regionOf({ CreateBucketConfiguration }: Input, called: string): string {
  const constraint = CreateBucketConfiguration?.LocationConstraint
  if (constraint === undefined || constraint === '') {
    if (called !== FIRST_REGION) throw errors.illegalLocation('unspecified')
    return FIRST_REGION
  }
  const region = constraint === 'EU' ? 'eu-west-1' : constraint
  if (region === FIRST_REGION || !/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/.test(region)) throw errors.invalidLocation(constraint)
  if (called !== FIRST_REGION && called !== region) throw errors.illegalLocation(constraint)
  return region
}

const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-']
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** S3 user guide, "General purpose bucket naming rules". */
export function isBucketName(name: string): boolean {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) return false
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return false
  return !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) && !RESERVED_SUFFIXES.some((suffix) => name.endsWith(suffix))
}
