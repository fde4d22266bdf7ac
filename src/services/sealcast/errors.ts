// What the operator's service answers when it refuses.
import { ServiceError } from '../../model/service-error.ts'

export const badRequest = (message: string): ServiceError => new ServiceError('InvalidRequest', 400, message)
export const accessDenied = (message: string): ServiceError => new ServiceError('AccessDenied', 403, message)
export const conflict = (message: string): ServiceError => new ServiceError('Conflict', 409, message)
export const internalError = (): ServiceError =>
  new ServiceError('InternalError', 500, 'An internal error has occurred; the server log has more.')
