// Delivery status logs: what the feedback attributes of a topic, of an account's SMS or of a platform application ask to be told of
// deliveries, in the JSON that AWS writes to CloudWatch Logs.
// Source: SNS developer guide, "Amazon SNS message delivery status".
import { parseArn } from './arn.ts'
import { originOf, recordedEndpoint } from './delivery.ts'
import { md5OfText } from './md5.ts'
import type { Subscription } from './topic.ts'

/** The classes of endpoints that the attributes name. */
const CLASSES = new Map(
  Object.entries({
    http: 'HTTP',
    https: 'HTTP',
    sqs: 'SQS',
    lambda: 'Lambda',
    firehose: 'Firehose',
    application: 'Application',
    // Topics have none for it: an account's SMS attributes ask (followers/delivery/direct.ts).
    sms: 'SMS',
  }).map(([protocol, name]) => [
    protocol,
    { success: `${name}SuccessFeedbackRoleArn`, failure: `${name}FailureFeedbackRoleArn`, rate: `${name}SuccessFeedbackSampleRate` },
  ]),
)
/** A role alone asks for every success. */
const RATE_DEFAULT = 100

/** A log entry, and the log group that AWS would write it to. */
export interface StatusLog {
  readonly logGroup: string
  readonly statusLog: string
}

export interface DeliveryEnd {
  readonly isSuccess: boolean
  readonly deliveryId: string
  readonly messageId: string
  readonly subscription: Pick<Subscription, 'topicArn' | 'subscriptionArn' | 'protocol' | 'endpoint'>
  /** The text as this endpoint gets it; undefined where it lies sealed: its MD5 is left out then. */
  readonly message: () => string | undefined
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  readonly endedAt: number
  readonly attempts: number
  readonly status?: number
  /** What the endpoint said, or why it could not be asked. */
  readonly response: string
  /** What its provider tells beside. */
  readonly told?: Readonly<Record<string, string | number>>
}

type Attributes = Readonly<Record<string, string>>

/** What the topic asks to be told of a delivery's end; undefined: nothing. The same of the same delivery, however often it is asked. */
export function statusLogOf(topic: Attributes | undefined, end: DeliveryEnd): StatusLog | undefined {
  const { protocol } = end.subscription
  if (topic === undefined || !mayAskForStatus(topic, protocol, end.isSuccess)) return undefined
  const isAsked = !end.isSuccess || isSampled(topic[CLASSES.get(protocol)?.rate ?? ''], end.deliveryId)
  return isAsked ? { logGroup: logGroupOf(end), statusLog: logText(end) } : undefined
}

/** False: of no delivery that ends so anything is to be told. */
export function mayAskForStatus(topic: Attributes | undefined, protocol: string, isSuccess: boolean): boolean {
  const attributes = CLASSES.get(protocol)
  return topic !== undefined && attributes !== undefined && isSet(topic[isSuccess ? attributes.success : attributes.failure])
}

function isSampled(given: string | undefined, deliveryId: string): boolean {
  const rate = Number(given ?? RATE_DEFAULT)
  // Ids are hashes or random: their first half is as good a die as any, and falls the same when a delivery comes again.
  return (Number.parseInt(deliveryId.slice(0, 8), 16) / 0x1_0000_0000) * 100 < rate
}

function isSet(role: string | undefined): boolean {
  return role !== undefined && role !== ''
}

function logGroupOf({ isSuccess, subscription }: DeliveryEnd): string {
  const topic = parseArn(originOf(subscription))
  return `sns/${topic?.region ?? ''}/${topic?.account ?? ''}/${topic?.resource ?? ''}${isSuccess ? '' : '/Failure'}`
}

function logText(end: DeliveryEnd): string {
  const { isSuccess, deliveryId, messageId, subscription, publishedAt, endedAt, attempts, status, response } = end
  // What AWS writes of a text has no hash of it.
  const message = subscription.protocol === 'sms' ? undefined : end.message()
  return JSON.stringify({
    notification: {
      ...(message !== undefined && { messageMD5Sum: md5OfText(message) }),
      messageId,
      ...(subscription.topicArn !== '' && { topicArn: subscription.topicArn }),
      timestamp: new Date(publishedAt).toISOString().replace('T', ' ').replace('Z', ''),
    },
    delivery: {
      deliveryId,
      destination: recordedEndpoint(subscription.protocol, subscription.endpoint),
      providerResponse: response,
      dwellTimeMs: Math.max(0, Math.round(endedAt - publishedAt)),
      ...(!isSuccess && { attempts }),
      ...(status !== undefined && { statusCode: status }),
      ...end.told,
    },
    status: isSuccess ? 'SUCCESS' : 'FAILURE',
  })
}
