// PutObjectRetention: locks a version until a day, or changes until when. COMPLIANCE can only be made longer, by whomever; GOVERNANCE can
// be shortened, changed and taken away only by who may bypass it and says so.
import type { Call, Operation } from '../../../engine/operation.ts'
import type { Retention } from '../../../model/bucket.ts'
import { errors } from '../errors.ts'
import { existingBucket, objectArn, objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { checkedRetention } from '../new-object.ts'
import { lockTime } from '../object-lock.ts'
import { changeVersion } from '../object-versions.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { refuseUnsupported } from '../unsupported.ts'

interface Input extends ObjectInput {
  /** Empty: the retention goes. */
  readonly Retention?: { readonly Mode?: string; readonly RetainUntilDate?: Date }
  readonly BypassGovernanceRetention?: boolean
}

export const putObjectRetention: Operation<Input, object> = {
  name: 'PutObjectRetention',
  access: 'write',
  data: true,
  resource: objectResource,
  conditions: ({ Retention: wanted }) => ({
    ...(wanted?.Mode !== undefined && { 's3:object-lock-mode': wanted.Mode }),
    ...(wanted?.RetainUntilDate !== undefined && { 's3:object-lock-retain-until-date': wanted.RetainUntilDate.toISOString() }),
  }),
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        retention: '',
        versionId: input.VersionId,
        'x-amz-bypass-governance-retention': input.BypassGovernanceRetention,
        Retention: input.Retention,
      }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input, call) {
    if (existingBucket(tx, input).objectLock === undefined) throw errors.noLockConfiguration()
    const { bucket, object } = existingObject(tx, input)
    const retention = readRetention(input, call.env.clock.now())
    const { retention: present } = object
    if (present !== undefined && lockTime(call.env.clock) < present.until) checkChange(call, input, present, retention)
    changeVersion(tx, bucket, object, { retention })
    return {}
  },
}

const SUPPORTED = new Set(['Mode', 'RetainUntilDate'])

function readRetention({ Retention: wanted }: Input, now: number): Retention | undefined {
  refuseUnsupported(wanted ?? {}, SUPPORTED)
  const { Mode, RetainUntilDate } = wanted ?? {}
  if (Mode === undefined && RetainUntilDate === undefined) return undefined
  if (Mode === undefined || RetainUntilDate === undefined || (Mode !== 'GOVERNANCE' && Mode !== 'COMPLIANCE'))
    throw errors.malformedXml('Retention has a Mode, GOVERNANCE or COMPLIANCE, and a RetainUntilDate; or neither of them.')
  return checkedRetention({ Mode, RetainUntilDate }, now)
}

/** `present` has not ended. */
function checkChange(call: Call, input: Input, present: Retention, wanted: Retention | undefined): void {
  if (wanted !== undefined && wanted.mode === present.mode && wanted.until >= present.until) return
  if (present.mode === 'COMPLIANCE' || input.BypassGovernanceRetention !== true) throw errors.objectLocked()
  call.require('BypassGovernanceRetention', objectArn(input.Bucket, input.Key, call))
}
