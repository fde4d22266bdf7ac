import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MessageHeader } from './message.ts'
import {
  SIGNATURE_CHARACTERS,
  createNotification,
  envelopeBytes,
  formatEnvelope,
  httpHeaders,
  selectText,
  stringToSign,
} from './notification.ts'

const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`
const recipient = { protocol: 'http', subscriptionArn, baseUrl: 'https://sns.us-east-1.amazonaws.com' }
const header: MessageHeader = {
  type: 'Notification',
  messageId: 'U1',
  topicArn,
  publishedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  subject: 's',
  attributes: { kind: { type: 'String', value: 'a' }, blob: { type: 'Binary', value: 'AgME' } },
}
const signed = { signature: 'c2ln', signingCertUrl: 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00.pem' }

test('the envelope has the layout and key order of AWS', () => {
  assert.equal(
    formatEnvelope(createNotification(header, 'hi', recipient), signed),
    `{
  "Type" : "Notification",
  "MessageId" : "U1",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000001:orders",
  "Subject" : "s",
  "Message" : "hi",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "SignatureVersion" : "1",
  "Signature" : "c2ln",
  "SigningCertURL" : "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00.pem",
  "UnsubscribeURL" : "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}",
  "MessageAttributes" : {
    "kind" : {"Type":"String","Value":"a"},
    "blob" : {"Type":"Binary","Value":"AgME"}
  }
}`,
  )
})

test('absent subject and attributes leave no key; a FIFO topic leaves no signature', () => {
  const plain = createNotification({ ...header, subject: undefined, attributes: {} }, 'hi', recipient)
  assert.deepEqual(Object.keys(JSON.parse(formatEnvelope(plain, signed)) as object), [
    'Type',
    'MessageId',
    'TopicArn',
    'Message',
    'Timestamp',
    'SignatureVersion',
    'Signature',
    'SigningCertURL',
    'UnsubscribeURL',
  ])
  const fifo = createNotification({ ...header, topicArn: `${topicArn}.fifo`, signatureVersion: '2' }, 'hi', recipient)
  assert.equal(fifo.signatureVersion, undefined)
  assert.doesNotMatch(formatEnvelope(fifo, undefined), /Sign/)
})

test('a confirmation carries token and link in place of the unsubscribe link, and signs them', () => {
  const confirmation = createNotification(
    { ...header, type: 'SubscriptionConfirmation', subject: undefined, attributes: undefined },
    'ignored',
    { ...recipient, token: 'abc' },
  )
  const link = `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=abc`
  const text =
    `You have chosen to subscribe to the topic ${topicArn}.\n` +
    'To confirm the subscription, visit the SubscribeURL included in this message.'
  const envelope = JSON.parse(formatEnvelope(confirmation, signed)) as Record<string, string>
  assert.deepEqual(Object.keys(envelope), [
    'Type',
    'MessageId',
    'Token',
    'TopicArn',
    'Message',
    'SubscribeURL',
    'Timestamp',
    'SignatureVersion',
    'Signature',
    'SigningCertURL',
  ])
  assert.equal(envelope['SubscribeURL'], link)
  assert.equal(envelope['Message'], text)
  assert.equal(
    stringToSign(confirmation),
    `Message\n${text}\nMessageId\nU1\nSubscribeURL\n${link}\nTimestamp\n2026-01-02T03:04:05.678Z\nToken\nabc\n` +
      `TopicArn\n${topicArn}\nType\nSubscriptionConfirmation\n`,
  )
})

test('an unsubscribe confirmation names the subscription in its text', () => {
  const farewell = createNotification({ ...header, type: 'UnsubscribeConfirmation' }, '', { ...recipient, token: 'abc' })
  assert.equal(
    farewell.message,
    `You have chosen to deactivate subscription ${subscriptionArn}.\n` +
      'To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.',
  )
})

test('the signed text of a notification leaves attributes out and has a subject only when there is one', () => {
  assert.equal(
    stringToSign(createNotification(header, 'hi', recipient)),
    `Message\nhi\nMessageId\nU1\nSubject\ns\nTimestamp\n2026-01-02T03:04:05.678Z\nTopicArn\n${topicArn}\nType\nNotification\n`,
  )
  assert.doesNotMatch(stringToSign(createNotification({ ...header, subject: undefined }, 'hi', recipient)), /Subject/)
})

test('MessageStructure=json: the own text, else the default; what is no string does not count', () => {
  const body = JSON.stringify({ default: 'd', http: 'h', sqs: 7 })
  assert.equal(selectText(body, 'json', 'http'), 'h')
  assert.equal(selectText(body, 'json', 'sqs'), 'd')
  assert.equal(selectText(body, 'json', 'toString'), 'd')
  assert.equal(selectText(body, undefined, 'http'), body)
})

test('headers: the override and raw hold for notifications only, the first confirmation has no subscription', () => {
  const options = { raw: true, contentType: 'application/json' }
  const headers = httpHeaders(createNotification(header, 'hi', recipient), options)
  assert.deepEqual(headers, {
    'x-amz-sns-message-type': 'Notification',
    'x-amz-sns-message-id': 'U1',
    'x-amz-sns-topic-arn': topicArn,
    'x-amz-sns-subscription-arn': subscriptionArn,
    'x-amz-sns-rawdelivery': 'true',
    'Content-Type': 'application/json',
    'User-Agent': 'Amazon Simple Notification Service Agent',
    'Accept-Encoding': 'gzip,deflate',
  })
  const confirmation = httpHeaders(
    createNotification({ ...header, type: 'SubscriptionConfirmation' }, '', { ...recipient, token: 't' }),
    options,
  )
  assert.equal(confirmation['Content-Type'], 'text/plain; charset=UTF-8')
  assert.ok(!('x-amz-sns-rawdelivery' in confirmation) && !('x-amz-sns-subscription-arn' in confirmation))
})

test('any text survives the envelope, and its size is known before it is signed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.dictionary(fc.string(), fc.string()), (message, subject, values) => {
      const attributes = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: 'String', value }]))
      const notification = createNotification({ ...header, subject, attributes }, message, recipient)
      const text = formatEnvelope(notification, { ...signed, signature: 'A'.repeat(SIGNATURE_CHARACTERS) })
      const parsed = JSON.parse(text) as { Message: string; Subject: string; MessageAttributes?: Record<string, { Value: string }> }
      assert.equal(parsed.Message, message)
      assert.equal(parsed.Subject, subject)
      for (const [name, value] of Object.entries(values))
        assert.equal(Object.getOwnPropertyDescriptor(parsed.MessageAttributes, name)?.value.Value, value)
      assert.equal(Buffer.byteLength(text), envelopeBytes(notification, signed.signingCertUrl))
    }),
  )
})
