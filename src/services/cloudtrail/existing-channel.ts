// Which channel a call means, and what channels may be called and lead to.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { type Channel, type ChannelDestination, channelArnOf, eventDataStoreArn, eventDataStoreArnOf } from '../../model/channel.ts'
import { Table } from '../../model/tables.ts'
import { channelErrors } from './channel-errors.ts'
import { errors } from './errors.ts'

export interface DestinationInput {
  readonly Type: string
  readonly Location: string
}

const NAME_CHARS_MIN = 3
const NAME_CHARS_MAX = 128
const DESTINATIONS_MAX = 200

/** Throws ChannelARNInvalidException. */
export function resolveChannel(call: Call, arnOrId: string): string {
  const arn = channelArnOf(arnOrId, call.account, call.region)
  if (arn === undefined) throw channelErrors.arnInvalid(arnOrId)
  return arn
}

/** Throws ChannelNotFoundException as well; a channel of another region is not there. */
export function existingChannel(tables: TableReader, call: Call, arnOrId: string): Channel {
  const arn = resolveChannel(call, arnOrId)
  const channel = tables.get(Table.channels, arn)
  if (channel === undefined || channel.region !== call.region) throw channelErrors.missing(arn)
  return channel
}

/** The account's channels of the region, in the order of their ARNs. */
export function channelsOf(tables: TableReader, call: Call): readonly Channel[] {
  return tables
    .range(Table.channels, { prefix: `arn:${call.partition}:cloudtrail:${call.region}:${call.account}:` })
    .map(({ value }) => value)
}

/** Throws InvalidParameterException and ChannelAlreadyExistsException. */
export function checkChannelName(tables: TableReader, call: Call, name: string): void {
  if (name.length < NAME_CHARS_MIN || name.length > NAME_CHARS_MAX || !/^[A-Za-z0-9._-]+$/.test(name))
    throw errors.invalidParameter(
      `Name must have ${NAME_CHARS_MIN} to ${NAME_CHARS_MAX} letters, digits, periods, hyphens or underscores, not ${name.slice(0, 200)}.`,
    )
  if (channelsOf(tables, call).some((channel) => channel.name === name)) throw channelErrors.exists(name)
}

/** A channel leads to the account's event data store. Throws InvalidParameterException and what `resolveStore` throws. */
export function checkedDestinations(call: Call, given: readonly DestinationInput[]): readonly ChannelDestination[] {
  if (given.length < 1 || given.length > DESTINATIONS_MAX)
    throw errors.invalidParameter(`Destinations must have 1 to ${DESTINATIONS_MAX} entries, not ${given.length}.`)
  const locations = given.map(({ Type: type, Location: location }) => {
    if (type !== 'EVENT_DATA_STORE')
      throw errors.invalidParameter(`The Type of a destination must be EVENT_DATA_STORE, not ${type.slice(0, 100)}.`)
    return resolveStore(call, location)
  })
  if (new Set(locations).size < locations.length) throw errors.invalidParameter('Destinations names an event data store twice.')
  return locations.map((location) => ({ type: 'EVENT_DATA_STORE', location }))
}

/** Throws EventDataStoreARNInvalidException and EventDataStoreNotFoundException. */
export function resolveStore(call: Call, arnOrId: string): string {
  const arn = eventDataStoreArnOf(arnOrId, call.account, call.region)
  if (arn === undefined) throw channelErrors.storeArnInvalid(arnOrId)
  const own = eventDataStoreArn(call.account, call.region)
  if (arn !== own) throw channelErrors.storeMissing(arn, own)
  return arn
}

export function destinationForm(destinations: readonly ChannelDestination[]): readonly DestinationInput[] {
  return destinations.map(({ type, location }) => ({ Type: type, Location: location }))
}
