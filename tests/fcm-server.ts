// A server that speaks Firebase Cloud Messaging v1 and hands out access tokens as Google does: assertions verified with the public key of
// the service account, tokens that end, messages looked at field by field, Google's errors. It fails as it is told.
import { type KeyObject, verify } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson, type ProviderFault, type ProviderServer, startProviderServer } from './provider-server.ts'

export interface ReceivedMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly isCheck: boolean
  readonly token: string
}

export interface FcmServer extends ProviderServer {
  /** Of access tokens: one for each that was given. */
  readonly grants: Readonly<Record<string, unknown>>[]
  readonly received: ReceivedMessage[]
  fault: (where: 'token' | 'send') => ProviderFault | undefined
  /** Access tokens that are none any more. */
  readonly revoked: Set<string>
}

export interface FcmOptions {
  readonly key: KeyObject
  readonly clientEmail: string
  readonly projectId: string
  /** Tokens of devices that are registered. */
  readonly devices: ReadonlySet<string>
  readonly now: () => number
}

const FIELDS = new Set(['name', 'data', 'notification', 'android', 'webpush', 'apns', 'fcm_options', 'token', 'topic', 'condition'])
const ANDROID = new Set([
  ...['collapse_key', 'priority', 'ttl', 'restricted_package_name', 'data', 'notification', 'fcm_options'],
  'direct_boot_ok',
])

export async function startFcmServer(options: FcmOptions): Promise<FcmServer> {
  const grants: Readonly<Record<string, unknown>>[] = []
  const received: ReceivedMessage[] = []
  const tokens = new Map<string, number>()
  const revoked = new Set<string>()
  const state: { fault: FcmServer['fault'] } = { fault: () => undefined }
  let url = ''

  const grant = (response: ServerResponse, body: string): void => {
    const form = new URLSearchParams(body)
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const isSigned = verify('sha256', Buffer.from(`${header}.${claims}`), options.key, Buffer.from(signature, 'base64url'))
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return answerJson(response, 400, { error: 'unsupported_grant_type' })
    if (!isSigned) return answerJson(response, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
    const { iss, aud, scope, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>
    const seconds = options.now() / 1000
    const isTimely = Number(iat) <= seconds + 60 && Number(exp) > seconds && Number(exp) - Number(iat) <= 3600
    if (iss !== options.clientEmail || aud !== `${url}/token` || !isTimely) return answerJson(response, 400, { error: 'invalid_grant' })
    if (scope !== 'https://www.googleapis.com/auth/firebase.messaging') return answerJson(response, 400, { error: 'invalid_scope' })
    const token = `ya29.${grants.length + 1}`
    tokens.set(token, seconds + 3599)
    grants.push({ iss, header: JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as unknown })
    answerJson(response, 200, { access_token: token, expires_in: 3599, token_type: 'Bearer' })
  }

  const send = ({ url: path, headers }: IncomingMessage, response: ServerResponse, body: string): void => {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
    if (revoked.has(token) || !((tokens.get(token) ?? 0) > options.now() / 1000)) return refuse(response, 401, 'UNAUTHENTICATED')
    if (path !== `/v1/projects/${options.projectId}/messages:send`) return refuse(response, 403, 'PERMISSION_DENIED')
    const parsed = JSON.parse(body) as { readonly message?: Record<string, unknown>; readonly validate_only?: boolean }
    const { message = {} } = parsed
    const problem = problemOf(message)
    if (problem !== undefined)
      return refuse(response, 400, 'INVALID_ARGUMENT', [
        { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'INVALID_ARGUMENT' },
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: problem }] },
      ])
    received.push({ message, isCheck: parsed.validate_only === true, token })
    if (!options.devices.has(String(message['token'])))
      return refuse(response, 404, 'NOT_FOUND', [
        { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'UNREGISTERED' },
      ])
    answerJson(response, 200, { name: `projects/${options.projectId}/messages/0:${received.length}` })
  }

  const server = await startProviderServer((request, body, response) => {
    const fault = state.fault(request.url === '/token' ? 'token' : 'send')
    if (fault !== undefined) return fault
    if (request.url === '/token') grant(response, body)
    else send(request, response, body)
    return undefined
  })
  url = server.url
  return {
    ...server,
    ...{ grants, received, revoked },
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
  }
}

function problemOf(message: Readonly<Record<string, unknown>>): string | undefined {
  const token = message['token']
  if (typeof token !== 'string' || token.startsWith('malformed')) return 'message.token'
  const unknown = Object.keys(message).find((name) => !FIELDS.has(name))
  if (unknown !== undefined) return `message.${unknown}`
  const data = Object.entries((message['data'] ?? {}) as Record<string, unknown>).find(([, value]) => typeof value !== 'string')
  if (data !== undefined) return `message.data[0].value`
  const android = (message['android'] ?? {}) as Record<string, unknown>
  const strange = Object.keys(android).find((name) => !ANDROID.has(name))
  if (strange !== undefined) return `message.android.${strange}`
  if (android['ttl'] !== undefined && !/^\d+(\.\d+)?s$/.test(String(android['ttl']))) return 'message.android.ttl'
  if (android['priority'] !== undefined && !/^(normal|high)$/i.test(String(android['priority']))) return 'message.android.priority'
  return undefined
}

function refuse(response: ServerResponse, code: number, status: string, details: readonly unknown[] = []): void {
  answerJson(response, code, { error: { code, message: 'as Google words it', status, details } })
}
