// UpdateChannel: another name or other destinations; the source stays.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import {
  checkChannelName,
  checkedDestinations,
  destinationForm,
  type DestinationInput,
  existingChannel,
  resolveChannel,
} from './existing-channel.ts'

interface Input {
  readonly Channel: string
  readonly Name?: string
  readonly Destinations?: readonly DestinationInput[]
}

interface Output {
  readonly ChannelArn: string
  readonly Name: string
  readonly Source: string
  readonly Destinations: readonly DestinationInput[]
}

export const updateChannel: Operation<Input, Output> = {
  name: 'UpdateChannel',
  access: 'write',
  resource: (input, call) => resolveChannel(call, input.Channel),
  run(tx, input, call) {
    const channel = existingChannel(tx, call, input.Channel)
    const { Name: name = channel.name, Destinations: given } = input
    if (name !== channel.name) checkChannelName(tx, call, name)
    const destinations = given === undefined ? channel.destinations : checkedDestinations(call, given)
    tx.put(Table.channels, channel.channelArn, { ...channel, name, destinations })
    return { ChannelArn: channel.channelArn, Name: name, Source: channel.source, Destinations: destinationForm(destinations) }
  },
}
