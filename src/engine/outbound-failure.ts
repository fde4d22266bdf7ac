// How an outgoing connection or request ends that does not work: refused by us, or failed, and why.

/** The target is not allowed; the message names the address and the line of the configuration that would permit it. */
export class OutboundRefused extends Error {
  override name = 'OutboundRefused'
}

export type FailureReason = 'refused' | 'reset' | 'unreachable' | 'dns' | 'tls' | 'timeout' | 'protocol' | 'busy' | 'closed'

export class OutboundFailed extends Error {
  override name = 'OutboundFailed'
  readonly reason: FailureReason

  constructor(reason: FailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What the code of a system's or TLS's error means, or undefined. */
export function reasonOf(code: string): FailureReason | undefined {
  return REASONS[code] ?? (/^ERR_(TLS|SSL)/.test(code) ? 'tls' : undefined)
}

const REASONS: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  CERT_SIGNATURE_FAILURE: 'tls',
  CERT_REVOKED: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  HOSTNAME_MISMATCH: 'tls',
}

/** What a socket or its TLS failed with, as one of the two. */
export function failureOf(error: unknown): OutboundRefused | OutboundFailed {
  if (error instanceof OutboundRefused || error instanceof OutboundFailed) return error
  if (!(error instanceof Error)) return new OutboundFailed('protocol', String(error))
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new OutboundFailed(reasonOf(code) ?? 'protocol', error.message === '' ? code : error.message)
}
