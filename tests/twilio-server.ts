// A server that speaks Twilio's Messages resource: Basic credentials, form fields, Twilio's error codes. It fails as it is told.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedText {
  readonly to: string
  readonly from: string | undefined
  readonly service: string | undefined
  readonly body: string
}

export type TwilioFault =
  | { readonly kind: 'answer'; readonly status: number; readonly code?: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'hang' | 'reset' | 'drip' }

export interface TwilioServer {
  readonly url: string
  readonly received: ReceivedText[]
  fault: (text: ReceivedText) => TwilioFault | undefined
  close(): Promise<void>
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
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(parts).toString('utf8'))
      const text: ReceivedText = {
        to: form.get('To') ?? '',
        from: form.get('From') ?? undefined,
        service: form.get('MessagingServiceSid') ?? undefined,
        body: form.get('Body') ?? '',
      }
      received.push(text)
      const fault = state.fault(text)
      if (fault !== undefined) return fail(request, response, fault)
      const credentials = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
      if (request.headers.authorization !== credentials) return refuse(response, 401, 20003)
      if (request.method !== 'POST' || request.url !== `/2010-04-01/Accounts/${account}/Messages.json`) return refuse(response, 404, 20404)
      if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') return refuse(response, 400, 21602)
      if (!/^\+[1-9]\d{6,14}$/.test(text.to)) return refuse(response, 400, 21211)
      if (optedOut?.has(text.to) === true) return refuse(response, 400, 21610)
      if (text.from === undefined && text.service === undefined) return refuse(response, 400, 21603)
      if (text.body === '') return refuse(response, 400, 21602)
      if ([...text.body].length > 1600) return refuse(response, 400, 21617)
      answer(response, 201, {
        ...{ sid: `SM${String(received.length).padStart(32, '0')}`, status: 'queued', num_segments: '1', error_code: null },
        ...{ price: price === undefined ? null : `-${price}`, price_unit: 'USD', to: text.to, body: text.body },
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refuse(response: ServerResponse, status: number, code: number): void {
  answer(response, status, { code, message: "in Twilio's words", more_info: `https://www.twilio.com/docs/errors/${code}`, status })
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function fail(request: IncomingMessage, response: ServerResponse, fault: TwilioFault): void {
  if (fault.kind === 'answer') answer(response, fault.status, fault.code === undefined ? {} : { code: fault.code }, fault.headers)
  else if (fault.kind === 'reset') request.socket.resetAndDestroy()
  else if (fault.kind === 'drip') response.writeHead(201, { 'content-length': '100' }).write('{')
}
