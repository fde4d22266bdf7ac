// CreateTrail. A new trail logs nothing until StartLogging.
import type { Call, Operation } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import { checkDestinations, normalPrefix, probeOutside, topicArnOf, validateTopic } from './destinations.ts'
import { errors } from './errors.ts'
import { type Tag, withTags } from './tags.ts'
import { echoTrail, type TrailEcho } from './trail-form.ts'
import { trailKeyArn } from './trail-key.ts'
import { checkTrailName, trailArn, visibleTrails } from './trail-name.ts'
import { refuseUnoffered, type UnofferedInput } from './unoffered.ts'

interface Input extends UnofferedInput {
  readonly Name: string
  readonly S3BucketName: string
  readonly S3KeyPrefix?: string
  readonly SnsTopicName?: string
  readonly KmsKeyId?: string
  readonly IncludeGlobalServiceEvents?: boolean
  readonly IsMultiRegionTrail?: boolean
  readonly EnableLogFileValidation?: boolean
  readonly TagsList?: readonly Tag[]
  readonly RecursiveLogging?: boolean
}

/** `trailsMax`: of an account in a region, shadows included. */
export function createCreateTrail(trailsMax = Infinity): Operation<Input, TrailEcho, void> {
  return {
    name: 'CreateTrail',
    access: 'write',
    resource: (input, call) => trailArn(input.Name, call),
    async prepare(call, input) {
      const trail = checkedTrail(call.env.tables, input, call, { now: 0, trailsMax })
      await probeOutside(call, trail)
      if (trail.snsTopicArn !== undefined) await validateTopic(call, trail.trailArn, trail.snsTopicArn)
    },
    run(tx, input, call) {
      const trail = checkedTrail(tx, input, call, { now: tx.now, trailsMax })
      tx.put(Table.trails, trail.trailArn, trail)
      return echoTrail(trail)
    },
  }
}

/** The trail as it is to be, after all checks in AWS's order. */
function checkedTrail(
  tables: TableReader,
  input: Input,
  call: Call,
  { now, trailsMax }: { readonly now: number; readonly trailsMax: number },
): Trail {
  const { Name: name, S3BucketName: bucketName, SnsTopicName: topic, IsMultiRegionTrail: isMultiRegion = false } = input
  checkTrailName(name)
  const includeGlobalServiceEvents = input.IncludeGlobalServiceEvents ?? true
  checkCombination(isMultiRegion, includeGlobalServiceEvents)
  const arn = trailArn(name, call)
  if (tables.get(Table.trails, arn) !== undefined) throw errors.trailExists(name, call.account)
  if (visibleTrails(tables, call).length >= trailsMax) throw errors.trailsLimit(call.account, trailsMax, call.region)
  checkBucketName(bucketName)
  const snsTopicArn = topic ? topicArnOf(topic, call) : undefined
  const keyPrefix = normalPrefix(input.S3KeyPrefix)
  const destination = {
    trailArn: arn,
    account: call.account,
    homeRegion: call.region,
    bucketName,
    keyPrefix,
    ...(snsTopicArn !== undefined && { snsTopicArn }),
  }
  checkDestinations(tables, call, destination)
  const kmsKeyArn = input.KmsKeyId ? trailKeyArn(tables, call, input.KmsKeyId, destination) : undefined
  refuseUnoffered(input)
  return {
    ...destination,
    name,
    ...(snsTopicArn !== undefined && topic !== undefined && { snsTopicName: topic }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
    includeGlobalServiceEvents,
    isMultiRegion,
    logFileValidation: input.EnableLogFileValidation ?? false,
    isRecursive: input.RecursiveLogging ?? true,
    createdAt: now,
    isLogging: false,
    tags: withTags({}, input.TagsList ?? []),
    status: {},
  }
}

/** Throws InvalidParameterCombinationException. */
export function checkCombination(isMultiRegion: boolean, includesGlobal: boolean): void {
  if (isMultiRegion && !includesGlobal) throw errors.combination('Multi-Region trail must include global service events.')
}

/** Throws InvalidS3BucketNameException. */
export function checkBucketName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(name)) throw errors.invalidBucketName(name)
}
