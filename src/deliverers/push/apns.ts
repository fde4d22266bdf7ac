// Apple's push service over HTTP/2: token keys (their tokens renewed in time) or certificates, one connection for each that is used.
// Source: Apple, "Establishing a token-based connection to APNs", "Handling notification responses from APNs".
import type { Clock } from '../../base/clock.ts'
import type { Outbound } from '../../engine/outbound.ts'
import type { Outcome } from '../../engine/deliverer.ts'
import { type AppleToken, readAppleCredential } from '../../model/platform-credentials.ts'
import { appleRequest } from '../../model/push-payload.ts'
import { jsonOf, providerFailure, retryAfter } from '../answers.ts'
import { type Http2Answer, Http2Session } from './http2-session.ts'
import { signedToken } from './jwt.ts'
import { readingOnce } from './read-credentials.ts'
import type { Push, Pushed, PushService } from './service.ts'

export interface ApnsParts {
  readonly clock: Clock
  /** When messages are looked at, in ms since 1970; `clock` is what Apple is told. */
  readonly now: () => number
  readonly outbound: Outbound
  /** Where all pushes go instead of Apple's own hosts: https, host and port. */
  readonly url: string | undefined
}

const PRODUCTION = { host: 'api.push.apple.com', port: 443 }
const SANDBOX = { host: 'api.sandbox.push.apple.com', port: 443 }
const PROVIDER = 'APNs'
const ATTEMPT_MS = 15_000
/** Apple takes tokens of up to an hour, and new ones no more often than every 20 minutes. */
const TOKEN_MS = 50 * 60 * 1000
const TOKEN_MS_MIN = 20 * 60 * 1000
const SESSIONS_MAX = 64
const TOKENS_MAX = 1000
/** Nothing will reach the device under its token again. */
const GONE: ReadonlySet<string> = new Set(['BadDeviceToken', 'Unregistered', 'ExpiredToken'])

interface Token {
  readonly text: string
  readonly madeAt: number
}

export function createApns({ clock, now, outbound, url }: ApnsParts): PushService {
  /** The one used last is last. */
  const sessions = new Map<string, Http2Session>()
  const tokens = new Map<string, Token>()
  const readOnce = readingOnce(readAppleCredential)

  const sessionOf = (key: string, target: ConstructorParameters<typeof Http2Session>[1]): Http2Session => {
    const session = sessions.get(key) ?? new Http2Session({ clock, outbound }, target)
    sessions.delete(key)
    sessions.set(key, session)
    for (const [other, idle] of sessions) {
      if (sessions.size <= SESSIONS_MAX) break
      if (!idle.isIdle) continue
      sessions.delete(other)
      idle.end()
    }
    return session
  }

  /** `refused`: one that Apple does not take; another is made in its place, where it is old enough. */
  const tokenOf = ({ key, keyId, teamId }: AppleToken, cacheKey: string, refused?: string): string | undefined => {
    const now = clock.now()
    const known = tokens.get(cacheKey)
    const age = known === undefined ? Infinity : now - known.madeAt
    if (known !== undefined && age >= 0 && age < TOKEN_MS && known.text !== refused) return known.text
    if (known !== undefined && known.text === refused && age < TOKEN_MS_MIN) return undefined
    if (tokens.size >= TOKENS_MAX) tokens.clear()
    const text = signedToken('ES256', key, { kid: keyId }, { iss: teamId, iat: Math.floor(now / 1000) })
    tokens.set(cacheKey, { text, madeAt: now })
    return text
  }

  const attempt = async ({ notification, application, endpoint, credential, principal }: Push): Promise<Pushed> => {
    const { platform, attributes } = application
    const { read, identity } = readOnce({ platform, credential, principal, attributes })
    if ('problem' in read) return { kind: 'retry', reason: `the credentials of the platform application: ${read.problem}` }
    const { endpointArn, token: device } = endpoint
    const made = appleRequest(notification, { platform, endpointArn, bundleId: read.bundleId }, now())
    if ('problem' in made) return { kind: 'refused', reason: made.problem }
    const target = targetOf(platform, url)
    const session = sessionOf(`${target.host}:${target.port} ${identity}`, {
      ...target,
      ...(read.kind === 'certificate' && { cert: read.certificate, key: read.key }),
    })
    const post = (bearer: string | undefined): Promise<Http2Answer> =>
      session.post(
        {
          path: `/3/device/${device}`,
          headers: { ...made.headers, ...(bearer !== undefined && { authorization: `bearer ${bearer}` }) },
          body: made.payload,
        },
        ATTEMPT_MS,
      )
    const bearer = read.kind === 'token' ? tokenOf(read, identity) : undefined
    let answer = await post(bearer)
    if (read.kind === 'token' && jsonOf(answer.body)['reason'] === 'ExpiredProviderToken') {
      // Our clock may be wrong, or Apple's: one more look with a new one.
      const renewed = tokenOf(read, identity, bearer)
      if (renewed !== undefined) answer = await post(renewed)
    }
    return pushedOf(answer, clock.now())
  }

  return {
    async push(push) {
      try {
        return await attempt(push)
      } catch (error) {
        return providerFailure(PROVIDER, error)
      }
    },
    close() {
      for (const session of sessions.values()) session.end()
      sessions.clear()
    },
  }
}

function targetOf(platform: string, url: string | undefined): { readonly host: string; readonly port: number } {
  if (url === undefined) return platform.endsWith('_SANDBOX') ? SANDBOX : PRODUCTION
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) }
}

function pushedOf({ status, headers, body }: Http2Answer, now: number): Pushed {
  if (status === 200) return { kind: 'delivered', status }
  const given = jsonOf(body)['reason']
  const known = typeof given === 'string' && /^[A-Za-z]{1,60}$/.test(given) ? given : undefined
  const reason = `${PROVIDER} answered with status ${status}${known === undefined ? '' : ` ${known}`}`
  if (known !== undefined && GONE.has(known)) return { kind: 'refused', status, reason, isGone: true }
  if (status === 410) return { kind: 'refused', status, reason, isGone: true }
  if (status === 429 || status >= 500) return again(status, reason, retryAfter(headers['retry-after'], now))
  // Of the credentials and what they are for, which the owner of the application can mend.
  if (status === 403) return again(status, reason)
  return { kind: 'refused', status, reason }
}

function again(status: number, reason: string, retryAfterMs?: number): Outcome {
  return { kind: 'retry', status, reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}
