// Who is to be told of a bucket's events: what S3 accepts (S3 user guide, "Amazon S3 Event Notifications", "Configuring notifications
// with object key name filtering") and how it gives it back.
import type { Random } from '../../base/random.ts'
import type { BucketNotification } from '../../model/bucket-notification.ts'
import { isBucketEventPattern, sharesEvent } from '../../model/bucket-event.ts'
import { parseArn } from '../../model/arn.ts'
import { errors } from './errors.ts'

export interface NotificationConfiguration {
  readonly TopicConfigurations?: readonly (Entry & { readonly TopicArn: string })[]
  readonly QueueConfigurations?: readonly (Entry & { readonly QueueArn: string })[]
  readonly LambdaFunctionConfigurations?: readonly object[]
  readonly EventBridgeConfiguration?: object
}

interface Entry {
  readonly Id?: string
  readonly Events: readonly string[]
  readonly Filter?: { readonly Key?: { readonly FilterRules?: readonly { readonly Name?: string; readonly Value?: string }[] } }
}

const CONFIGURATIONS_MAX = 100
const ID_CHARS_MAX = 255
const FILTER_BYTES_MAX = 1024

/** Throws InvalidArgument and NotImplemented. Whether destinations let S3 in is not looked at here. */
export function readNotifications(given: NotificationConfiguration, random: Random): readonly BucketNotification[] {
  if ((given.LambdaFunctionConfigurations ?? []).length > 0)
    throw errors.notOffered('LambdaFunctionConfigurations; notify a queue or a topic')
  if (given.EventBridgeConfiguration !== undefined) throw errors.notOffered('EventBridgeConfiguration; notify a queue or a topic')
  const queues = given.QueueConfigurations ?? []
  const topics = given.TopicConfigurations ?? []
  const notifications = [
    ...queues.map((entry) => readEntry(entry, 'Queue', entry.QueueArn, random)),
    ...topics.map((entry) => readEntry(entry, 'Topic', entry.TopicArn, random)),
  ]
  if (notifications.length > CONFIGURATIONS_MAX)
    throw errors.invalidRequest(`A bucket can have up to ${CONFIGURATIONS_MAX} notification configurations`)
  for (const [at, one] of notifications.entries()) for (const other of notifications.slice(at + 1)) checkPair(one, other)
  return notifications
}

export function notificationConfiguration(notifications: readonly BucketNotification[]): NotificationConfiguration {
  const [queues, topics] = [[] as (Entry & { QueueArn: string })[], [] as (Entry & { TopicArn: string })[]]
  for (const notification of notifications) {
    const { destinationArn, ...entry } = { destinationArn: notification.destinationArn, ...entryOf(notification) }
    if (parseArn(destinationArn)?.service === 'sqs') queues.push({ ...entry, QueueArn: destinationArn })
    else topics.push({ ...entry, TopicArn: destinationArn })
  }
  return {
    ...(topics.length > 0 && { TopicConfigurations: topics }),
    ...(queues.length > 0 && { QueueConfigurations: queues }),
  }
}

function entryOf({ id, events, prefix, suffix }: BucketNotification): Entry {
  const rules = [
    ...(prefix === undefined ? [] : [{ Name: 'Prefix', Value: prefix }]),
    ...(suffix === undefined ? [] : [{ Name: 'Suffix', Value: suffix }]),
  ]
  return { Id: id, Events: events, ...(rules.length > 0 && { Filter: { Key: { FilterRules: rules } } }) }
}

function readEntry(entry: Entry, kind: 'Queue' | 'Topic', arn: string, random: Random): BucketNotification {
  const parsed = parseArn(arn)
  if (parsed === undefined) throw errors.invalidArgument(kind, arn, 'The ARN could not be parsed')
  if (parsed.service !== (kind === 'Queue' ? 'sqs' : 'sns') || parsed.resource.includes(':'))
    throw errors.invalidArgument(kind, arn, 'The ARN is not well formed')
  const id = entry.Id === undefined || entry.Id === '' ? random.uuid() : entry.Id
  if (id.length > ID_CHARS_MAX) throw errors.invalidArgument('Id', id, `An Id has at most ${ID_CHARS_MAX} characters`)
  if (entry.Events.length === 0) throw errors.malformedXml(`${kind}Configuration must hold at least one Event.`)
  for (const event of entry.Events) checkEvent(event)
  return { id, destinationArn: arn, events: [...new Set(entry.Events)], ...readFilter(entry) }
}

/** Kinds that S3 has, and that do not happen here. */
const NOT_HERE =
  /^s3:(ObjectCreated:Post|ObjectRestore:|ReducedRedundancyLostObject|Replication:|IntelligentTiering|ObjectAcl:|ObjectAnnotation:)/

function checkEvent(event: string): void {
  if (isBucketEventPattern(event)) return
  if (NOT_HERE.test(event)) throw errors.notOffered(`the event ${event}, which does not happen here`)
  throw errors.invalidArgument('Event', event, 'A specified event is not supported for notifications.')
}

function readFilter({ Filter }: Entry): { readonly prefix?: string; readonly suffix?: string } {
  const found: { prefix?: string; suffix?: string } = {}
  for (const { Name: given = '', Value: value = '' } of Filter?.Key?.FilterRules ?? []) {
    const name = given.toLowerCase()
    if (name !== 'prefix' && name !== 'suffix')
      throw errors.invalidArgument('FilterRule.Name', given, 'filter rule name must be either prefix or suffix')
    if (found[name] !== undefined)
      throw errors.invalidArgument('FilterRule.Name', given, `Cannot specify more than one ${name} rule in a filter.`)
    if (Buffer.byteLength(value) > FILTER_BYTES_MAX)
      throw errors.invalidArgument(
        'FilterRule.Value',
        value,
        `Size of filter rule value cannot exceed ${FILTER_BYTES_MAX} bytes in UTF-8 representation`,
      )
    found[name] = value
  }
  return found
}

function checkPair(one: BucketNotification, other: BucketNotification): void {
  if (one.id === other.id) throw errors.invalidArgument('Id', one.id, 'Same ID used for multiple configurations. IDs must be unique')
  if (!sharesEvent(one.events, other.events)) return
  const [a, b] = [one.prefix ?? '', other.prefix ?? '']
  const [c, d] = [one.suffix ?? '', other.suffix ?? '']
  if (!(a.startsWith(b) || b.startsWith(a)) || !(c.endsWith(d) || d.endsWith(c))) return
  const hasFilters = `${a}${b}${c}${d}` !== ''
  throw errors.invalidArgument(
    'Id',
    `${one.id}, ${other.id}`,
    hasFilters
      ? 'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping ' +
          'for the same event type.'
      : 'Configurations overlap. Configurations on the same bucket cannot share a common event type.',
  )
}
