// Names of trails: what is one, and which trail a name or an ARN means in a call.
import { formatArn, parseArn } from '../../model/arn.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { errors } from './errors.ts'

const NAME_CHARS_MIN = 3
const NAME_CHARS_MAX = 128

/** Throws InvalidTrailNameException (CreateTrail, "Name"). */
export function checkTrailName(name: string): void {
  const length = `Specified name length: ${name.length} characters.`
  if (name.length < NAME_CHARS_MIN)
    throw errors.invalidName(`Trail name too short. Minimum allowed length: ${NAME_CHARS_MIN} characters. ${length}`)
  if (name.length > NAME_CHARS_MAX)
    throw errors.invalidName(`Trail name too long. Maximum allowed length: ${NAME_CHARS_MAX} characters. ${length}`)
  if (!/^[A-Za-z0-9]/.test(name)) throw errors.invalidName('Trail name must starts with a letter or number.')
  if (!/[A-Za-z0-9]$/.test(name)) throw errors.invalidName('Trail name must ends with a letter or number.')
  if (!/^[A-Za-z0-9._-]+$/.test(name))
    throw errors.invalidName(
      'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).',
    )
  if (/[._-]{2}/.test(name)) throw errors.invalidName('Trail name cannot have adjacent periods, hyphens or underscores.')
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) throw errors.invalidName('Trail name cannot be in IP address format.')
}

export function trailArn(name: string, call: Call): string {
  return formatArn({
    partition: call.partition,
    service: 'cloudtrail',
    region: call.region,
    account: call.account,
    resource: `trail/${name}`,
  })
}

/** The ARN that a name or ARN stands for. A bare name means the trail of this region, or else the shadow of one homed elsewhere. */
export function resolveTrailArn(tables: TableReader, call: Call, nameOrArn: string): string {
  if (nameOrArn.startsWith('arn:')) {
    const arn = parseArn(nameOrArn)
    if (arn === undefined || arn.service !== 'cloudtrail' || !/^\d{12}$/.test(arn.account) || !arn.resource.startsWith('trail/'))
      throw errors.arnInvalid(nameOrArn)
    return nameOrArn
  }
  checkTrailName(nameOrArn)
  const local = trailArn(nameOrArn, call)
  if (tables.get(Table.trails, local) !== undefined) return local
  return visibleTrails(tables, call).find(({ name }) => name === nameOrArn)?.trailArn ?? local
}

/** Throws TrailNotFoundException. */
export function findTrail(tables: TableReader, call: Call, nameOrArn: string): Trail {
  const arn = resolveTrailArn(tables, call, nameOrArn)
  const trail = tables.get(Table.trails, arn)
  if (trail === undefined) throw errors.trailMissing(arn, call.account)
  return trail
}

/** A trail that the call is to change; throws InvalidHomeRegionException in any other region. */
export function trailToChange(tables: TableReader, call: Call, nameOrArn: string): Trail {
  const trail = findTrail(tables, call, nameOrArn)
  if (trail.homeRegion !== call.region) throw errors.homeRegion(trail.trailArn, trail.homeRegion)
  return trail
}

/** The account's trails of all regions, in the order of their ARNs. */
export function trailsOfAccount(tables: TableReader, account: string): readonly Trail[] {
  return tables
    .range(Table.trails, {})
    .map(({ value }) => value)
    .filter((trail) => trail.account === account)
}

/** Those at home in the call's region, and the shadows of multi-Region ones. */
export function visibleTrails(tables: TableReader, call: Call): readonly Trail[] {
  return trailsOfAccount(tables, call.account).filter((trail) => trail.homeRegion === call.region || trail.isMultiRegion)
}
