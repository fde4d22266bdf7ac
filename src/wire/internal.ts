// The paths that are no AWS service: health, metrics, the signing certificate, and what a development server lets
// tests do: look into its inbox, move its time, reset it.
import type { Captured } from '../engine/captured.ts'
import type { HttpResponse } from './answer.ts'
import { type DevelopmentClock, moveTime, tellTime } from './development-clock.ts'
import type { HttpRequest } from './http.ts'
import { readInbox } from './inbox.ts'

/** What it asks the server. */
export interface InternalHouse {
  readonly captured: Captured
  readonly status: () => { readonly status: string }
  readonly refusal: () => string | undefined
  readonly meter: { text(): string }
  readonly signing: { certificate(path: string): string | undefined }
}

export interface InternalOptions {
  readonly house: () => InternalHouse
  /** Only of a development server: what lets whoever reaches its port read and change it. */
  readonly development?: {
    readonly reset: () => Promise<void>
    readonly clock: DevelopmentClock
  }
}

/** The answer to a path that starts with /_sealcast/ or names a certificate. */
export type InternalDoor = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

export function createInternalDoor({ house, development }: InternalOptions): InternalDoor {
  return (request) => {
    if (request.path.startsWith('/SimpleNotificationService-')) return certificate(house(), request)
    switch (`${request.method} ${request.path}`) {
      case 'GET /_sealcast/health':
        return json(200, house().status())
      case 'GET /_sealcast/live':
        return json(200, { live: true })
      case 'GET /_sealcast/ready': {
        const refusal = house().refusal()
        return refusal === undefined ? json(200, { ready: true }) : json(503, { ready: false, why: refusal })
      }
      case 'GET /_sealcast/metrics':
        return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: house().meter.text() }
      case 'POST /_sealcast/reset':
        if (development !== undefined) return development.reset().then(() => json(200, { reset: true }))
        return json(403, { error: 'only a server started with --dev can be reset' })
      case 'GET /_sealcast/inbox':
        if (development !== undefined) return readInbox(house().captured, request).then(respond)
        return json(403, { error: 'only a server started with --dev shows its inbox here; ask with `sealcast inbox`' })
      case 'GET /_sealcast/clock':
      case 'POST /_sealcast/clock':
        if (development === undefined) return json(403, { error: 'only the time of a server started with --dev can be moved' })
        if (request.method === 'GET') return respond(tellTime(development.clock))
        return moveTime(development.clock, request).then(respond)
      default:
        return json(404, { error: `there is no ${request.method} ${request.path}` })
    }
  }
}

function certificate(house: InternalHouse, { path, method }: HttpRequest): HttpResponse {
  const pem = method === 'GET' || method === 'HEAD' ? house.signing.certificate(path) : undefined
  if (pem === undefined) return json(404, { error: `there is no certificate at ${path}` })
  return { status: 200, headers: { 'content-type': 'application/x-pem-file' }, body: pem }
}

function respond({ status, body }: { readonly status: number; readonly body: unknown }): HttpResponse {
  return json(status, body)
}

function json(status: number, body: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` }
}
