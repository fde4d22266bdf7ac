// The CloudTrail service: its operations by name.
import type { Service } from '../../engine/operation.ts'
import { nullMembersError } from '../../model/missing-members.ts'
import { addTags } from './add-tags.ts'
import { createCreateChannel } from './create-channel.ts'
import { createCreateTrail } from './create-trail.ts'
import { deleteChannel } from './delete-channel.ts'
import { deleteResourcePolicy } from './delete-resource-policy.ts'
import { deleteTrail } from './delete-trail.ts'
import { describeTrails } from './describe-trails.ts'
import { errors } from './errors.ts'
import { getEventConfiguration, putEventConfiguration } from './event-configuration.ts'
import { getChannel } from './get-channel.ts'
import { createGetEventDataStore } from './get-event-data-store.ts'
import { getEventSelectors } from './get-event-selectors.ts'
import { getInsightSelectors } from './get-insight-selectors.ts'
import { getResourcePolicy } from './get-resource-policy.ts'
import { getTrailStatus } from './get-trail-status.ts'
import { getTrail } from './get-trail.ts'
import { listChannels } from './list-channels.ts'
import { createListEventDataStores } from './list-event-data-stores.ts'
import { listPublicKeys } from './list-public-keys.ts'
import { listTags } from './list-tags.ts'
import { listTrails } from './list-trails.ts'
import { createLookupEvents, type LookupParts } from './lookup-events.ts'
import { cloudtrailModel } from './model.ts'
import { putEventSelectors } from './put-event-selectors.ts'
import { putInsightSelectors } from './put-insight-selectors.ts'
import { putResourcePolicy } from './put-resource-policy.ts'
import { removeTags } from './remove-tags.ts'
import { startLogging } from './start-logging.ts'
import { stopLogging } from './stop-logging.ts'
import { unofferedOperations } from './unoffered-operations.ts'
import { updateChannel } from './update-channel.ts'
import { updateTrail } from './update-trail.ts'

/** All but the operations that need more than tables. */
export const cloudtrail = {
  name: 'cloudtrail',
  eventSource: 'cloudtrail.amazonaws.com',
  actionPrefix: 'cloudtrail',
  model: cloudtrailModel,
  operations: {
    ...unofferedOperations,
    AddTags: addTags,
    CreateTrail: createCreateTrail(),
    DeleteChannel: deleteChannel,
    DeleteResourcePolicy: deleteResourcePolicy,
    DeleteTrail: deleteTrail,
    DescribeTrails: describeTrails,
    GetChannel: getChannel,
    GetEventConfiguration: getEventConfiguration,
    GetEventSelectors: getEventSelectors,
    GetInsightSelectors: getInsightSelectors,
    GetResourcePolicy: getResourcePolicy,
    GetTrail: getTrail,
    GetTrailStatus: getTrailStatus,
    ListPublicKeys: listPublicKeys,
    ListChannels: listChannels,
    ListTags: listTags,
    ListTrails: listTrails,
    PutEventConfiguration: putEventConfiguration,
    PutEventSelectors: putEventSelectors,
    PutInsightSelectors: putInsightSelectors,
    PutResourcePolicy: putResourcePolicy,
    RemoveTags: removeTags,
    StartLogging: startLogging,
    StopLogging: stopLogging,
    UpdateChannel: updateChannel,
    UpdateTrail: updateTrail,
  },
  accessDenied: errors.accessDenied,
  internalError: errors.internalError,
  recordsDataEvents: 'when-selected',
  missing: nullMembersError,
} as const satisfies Service

export interface CloudtrailParts extends LookupParts {
  /** Trails of an account in a region; absent: any number. */
  readonly trailsMax?: number
  /** Channels of an account in a region; absent: any number. */
  readonly channelsMax?: number
  /** Days for which the lake keeps events. */
  readonly retentionDays: number
}

export function createCloudtrail({ trailsMax, channelsMax, retentionDays, ...lookup }: CloudtrailParts): Service {
  return {
    ...cloudtrail,
    operations: {
      ...cloudtrail.operations,
      CreateChannel: createCreateChannel(channelsMax),
      CreateTrail: createCreateTrail(trailsMax),
      GetEventDataStore: createGetEventDataStore(retentionDays),
      ListEventDataStores: createListEventDataStores(retentionDays),
      LookupEvents: createLookupEvents(lookup),
    },
  }
}
