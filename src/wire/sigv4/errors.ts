// The refusals of signatures in AWS's words. S3 has its own; elsewhere `code` is what awsQuery sends and `shape` what awsJson sends.
import { ServiceError } from '../../model/service-error.ts'

export type SignatureStyle = 's3' | 'aws'

export function styleOf(service: string): SignatureStyle {
  return service === 's3' ? 's3' : 'aws'
}

/** For the engine: what to answer to a call without a signature, and to one whose key nobody has. */
export const signatureErrors = {
  missing(service: string): ServiceError {
    return styleOf(service) === 's3'
      ? new ServiceError('AccessDenied', 403, 'Access Denied')
      : new ServiceError('MissingAuthenticationToken', 403, 'Request is missing Authentication Token', {
          shape: 'MissingAuthenticationTokenException',
        })
  },
  unknownKey(service: string, accessKeyId: string): ServiceError {
    return styleOf(service) === 's3'
      ? new ServiceError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.', {
          details: { AWSAccessKeyId: accessKeyId },
        })
      : new ServiceError('InvalidClientTokenId', 403, 'The security token included in the request is invalid.', {
          shape: 'UnrecognizedClientException',
        })
  },
}

/** The Authorization header or its query form cannot be read. */
export function incomplete(style: SignatureStyle, reason: string): ServiceError {
  return style === 's3'
    ? new ServiceError('AuthorizationHeaderMalformed', 400, `The authorization header is malformed; ${reason}`)
    : new ServiceError('IncompleteSignature', 400, reason, { shape: 'IncompleteSignatureException' })
}

export function presignedParameters(style: SignatureStyle, reason: string): ServiceError {
  return style === 's3' ? new ServiceError('AuthorizationQueryParametersError', 400, reason) : incomplete(style, reason)
}

export function unsupportedMechanism(style: SignatureStyle): ServiceError {
  const reason = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'
  return style === 's3' ? new ServiceError('InvalidRequest', 400, reason) : incomplete(style, reason)
}

/** The signature is well formed but does not hold; `reason` as AWS words it. */
export function invalidSignature(reason: string): ServiceError {
  return new ServiceError('SignatureDoesNotMatch', 403, reason, { shape: 'InvalidSignatureException' })
}

export interface MismatchFacts {
  readonly accessKeyId: string
  readonly stringToSign: string
  readonly signature: string
}

export function mismatch(style: SignatureStyle, { accessKeyId, stringToSign, signature }: MismatchFacts): ServiceError {
  const opening = 'The request signature we calculated does not match the signature you provided. Check your '
  return style === 's3'
    ? new ServiceError('SignatureDoesNotMatch', 403, `${opening}key and signing method.`, {
        details: { AWSAccessKeyId: accessKeyId, StringToSign: stringToSign, SignatureProvided: signature },
      })
    : invalidSignature(`${opening}AWS Secret Access Key and signing method. Consult the service documentation for details.`)
}

export function headersNotSigned(style: SignatureStyle, names: readonly string[]): ServiceError {
  return style === 's3'
    ? new ServiceError('AccessDenied', 403, 'There were headers present in the request which were not signed', {
        details: { HeadersNotSigned: names.join(', ') },
      })
    : invalidSignature(`'${names.join("', '")}' must be a 'SignedHeader' in the AWS Authorization.`)
}

const MINUTES = 60_000

/** The time of a signed header is too far from ours; undefined when it is not. */
export function skewed(style: SignatureStyle, signedAt: number, now: number, skewMs: number): ServiceError | undefined {
  if (Math.abs(now - signedAt) <= skewMs) return undefined
  if (style === 's3') {
    return new ServiceError('RequestTimeTooSkewed', 403, 'The difference between the request time and the current time is too large.', {
      details: { RequestTime: basicTime(signedAt), ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: String(skewMs) },
    })
  }
  const minutes = skewMs / MINUTES
  const [signed, ours] = [basicTime(signedAt), basicTime(now)]
  return signedAt < now
    ? invalidSignature(`Signature expired: ${signed} is now earlier than ${basicTime(now - skewMs)} (${ours} - ${minutes} min.)`)
    : invalidSignature(`Signature not yet current: ${signed} is still later than ${basicTime(now + skewMs)} (${ours} + ${minutes} min.)`)
}

/** A presigned URL is past its time. */
export function presignedExpired(style: SignatureStyle, signedAt: number, expiresAt: number, now: number): ServiceError {
  if (style === 'aws') return invalidSignature(`Signature expired: ${basicTime(expiresAt)} is now earlier than ${basicTime(now)}`)
  return new ServiceError('AccessDenied', 403, 'Request has expired', {
    details: {
      'X-Amz-Expires': String((expiresAt - signedAt) / 1000),
      Expires: new Date(expiresAt).toISOString(),
      ServerTime: new Date(now).toISOString(),
    },
  })
}

export function payloadMismatch(claimed: string, computed: string): ServiceError {
  return new ServiceError(
    'XAmzContentSHA256Mismatch',
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    {
      details: { ClientComputedContentSHA256: claimed, S3ComputedContentSHA256: computed },
    },
  )
}

/** 20260102T030405Z, as signatures write it. */
export function basicTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}
