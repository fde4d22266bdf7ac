// A server that speaks Apple's push protocol, as far as a provider sees it: HTTP/2 over TLS, provider tokens verified with the public key
// that Apple would hold, devices that are known or gone, Apple's reasons. It fails as it is told.
import { type KeyObject, verify } from 'node:crypto'
import { type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream, createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Issued } from './certificates.ts'

export interface ReceivedPush {
  readonly device: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: unknown
  readonly token: string | undefined
  readonly session: number
  readonly certificate: string | undefined
}

/** What the server does with a push instead of taking it. */
export type Fault =
  | { readonly kind: 'answer'; readonly status: number; readonly reason?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'hang' | 'reset' | 'drip' | 'goaway' | 'destroy' }

export interface ApnsServer {
  readonly url: string
  readonly received: ReceivedPush[]
  readonly sessions: number
  /** Asked of each push; undefined: taken as Apple would. */
  fault: (push: ReceivedPush) => Fault | undefined
  close(): Promise<void>
}

export interface ApnsOptions {
  readonly certificate: Issued
  readonly key: KeyObject
  readonly keyId: string
  readonly teamId: string
  readonly topics: readonly string[]
  readonly now: () => number
  /** Of the authority that client certificates come from. */
  readonly clientAuthority?: string
}

const DEVICE = /^\/3\/device\/([0-9a-f]{64})$/
const TYPES = new Set(['alert', 'background', 'voip', 'location', 'complication', 'fileprovider', 'mdm', 'liveactivity', 'pushtotalk'])

export async function startApnsServer(options: ApnsOptions): Promise<ApnsServer> {
  const received: ReceivedPush[] = []
  const sessions: ServerHttp2Session[] = []
  const state: { fault: ApnsServer['fault'] } = { fault: () => undefined }
  const server: Http2SecureServer = createSecureServer({
    cert: options.certificate.cert,
    key: options.certificate.key,
    allowHTTP1: false,
    ...(options.clientAuthority !== undefined && { ca: options.clientAuthority, requestCert: true, rejectUnauthorized: false }),
  })
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      const flat = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':'))) as Record<string, string>
      const socket = stream.session?.socket as TLSSocket | undefined
      const peer: Partial<PeerCertificate> | undefined = options.clientAuthority === undefined ? undefined : socket?.getPeerCertificate()
      const push: ReceivedPush = {
        device: String(headers[':path']),
        headers: flat,
        payload: parsed(Buffer.concat(parts).toString('utf8')),
        token: flat['authorization']?.replace(/^bearer /, ''),
        session: sessions.indexOf(stream.session as ServerHttp2Session),
        certificate: peer?.fingerprint256,
      }
      received.push(push)
      const fault = state.fault(push)
      if (fault !== undefined) return fail(stream, fault)
      const refusal = refusalOf(options, push, headers[':method'])
      if (refusal === undefined) respond(stream, 200, undefined, { 'apns-id': flat['apns-id'] ?? '' })
      else respond(stream, ...refusal)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    received,
    get sessions() {
      return sessions.length
    },
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refusalOf(options: ApnsOptions, push: ReceivedPush, method: unknown): readonly [status: number, reason: string] | undefined {
  const { headers } = push
  if (method !== 'POST') return [405, 'MethodNotAllowed']
  if (!DEVICE.test(push.device)) return [400, 'BadDeviceToken']
  const ofToken = push.certificate === undefined ? tokenProblem(options, push.token) : undefined
  if (ofToken !== undefined) return [403, ofToken]
  if (headers['apns-topic'] === undefined) return [400, 'MissingTopic']
  if (!options.topics.includes(headers['apns-topic'])) return [400, 'DeviceTokenNotForTopic']
  if (!TYPES.has(headers['apns-push-type'] ?? '')) return [400, 'InvalidPushType']
  if (!/^(1|5|10)$/.test(headers['apns-priority'] ?? '10')) return [400, 'BadPriority']
  if (!/^\d+$/.test(headers['apns-expiration'] ?? '0')) return [400, 'BadExpirationDate']
  if (Buffer.byteLength(headers['apns-collapse-id'] ?? '') > 64) return [400, 'BadCollapseId']
  if (push.payload === undefined) return [400, 'PayloadEmpty']
  return Buffer.byteLength(JSON.stringify(push.payload)) > 4096 ? [413, 'PayloadTooLarge'] : undefined
}

function tokenProblem({ key, keyId, teamId, now }: ApnsOptions, token: string | undefined): string | undefined {
  const [header = '', claims = '', signature = ''] = token?.split('.') ?? []
  if (token === undefined) return 'MissingProviderToken'
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) return 'InvalidProviderToken'
  const { alg, kid } = partOf(header)
  const { iss, iat } = partOf(claims)
  if (alg !== 'ES256' || kid !== keyId || iss !== teamId) return 'InvalidProviderToken'
  return Math.abs(now() / 1000 - Number(iat)) > 3600 ? 'ExpiredProviderToken' : undefined
}

function partOf(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Record<string, unknown>
}

function respond(stream: ServerHttp2Stream, status: number, reason?: string, headers: Readonly<Record<string, string>> = {}): void {
  stream.respond({ ':status': status, ...headers })
  stream.end(reason === undefined ? undefined : JSON.stringify({ reason, ...(status === 410 && { timestamp: 0 }) }))
}

function fail(stream: ServerHttp2Stream, fault: Fault): void {
  switch (fault.kind) {
    case 'answer':
      return respond(stream, fault.status, fault.reason, fault.headers)
    case 'reset':
      return stream.close(2)
    case 'goaway':
      // This stream still ends well; the connection takes no other.
      stream.session?.goaway(0)
      return respond(stream, 200)
    case 'destroy':
      return stream.session?.destroy()
    case 'drip':
      stream.respond({ ':status': 503 })
      stream.write('{"rea')
      return undefined
    case 'hang':
      return undefined
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
