// The short way from a request to the input of a call, for the calls that come most: those that publish, and those that carry messages
// through SQS. What does not look as clients send it is left to the long way, which gives the same.
import { missingMembers } from '../model/missing-members.ts'
import { EMPTY_FORM } from './codecs/form.ts'
import { decodePublish, decodePublishBatch } from './codecs/publish.ts'
import { SQS_CODECS } from './codecs/sqs.ts'
import type { Input } from './codecs/values.ts'
import type { HttpRequest } from './http.ts'
import type { Route, WireServices } from './router.ts'
import type { Claim } from './sigv4/claim.ts'

export interface HotCall {
  readonly route: Route
  readonly input: Input
  readonly missing: readonly string[]
}

export const NOTHING_MISSING: readonly string[] = []

/** Undefined when the request needs the long way. */
export function prepareHot(services: WireServices, request: HttpRequest, claim: Claim | undefined): HotCall | undefined {
  if (claim?.service === 'sns') return preparePublish(services, request)
  return claim?.service === 'sqs' ? prepareSqs(services, request) : undefined
}

const PUBLISH = Buffer.from('Action=Publish&')
const PUBLISH_BATCH = Buffer.from('Action=PublishBatch&')

function preparePublish(services: WireServices, request: HttpRequest): HotCall | undefined {
  const { body } = request
  if (body === undefined || request.query !== '' || request.headers['x-amz-target'] !== undefined) return undefined
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) return undefined
  const isBatch = startsWith(body, PUBLISH_BATCH)
  if (!isBatch && !startsWith(body, PUBLISH)) return undefined
  const model = services.sns?.model()
  const operation = model?.operations[isBatch ? 'PublishBatch' : 'Publish']
  if (model === undefined || operation === undefined) return undefined
  const input = isBatch ? decodePublishBatch(body) : decodePublish(body)
  if (input === undefined) return undefined
  const route: Route = { service: 'sns', model, speech: 'query', operation, form: EMPTY_FORM, labels: {} }
  return { route, input: input as Input, missing: missingMembers(operation, input as Input) }
}

function prepareSqs(services: WireServices, { headers, body }: HttpRequest): HotCall | undefined {
  const target = headers['x-amz-target']
  const codec = typeof target === 'string' ? SQS_CODECS.get(target) : undefined
  if (codec === undefined || body === undefined) return undefined
  const model = services.sqs?.model()
  const operation = model?.operations[codec.name]
  const input = codec.decode(body)
  if (model === undefined || operation === undefined || input === undefined) return undefined
  return { route: { service: 'sqs', model, speech: 'json', operation, form: EMPTY_FORM, labels: {} }, input, missing: NOTHING_MISSING }
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  if (bytes.length < prefix.length) return false
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix[at]) return false
  return true
}
