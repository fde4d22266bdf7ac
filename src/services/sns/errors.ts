// What SNS answers when it refuses, in AWS's codes and texts.
import { nullMembersError } from '../../model/missing-members.ts'
import { ServiceError } from '../../model/service-error.ts'

export const invalidParameter = (text: string): ServiceError =>
  new ServiceError('InvalidParameter', 400, `Invalid parameter: ${text}`, { shape: 'InvalidParameterException' })

/** Some refusals of SNS carry no "Invalid parameter:" in front. */
export const invalidParameterPlain = (text: string): ServiceError =>
  new ServiceError('InvalidParameter', 400, text, { shape: 'InvalidParameterException' })

export const invalidValue = (text: string): ServiceError =>
  new ServiceError('ParameterValueInvalid', 400, text, { shape: 'InvalidParameterValueException' })

export const notFound = (what: 'Topic' | 'Subscription' | 'PlatformApplication' | 'Endpoint'): ServiceError =>
  new ServiceError('NotFound', 404, `${what} does not exist`, { shape: 'NotFoundException' })

export const resourceNotFound = (): ServiceError =>
  new ServiceError('ResourceNotFound', 404, 'Resource does not exist', { shape: 'ResourceNotFoundException' })

export const authorizationError = (message: string): ServiceError =>
  new ServiceError('AuthorizationError', 403, message, { shape: 'AuthorizationErrorException', recordedCode: 'AccessDenied' })

export const validationError = (text: string): ServiceError => new ServiceError('ValidationError', 400, text)

/** A value that does not fit, where it stood, and AWS's words for what would. */
export interface Unfit {
  readonly value: string
  readonly path: string
  readonly constraint: string
  /** Quoted to the caller, and to nobody else. */
  readonly isPersonal?: boolean
}

const VALUE_CHARS_MAX = 1000

/** As AWS's request framework complains before SNS looks at anything. */
export function unfitMembers(unfit: readonly Unfit[]): ServiceError {
  const count = `${unfit.length} validation error${unfit.length === 1 ? '' : 's'} detected`
  const text = (shown: (one: Unfit) => string): string =>
    `${count}: ${unfit.map((one) => `Value '${shown(one)}' at '${one.path}' failed to satisfy constraint: ${one.constraint}`).join('; ')}`
  return new ServiceError(
    'ValidationError',
    400,
    text(({ value }) => value.slice(0, VALUE_CHARS_MAX)),
    {
      recordedMessage: text(({ value, isPersonal }) => (isPersonal === true ? '***' : value.slice(0, VALUE_CHARS_MAX))),
    },
  )
}

export function checkRange(value: number, path: string, min: number, max: number): number {
  const unfit = (constraint: string) => unfitMembers([{ value: String(value), path, constraint }])
  if (!(value >= min)) throw unfit(`Member must have value greater than or equal to ${min}`)
  if (value > max) throw unfit(`Member must have value less than or equal to ${max}`)
  return value
}

/** A refusal that quotes what tells of a person, which its event leaves out. */
export const invalidPersonal = (text: (value: string) => string, value: string): ServiceError =>
  new ServiceError('InvalidParameter', 400, text(value), { shape: 'InvalidParameterException', recordedMessage: text('***') })

/** Stock clients leave empty lists and maps out of a request, or send them as an empty text: AWS finds nothing either way. */
export function requireMembers<T extends object>(collection: T | undefined, path: string): T {
  if (collection === undefined || Object.keys(collection).length === 0) throw nullMembersError([path])
  return collection
}

export const internalError = (): ServiceError =>
  new ServiceError('InternalError', 500, 'An internal error has occurred.', { shape: 'InternalErrorException' })

export const tagLimitExceeded = (): ServiceError =>
  new ServiceError('TagLimitExceeded', 400, 'Could not complete request: tag quota of per resource exceeded', {
    shape: 'TagLimitExceededException',
  })

export const topicLimitExceeded = (max: number, isFifo: boolean): ServiceError =>
  new ServiceError(
    'TopicLimitExceeded',
    403,
    `Topic limit exceeded: an account has at most ${max} ${isFifo ? 'FIFO ' : ''}topics in a region`,
    {
      shape: 'TopicLimitExceededException',
    },
  )

export const filterPolicyLimitExceeded = (max: number, of: 'a topic' | 'an account'): ServiceError =>
  new ServiceError(
    'FilterPolicyLimitExceeded',
    403,
    `Filter policy limit exceeded: ${of} has at most ${max} filter policies${of === 'a topic' ? '' : ' in a region'}`,
    { shape: 'FilterPolicyLimitExceededException' },
  )

export const subscriptionLimitExceeded = (max: number): ServiceError =>
  new ServiceError('SubscriptionLimitExceeded', 403, `Subscription limit exceeded: a topic has at most ${max} subscriptions`, {
    shape: 'SubscriptionLimitExceededException',
  })

/** What the resource is in does not let it go. */
export const invalidState = (text: string): ServiceError =>
  new ServiceError('InvalidState', 400, `Invalid state: ${text}`, { shape: 'InvalidStateException' })

export const throttling = (): ServiceError => new ServiceError('Throttling', 400, 'Rate exceeded')

/** The operations for SMS have an error of their own for it. */
export const throttled = (): ServiceError => new ServiceError('Throttled', 429, 'Rate exceeded', { shape: 'ThrottledException' })

export const endpointDisabled = (): ServiceError =>
  new ServiceError('EndpointDisabled', 400, 'Endpoint is disabled', { shape: 'EndpointDisabledException' })

export const applicationDisabled = (): ServiceError =>
  new ServiceError('PlatformApplicationDisabled', 400, 'Platform application is disabled', {
    shape: 'PlatformApplicationDisabledException',
  })

const KEY_CODES = { missing: 'KMSNotFound', disabled: 'KMSDisabled', foreign: 'KMSAccessDenied' } as const

/** What the key of a topic with encryption has against a message. */
export function keyRefused({ kind, message }: { readonly kind: keyof typeof KEY_CODES; readonly message: string }): ServiceError {
  return new ServiceError(KEY_CODES[kind], 400, message, { shape: `${KEY_CODES[kind]}Exception` })
}

export const optedOut = (): ServiceError =>
  new ServiceError('OptedOut', 400, 'The phone number is opted out', { shape: 'OptedOutException' })

export const userError = (text: string): ServiceError => new ServiceError('UserError', 400, text, { shape: 'UserErrorException' })

export const verificationFailed = (): ServiceError =>
  new ServiceError('VerificationException', 400, 'The one-time password is invalid or has expired')

const batchError = (code: string, message: string): ServiceError => new ServiceError(code, 400, message, { shape: `${code}Exception` })

export const tooManyEntries = (): ServiceError =>
  batchError('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible.')
export const emptyBatch = (): ServiceError => batchError('EmptyBatchRequest', "The batch request doesn't contain any entries.")
export const idsNotDistinct = (): ServiceError =>
  batchError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.')
export const batchTooLong = (): ServiceError =>
  batchError('BatchRequestTooLong', 'The length of all the messages put together is more than the limit.')
export const entryIdTooLong = (id: string): ServiceError =>
  batchError('InvalidBatchEntryId', `The Id of a batch entry in the batch request is too long: ${id}`)
export const entryIdMalformed = (id: string): ServiceError =>
  batchError('InvalidBatchEntryId', `The Id of a batch entry in the batch request contains an impermissible character: ${id}`)

/** Required members that are absent, by their paths: scalars as SNS itself complains, the rest as AWS's request framework does. */
export function missingMembers(paths: readonly string[], operation: string): ServiceError {
  const path = paths[0] ?? ''
  if (operation === 'PublishBatch' && path === 'publishBatchRequestEntries') return emptyBatch()
  if (path.includes('.') || COLLECTIONS.has(path)) return nullMembersError(paths)
  return invalidParameter(`${path.slice(0, 1).toUpperCase()}${path.slice(1)} Reason: no value for required parameter`)
}

const COLLECTIONS: ReadonlySet<string> = new Set(['attributes', 'tags', 'tagKeys', 'aWSAccountId', 'actionName'])
