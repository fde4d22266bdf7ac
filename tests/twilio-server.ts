// A server that speaks Twilio's Messages resource: Basic credentials, form fields, Twilio's error codes. It fails as it is told.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson, type ProviderFault, type ProviderServer, startProviderServer } from './provider-server.ts'

export interface ReceivedText {
  readonly to: string
  readonly from: string | undefined
  readonly service: string | undefined
  readonly body: string
}

export interface TwilioServer extends ProviderServer {
  readonly received: ReceivedText[]
  fault: (text: ReceivedText) => ProviderFault | undefined
}

export interface TwilioOptions {
  readonly account: string
  readonly token: string
  /** What it tells that a text cost; null: it does not know yet. */
  readonly price?: string
  /** Numbers that replied STOP. */
  readonly optedOut?: ReadonlySet<string>
}

export async function startTwilioServer({ account, token, price, optedOut }: TwilioOptions): Promise<TwilioServer> {
  const received: ReceivedText[] = []
  const state: { fault: TwilioServer['fault'] } = { fault: () => undefined }
  const take = (request: IncomingMessage, text: ReceivedText, response: ServerResponse): void => {
    const credentials = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
    if (request.headers.authorization !== credentials) return refuse(response, 401, 20003)
    if (request.method !== 'POST' || request.url !== `/2010-04-01/Accounts/${account}/Messages.json`) return refuse(response, 404, 20404)
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') return refuse(response, 400, 21602)
    if (!/^\+[1-9]\d{6,14}$/.test(text.to)) return refuse(response, 400, 21211)
    if (optedOut?.has(text.to) === true) return refuse(response, 400, 21610)
    if (text.from === undefined && text.service === undefined) return refuse(response, 400, 21603)
    if (text.body === '') return refuse(response, 400, 21602)
    if ([...text.body].length > 1600) return refuse(response, 400, 21617)
    answerJson(response, 201, {
      ...{ sid: `SM${String(received.length).padStart(32, '0')}`, status: 'queued', num_segments: '1', error_code: null },
      ...{ price: price === undefined ? null : `-${price}`, price_unit: 'USD', to: text.to, body: text.body },
    })
  }
  const server = await startProviderServer((request, body, response) => {
    const form = new URLSearchParams(body)
    const text: ReceivedText = {
      to: form.get('To') ?? '',
      from: form.get('From') ?? undefined,
      service: form.get('MessagingServiceSid') ?? undefined,
      body: form.get('Body') ?? '',
    }
    received.push(text)
    const fault = state.fault(text)
    if (fault === undefined) take(request, text, response)
    return fault
  })
  return {
    ...server,
    received,
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
  }
}

function refuse(response: ServerResponse, status: number, code: number): void {
  answerJson(response, status, { code, message: "in Twilio's words", more_info: `https://www.twilio.com/docs/errors/${code}`, status })
}
