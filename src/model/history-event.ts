// An event as LookupEvents sees it: what it is found by and what is told beside the record itself. CloudTrail takes the resources from
// the call's parameters and answer, not only from the record's own list (CloudTrail API reference, LookupEvents and Event).
import { parseArn } from './arn.ts'

export interface HistoryEvent {
  readonly eventId: string
  readonly eventName: string
  readonly eventSource: string
  /** Absent in records that do not say. */
  readonly readOnly?: 'true' | 'false'
  readonly accessKeyId?: string
  readonly username?: string
  readonly resources: readonly HistoryResource[]
  /** In ms since 1970, whole seconds. */
  readonly time: number
  /** Whose history it belongs to, and where. */
  readonly account: string
  readonly region: string
}

export interface HistoryResource {
  readonly type: string
  readonly name: string
}

/** What one can look up by (LookupAttributeKey). */
export const LOOKUP_KEYS = [
  'EventId',
  'EventName',
  'ReadOnly',
  'Username',
  'ResourceType',
  'ResourceName',
  'EventSource',
  'AccessKeyId',
] as const
export type LookupKey = (typeof LOOKUP_KEYS)[number]

/** How long events are found (CloudTrail user guide, "Working with CloudTrail event history"). */
export const HISTORY_DAYS = 90
const RESOURCES_MAX = 64

/** Undefined for what is no record of an event. */
export function historyEventOf(json: string): HistoryEvent | undefined {
  const record = JSON.parse(json) as Readonly<Record<string, unknown>>
  const { eventID, eventName, eventSource, eventTime, recipientAccountId, awsRegion, readOnly } = record
  const time = typeof eventTime === 'string' ? Date.parse(eventTime) : NaN
  if (typeof eventID !== 'string' || typeof eventName !== 'string' || Number.isNaN(time)) return undefined
  const identity = objectOf(record['userIdentity'])
  const username = usernameOf(identity)
  const accessKeyId = textOf(identity['accessKeyId'])
  return {
    eventId: eventID,
    eventName,
    eventSource: textOf(eventSource) ?? '',
    ...(typeof readOnly === 'boolean' && { readOnly: readOnly ? ('true' as const) : ('false' as const) }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(username !== undefined && { username }),
    resources: resourcesOf(record),
    time,
    account: textOf(recipientAccountId) ?? textOf(identity['accountId']) ?? '',
    region: textOf(awsRegion) ?? '',
  }
}

/** The account's events of a region: nothing is ever found across it. */
export function historyScope(account: string, region: string): string {
  return `${account}/${region}`
}

export function lookupTerm(key: LookupKey, value: string): string {
  return `${key}=${value}`
}

/** Everything the event can be looked up by; each term once. */
export function lookupTerms(event: HistoryEvent): readonly string[] {
  const terms = new Set([
    lookupTerm('EventId', event.eventId),
    lookupTerm('EventName', event.eventName),
    lookupTerm('EventSource', event.eventSource),
  ])
  if (event.readOnly !== undefined) terms.add(lookupTerm('ReadOnly', event.readOnly))
  if (event.username !== undefined) terms.add(lookupTerm('Username', event.username))
  if (event.accessKeyId !== undefined) terms.add(lookupTerm('AccessKeyId', event.accessKeyId))
  for (const { type, name } of event.resources) {
    terms.add(lookupTerm('ResourceType', type))
    terms.add(lookupTerm('ResourceName', name))
  }
  return [...terms]
}

/** The user's name, the session's name of an assumed role, `root` of the account itself. */
function usernameOf(identity: Readonly<Record<string, unknown>>): string | undefined {
  const named = textOf(identity['userName'])
  if (identity['type'] === 'Root') return 'root'
  if (named !== undefined) return named
  if (identity['type'] !== 'AssumedRole') return undefined
  const principal = textOf(identity['principalId']) ?? ''
  const colon = principal.indexOf(':')
  return colon === -1 ? undefined : principal.slice(colon + 1)
}

function resourcesOf(record: Readonly<Record<string, unknown>>): readonly HistoryResource[] {
  const found = new Map<string, HistoryResource>()
  const add = (type: string, name: string | undefined): void => {
    if (name !== undefined && found.size < RESOURCES_MAX) found.set(`${type} ${name}`, { type, name })
  }
  const { resources, eventSource } = record
  for (const resource of Array.isArray(resources) ? resources.map(objectOf) : []) {
    const { type, ARN: arn } = resource
    if (typeof type === 'string') add(type, textOf(arn))
  }
  const named = NAMED[String(eventSource)] ?? {}
  for (const part of [objectOf(record['requestParameters']), objectOf(record['responseElements'])])
    for (const [member, type] of Object.entries(named)) add(typeof type === 'string' ? type : type(part), textOf(part[member]))
  return [...found.values()]
}

type TypeOf = (part: Readonly<Record<string, unknown>>) => string

/** What an ARN in a parameter is, where the parameter alone does not say. */
const snsTarget =
  (member: string): TypeOf =>
  (part) => {
    const resource = parseArn(textOf(part[member]) ?? '')?.resource ?? ''
    if (resource.startsWith('endpoint/')) return 'AWS::SNS::PlatformEndpoint'
    if (resource.startsWith('app/')) return 'AWS::SNS::PlatformApplication'
    return resource.includes(':') ? 'AWS::SNS::Subscription' : 'AWS::SNS::Topic'
  }

/** The members of parameters and answers that name a resource, by service. */
const NAMED: Readonly<Record<string, Readonly<Record<string, string | TypeOf>>>> = {
  'sns.amazonaws.com': {
    topicArn: 'AWS::SNS::Topic',
    subscriptionArn: 'AWS::SNS::Subscription',
    resourceArn: snsTarget('resourceArn'),
    targetArn: snsTarget('targetArn'),
    platformApplicationArn: 'AWS::SNS::PlatformApplication',
    endpointArn: 'AWS::SNS::PlatformEndpoint',
  },
  'sqs.amazonaws.com': { queueUrl: 'AWS::SQS::Queue', queueName: 'AWS::SQS::Queue' },
  's3.amazonaws.com': { bucketName: 'AWS::S3::Bucket', bucket: 'AWS::S3::Bucket' },
  'cloudtrail.amazonaws.com': {
    trailName: 'AWS::CloudTrail::Trail',
    trailARN: 'AWS::CloudTrail::Trail',
    name: (part) => (part['source'] === undefined ? 'AWS::CloudTrail::Trail' : 'AWS::CloudTrail::Channel'),
    resourceId: 'AWS::CloudTrail::Trail',
    resourceArn: 'AWS::CloudTrail::Channel',
    channel: 'AWS::CloudTrail::Channel',
    channelArn: 'AWS::CloudTrail::Channel',
    eventDataStore: 'AWS::CloudTrail::EventDataStore',
    s3BucketName: 'AWS::S3::Bucket',
    snsTopicARN: 'AWS::SNS::Topic',
    kmsKeyId: 'AWS::KMS::Key',
  },
  'sts.amazonaws.com': { roleArn: 'AWS::IAM::Role', accessKeyId: 'AWS::IAM::AccessKey' },
  'iam.amazonaws.com': {
    userName: 'AWS::IAM::User',
    roleName: 'AWS::IAM::Role',
    groupName: 'AWS::IAM::Group',
    policyArn: 'AWS::IAM::Policy',
    accessKeyId: 'AWS::IAM::AccessKey',
  },
  'kms.amazonaws.com': { keyId: 'AWS::KMS::Key', aliasName: 'AWS::KMS::Alias' },
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
