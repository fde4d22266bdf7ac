// The errors of CloudTrail's data service (CloudTrail Data Service API reference, PutAuditEvents): status 400, the shape's name as code.
import { ServiceError } from '../../model/service-error.ts'

function error(shape: string, message: string): ServiceError {
  return new ServiceError(shape, 400, message, { shape })
}

export const errors = {
  accessDenied: (message: string) =>
    new ServiceError('ChannelInsufficientPermission', 400, message, {
      shape: 'ChannelInsufficientPermission',
      recordedCode: 'AccessDenied',
    }),
  channelMissing: (arn: string) => error('ChannelNotFound', `There is no channel ${arn}.`),
  duplicated: (id: string) =>
    error('DuplicatedAuditEventId', `The id ${id} stands in auditEvents more than once; give each event its own.`),
  internalError: () =>
    new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error, exception or failure.'),
  invalidChannel: (given: string) =>
    error(
      'InvalidChannelARN',
      `channelArn ${given.slice(0, 300)} is no channel: give arn:aws:cloudtrail:REGION:ACCOUNT:channel/ID, or the ID alone.`,
    ),
  validation: (message: string) => error('ValidationException', message),
} as const
