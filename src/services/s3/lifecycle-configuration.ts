// The lifecycle rules of a bucket: what S3 accepts (S3 user guide, "Managing the lifecycle of objects", "Lifecycle configuration elements")
// and how it gives them back. The one class to move to is GLACIER_IR; others are refused by name.
import type { Random } from '../../base/random.ts'
import type { Lifecycle, LifecycleFilter, LifecycleRule, LifecycleTag } from '../../model/lifecycle.ts'
import { errors } from './errors.ts'
import { KNOWN_STORAGE_CLASSES } from './storage-class.ts'
import { objectTags } from './tags.ts'

/** As it stands on the wire: dates are dates, and nothing is known to fit. */
export interface GivenRule {
  readonly ID?: string
  readonly Status: string
  readonly Prefix?: string
  readonly Filter?: LifecycleFilter
  readonly Expiration?: { readonly Date?: Date; readonly Days?: number; readonly ExpiredObjectDeleteMarker?: boolean }
  readonly Transitions?: readonly { readonly Date?: Date; readonly Days?: number; readonly StorageClass?: string }[]
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays?: number; readonly NewerNoncurrentVersions?: number }
  readonly NoncurrentVersionTransitions?: readonly {
    readonly NoncurrentDays?: number
    readonly NewerNoncurrentVersions?: number
    readonly StorageClass?: string
  }[]
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number }
}

const RULES_MAX = 1000
const ID_CHARS_MAX = 255
const PREFIX_BYTES_MAX = 1024
const NEWER_VERSIONS_MAX = 100
const DAYS_MAX = 2 ** 31 - 1
const DAY_MS = 86_400_000

export const SMALL_OBJECTS_STAY = 'all_storage_classes_128K'
export const SMALL_OBJECTS_MOVE = 'varies_by_storage_class'

/** Throws MalformedXML, InvalidRequest, InvalidArgument and NotImplemented. */
export function readLifecycle(rules: readonly GivenRule[] | undefined, minimum: string | undefined, random: Random): Lifecycle {
  if (minimum !== undefined && minimum !== SMALL_OBJECTS_STAY && minimum !== SMALL_OBJECTS_MOVE)
    throw errors.invalidArgument(
      'x-amz-transition-default-minimum-object-size',
      minimum,
      `It must be ${SMALL_OBJECTS_STAY} or ${SMALL_OBJECTS_MOVE}`,
    )
  if (rules === undefined || rules.length === 0 || rules.length > RULES_MAX)
    throw errors.malformedXml(`LifecycleConfiguration must hold 1 to ${RULES_MAX} rules.`)
  const read = rules.map((rule) => readRule(rule, random))
  const ids = new Set<string>()
  for (const { ID: id } of read) {
    if (ids.has(id)) throw errors.invalidArgument('ID', id, 'Rule ID must be unique. Found same ID for more than one rule')
    ids.add(id)
  }
  return { rules: read, keepsSmallObjects: minimum !== SMALL_OBJECTS_MOVE }
}

export function lifecycleRules({ rules }: Lifecycle): readonly GivenRule[] {
  return rules.map(({ Expiration: expiration, Transitions: transitions, ...rule }) => ({
    ...rule,
    ...(expiration !== undefined && { Expiration: withDate(expiration) }),
    ...(transitions !== undefined && { Transitions: transitions.map(withDate) }),
  }))
}

export function minimumOf({ keepsSmallObjects }: Lifecycle): string {
  return keepsSmallObjects ? SMALL_OBJECTS_STAY : SMALL_OBJECTS_MOVE
}

function withDate<Action extends { readonly Date?: number }>({ Date: at, ...action }: Action): Omit<Action, 'Date'> & { Date?: Date } {
  return { ...action, ...(at !== undefined && { Date: new Date(at) }) }
}

function readRule(given: GivenRule, random: Random): LifecycleRule {
  const id = given.ID === undefined || given.ID === '' ? random.bytes(36).toString('base64url') : given.ID
  if (id.length > ID_CHARS_MAX) throw errors.invalidArgument('ID', id, `ID length should not exceed allowed limit of ${ID_CHARS_MAX}`)
  if (given.Status !== 'Enabled' && given.Status !== 'Disabled')
    throw errors.malformedXml(`Status of rule ${id} must be Enabled or Disabled.`)
  const filter = readFilter(given, id)
  const { AbortIncompleteMultipartUpload: abort, NoncurrentVersionExpiration: noncurrent } = given
  const expiration = given.Expiration === undefined ? undefined : readExpiration(given.Expiration, filter.hasTags)
  const transitions = (given.Transitions ?? []).map(readTransition)
  const noncurrentTransitions = (given.NoncurrentVersionTransitions ?? []).map((transition) => ({
    ...readNoncurrent(transition, 'NoncurrentVersionTransition'),
    StorageClass: readClass(transition.StorageClass),
  }))
  if (transitions.length > 1 || noncurrentTransitions.length > 1)
    throw errors.invalidRequest(`'StorageClass' must be different for 'Transition' actions in same 'Rule' with ID '${id}'`)
  if (abort !== undefined) checkAbort(abort, filter)
  if (
    expiration === undefined &&
    transitions.length + noncurrentTransitions.length === 0 &&
    noncurrent === undefined &&
    abort === undefined
  )
    throw errors.invalidRequest('At least one action needs to be specified in a rule')
  checkOrder(id, expiration, transitions[0], noncurrent?.NoncurrentDays, noncurrentTransitions[0]?.NoncurrentDays)
  return {
    ID: id,
    Status: given.Status,
    ...filter.given,
    ...(expiration !== undefined && { Expiration: expiration }),
    ...(transitions.length > 0 && { Transitions: transitions }),
    ...(noncurrent !== undefined && { NoncurrentVersionExpiration: readNoncurrent(noncurrent, 'NoncurrentVersionExpiration') }),
    ...(noncurrentTransitions.length > 0 && { NoncurrentVersionTransitions: noncurrentTransitions }),
    ...(abort !== undefined && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: abort.DaysAfterInitiation ?? 0 } }),
  }
}

interface ReadFilter {
  readonly given: { readonly Prefix?: string; readonly Filter?: LifecycleFilter }
  readonly hasTags: boolean
  readonly hasSizes: boolean
}

function readFilter({ Prefix: prefix, Filter: filter }: GivenRule, id: string): ReadFilter {
  if ((prefix === undefined) === (filter === undefined)) throw errors.malformedXml(`Rule ${id} must hold either a Filter or a Prefix.`)
  if (filter === undefined) {
    checkPrefix(prefix)
    return { given: { Prefix: prefix ?? '' }, hasTags: false, hasSizes: false }
  }
  const { And: and, ...alone } = filter
  const names = Object.entries(alone).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (names.length + (and === undefined ? 0 : 1) > 1)
    throw errors.malformedXml(`The Filter of rule ${id} must hold one condition; several of them stand in And.`)
  const tags = and === undefined ? (alone.Tag === undefined ? [] : [alone.Tag]) : (and.Tags ?? [])
  const { Prefix, ObjectSizeGreaterThan: over, ObjectSizeLessThan: under } = and ?? alone
  const conditions = [Prefix, over, under].filter((value) => value !== undefined).length + tags.length
  if (and !== undefined && conditions < 2) throw errors.malformedXml(`And in the Filter of rule ${id} must hold two conditions or more.`)
  checkPrefix(Prefix)
  checkTags(tags)
  checkSize('ObjectSizeGreaterThan', over, 0)
  checkSize('ObjectSizeLessThan', under, 1)
  if (over !== undefined && under !== undefined && over >= under)
    throw errors.invalidRequest("'ObjectSizeGreaterThan' must be less than 'ObjectSizeLessThan'")
  return { given: { Filter: filter }, hasTags: tags.length > 0, hasSizes: over !== undefined || under !== undefined }
}

function checkPrefix(prefix: string | undefined): void {
  if (prefix !== undefined && Buffer.byteLength(prefix) > PREFIX_BYTES_MAX)
    throw errors.invalidRequest(`The maximum size of a prefix is ${PREFIX_BYTES_MAX}.`)
}

function checkTags(tags: readonly LifecycleTag[]): void {
  const keys = new Set(tags.map(({ Key: key }) => key))
  if (keys.size < tags.length) throw errors.invalidRequest('Duplicate Tag Keys are not allowed.')
  objectTags({ TagSet: tags })
}

function checkSize(name: string, bytes: number | undefined, min: number): void {
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < min))
    throw errors.invalidArgument(name, String(bytes), `'${name}' must be a whole number of bytes from ${min}`)
}

function readExpiration(given: NonNullable<GivenRule['Expiration']>, hasTags: boolean): NonNullable<LifecycleRule['Expiration']> {
  const { Date: date, Days: days, ExpiredObjectDeleteMarker: marker } = given
  if ([date, days, marker].filter((value) => value !== undefined).length !== 1)
    throw errors.malformedXml('Expiration must hold one of Days, Date and ExpiredObjectDeleteMarker.')
  if (marker !== undefined) {
    if (hasTags) throw errors.invalidRequest('ExpiredObjectDeleteMarker cannot be specified with Tags.')
    return { ExpiredObjectDeleteMarker: marker }
  }
  if (date !== undefined) return { Date: readDate(date) }
  checkDays('Days', days, 1, "'Days' for Expiration action must be a positive integer")
  return { Days: days ?? 0 }
}

function readTransition(given: NonNullable<GivenRule['Transitions']>[number]): NonNullable<LifecycleRule['Transitions']>[number] {
  const { Date: date, Days: days } = given
  if ((date === undefined) === (days === undefined)) throw errors.malformedXml('Transition must hold one of Days and Date.')
  const StorageClass = readClass(given.StorageClass)
  if (date !== undefined) return { Date: readDate(date), StorageClass }
  checkDays('Days', days, 0, "'Days' in Transition action must be nonnegative")
  return { Days: days ?? 0, StorageClass }
}

function readNoncurrent(
  given: { readonly NoncurrentDays?: number; readonly NewerNoncurrentVersions?: number },
  action: string,
): { readonly NoncurrentDays: number; readonly NewerNoncurrentVersions?: number } {
  const { NoncurrentDays: days, NewerNoncurrentVersions: newer } = given
  if (days === undefined) throw errors.malformedXml(`${action} must hold NoncurrentDays.`)
  const min = action === 'NoncurrentVersionTransition' ? 0 : 1
  checkDays(
    'NoncurrentDays',
    days,
    min,
    `'NoncurrentDays' for ${action} action must be a ${min === 0 ? 'nonnegative' : 'positive'} integer`,
  )
  if (newer !== undefined && (!Number.isInteger(newer) || newer < 1 || newer > NEWER_VERSIONS_MAX))
    throw errors.invalidArgument(
      'NewerNoncurrentVersions',
      String(newer),
      `'NewerNoncurrentVersions' for ${action} action must be between 1 and ${NEWER_VERSIONS_MAX}`,
    )
  return { NoncurrentDays: days, ...(newer !== undefined && { NewerNoncurrentVersions: newer }) }
}

function checkAbort({ DaysAfterInitiation: days }: { readonly DaysAfterInitiation?: number }, filter: ReadFilter): void {
  if (filter.hasTags) throw errors.invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Tags.')
  if (filter.hasSizes) throw errors.invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Object Size.')
  checkDays('DaysAfterInitiation', days, 1, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")
}

function readDate(date: Date): number {
  if (date.getTime() % DAY_MS !== 0) throw errors.invalidArgument('Date', date.toISOString(), "'Date' must be at midnight GMT")
  return date.getTime()
}

function checkDays(name: string, days: number | undefined, min: number, message: string): void {
  if (days === undefined || !Number.isInteger(days) || days < min || days > DAYS_MAX)
    throw errors.invalidArgument(name, String(days), message)
}

function readClass(storageClass: string | undefined): 'GLACIER_IR' {
  if (storageClass === 'GLACIER_IR') return storageClass
  if (storageClass !== undefined && KNOWN_STORAGE_CLASSES.has(storageClass))
    throw errors.notOffered(`the storage class ${storageClass}; the archive of this server is GLACIER_IR`)
  throw errors.malformedXml(`StorageClass of a transition must be GLACIER_IR, not ${storageClass ?? 'absent'}.`)
}

function checkOrder(
  id: string,
  expiration: LifecycleRule['Expiration'],
  transition: NonNullable<LifecycleRule['Transitions']>[number] | undefined,
  noncurrentDays: number | undefined,
  noncurrentTransitionDays: number | undefined,
): void {
  if (expiration !== undefined && transition !== undefined && expiration.ExpiredObjectDeleteMarker === undefined) {
    if ((expiration.Days === undefined) !== (transition.Days === undefined))
      throw errors.invalidRequest(`Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule with ID '${id}'`)
    const [last, first] = [expiration.Days ?? expiration.Date ?? 0, transition.Days ?? transition.Date ?? 0]
    const unit = expiration.Days === undefined ? 'Date' : 'Days'
    if (last <= first)
      throw errors.invalidArgument(
        unit,
        String(last),
        `'${unit}' in the Expiration action of rule '${id}' must be greater than '${unit}' in the Transition action`,
      )
  }
  if (noncurrentDays !== undefined && noncurrentTransitionDays !== undefined && noncurrentDays <= noncurrentTransitionDays)
    throw errors.invalidArgument(
      'NoncurrentDays',
      String(noncurrentDays),
      `'NoncurrentDays' in the NoncurrentVersionExpiration action of rule '${id}' must be greater than in the ` +
        'NoncurrentVersionTransition action',
    )
}
