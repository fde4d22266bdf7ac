// Which events a trail takes: account, region, and the trail's basic or advanced event selectors, on a parsed CloudTrail record
// (CloudTrail user guide, "Logging management events", "Logging data events"; API reference, AdvancedFieldSelector).
// Selectors are taken apart once per trail; what they may say is checked in event-selector-check.ts.
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector, TrailSelection } from './trail.ts'

/** The members of a record that selectors look at. */
export interface SelectableEvent {
  readonly eventCategory?: string
  readonly eventSource?: string
  readonly eventName?: string
  readonly eventType?: string
  readonly awsRegion?: string
  readonly readOnly?: boolean
  readonly errorCode?: string
  readonly recipientAccountId?: string
  readonly sessionCredentialFromConsole?: string
  readonly vpcEndpointId?: string
  readonly userIdentity?: { readonly arn?: string }
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[]
  readonly additionalEventData?: { readonly causedByTrail?: string } | null
}

/** What a trail has until PutEventSelectors: all management events, no others. */
export const defaultEventSelectors: readonly EventSelector[] = [
  { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] },
]

export function takesEvent(trail: TrailSelection, event: SelectableEvent): boolean {
  if (event.recipientAccountId !== trail.account) return false
  if (!trail.isMultiRegion && event.awsRegion !== trail.homeRegion) return false
  if (!trail.includeGlobalServiceEvents && GLOBAL_SERVICES.has(event.eventSource ?? '')) return false
  if (!trail.isRecursive && event.additionalEventData?.causedByTrail === trail.trailArn) return false
  return selectorsOf(trail).some((selects) => selects(event))
}

/** Whether a logging trail may want data events of a service: quick, and true for more than `takesEvent` will take. */
export function wantsDataEvents(trails: Iterable<TrailSelection>, eventSource: string): boolean {
  for (const trail of trails) {
    if (!trail.isLogging) continue
    for (const type of dataTypesOf(trail)) if (sourceOfType(type) === eventSource) return true
  }
  return false
}

/** HasCustomEventSelectors: whether a trail's selectors are others than the default. */
export function hasCustomSelectors({ eventSelectors, advancedEventSelectors }: TrailSelection): boolean {
  if (advancedEventSelectors !== undefined) return true
  const [first, ...rest] = eventSelectors ?? defaultEventSelectors
  if (first === undefined || rest.length > 0) return true
  return (
    (first.ReadWriteType ?? 'All') !== 'All' ||
    first.IncludeManagementEvents === false ||
    (first.DataResources?.length ?? 0) > 0 ||
    (first.ExcludeManagementEventSources?.length ?? 0) > 0
  )
}

type Selects = (event: SelectableEvent) => boolean

/** Services without regions, whose events count as those of us-east-1. */
const GLOBAL_SERVICES: ReadonlySet<string> = new Set(['iam.amazonaws.com', 'cloudfront.amazonaws.com', 'route53.amazonaws.com'])

const compiled = new WeakMap<TrailSelection, readonly Selects[]>()

function selectorsOf(trail: TrailSelection): readonly Selects[] {
  let selectors = compiled.get(trail)
  if (selectors === undefined) {
    selectors = trail.advancedEventSelectors?.map(compileAdvanced) ?? (trail.eventSelectors ?? defaultEventSelectors).map(compileBasic)
    compiled.set(trail, selectors)
  }
  return selectors
}

function compileBasic(selector: EventSelector): Selects {
  const { ReadWriteType: readOrWrite = 'All', IncludeManagementEvents: includesManagement = true } = selector
  const excluded = new Set(selector.ExcludeManagementEventSources)
  const resources = (selector.DataResources ?? []).map(({ Type: type, Values: values = [] }) => ({ type, prefixes: values.map(prefixOf) }))
  return (event) => {
    if (readOrWrite !== 'All' && (event.readOnly === true) !== (readOrWrite === 'ReadOnly')) return false
    if (event.eventCategory === 'Management') return includesManagement && !excluded.has(event.eventSource ?? '')
    if (event.eventCategory !== 'Data') return false
    const named = event.resources ?? []
    return resources.some(({ type, prefixes }) =>
      named.length === 0
        ? sourceOfType(type ?? '') === event.eventSource && prefixes.some(isAll)
        : named.some((resource) => resource.type === type && prefixes.some((prefix) => resource.ARN?.startsWith(prefix))),
    )
  }
}

/** `arn:aws:s3` means all of it. */
function prefixOf(value: string): string {
  return /^arn:[^:]+:[^:]+$/.test(value) ? `${value}:` : value
}

function isAll(prefix: string): boolean {
  return /^arn:[^:]+:[^:]+:+$/.test(prefix)
}

function compileAdvanced({ FieldSelectors }: AdvancedEventSelector): Selects {
  const type = FieldSelectors.find(({ Field }) => Field === 'resources.type')?.Equals?.[0]
  const conditions = FieldSelectors.map((field) => ({ values: valuesOf(field.Field, type), holds: compileField(field) }))
  return (event) => conditions.every(({ values, holds }) => holds(values(event)))
}

/** The values of a field in a record; none when the record has no such member. ARNs count where their resource is of the selected type. */
function valuesOf(field: string, type: string | undefined): (event: SelectableEvent) => readonly string[] {
  switch (field) {
    case 'readOnly':
      return ({ readOnly }) => (readOnly === undefined ? [] : [String(readOnly)])
    case 'resources.type':
      return typesOf(type)
    case 'resources.ARN':
      return ({ resources }) =>
        (resources ?? []).flatMap((resource) =>
          resource.ARN !== undefined && (type === undefined || resource.type === type) ? [resource.ARN] : [],
        )
    case 'userIdentity.arn':
      return ({ userIdentity }) => (userIdentity?.arn === undefined ? [] : [userIdentity.arn])
    default:
      return (event) => {
        const value = (event as Readonly<Record<string, unknown>>)[field]
        return typeof value === 'string' ? [value] : []
      }
  }
}

/** A record that names no resource (a refused call, a message to a phone) counts as of any type of its service. */
function typesOf(type: string | undefined): (event: SelectableEvent) => readonly string[] {
  return ({ resources, eventSource }) => {
    if (resources !== undefined && resources.length > 0) return resources.flatMap((resource) => resource.type ?? [])
    return type !== undefined && sourceOfType(type) === eventSource ? [type] : []
  }
}

/** Each operator's list is an OR; the operators of a field are an AND; a Not operator holds when none of its values fits. */
function compileField(field: AdvancedFieldSelector): (values: readonly string[]) => boolean {
  const tests: ((values: readonly string[]) => boolean)[] = []
  for (const [positive, negative, fits] of OPERATORS) {
    const [wanted, unwanted] = [field[positive], field[negative]]
    if (wanted !== undefined && wanted.length > 0) tests.push((values) => values.some((value) => wanted.some((text) => fits(value, text))))
    if (unwanted !== undefined && unwanted.length > 0)
      tests.push((values) => !values.some((value) => unwanted.some((text) => fits(value, text))))
  }
  return (values) => tests.every((holds) => holds(values))
}

const OPERATORS = [
  ['Equals', 'NotEquals', (value: string, text: string) => value === text],
  ['StartsWith', 'NotStartsWith', (value: string, text: string) => value.startsWith(text)],
  ['EndsWith', 'NotEndsWith', (value: string, text: string) => value.endsWith(text)],
] as const

/** The resource types whose data events a trail selects. */
function dataTypesOf({ eventSelectors, advancedEventSelectors }: TrailSelection): readonly string[] {
  if (advancedEventSelectors === undefined)
    return (eventSelectors ?? []).flatMap(({ DataResources }) =>
      (DataResources ?? []).flatMap(({ Type: type, Values: values }) => (type && values?.length ? type : [])),
    )
  return advancedEventSelectors.flatMap(({ FieldSelectors }) =>
    FieldSelectors.flatMap(({ Field, Equals }) => (Field === 'resources.type' ? (Equals ?? []) : [])),
  )
}

/** `AWS::SNS::Topic` -> `sns.amazonaws.com`. */
function sourceOfType(type: string): string {
  if (type === 'AWS::CloudTrail::Channel') return 'cloudtrail-data.amazonaws.com'
  return `${(type.split('::')[1] ?? '').toLowerCase()}.amazonaws.com`
}
