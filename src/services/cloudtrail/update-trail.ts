// UpdateTrail: what is given changes, what is left out stays, an empty text takes a member away.
import type { Call, Operation } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import { checkBucketName, checkCombination } from './create-trail.ts'
import { checkDestinations, normalPrefix, probeOutside, topicArnOf, validateTopic } from './destinations.ts'
import { withDigestEra } from './digest-era.ts'
import { echoTrail, type TrailEcho } from './trail-form.ts'
import { trailKeyArn } from './trail-key.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'
import { refuseUnoffered, type UnofferedInput } from './unoffered.ts'

interface Input extends UnofferedInput {
  readonly Name: string
  readonly S3BucketName?: string
  readonly S3KeyPrefix?: string
  readonly SnsTopicName?: string
  readonly KmsKeyId?: string
  readonly IncludeGlobalServiceEvents?: boolean
  readonly IsMultiRegionTrail?: boolean
  readonly EnableLogFileValidation?: boolean
  readonly RecursiveLogging?: boolean
}

export const updateTrail: Operation<Input, TrailEcho, void> = {
  name: 'UpdateTrail',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  async prepare(call, input) {
    const trail = changedTrail(call.env.tables, input, call)
    if (input.S3BucketName !== undefined || input.S3KeyPrefix !== undefined) await probeOutside(call, trail)
    if (input.SnsTopicName && trail.snsTopicArn !== undefined) await validateTopic(call, trail.trailArn, trail.snsTopicArn)
  },
  run(tx, input, call) {
    const trail = withDigestEra(tx, changedTrail(tx, input, call))
    tx.put(Table.trails, trail.trailArn, trail)
    return echoTrail(trail)
  },
}

function changedTrail(tables: TableReader, input: Input, call: Call): Trail {
  const { snsTopicName, snsTopicArn, kmsKeyArn, ...present } = trailToChange(tables, call, input.Name)
  const { SnsTopicName: topic, S3BucketName: bucketName } = input
  if (bucketName !== undefined) checkBucketName(bucketName)
  const isMultiRegion = input.IsMultiRegionTrail ?? present.isMultiRegion
  const includeGlobalServiceEvents = input.IncludeGlobalServiceEvents ?? present.includeGlobalServiceEvents
  checkCombination(isMultiRegion, includeGlobalServiceEvents)
  const kept = snsTopicName !== undefined && snsTopicArn !== undefined ? { snsTopicName, snsTopicArn } : {}
  const notice = topic === undefined ? kept : topic === '' ? {} : { snsTopicName: topic, snsTopicArn: topicArnOf(topic, call) }
  const trail: Trail = {
    ...present,
    ...notice,
    bucketName: bucketName ?? present.bucketName,
    keyPrefix: input.S3KeyPrefix === undefined ? present.keyPrefix : normalPrefix(input.S3KeyPrefix),
    isMultiRegion,
    includeGlobalServiceEvents,
    logFileValidation: input.EnableLogFileValidation ?? present.logFileValidation,
    isRecursive: input.RecursiveLogging ?? present.isRecursive,
    status: topic === undefined ? present.status : withoutNotificationError(present.status),
  }
  checkDestinations(tables, call, trail)
  // A key that was set is looked at again: it may be gone, or the bucket another.
  const keyGiven = input.KmsKeyId ?? kmsKeyArn
  const key = keyGiven ? { kmsKeyArn: trailKeyArn(tables, call, keyGiven, trail) } : {}
  refuseUnoffered(input)
  return { ...trail, ...key }
}

/** Another topic has not failed yet. */
function withoutNotificationError(status: Trail['status']): Trail['status'] {
  return { ...status, latestNotificationError: undefined }
}
