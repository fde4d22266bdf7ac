// ListChannels of the account in the region, in the order of their ARNs.
import type { Operation } from '../../engine/operation.ts'
import { channelErrors } from './channel-errors.ts'
import { errors } from './errors.ts'
import { channelsOf } from './existing-channel.ts'

interface Input {
  readonly MaxResults?: number
  readonly NextToken?: string
}

interface Output {
  readonly Channels: readonly { readonly ChannelArn: string; readonly Name: string }[]
  readonly NextToken?: string
}

const PAGE_MAX = 1000

export const listChannels: Operation<Input, Output> = {
  name: 'ListChannels',
  access: 'read',
  run(tx, { MaxResults: max = PAGE_MAX, NextToken: token }, call) {
    if (!Number.isInteger(max) || max < 1 || max > PAGE_MAX)
      throw errors.invalidParameter(`MaxResults must be a whole number from 1 to ${PAGE_MAX}, not ${max}.`)
    const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8')
    if (token !== undefined && !after.startsWith('arn:')) throw channelErrors.invalidToken('ListChannels')
    const channels = channelsOf(tx, call).filter(({ channelArn }) => channelArn > after)
    const page = channels.slice(0, max)
    const last = page.at(-1)
    return {
      Channels: page.map(({ channelArn, name }) => ({ ChannelArn: channelArn, Name: name })),
      ...(channels.length > page.length && last !== undefined && { NextToken: Buffer.from(last.channelArn).toString('base64url') }),
    }
  },
}
