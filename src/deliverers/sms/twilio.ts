// The Messages resource of Twilio's API, which other providers speak too. What cannot work (a number that is none, one that wants no texts)
// is final; what we are refused for, credentials or money, is tried again: the operator can mend it.
// Source: Twilio documentation, "Messages resource" and "Error and warning dictionary".
import type { Outbound, OutboundResponse } from '../../engine/outbound.ts'
import { jsonOf, providerFailure, retryAfter } from '../answers.ts'
import type { Sent, Text, TextGateway } from './gateway.ts'

export interface TwilioOptions {
  readonly outbound: Outbound
  readonly now: () => number
  /** Scheme and host, without a slash at the end. */
  readonly url: string
  /** The account's SID. */
  readonly account: string
  readonly token: string
}

const PROVIDER = 'the SMS provider'
const OPTED_OUT = 21610
/** The account's own trouble: suspended, not permitted there, sending from a number that it does not have, too much waiting. */
const OURS: ReadonlySet<number> = new Set([
  10001, 20001, 20003, 20005, 20008, 20403, 21408, 21603, 21606, 21611, 21659, 21660, 30001, 30002,
])

export function createTwilio({ outbound, now, url, account, token }: TwilioOptions): TextGateway {
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
  return {
    async send(text) {
      try {
        const answer = await outbound.request({
          method: 'POST',
          url: `${url}/2010-04-01/Accounts/${encodeURIComponent(account)}/Messages.json`,
          headers: {
            'Content-Type': 'application/x-www-form-urlencoded',
            'User-Agent': 'Sealcast',
            Accept: 'application/json',
            Authorization: authorization,
          },
          body: formOf(text).toString(),
        })
        return sentOf(answer, now())
      } catch (error) {
        return providerFailure(PROVIDER, error)
      }
    },
  }
}

function formOf({ to, from, text }: Text): URLSearchParams {
  const form = new URLSearchParams({ To: to, Body: text })
  // "MG...": a messaging service, which chooses the number itself.
  if (from !== undefined) form.set(/^MG[0-9a-f]{32}$/i.test(from) ? 'MessagingServiceSid' : 'From', from)
  return form
}

function sentOf({ status, headers, body }: OutboundResponse, now: number): Sent {
  const { code: given, price: charged, price_unit: unit } = jsonOf(body)
  const code = typeof given === 'number' ? given : undefined
  if (status >= 200 && status < 300) {
    const price = typeof charged === 'string' && unit === 'USD' ? Math.abs(Number(charged)) : NaN
    return { kind: 'delivered', status, ...(Number.isFinite(price) && { priceUsd: price }) }
  }
  const reason = `${PROVIDER} answered with status ${status}${code === undefined ? '' : `, error ${code}`}`
  if (code === OPTED_OUT) return { kind: 'refused', status, reason, isOptedOut: true }
  // Not as on other statuses: 401, 403 and 404 speak of the account in the URL.
  const isOurs = [401, 402, 403, 404, 405, 407].includes(status) || (code !== undefined && OURS.has(code))
  if (isOurs) return { kind: 'retry', status, reason: `${reason}: it refuses the account or what it sends from` }
  if (status === 429 || status >= 500) return { kind: 'retry', status, reason, retryAfterMs: retryAfter(headers['retry-after'], now) }
  return { kind: 'refused', status, reason: status < 400 ? `${reason}; redirects are not followed` : reason }
}
