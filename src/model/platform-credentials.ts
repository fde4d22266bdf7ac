// The credentials of platform applications, as Apple and Google give them out: read and checked once, when they are set, and again by
// whoever signs in with them.
// Source: SNS developer guide, "Apple authentication methods", "Firebase Cloud Messaging authentication methods".
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto'

export interface GivenCredentials {
  readonly platform: string
  /** PlatformCredential. */
  readonly credential: string
  /** PlatformPrincipal. */
  readonly principal: string | undefined
  readonly attributes: Readonly<Record<string, string>>
}

/** A signing key for tokens (a .p8 file). */
export interface AppleToken {
  readonly kind: 'token'
  /** ECDSA with P-256. */
  readonly key: KeyObject
  readonly keyId: string
  readonly teamId: string
  readonly bundleId: string
}

/** A certificate and its private key, as PEM. */
export interface AppleCertificate {
  readonly kind: 'certificate'
  readonly certificate: string
  readonly key: string
  /** The app, where the certificate names it. */
  readonly bundleId: string | undefined
}

/** A Google service account. */
export interface GoogleAccount {
  readonly projectId: string
  readonly clientEmail: string
  /** RSA. */
  readonly key: KeyObject
  readonly keyId: string | undefined
  readonly tokenUri: string
}

export type ReadCredential<Credential> = Credential | { readonly problem: string }

const APPLE_ID = /^[A-Za-z0-9]{10}$/
const GOOGLE_TOKENS = 'https://oauth2.googleapis.com/token'

/** What is wrong with the credentials of a platform that is delivered to. */
export function credentialsProblem(given: GivenCredentials): string | undefined {
  const read = given.platform === 'GCM' ? readGoogleCredential(given) : readAppleCredential(given)
  return 'problem' in read ? read.problem : undefined
}

export function readAppleCredential({
  credential,
  principal = '',
  attributes,
}: GivenCredentials): ReadCredential<AppleToken | AppleCertificate> {
  if (principal.includes('-----BEGIN CERTIFICATE')) return readCertificate(credential, principal)
  const { ApplePlatformTeamID: teamId = '', ApplePlatformBundleID: bundleId = '' } = attributes
  const key = privateKey(credential)
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    return { problem: 'PlatformCredential must be the signing key as Apple gave it out (.p8), or a private key beside its certificate' }
  if (!APPLE_ID.test(principal)) return { problem: 'PlatformPrincipal must be the 10 characters of the id of the signing key' }
  if (!APPLE_ID.test(teamId)) return { problem: 'ApplePlatformTeamID must be the 10 characters of the id of the team' }
  if (bundleId === '') return { problem: 'ApplePlatformBundleID is missing: the id of the app' }
  return { kind: 'token', key, keyId: principal, teamId, bundleId }
}

function readCertificate(key: string, certificate: string): ReadCredential<AppleCertificate> {
  try {
    const parsed = new X509Certificate(certificate)
    const own = privateKey(key)
    if (own === undefined) return { problem: 'PlatformCredential must be the private key of the certificate' }
    if (!parsed.checkPrivateKey(own)) return { problem: 'PlatformCredential is not the private key of the certificate' }
    const bundleId = /^UID=(.+)$/m.exec(parsed.subject)?.[1]
    return { kind: 'certificate', certificate, key, bundleId }
  } catch {
    return { problem: 'PlatformPrincipal is no certificate' }
  }
}

export function readGoogleCredential({ credential }: Pick<GivenCredentials, 'credential'>): ReadCredential<GoogleAccount> {
  let parsed: unknown
  try {
    parsed = JSON.parse(credential)
  } catch {
    return { problem: 'Firebase takes legacy server keys no longer: PlatformCredential must be the JSON of a service account' }
  }
  const account = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Readonly<Record<string, unknown>>
  const textOf = (name: string): string => (typeof account[name] === 'string' ? account[name] : '')
  const missing = ['project_id', 'client_email', 'private_key'].filter((name) => textOf(name) === '')
  if (missing.length > 0) return { problem: `PlatformCredential must be the JSON of a service account: ${missing.join(', ')} missing` }
  const key = privateKey(textOf('private_key'))
  if (key?.asymmetricKeyType !== 'rsa') return { problem: 'private_key in PlatformCredential must be an RSA private key' }
  if (!/^[a-z0-9:.-]{1,100}$/i.test(textOf('project_id'))) return { problem: 'project_id in PlatformCredential is no id of a project' }
  const tokenUri = textOf('token_uri') || GOOGLE_TOKENS
  if (!isSafe(tokenUri)) return { problem: 'token_uri in PlatformCredential must be an https URL' }
  const keyId = textOf('private_key_id')
  return { projectId: textOf('project_id'), clientEmail: textOf('client_email'), key, keyId: keyId || undefined, tokenUri }
}

/** What signs in goes over TLS, but on this machine. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {}
  return protocol === 'https:' || (protocol === 'http:' && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname ?? ''))
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
