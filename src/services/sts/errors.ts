// The refusals of STS (STS API Reference, "Common errors").
import { ServiceError } from '../../model/service-error.ts'

export const accessDenied = (message: string): ServiceError => new ServiceError('AccessDenied', 403, message)

export const internalError = (): ServiceError =>
  new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error, exception or failure.')

export const invalidAccessKeyId = (accessKeyId: string): ServiceError =>
  new ServiceError('ValidationError', 400, `The access key id ${accessKeyId} is not known here. Give one that this server has issued.`)
