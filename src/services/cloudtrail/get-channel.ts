// GetChannel: where a channel leads and how its last events fared.
import type { Operation } from '../../engine/operation.ts'
import type { ChannelIngestion } from '../../model/channel.ts'
import { destinationForm, type DestinationInput, existingChannel, resolveChannel } from './existing-channel.ts'

interface Output {
  readonly ChannelArn: string
  readonly Name: string
  readonly Source: string
  readonly SourceConfig: { readonly ApplyToAllRegions: boolean; readonly AdvancedEventSelectors: readonly never[] }
  readonly Destinations: readonly DestinationInput[]
  readonly IngestionStatus: object
}

export const getChannel: Operation<{ readonly Channel: string }, Output> = {
  name: 'GetChannel',
  access: 'read',
  resource: (input, call) => resolveChannel(call, input.Channel),
  run(tx, input, call) {
    const { channelArn, name, source, destinations, ingestion } = existingChannel(tx, call, input.Channel)
    return {
      ChannelArn: channelArn,
      Name: name,
      Source: source,
      SourceConfig: { ApplyToAllRegions: false, AdvancedEventSelectors: [] },
      Destinations: destinationForm(destinations),
      IngestionStatus: ingestion === undefined ? {} : statusOf(ingestion),
    }
  },
}

function statusOf({ attemptAt, attemptEventId, successAt, successEventId, errorCode }: ChannelIngestion): object {
  return {
    LatestIngestionAttemptTime: new Date(attemptAt),
    LatestIngestionAttemptEventID: attemptEventId,
    ...(successAt !== undefined && { LatestIngestionSuccessTime: new Date(successAt) }),
    ...(successEventId !== undefined && { LatestIngestionSuccessEventID: successEventId }),
    ...(errorCode !== undefined && { LatestIngestionErrorCode: errorCode }),
  }
}
