// What the tests of the wire share: the services' models, requests as the server hands them over, and the SDK's clients in front of a
// handler without a network between them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { SimulatedClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { linkModel, type ModelFile, type OperationShape, type ServiceModel } from '../model/shape.ts'
import type { HttpResponse } from './answer.ts'
import { createDoor, type Door, type DoorOptions, type WireCall, type WireResult } from './door.ts'
import type { HttpRequest } from './http.ts'

export const TEST_TIME = Date.UTC(2026, 0, 2, 3, 4, 5)
export const TEST_KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

const models = new Map<string, ServiceModel>()

export function testModel(service: 'sns' | 'sqs' | 'sts' | 's3' | 'cloudtrail'): ServiceModel {
  let model = models.get(service)
  if (model === undefined) {
    const text = readFileSync(new URL(`../services/${service}/model.json`, import.meta.url), 'utf8')
    models.set(service, (model = linkModel(JSON.parse(text) as ModelFile)))
  }
  return model
}

export function testOperation(service: Parameters<typeof testModel>[0], name: string): OperationShape {
  const operation = testModel(service).operations[name]
  if (operation === undefined) throw new Error(`no operation ${name} in ${service}`)
  return operation
}

export const TEST_SERVICES = {
  sns: { model: () => testModel('sns') },
  sqs: { model: () => testModel('sqs') },
  sts: { model: () => testModel('sts') },
  s3: { model: () => testModel('s3') },
  cloudtrail: { model: () => testModel('cloudtrail') },
}

export function testDoor(invoke: DoorOptions['invoke'], options: Partial<DoorOptions> = {}): Door {
  return createDoor({
    services: TEST_SERVICES,
    invoke,
    internal: ({ path }) => ({ status: 200, headers: {}, body: `internal ${path}` }),
    clock: new SimulatedClock(TEST_TIME),
    random: seededRandom(1),
    log: silentLog,
    fallbackRegion: 'us-east-1',
    ...options,
  })
}

/** A request as the server would hand it over. */
export function testRequest(parts: Partial<Omit<HttpRequest, 'body'>> & { readonly body?: string | Buffer }): HttpRequest {
  const { body = '', ...rest } = parts
  return {
    method: 'POST',
    path: '/',
    query: '',
    headers: {},
    remoteAddress: '127.0.0.1',
    tls: undefined,
    arrivedAt: TEST_TIME,
    stream: undefined,
    ...rest,
    body: rest.stream === undefined ? Buffer.from(body) : undefined,
  }
}

interface SdkRequest {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** The query string as the SDK's own request handlers write it. */
export function queryText(query: SdkRequest['query'] = {}): string {
  const escape = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return Object.keys(query)
    .toSorted()
    .flatMap((name) => {
      const value = query[name]
      if (value === null || value === undefined) return [escape(name)]
      return (typeof value === 'string' ? [value] : value).map((text) => `${escape(name)}=${escape(text)}`)
    })
    .join('&')
}

export async function fromSdk(request: SdkRequest): Promise<HttpRequest> {
  const body = await bytesOf(request.body)
  return testRequest({
    method: request.method,
    path: request.path,
    query: queryText(request.query),
    // What node:http would give: names in lower case, UTF-8 read as Latin-1.
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), Buffer.from(value, 'utf8').toString('latin1')]),
    ),
    body,
  })
}

/** Stands in for the SDK's HTTP handler: the door answers. `seen` collects the requests. */
export function sdkHandler(door: Door, seen: HttpRequest[] = []) {
  return {
    async handle(sdkRequest: SdkRequest): Promise<{ response: { statusCode: number; headers: Record<string, string>; body: Readable } }> {
      let request = await fromSdk(sdkRequest)
      seen.push(request)
      const { body } = request
      if (body !== undefined && door.admit(request) === 'stream') request = { ...request, body: undefined, stream: Readable.from([body]) }
      const answer = await door.handler(request)
      return { response: toSdk(answer) }
    },
  }
}

export function toSdk({ status, headers, body }: HttpResponse): { statusCode: number; headers: Record<string, string>; body: Readable } {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
  return { statusCode: status, headers: texts, body: body instanceof Readable ? body : Readable.from([Buffer.from(body)]) }
}

/** Answers each call with what `outputs` holds for its operation, after checking the signature as of its own time; keeps the calls. */
export function recordingInvoke(outputs: Readonly<Record<string, WireResult>>): { calls: WireCall[]; invoke: DoorOptions['invoke'] } {
  const calls: WireCall[] = []
  return {
    calls,
    async invoke(call) {
      calls.push(call)
      const problem = call.signature?.verify(TEST_KEY.secretAccessKey, call.signature.claim.signedAt)
      if (problem !== undefined) return { error: problem }
      return outputs[call.operation] ?? { output: {} }
    },
  }
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** The one call that arrived, whose input could be read. */
export function only(calls: readonly WireCall[]): WireCall {
  assert.equal(calls.length, 1)
  const [call] = calls
  assert.ok(call !== undefined)
  assert.equal(call.decodeError, undefined)
  return call
}
