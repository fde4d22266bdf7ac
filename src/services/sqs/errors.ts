// Every refusal of SQS, once: the query protocol's code first, then the shape that JSON clients see (SQS API Reference, "Common errors"
// and each operation's; texts as AWS returns them).
import { keyProblem } from '../../engine/message-keys.ts'
import { KEY_CODES } from '../../engine/queue-access.ts'
import { QueueAttributeError } from '../../model/queue-attributes.ts'
import { ServiceError } from '../../model/service-error.ts'

const sqs = (name: string): string => `AWS.SimpleQueueService.${name}`

export const queueDoesNotExist = (): ServiceError =>
  new ServiceError(sqs('NonExistentQueue'), 400, 'The specified queue does not exist.', { shape: 'QueueDoesNotExist' })

export const queueNameExists = (attribute: string): ServiceError =>
  new ServiceError(
    'QueueAlreadyExists',
    400,
    `A queue already exists with the same name and a different value for attribute ${attribute}`,
    {
      shape: 'QueueNameExists',
    },
  )

export const queueDeletedRecently = (): ServiceError =>
  new ServiceError(
    sqs('QueueDeletedRecently'),
    400,
    'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
    { shape: 'QueueDeletedRecently' },
  )

export const purgeQueueInProgress = (name: string): ServiceError =>
  new ServiceError(sqs('PurgeQueueInProgress'), 403, `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`, {
    shape: 'PurgeQueueInProgress',
  })

export const invalidAddress = (url: string): ServiceError =>
  new ServiceError('InvalidAddress', 404, `The address ${url} is not valid for this endpoint.`)

export const missingParameter = (name: string): ServiceError =>
  new ServiceError('MissingParameter', 400, `The request must contain the parameter ${name}.`, {
    shape: 'MissingRequiredParameterException',
  })

export const invalidParameter = (message: string): ServiceError =>
  new ServiceError('InvalidParameterValue', 400, message, { shape: 'InvalidParameterValueException' })

export const invalidValue = (value: string | number, name: string, reason: string): ServiceError =>
  invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: ${reason}`)

export const resourceNotFound = (message: string): ServiceError => new ServiceError('ResourceNotFoundException', 404, message)

export const overLimit = (message: string): ServiceError => new ServiceError('OverLimit', 403, message)

export const tooManyInFlight = (): ServiceError =>
  overLimit(
    'Too many messages have been received without being deleted. ' +
      'Please delete your received messages or let them timeout before receiving more.',
  )

export const requestThrottled = (): ServiceError => new ServiceError('RequestThrottled', 403, 'Rate exceeded')

export const notOfThisQueueType = (value: string | number, name: string): ServiceError =>
  invalidValue(value, name, 'The request include parameter that is not valid for this queue type.')

export const unknownAttributeName = (name: string): ServiceError =>
  new ServiceError('InvalidAttributeName', 400, `Unknown Attribute ${name}.`)

export const unsupportedOperation = (message: string): ServiceError =>
  new ServiceError(sqs('UnsupportedOperation'), 400, message, { shape: 'UnsupportedOperation' })

export const messageTooLong = (bytesMax: number): ServiceError =>
  invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${bytesMax} bytes.`)

export const invalidMessageContents = (): ServiceError =>
  new ServiceError(
    'InvalidMessageContents',
    400,
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
  )

export const invalidReceiptHandle = (handle: string): ServiceError =>
  new ServiceError('ReceiptHandleIsInvalid', 404, `The input receipt handle "${handle}" is not a valid receipt handle.`)

export const messageNotInflight = (): ServiceError =>
  new ServiceError(sqs('MessageNotInflight'), 400, 'The specified message is not in flight.', { shape: 'MessageNotInflight' })

export const emptyBatch = (entry: string): ServiceError =>
  new ServiceError(sqs('EmptyBatchRequest'), 400, `There should be at least one ${entry} in the request.`, { shape: 'EmptyBatchRequest' })

export const tooManyBatchEntries = (max: number, count: number): ServiceError =>
  new ServiceError(sqs('TooManyEntriesInBatchRequest'), 400, `Maximum number of entries per request are ${max}. You have sent ${count}.`, {
    shape: 'TooManyEntriesInBatchRequest',
  })

export const invalidBatchEntryId = (): ServiceError =>
  new ServiceError(
    sqs('InvalidBatchEntryId'),
    400,
    'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    { shape: 'InvalidBatchEntryId' },
  )

export const batchEntryIdsNotDistinct = (id: string): ServiceError =>
  new ServiceError(sqs('BatchEntryIdsNotDistinct'), 400, `Id ${id} repeated.`, { shape: 'BatchEntryIdsNotDistinct' })

export const batchTooLong = (bytesMax: number, bytes: number): ServiceError =>
  new ServiceError(
    sqs('BatchRequestTooLong'),
    400,
    `Batch requests cannot be longer than ${bytesMax} bytes. You have sent ${bytes} bytes.`,
    {
      shape: 'BatchRequestTooLong',
    },
  )

const KEY_SHAPES = { disabled: 'KmsDisabled', missing: 'KmsNotFound', foreign: 'KmsAccessDenied' } as const

/** Runs `work`, and gives what the key store says of a queue's key its code. */
export function withKeyErrors<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const problem = keyProblem(error)
    if (problem === undefined) throw error
    throw new ServiceError(KEY_CODES[problem.kind], 400, problem.message, { shape: KEY_SHAPES[problem.kind] })
  }
}

// Quirk: SQS writes the action in lower case here (`sqs:sendmessage`), where other services keep its spelling.
export const accessDenied = (message: string): ServiceError =>
  new ServiceError(
    'AccessDenied',
    403,
    message.replace(/\bsqs:[A-Za-z]+\b/g, (action) => action.toLowerCase()),
    { shape: 'AccessDeniedException' },
  )

export const internalError = (): ServiceError =>
  new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error, exception or failure.')

const ATTRIBUTE_CODES = {
  unknown: (message: string) => new ServiceError('InvalidAttributeName', 400, message),
  value: (message: string) => new ServiceError('InvalidAttributeValue', 400, message),
  parameter: invalidParameter,
  overLimit,
} as const

/** Runs `read`, and gives what the model says of attributes its code. */
export function withAttributeErrors<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof QueueAttributeError ? ATTRIBUTE_CODES[error.kind](error.message) : error
  }
}
