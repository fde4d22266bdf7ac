// The errors of channels, event data stores, insights and what is not offered. As in errors.ts: status 400, the shape's name as code.
import { ServiceError } from '../../model/service-error.ts'

function error(shape: string, message: string): ServiceError {
  return new ServiceError(shape, 400, message, { shape })
}

export const channelErrors = {
  arnInvalid: (given: string) =>
    error(
      'ChannelARNInvalidException',
      `${given.slice(0, 300)} is no channel: give its ARN (arn:aws:cloudtrail:REGION:ACCOUNT:channel/ID) or the ID at the ARN's end.`,
    ),
  exists: (name: string) => error('ChannelAlreadyExistsException', `A channel with the name ${name} exists already; choose another Name.`),
  missing: (arn: string) => error('ChannelNotFoundException', `There is no channel ${arn}.`),
  tooMany: (max: number) =>
    error('ChannelMaxLimitExceededException', `There are ${max} channels already, which is the limit; delete one first.`),
  source: (source: string) =>
    error(
      'InvalidSourceException',
      `Source must be Custom, not ${source.slice(0, 100)}: events of partners come through a channel of your own.`,
    ),
  storeArnInvalid: (given: string) =>
    error(
      'EventDataStoreARNInvalidException',
      `${given.slice(0, 300)} is no event data store: give its ARN, as ListEventDataStores tells it, or the ID at the ARN's end.`,
    ),
  storeMissing: (given: string, own: string) =>
    error('EventDataStoreNotFoundException', `There is no event data store ${given}. The account has one, which is ${own}.`),
  policyArn: (given: string) =>
    error(
      'ResourceARNNotValidException',
      `ResourceArn must be the ARN of a channel (arn:aws:cloudtrail:REGION:ACCOUNT:channel/ID), not ${given}.`,
    ),
  policyMissing: (arn: string) => error('ResourcePolicyNotFoundException', `${arn} has no resource policy.`),
  policyInvalid: (message: string) => error('ResourcePolicyNotValidException', message),
  policyResource: (arn: string) => error('ResourceNotFoundException', `There is no channel ${arn}.`),
  policyType: (arn: string) =>
    error('ResourceTypeNotSupportedException', `${arn} cannot have a resource policy: channels have one here, and nothing else.`),
  insightSelectors: (message: string) => error('InvalidInsightSelectorsException', message),
  insightsOff: (name: string) =>
    error(
      'InsightNotEnabledException',
      `Trail ${name} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.`,
    ),
  invalidMax: (max: number, limit: number) =>
    error('InvalidMaxResultsException', `MaxResults must be a whole number from 1 to ${limit}, not ${max}.`),
  invalidToken: (operation: string) => error('InvalidNextTokenException', `The NextToken is not one that ${operation} gave out.`),
  unoffered: (operation: string, remedy: string) =>
    error('UnsupportedOperationException', `${operation} is not offered by this version of Sealcast: ${remedy}.`),
} as const
