// What a subscriber gets: the envelope as AWS lays it out, the text that is signed, the HTTP headers, the confirmation texts and links.
// Pure and deterministic, so that a retry sends the very bytes of the first attempt and a size is known before any signature exists.
import { utcText } from '../base/utc-text.ts'
import type { MessageAttribute, MessageHeader } from './message.ts'
import { isFifoName } from './fifo-attributes.ts'
import { sequenceNumber } from './sequence-number.ts'

export type SignatureVersion = '1' | '2'

/** One message as one subscriber is to see it. */
export interface Notification {
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  readonly messageId: string
  /** Empty for what was published straight to a phone number or a platform endpoint. */
  readonly topicArn: string
  readonly subscriptionArn: string
  /** The text for this subscriber's protocol. */
  readonly message: string
  /** With MessageStructure=json: the name under which the text stood. */
  readonly textName?: string
  readonly publishedAt: number
  readonly subject?: string
  /** Of what was published to a FIFO topic. */
  readonly sequenceNumber?: string
  /** It was there before, and comes again from the archive of a FIFO topic. */
  readonly isReplay?: boolean
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
  /** Confirmations only. */
  readonly token?: string
  /** Where links lead: scheme and host of this server, no slash at the end. */
  readonly baseUrl: string
  /** Undefined: not signed at all (FIFO topics). */
  readonly signatureVersion: SignatureVersion | undefined
}

export interface Signature {
  /** Base64. */
  readonly signature: string
  readonly signingCertUrl: string
}

/** RSA-2048: 256 bytes, in base64. */
export const SIGNATURE_CHARACTERS = 344

export interface Recipient {
  readonly protocol: string
  /** Of a platform endpoint: names of texts that come before the protocol's own (model/platform.ts). */
  readonly textNames?: readonly string[]
  readonly subscriptionArn: string
  readonly baseUrl: string
  /** In clear; needed for confirmations. */
  readonly token?: string
  readonly isReplay?: boolean
}

/** The notification of a published message or a confirmation. A confirmation's text is AWS's; the entry's `body` is not looked at. */
export function createNotification(header: MessageHeader, body: string, recipient: Recipient): Notification {
  const { type, topicArn = header.direct && '' } = header
  if (type === 'Queued' || topicArn === undefined) throw new TypeError(`a message of type ${type} without a topic is no notification`)
  const { subscriptionArn, baseUrl, token, isReplay } = recipient
  const { messageId, publishedAt } = header
  const signatureVersion = isFifoName(topicArn) ? undefined : (header.signatureVersion ?? '1')
  if (type !== 'Notification') {
    const message = confirmationText(type, type === 'SubscriptionConfirmation' ? topicArn : subscriptionArn)
    return { messageId, topicArn, subscriptionArn, publishedAt, baseUrl, signatureVersion, type, message, token }
  }
  const chosen = header.structure === undefined ? undefined : selectEntry(body, header.structure, namesOf(recipient))
  return {
    messageId,
    topicArn,
    subscriptionArn,
    publishedAt,
    baseUrl,
    signatureVersion,
    type,
    message: chosen?.text ?? body,
    textName: chosen?.name,
    subject: header.subject,
    sequenceNumber: header.sequence === undefined ? undefined : sequenceNumber(header.sequence),
    isReplay,
    attributes: header.attributes,
  }
}

function namesOf({ textNames = [], protocol }: Recipient): readonly string[] {
  return [...textNames, protocol]
}

/** The text for a protocol: with MessageStructure=json its own entry if that is a string, else `default`; the whole body otherwise. */
export function selectText(body: string, structure: 'json' | undefined, protocol: string): string {
  return selectEntry(body, structure, [protocol]).text
}

/** The same with several names, the first that has a text, and which it was. */
export function selectEntry(
  body: string,
  structure: 'json' | undefined,
  names: readonly string[],
): { readonly text: string; readonly name?: string } {
  if (structure !== 'json') return { text: body }
  const texts = JSON.parse(body) as Record<string, unknown>
  for (const name of [...names, 'default']) {
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined
    if (typeof text === 'string') return { text, name }
  }
  return { text: '' }
}

/** AWS Developer Guide, "HTTP/HTTPS subscription confirmation JSON format". `arn`: the topic's, or the subscription's on unsubscribing. */
export function confirmationText(type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation', arn: string): string {
  return type === 'SubscriptionConfirmation'
    ? `You have chosen to subscribe to the topic ${arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`
    : `You have chosen to deactivate subscription ${arn}.\n` +
        'To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.'
}

/** Quirk: AWS does not percent-encode the ARN in its links. */
export function subscribeUrl(baseUrl: string, topicArn: string, token: string): string {
  return `${baseUrl}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`
}

export function unsubscribeUrl(baseUrl: string, subscriptionArn: string): string {
  return `${baseUrl}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`
}

/** "Verifying the signatures of Amazon SNS messages": the signed fields in byte order of their names, each line ended, values unescaped. */
export function stringToSign(notification: Notification): string {
  const { type, message, messageId, subject, topicArn } = notification
  const lines = [
    ['Message', message],
    ['MessageId', messageId],
  ]
  if (type === 'Notification') {
    if (subject !== undefined) lines.push(['Subject', subject])
    lines.push(['Timestamp', timestamp(notification)])
  } else {
    lines.push(['SubscribeURL', subscribeLink(notification)], ['Timestamp', timestamp(notification)], ['Token', notification.token ?? ''])
  }
  lines.push(['TopicArn', topicArn], ['Type', type])
  return lines.map(([name, value]) => `${name}\n${value}\n`).join('')
}

/** The envelope's JSON text: two spaces, ` : `, one key a line, attribute objects on one line. Without `signed`: no signature fields. */
export function formatEnvelope(notification: Notification, signed: Signature | undefined): string {
  return fillEnvelope(envelopeFrame(notification, signed), notification)
}

/** The envelope without the ARN of its subscription, by which alone those of one message differ: what stands before it and after it. */
export type EnvelopeFrame = readonly [before: string, after: string]

/** ARNs need no escapes. */
export function fillEnvelope([before, after]: EnvelopeFrame, { type, subscriptionArn }: Notification): string {
  return type === 'Notification' ? before + subscriptionArn + after : before + after
}

export function envelopeFrame(notification: Notification, signed: Signature | undefined): EnvelopeFrame {
  const { type, subject, attributes, baseUrl } = notification
  const isConfirmation = type !== 'Notification'
  const lines = [line('Type', type), line('MessageId', notification.messageId)]
  if (notification.sequenceNumber !== undefined) lines.push(line('SequenceNumber', notification.sequenceNumber))
  if (isConfirmation) lines.push(line('Token', notification.token ?? ''))
  lines.push(line('TopicArn', notification.topicArn))
  if (subject !== undefined) lines.push(line('Subject', subject))
  lines.push(line('Message', notification.message))
  if (isConfirmation) lines.push(line('SubscribeURL', subscribeLink(notification)))
  lines.push(line('Timestamp', timestamp(notification)))
  if (signed !== undefined) {
    lines.push(line('SignatureVersion', notification.signatureVersion ?? '1'))
    lines.push(line('Signature', signed.signature), line('SigningCertURL', signed.signingCertUrl))
  }
  if (notification.isReplay === true) lines.push('  "Replayed" : true')
  // Up to its last value, which the ARN ends.
  if (!isConfirmation) lines.push(line('UnsubscribeURL', unsubscribeUrl(baseUrl, '')).slice(0, -1))
  const before = `{\n${lines.join(',\n')}`
  const end = isConfirmation ? '' : '"'
  const names = attributes === undefined ? [] : Object.keys(attributes)
  if (attributes === undefined || names.length === 0) return [before, `${end}\n}`]
  const rows = Object.entries(attributes).map(
    ([name, { type, value }]) => `    ${JSON.stringify(name)} : ${JSON.stringify({ Type: type, Value: value })}`,
  )
  return [before, `${end},\n  "MessageAttributes" : {\n${rows.join(',\n')}\n  }\n}`]
}

/** Bytes of the envelope once signed, without a signature at hand. */
export function envelopeBytes(notification: Notification, signingCertUrl: string): number {
  const unsigned = notification.signatureVersion === undefined
  return Buffer.byteLength(
    formatEnvelope(notification, unsigned ? undefined : { signature: '='.repeat(SIGNATURE_CHARACTERS), signingCertUrl }),
  )
}

/** The one header by which the notifications of a message differ. */
export const SUBSCRIPTION_HEADER = 'x-amz-sns-subscription-arn'
export const PLAIN_TEXT = 'text/plain; charset=UTF-8'

/**
 * The headers of the POST, without Host, Content-Length and Connection, which the sender of the request knows.
 * `contentType` (from a delivery policy) and `raw` hold for notifications only.
 */
export function httpHeaders(
  notification: Notification,
  options: { readonly raw: boolean; readonly contentType?: string },
): Record<string, string> {
  const { type, messageId, topicArn, subscriptionArn } = notification
  const isNotification = type === 'Notification'
  const headers: Record<string, string> = {
    'x-amz-sns-message-type': type,
    'x-amz-sns-message-id': messageId,
    'x-amz-sns-topic-arn': topicArn,
  }
  if (type !== 'SubscriptionConfirmation') headers[SUBSCRIPTION_HEADER] = subscriptionArn
  if (options.raw && isNotification) headers['x-amz-sns-rawdelivery'] = 'true'
  headers['Content-Type'] = (isNotification ? options.contentType : undefined) ?? PLAIN_TEXT
  headers['User-Agent'] = 'Amazon Simple Notification Service Agent'
  headers['Accept-Encoding'] = 'gzip,deflate'
  return headers
}

function subscribeLink({ baseUrl, topicArn, token }: Notification): string {
  return subscribeUrl(baseUrl, topicArn, token ?? '')
}

function timestamp({ publishedAt }: Notification): string {
  return utcText(publishedAt)
}

function line(name: string, value: string): string {
  return `  "${name}" : ${JSON.stringify(value)}`
}
