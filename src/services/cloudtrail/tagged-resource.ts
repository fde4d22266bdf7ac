// What a tagging call means: a trail or a channel, always by its ARN.
import { parseArn } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { errors } from './errors.ts'
import { existingChannel } from './existing-channel.ts'
import { findTrail } from './trail-name.ts'

export type Tags = Readonly<Record<string, string>>

export interface Tagged {
  readonly account: string
  readonly tags: Tags
  readonly setTags: (tx: Transaction, tags: Tags) => void
}

/** Throws CloudTrailARNInvalidException and ResourceTypeNotSupportedException. */
export function checkTaggedArn(arn: string): string {
  const parsed = parseArn(arn)
  if (parsed === undefined || parsed.service !== 'cloudtrail') throw errors.arnInvalid(arn)
  if (!/^(trail|channel)\//.test(parsed.resource)) throw errors.resourceType(arn)
  return arn
}

/** Throws TrailNotFoundException and ChannelNotFoundException as well. */
export function taggedResource(tables: TableReader, call: Call, arn: string): Tagged {
  if (parseArn(checkTaggedArn(arn))?.resource.startsWith('channel/') === true) {
    const channel = existingChannel(tables, call, arn)
    const { account, tags, channelArn } = channel
    return { account, tags, setTags: (tx, next) => tx.put(Table.channels, channelArn, { ...channel, tags: next }) }
  }
  const trail = findTrail(tables, call, arn)
  const { account, tags, trailArn } = trail
  return { account, tags, setTags: (tx, next) => tx.put(Table.trails, trailArn, { ...trail, tags: next }) }
}
