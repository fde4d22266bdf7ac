// CreateChannel: a way for events from outside into the account's event data store.
import type { Operation } from '../../engine/operation.ts'
import { formatArn } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import { channelErrors } from './channel-errors.ts'
import { channelsOf, checkChannelName, checkedDestinations, destinationForm, type DestinationInput } from './existing-channel.ts'
import { type Tag, tagList, withTags } from './tags.ts'

interface Input {
  readonly Name: string
  readonly Source: string
  readonly Destinations: readonly DestinationInput[]
  readonly Tags?: readonly Tag[]
}

interface Output {
  readonly ChannelArn: string
  readonly Name: string
  readonly Source: string
  readonly Destinations: readonly DestinationInput[]
  readonly Tags?: readonly Tag[]
}

/** `channelsMax`: of an account in a region. */
export function createCreateChannel(channelsMax = Infinity): Operation<Input, Output> {
  return {
    name: 'CreateChannel',
    access: 'write',
    run(tx, input, call) {
      const { Name: name, Source: source } = input
      checkChannelName(tx, call, name)
      if (source !== 'Custom') throw channelErrors.source(source)
      const destinations = checkedDestinations(call, input.Destinations)
      const tags = withTags({}, input.Tags ?? [])
      if (channelsOf(tx, call).length >= channelsMax) throw channelErrors.tooMany(channelsMax)
      const { partition, region, account } = call
      const channelArn = formatArn({ partition, service: 'cloudtrail', region, account, resource: `channel/${call.env.random.uuid()}` })
      tx.put(Table.channels, channelArn, { channelArn, name, account, region, source, destinations, tags, createdAt: tx.now })
      return {
        ChannelArn: channelArn,
        Name: name,
        Source: source,
        Destinations: destinationForm(destinations),
        ...(input.Tags !== undefined && { Tags: tagList(tags) }),
      }
    },
  }
}
