// HTTP and HTTPS endpoints: a POST with AWS's headers; 2xx is delivered, 5xx and 429 come again, other answers are final.
import type { Deliverer, Outcome } from '../engine/deliverer.ts'
import { type OutboundRequest, type OutboundResponse, headerLines } from '../engine/outbound.ts'
import { answerChallenge } from '../model/http-challenge.ts'
import { type Notification, SUBSCRIPTION_HEADER, httpHeaders } from '../model/notification.ts'
import { failureOutcome, retryAfter } from './answers.ts'

const ENDPOINT_CHARS_MAX = 2048
/** We look at the status alone; what comes along is read so that the connection can be used again. */
const ANSWER_BYTES_MAX = 16 * 1024

export const createHttp = (): Deliverer => createHttpDeliverer('http')
export const createHttps = (): Deliverer => createHttpDeliverer('https')

function createHttpDeliverer(protocol: 'http' | 'https'): Deliverer {
  const lines = new SharedLines()
  return {
    protocols: [protocol],
    validate: (endpoint) => validate(protocol, endpoint),
    async deliver(attempt, tools) {
      const { notification, endpoint, contentType } = attempt
      const raw = attempt.raw && notification.type === 'Notification'
      try {
        const text = raw ? notification.message : tools.envelope(notification)
        const request: OutboundRequest = {
          method: 'POST',
          url: endpoint,
          lines: lines.of(notification, raw, contentType),
          body: typeof text === 'string' ? text : await text,
          maxResponseBytes: ANSWER_BYTES_MAX,
          // Messages may come twice, and receivers know them by their ids.
          isRepeatable: true,
        }
        let answer = await tools.outbound.request(request)
        const authorization = answer.status === 401 ? authorizationFor(endpoint, answer.headers['www-authenticate'] ?? '') : undefined
        if (authorization !== undefined) answer = await tools.outbound.request({ ...request, headers: { Authorization: authorization } })
        return outcomeOf(answer, tools.now)
      } catch (error) {
        return failureOutcome(error)
      }
    },
  }
}

function validate(protocol: string, endpoint: string): string | undefined {
  if (!endpoint.toLowerCase().startsWith(`${protocol}://`)) return 'Endpoint must match the specified protocol'
  const url = URL.parse(endpoint)
  if (url === null || url.hostname === '' || /\s|\p{Cc}/u.test(endpoint)) return 'Endpoint Reason: not a valid URL'
  if (endpoint.length > ENDPOINT_CHARS_MAX) return `Endpoint Reason: must be at most ${ENDPOINT_CHARS_MAX} characters long`
  // "Prepare your HTTP/S endpoint": host names with underscores are not accepted.
  if (url.hostname.includes('_')) return 'Endpoint Reason: the host name must not contain an underscore'
  return undefined
}

/** The header lines of notifications. Those of one message, which mostly go one after the other, differ by their subscription alone. */
class SharedLines {
  /** Whose lines are kept. */
  #messageId = ''
  #type = ''
  #raw = false
  #contentType: string | undefined
  /** Up to the ARN of the subscription, where they name it. An ARN can stand in a header as it is. */
  #lines = ''
  #namesSubscription = false

  of(notification: Notification, raw: boolean, contentType: string | undefined): string {
    const { type, messageId, subscriptionArn } = notification
    if (this.#messageId !== messageId || this.#type !== type || this.#raw !== raw || this.#contentType !== contentType) {
      const { [SUBSCRIPTION_HEADER]: own, ...shared } = httpHeaders(notification, { raw, contentType })
      this.#namesSubscription = own !== undefined
      this.#lines = headerLines(shared) + (this.#namesSubscription ? `${SUBSCRIPTION_HEADER}: ` : '')
      this.#messageId = messageId
      this.#type = type
      this.#raw = raw
      this.#contentType = contentType
    }
    return this.#namesSubscription ? `${this.#lines}${subscriptionArn}\r\n` : this.#lines
  }
}

/** "Amazon SNS HTTPS endpoints": name and password of the URL are given when they are asked for, by Basic or by Digest. */
function authorizationFor(endpoint: string, challenge: string): string | undefined {
  const { username, password, pathname, search } = new URL(endpoint)
  if (username === '' && password === '') return undefined
  return answerChallenge(challenge, {
    ...{ method: 'POST', uri: `${pathname}${search}` },
    ...{ username: decoded(username), password: decoded(password) },
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** By the status alone. */
export function outcomeOf({ status, headers }: OutboundResponse, now: () => number): Outcome {
  const reason = `the endpoint answered with status ${status}`
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  if (status === 429) return { kind: 'retry', status, reason, retryAfterMs: retryAfter(headers['retry-after'], now()) }
  if (status >= 400 && status < 500) return { kind: 'refused', status, reason }
  if (status >= 300 && status < 400) return { kind: 'refused', status, reason: `${reason}; redirects are not followed` }
  return { kind: 'retry', status, reason, ...(status === 503 && { retryAfterMs: retryAfter(headers['retry-after'], now()) }) }
}
