// One event as one line for a person.
import type { Terminal } from '../command.ts'

export interface ShownEvent {
  readonly committedAt: number
  readonly lostBefore: number
  readonly record: unknown
}

interface ShownRecord {
  readonly eventSource?: string
  readonly eventName?: string
  readonly awsRegion?: string
  readonly sourceIPAddress?: string
  readonly errorCode?: string
  readonly userIdentity?: {
    readonly arn?: string
    readonly userName?: string
    readonly principalId?: string
    readonly invokedBy?: string
    readonly type?: string
  }
  readonly requestParameters?: Readonly<Record<string, unknown>> | null
  readonly resources?: readonly { readonly ARN?: string }[]
}

const RED = '\u001b[31m'
const DIM = '\u001b[2m'
const PLAIN = '\u001b[0m'

export function describeEvent({ committedAt, record }: ShownEvent, terminal: Pick<Terminal, 'isOutputTerminal' | 'columns'>): string {
  const event = shownOf(record)
  const time = new Date(committedAt).toISOString().slice(11, 23)
  const service = (event.eventSource ?? '').replace(/\.amazonaws\.com$/, '')
  const fields = [
    time,
    who(event).padEnd(28),
    `${service}:${event.eventName ?? '?'}`.padEnd(28),
    target(event),
    event.errorCode ?? 'ok',
    event.sourceIPAddress ?? '',
  ].map(printable)
  const line = fields.filter((field) => field !== '').join('  ')
  if (!terminal.isOutputTerminal) return `${line}\n`
  const shown = line.slice(0, Math.max(40, terminal.columns))
  const color = event.errorCode === undefined ? '' : RED
  return `${color}${shown.replace(time, `${DIM}${time}${PLAIN}${color}`)}${PLAIN}\n`
}

/** An event of a channel holds what happened one level down. */
function shownOf(record: unknown): ShownRecord {
  const { eventData, ...own } = record as ShownRecord & { readonly eventData?: ShownRecord }
  return { ...own, ...eventData }
}

function who({ userIdentity }: ShownRecord): string {
  if (userIdentity === undefined) return '?'
  const { arn, userName, principalId, invokedBy, type } = userIdentity
  return arn?.replace(/^arn:aws:(iam|sts)::/, '') ?? invokedBy ?? userName ?? (principalId === '' ? undefined : principalId) ?? type ?? '?'
}

function target({ resources, requestParameters }: ShownRecord): string {
  const named = resources?.[0]?.ARN ?? ''
  if (named !== '') return named
  for (const name of ['topicArn', 'subscriptionArn', 'queueUrl', 'queueName', 'bucketName', 'name', 'trailName', 'sql'])
    if (typeof requestParameters?.[name] === 'string') return String(requestParameters[name])
  return ''
}

/** Text from callers may hold control sequences; a terminal must never see them. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}
