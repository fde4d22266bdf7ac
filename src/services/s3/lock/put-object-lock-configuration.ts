// PutObjectLockConfiguration: turns object lock on, for good, and says how new versions are locked that ask for nothing themselves.
import type { Operation } from '../../../engine/operation.ts'
import type { DefaultRetention } from '../../../model/bucket.ts'
import { Table } from '../../../model/tables.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'
import { refuseUnsupported } from '../unsupported.ts'

interface Input extends BucketInput {
  readonly ObjectLockConfiguration?: {
    readonly ObjectLockEnabled?: string
    readonly Rule?: { readonly DefaultRetention?: { readonly Mode?: string; readonly Days?: number; readonly Years?: number } }
  }
}

export const putObjectLockConfiguration: Operation<Input, object> = {
  name: 'PutObjectLockConfiguration',
  eventName: 'PutBucketObjectLockConfiguration',
  access: 'write',
  action: 'PutBucketObjectLockConfiguration',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { 'object-lock': '', ObjectLockConfiguration: input.ObjectLockConfiguration }),
    response: () => null,
    resources: bucketResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    if (bucket.versioning !== 'Enabled')
      throw errors.invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    const wanted = input.ObjectLockConfiguration
    if (wanted?.ObjectLockEnabled !== 'Enabled') throw errors.malformedXml('ObjectLockEnabled is Enabled, or object lock stays as it is.')
    const defaultRetention = wanted.Rule === undefined ? undefined : readDefault(wanted.Rule.DefaultRetention)
    tx.put(Table.buckets, bucket.name, { ...bucket, objectLock: defaultRetention === undefined ? {} : { defaultRetention } })
    return {}
  },
}

const DAYS_MAX = 36_500
const YEARS_MAX = 100
const SUPPORTED = new Set(['Mode', 'Days', 'Years'])

function readDefault(wanted: { Mode?: string; Days?: number; Years?: number } | undefined): DefaultRetention {
  refuseUnsupported(wanted ?? {}, SUPPORTED)
  const { Mode: mode, Days: days, Years: years } = wanted ?? {}
  if ((mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') || (days === undefined) === (years === undefined))
    throw errors.malformedXml('DefaultRetention has a Mode, GOVERNANCE or COMPLIANCE, and either Days or Years.')
  checkPeriod('Days', days, DAYS_MAX)
  checkPeriod('Years', years, YEARS_MAX)
  return { mode, ...(days !== undefined && { days }), ...(years !== undefined && { years }) }
}

function checkPeriod(name: string, value: number | undefined, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= max)) return
  throw errors.invalidArgument(
    name,
    String(value),
    value > max
      ? `Default retention period too large: ${name} may be ${max} at most`
      : 'Default retention period must be a positive integer value',
  )
}
