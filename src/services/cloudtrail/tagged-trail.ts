// The trail that a tagging call means: always by its ARN.
import { parseArn } from '../../model/arn.ts'
import type { Trail } from '../../model/trail.ts'
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { errors } from './errors.ts'
import { findTrail } from './trail-name.ts'

/** Throws CloudTrailARNInvalidException and ResourceTypeNotSupportedException. */
export function checkTrailArn(arn: string): string {
  const parsed = parseArn(arn)
  if (parsed === undefined || parsed.service !== 'cloudtrail') throw errors.arnInvalid(arn)
  if (!parsed.resource.startsWith('trail/')) throw errors.resourceType(arn)
  return arn
}

/** Throws TrailNotFoundException as well. */
export function taggedTrail(tables: TableReader, call: Call, arn: string): Trail {
  return findTrail(tables, call, checkTrailArn(arn))
}
