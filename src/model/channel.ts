// Channels: the way of events from outside into the record (CloudTrail API reference, CreateChannel), and the event data store that they
// lead to. There is one for each account, and it is the lake.
import { createHash } from 'node:crypto'
import { formatArn, parseArn, partitionOf } from './arn.ts'

export interface Channel {
  readonly channelArn: string
  readonly name: string
  readonly account: string
  readonly region: string
  readonly source: string
  readonly destinations: readonly ChannelDestination[]
  readonly tags: Readonly<Record<string, string>>
  /** The text of its resource policy. */
  readonly policy?: string
  readonly createdAt: number
  readonly ingestion?: ChannelIngestion
}

export interface ChannelDestination {
  readonly type: 'EVENT_DATA_STORE'
  readonly location: string
}

/** Times in ms since 1970. */
export interface ChannelIngestion {
  readonly attemptAt: number
  readonly attemptEventId: string
  readonly successAt?: number
  readonly successEventId?: string
  readonly errorCode?: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The ARN that a channel's ARN or id stands for in an account's region; undefined when it is neither. */
export function channelArnOf(arnOrId: string, account: string, region: string): string | undefined {
  if (UUID.test(arnOrId))
    return formatArn({ partition: partitionOf(region), service: 'cloudtrail', region, account, resource: `channel/${arnOrId}` })
  const arn = parseArn(arnOrId)
  if (arn === undefined || arn.service !== 'cloudtrail' || !/^\d{12}$/.test(arn.account)) return undefined
  return arn.resource.startsWith('channel/') && UUID.test(arn.resource.slice('channel/'.length)) ? arnOrId : undefined
}

/** The account's event data store as it is named in a region. */
export function eventDataStoreArn(account: string, region: string): string {
  return formatArn({
    partition: partitionOf(region),
    service: 'cloudtrail',
    region,
    account,
    resource: `eventdatastore/${eventDataStoreId(account)}`,
  })
}

/** The ARN that an event data store's ARN or id stands for; undefined when it is neither. */
export function eventDataStoreArnOf(arnOrId: string, account: string, region: string): string | undefined {
  if (UUID.test(arnOrId))
    return formatArn({ partition: partitionOf(region), service: 'cloudtrail', region, account, resource: `eventdatastore/${arnOrId}` })
  const arn = parseArn(arnOrId)
  if (arn === undefined || arn.service !== 'cloudtrail') return undefined
  return arn.resource.startsWith('eventdatastore/') && UUID.test(arn.resource.slice('eventdatastore/'.length)) ? arnOrId : undefined
}

/** The same for ever, and told apart from other accounts'. */
function eventDataStoreId(account: string): string {
  const hex = createHash('sha256').update(`sealcast event data store ${account}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
