// Firebase Cloud Messaging, its API v1: an access token for the application's service account, kept until shortly before it ends, and one
// request for each device.
// Source: Firebase, "Method: projects.messages.send", "ErrorCode"; Google, "Using OAuth 2.0 for server to server applications".
import type { Clock } from '../../base/clock.ts'
import { OutboundFailed } from '../../engine/outbound-failure.ts'
import type { Outbound, OutboundResponse } from '../../engine/outbound.ts'
import { type GoogleAccount, readGoogleCredential } from '../../model/platform-credentials.ts'
import { firebaseRequest } from '../../model/push-payload.ts'
import { jsonOf, providerFailure, retryAfter } from '../answers.ts'
import { signedToken } from './jwt.ts'
import { readingOnce } from './read-credentials.ts'
import type { Push, Pushed, PushService } from './service.ts'

export interface FirebaseParts {
  readonly clock: Clock
  /** When messages are looked at, in ms since 1970; `clock` is what Google is told. */
  readonly now: () => number
  readonly outbound: Outbound
  /** Scheme and host, without a slash at the end; undefined: Firebase's own. */
  readonly url: string | undefined
}

const HOST = 'https://fcm.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const PROVIDER = 'FCM'
const ASSERTION_SECONDS = 3600
/** Before its end a token is replaced, so that none ends on its way. */
const EARLY_MS = 5 * 60 * 1000
/** Of a token that does not say when it ends. */
const LIFE_SECONDS = 300
const ATTEMPT_MS = 15_000
const TOKENS_MAX = 1000
/** "If there is no header, wait at least a minute." */
const QUOTA_PAUSE_MS = 60_000

interface Token {
  readonly text: string
  readonly endsAt: number
}

/** No token was given; why, as the end of an attempt. */
class NoToken extends Error {
  readonly outcome: Pushed
  constructor(outcome: Pushed) {
    super('no access token')
    this.outcome = outcome
  }
}

export function createFirebase({ clock, now, outbound, url = HOST }: FirebaseParts): PushService {
  const tokens = new Map<string, Promise<Token>>()
  const readOnce = readingOnce(readGoogleCredential)

  const tokenOf = async (account: GoogleAccount, key: string, refused?: string): Promise<string> => {
    const known = tokens.get(key)
    if (known !== undefined) {
      const token = await known.catch(() => undefined)
      if (token !== undefined && token.endsAt > clock.now() + EARLY_MS && token.text !== refused) return token.text
      // Another push may have asked for a new one meanwhile.
      if (tokens.get(key) === known) tokens.delete(key)
    }
    let asked = tokens.get(key)
    if (asked === undefined) {
      if (tokens.size >= TOKENS_MAX) tokens.clear()
      tokens.set(key, (asked = askForToken(account)))
      asked.catch(() => tokens.get(key) === asked && tokens.delete(key))
    }
    return (await asked).text
  }

  const askForToken = async ({ clientEmail, key, keyId, tokenUri }: GoogleAccount): Promise<Token> => {
    const askedAt = clock.now()
    const iat = Math.floor(askedAt / 1000)
    const claims = { iss: clientEmail, scope: SCOPE, aud: tokenUri, iat, exp: iat + ASSERTION_SECONDS }
    const assertion = signedToken('RS256', key, { typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) }, claims)
    const answer = await outbound.request({
      method: 'POST',
      url: tokenUri,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json', 'User-Agent': 'Sealcast' },
      body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
      timeoutMs: ATTEMPT_MS,
    })
    const { access_token: text, expires_in: seconds, error } = jsonOf(answer.body)
    if (answer.status === 200 && typeof text === 'string' && /^[\x21-\x7e]+$/.test(text))
      return { text, endsAt: askedAt + (typeof seconds === 'number' ? seconds : LIFE_SECONDS) * 1000 }
    const named = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : ''
    const { status } = answer
    const reason = `Google gave no access token for the service account: status ${status}${named}`
    throw new NoToken({ kind: 'retry', status, reason, ...pauseOf(answer, clock.now()) })
  }

  const attempt = async ({ notification, application, endpoint, credential }: Push): Promise<Pushed> => {
    const { read: account, identity } = readOnce({ ...application, credential, principal: undefined })
    if ('problem' in account) return { kind: 'retry', reason: `the credentials of the platform application: ${account.problem}` }
    const made = firebaseRequest(notification, endpoint, now())
    if ('problem' in made) return { kind: 'refused', reason: made.problem }
    const endsAt = clock.monotonic() + ATTEMPT_MS
    const send = (token: string): Promise<OutboundResponse> => {
      const timeoutMs = endsAt - clock.monotonic()
      if (timeoutMs <= 0) throw new OutboundFailed('timeout', 'no time is left')
      return outbound.request({
        method: 'POST',
        url: `${url}/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`,
        headers: { 'Content-Type': 'application/json; UTF-8', Authorization: `Bearer ${token}`, 'User-Agent': 'Sealcast' },
        body: made.body,
        timeoutMs,
      })
    }
    const token = await tokenOf(account, identity)
    let answer = await send(token)
    // It may have been taken back before its time.
    if (answer.status === 401) answer = await send(await tokenOf(account, identity, token))
    return pushedOf(answer, clock.now())
  }

  return {
    async push(push) {
      try {
        return await attempt(push)
      } catch (error) {
        return error instanceof NoToken ? error.outcome : providerFailure(PROVIDER, error)
      }
    },
    close() {},
  }
}

function pushedOf(answer: OutboundResponse, now: number): Pushed {
  const { status } = answer
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  const { code, isToken } = errorOf(answer.body)
  const reason = `${PROVIDER} answered with status ${status}${code === undefined ? '' : ` ${code}`}`
  if (code === 'UNREGISTERED' || (status === 400 && isToken)) return { kind: 'refused', status, reason, isGone: true }
  if (status === 429 || status >= 500) return { kind: 'retry', status, reason, ...pauseOf(answer, now) }
  // Of the service account and its project, which the owner of the application can mend.
  if (status === 401 || (status === 403 && code !== 'SENDER_ID_MISMATCH')) return { kind: 'retry', status, reason }
  return { kind: 'refused', status, reason }
}

function pauseOf({ status, headers }: OutboundResponse, now: number): { readonly retryAfterMs?: number } {
  const asked = retryAfter(headers['retry-after'], now)
  if (asked !== undefined) return { retryAfterMs: asked }
  return status === 429 ? { retryAfterMs: QUOTA_PAUSE_MS } : {}
}

/** `isToken`: the device's token is what does not fit. */
function errorOf(body: Buffer): { readonly code: string | undefined; readonly isToken: boolean } {
  const { error } = jsonOf(body) as { readonly error?: { readonly status?: unknown; readonly details?: unknown } }
  const details = Array.isArray(error?.details) ? (error.details as readonly Readonly<Record<string, unknown>>[]) : []
  const given = details.find((detail) => typeof detail?.['errorCode'] === 'string')?.['errorCode'] ?? error?.status
  const violations = details.flatMap((detail) =>
    Array.isArray(detail?.['fieldViolations']) ? (detail['fieldViolations'] as unknown[]) : [],
  )
  return {
    code: typeof given === 'string' && /^[A-Z_]{1,60}$/.test(given) ? given : undefined,
    isToken: violations.some((violation) => (violation as { readonly field?: unknown } | null)?.field === 'message.token'),
  }
}
