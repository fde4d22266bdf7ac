// Delivery streams of Firehose: a record for each message.
// Source: Amazon Data Firehose API reference, "PutRecord"; SNS developer guide, "Fanout to Firehose delivery streams".
import type { Attempt, Deliverer, DelivererParts, DeliveryTools, Outcome } from '../engine/deliverer.ts'
import type { AwsEndpoint } from '../engine/providers.ts'
import { parseArn } from '../model/arn.ts'
import { formatEnvelope } from '../model/notification.ts'
import { askAws, jsonHeaders } from './aws-endpoint.ts'
import { captureDeliverer } from './capture.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

export function createFirehose(parts: DelivererParts): Deliverer {
  const provider = parts.providers.firehose
  switch (provider.kind) {
    case 'none':
      return unconfiguredDeliverer(
        'firehose',
        'firehose.provider to endpoint (with firehose.endpoint and firehose.credentialsFile) or to capture',
        validate,
      )
    case 'endpoint':
      return { protocols: ['firehose'], validate, deliver: (attempt, tools) => putRecord(provider.endpoint, attempt, tools) }
    case 'capture':
      return captureDeliverer('firehose', validate, (attempt) => ({ body: recordOf(attempt) }), parts)
  }
}

/** AWS's word for an endpoint that is none. */
function validate(endpoint: string): string | undefined {
  return parseStreamArn(endpoint) === undefined ? 'Firehose endpoint ARN' : undefined
}

interface Stream {
  readonly region: string
  readonly name: string
}

/** Undefined when the ARN is that of no stream. */
function parseStreamArn(endpoint: string): Stream | undefined {
  const arn = parseArn(endpoint)
  const name = /^deliverystream\/([\w.-]{1,64})$/.exec(arn?.resource ?? '')?.[1]
  if (arn === undefined || name === undefined || arn.service !== 'firehose') return undefined
  return /^[a-z0-9-]+$/.test(arn.region) && /^\d{12}$/.test(arn.account) ? { region: arn.region, name } : undefined
}

async function putRecord(endpoint: AwsEndpoint, attempt: Attempt, tools: DeliveryTools): Promise<Outcome> {
  const stream = parseStreamArn(attempt.endpoint)
  if (stream === undefined) return { kind: 'refused', reason: 'the endpoint is no ARN of a delivery stream' }
  const answer = await askAws(tools, endpoint, {
    ...{ service: 'firehose', region: stream.region, path: '/', headers: jsonHeaders('1.1', 'Firehose_20150804.PutRecord') },
    body: JSON.stringify({ DeliveryStreamName: stream.name, Record: { Data: Buffer.from(recordOf(attempt)).toString('base64') } }),
  })
  if (answer.kind === 'answered') {
    const { status, requestId } = answer
    return { kind: 'delivered', status, ...(requestId !== undefined && { response: JSON.stringify({ firehoseRequestId: requestId }) }) }
  }
  // "Amazon SNS message delivery retries": streams that throttle have a schedule of their own; this is how they say so.
  return answer.kind === 'retry' && answer.status === 503 ? { ...answer, isThrottled: true } : answer
}

/** The envelope on one line, never signed, with a line's end, so that what the stream writes can be told apart; or the message alone. */
function recordOf({ notification, raw }: Attempt): string {
  if (raw && notification.type === 'Notification') return notification.message
  return `${JSON.stringify(JSON.parse(formatEnvelope(notification, undefined)))}\n`
}
