// Trails in the API's own form.
import { hasCustomSelectors } from '../../model/event-selector.ts'
import type { Trail } from '../../model/trail.ts'

/** What CreateTrail and UpdateTrail echo. Members that are not set are absent. */
export interface TrailEcho {
  readonly Name: string
  readonly S3BucketName: string
  readonly S3KeyPrefix?: string
  readonly SnsTopicName?: string
  readonly SnsTopicARN?: string
  readonly IncludeGlobalServiceEvents: boolean
  readonly IsMultiRegionTrail: boolean
  readonly TrailARN: string
  readonly LogFileValidationEnabled: boolean
  readonly KmsKeyId?: string
  readonly IsOrganizationTrail: boolean
  readonly RecursiveLogging?: boolean
}

export function echoTrail(trail: Trail): TrailEcho {
  return {
    Name: trail.name,
    S3BucketName: trail.bucketName,
    ...(trail.keyPrefix !== '' && { S3KeyPrefix: trail.keyPrefix }),
    ...(trail.snsTopicName !== undefined && { SnsTopicName: trail.snsTopicName }),
    ...(trail.snsTopicArn !== undefined && { SnsTopicARN: trail.snsTopicArn }),
    IncludeGlobalServiceEvents: trail.includeGlobalServiceEvents,
    IsMultiRegionTrail: trail.isMultiRegion,
    TrailARN: trail.trailArn,
    LogFileValidationEnabled: trail.logFileValidation,
    ...(trail.kmsKeyArn !== undefined && { KmsKeyId: trail.kmsKeyArn }),
    IsOrganizationTrail: false,
    ...(!trail.isRecursive && { RecursiveLogging: false }),
  }
}

export interface TrailDescription extends TrailEcho {
  readonly HomeRegion: string
  readonly HasCustomEventSelectors: boolean
  readonly HasInsightSelectors: boolean
}

export function describeTrail(trail: Trail): TrailDescription {
  return {
    ...echoTrail(trail),
    HomeRegion: trail.homeRegion,
    HasCustomEventSelectors: hasCustomSelectors(trail),
    HasInsightSelectors: trail.insightSelectors !== undefined,
  }
}
