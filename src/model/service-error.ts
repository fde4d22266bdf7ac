// An error for the caller, in AWS's terms. Services keep theirs in a catalogue (errors.ts); the wire gives each its protocol's form.

export interface ErrorFields {
  /** The shape's name in the service model, which JSON protocols send (`QueueDoesNotExist`). */
  readonly shape?: string
  /** What CloudTrail writes as errorCode where it differs from the wire code (`AccessDenied` for SNS's `AuthorizationError`). */
  readonly recordedCode?: string
  /** What events write as errorMessage, where the message quotes what is for the caller alone. */
  readonly recordedMessage?: string
  /** Further members of the error's body (S3: BucketName, Key). */
  readonly details?: Readonly<Record<string, string>>
  /** Headers to send with it (Allow, Retry-After). */
  readonly headers?: Readonly<Record<string, string>>
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: string
  readonly status: number
  readonly shape: string
  readonly recordedCode: string
  readonly recordedMessage: string
  readonly details: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, status: number, message: string, fields: ErrorFields = {}) {
    super(message)
    this.code = code
    this.status = status
    this.shape = fields.shape ?? code
    this.recordedCode = fields.recordedCode ?? code
    this.recordedMessage = fields.recordedMessage ?? message
    this.details = fields.details ?? {}
    this.headers = fields.headers ?? {}
  }

  /** AWS's Type: who is at fault. */
  get fault(): 'Sender' | 'Receiver' {
    return this.status < 500 ? 'Sender' : 'Receiver'
  }
}
