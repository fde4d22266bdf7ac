// The errors of CloudTrail. All answer with status 400 and the shape's name as their code (CloudTrail service model); texts follow the
// service where they are known.
import { ServiceError } from '../../model/service-error.ts'

function error(shape: string, message: string): ServiceError {
  return new ServiceError(shape, 400, message, { shape })
}

export const errors = {
  accessDenied: (message: string) =>
    new ServiceError('AccessDeniedException', 400, message, { shape: 'AccessDeniedException', recordedCode: 'AccessDenied' }),
  arnInvalid: (arn: string) =>
    error(
      'CloudTrailARNInvalidException',
      `The ARN ${arn} is not valid. The format of a trail ARN is arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail`,
    ),
  /** `why`: what another S3 answered, where the bucket lies there. */
  bucketMissing: (bucket: string, why?: string) =>
    error('S3BucketDoesNotExistException', `S3 bucket ${bucket} does not exist!${why === undefined ? '' : ` (${why})`}`),
  bucketPolicy: (bucket: string, why?: string) =>
    error(
      'InsufficientS3BucketPolicyException',
      `Incorrect S3 bucket policy is detected for bucket: ${bucket}${why === undefined ? '' : ` (${why})`}`,
    ),
  cloudWatchLogs: () =>
    error(
      'CloudWatchLogsDeliveryUnavailableException',
      'Cannot set a CloudWatch Logs delivery for this region: it is not offered by this version of Sealcast. ' +
        'Leave CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn out.',
    ),
  combination: (message: string) => error('InvalidParameterCombinationException', message),
  eventCategory: (category: string) =>
    error('InvalidEventCategoryException', `The EventCategory ${category.slice(0, 100)} is not valid: give insight, or leave it out.`),
  homeRegion: (arn: string, region: string) =>
    error('InvalidHomeRegionException', `The trail ${arn} can be changed only in its home region, which is ${region}.`),
  internalError: () =>
    new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error, exception or failure.'),
  invalidBucketName: (bucket: string) => error('InvalidS3BucketNameException', `Bucket name ${bucket} is invalid.`),
  invalidName: (message: string) => error('InvalidTrailNameException', message),
  invalidParameter: (message: string) => error('InvalidParameterException', message),
  invalidPrefix: (message: string) => error('InvalidS3PrefixException', message),
  invalidPublicKeysToken: () =>
    error('InvalidTokenException', 'ListPublicKeys gives all keys in one answer and takes no NextToken. Leave it out.'),
  invalidSelectors: (message: string) => error('InvalidEventSelectorsException', message),
  invalidSnsTopic: (topic: string) =>
    error('InvalidSnsTopicNameException', `SNS topic name or ARN ${topic} is invalid: name a standard topic, or give its ARN.`),
  invalidTag: (message: string) => error('InvalidTagParameterException', message),
  lookupAttributes: (message: string) => error('InvalidLookupAttributesException', message),
  lookupToken: () =>
    error(
      'InvalidNextTokenException',
      'The NextToken is not one that LookupEvents gave out for these parameters. Pass it with the parameters of the call that gave it out.',
    ),
  maxResults: (message: string) => error('InvalidMaxResultsException', message),
  invalidToken: () => error('InvalidNextTokenException', 'The NextToken is not one that ListTrails gave out.'),
  encryptionPolicy: (bucket: string, key: string) =>
    error('InsufficientEncryptionPolicyException', `Insufficient permissions to access S3 bucket ${bucket} or KMS key ${key}.`),
  kms: (message: string) => error('KmsException', message),
  kmsKeyNotFound: (key: string, remedy: string) =>
    error('KmsKeyNotFoundException', `KmsKeyId: the KMS key ${key} could not be found; ${remedy}.`),
  organization: () =>
    error(
      'OrganizationsNotInUseException',
      'The account is not a member of an organization: organization trails are not offered by this version of Sealcast.',
    ),
  resourceType: (arn: string) =>
    error('ResourceTypeNotSupportedException', `The resource ${arn} is not of a type that can be tagged here; trails and channels are.`),
  snsPolicy: () => error('InsufficientSnsTopicPolicyException', 'SNS Topic does not exist or the topic policy is incorrect!'),
  tagsLimit: (max: number) => error('TagsLimitExceededException', `A trail has at most ${max} tags.`),
  throttled: () => error('ThrottlingException', 'Rate exceeded'),
  timeRange: (message: string) => error('InvalidTimeRangeException', message),
  trailExists: (name: string, account: string) =>
    error('TrailAlreadyExistsException', `Trail ${name} already exists for customer: ${account}`),
  trailsLimit: (account: string, max: number, region: string) =>
    error('MaximumNumberOfTrailsExceededException', `User: ${account} already has ${max} trails in ${region}.`),
  trailMissing: (arn: string, account: string) => error('TrailNotFoundException', `Unknown trail: ${arn} for the user: ${account}`),
} as const
