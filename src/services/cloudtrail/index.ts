// The CloudTrail service: its operations by name.
import type { Service } from '../../engine/operation.ts'
import { nullMembersError } from '../../model/missing-members.ts'
import { addTags } from './add-tags.ts'
import { createCreateTrail } from './create-trail.ts'
import { deleteTrail } from './delete-trail.ts'
import { describeTrails } from './describe-trails.ts'
import { errors } from './errors.ts'
import { getEventSelectors } from './get-event-selectors.ts'
import { getTrail } from './get-trail.ts'
import { getTrailStatus } from './get-trail-status.ts'
import { listPublicKeys } from './list-public-keys.ts'
import { listTags } from './list-tags.ts'
import { listTrails } from './list-trails.ts'
import { createLookupEvents, type LookupParts } from './lookup-events.ts'
import { cloudtrailModel } from './model.ts'
import { putEventSelectors } from './put-event-selectors.ts'
import { removeTags } from './remove-tags.ts'
import { startLogging } from './start-logging.ts'
import { stopLogging } from './stop-logging.ts'
import { updateTrail } from './update-trail.ts'

/** All but the operations that need more than tables. */
export const cloudtrail = {
  name: 'cloudtrail',
  eventSource: 'cloudtrail.amazonaws.com',
  actionPrefix: 'cloudtrail',
  model: cloudtrailModel,
  operations: {
    AddTags: addTags,
    CreateTrail: createCreateTrail(),
    DeleteTrail: deleteTrail,
    DescribeTrails: describeTrails,
    GetEventSelectors: getEventSelectors,
    GetTrail: getTrail,
    GetTrailStatus: getTrailStatus,
    ListPublicKeys: listPublicKeys,
    ListTags: listTags,
    ListTrails: listTrails,
    PutEventSelectors: putEventSelectors,
    RemoveTags: removeTags,
    StartLogging: startLogging,
    StopLogging: stopLogging,
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
}

export function createCloudtrail({ trailsMax, ...lookup }: CloudtrailParts): Service {
  const { operations } = cloudtrail
  return {
    ...cloudtrail,
    operations: { ...operations, CreateTrail: createCreateTrail(trailsMax), LookupEvents: createLookupEvents(lookup) },
  }
}
