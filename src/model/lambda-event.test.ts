import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lambdaEvent } from './lambda-event.ts'
import { createNotification, formatEnvelope } from './notification.ts'

const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`
const to = { protocol: 'lambda', subscriptionArn, baseUrl: 'http://sealcast' }
const header = { type: 'Notification', messageId: 'M', topicArn, publishedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678) } as const
const signed = { signature: 'c2ln', signingCertUrl: 'https://sealcast/SimpleNotificationService-0.pem' }

test('the event has one record, with the names that functions know, and a version 1 whatever the topic signs with', () => {
  const notification = createNotification(
    {
      ...header,
      subject: 's',
      signatureVersion: '2',
      attributes: {
        kind: { type: 'String', value: 'ä' },
        count: { type: 'Number', value: '8' },
        list: { type: 'String.Array', value: '["a"]' },
        blob: { type: 'Binary', value: 'AgME' },
      },
    },
    'hi\n"there"',
    to,
  )
  assert.equal(
    lambdaEvent(formatEnvelope(notification, signed), subscriptionArn),
    JSON.stringify({
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: subscriptionArn,
          Sns: {
            Type: 'Notification',
            MessageId: 'M',
            TopicArn: topicArn,
            Subject: 's',
            Message: 'hi\n"there"',
            Timestamp: '2026-01-02T03:04:05.678Z',
            SignatureVersion: '1',
            Signature: 'c2ln',
            SigningCertUrl: signed.signingCertUrl,
            UnsubscribeUrl: `http://sealcast/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`,
            MessageAttributes: {
              kind: { Type: 'String', Value: 'ä' },
              count: { Type: 'String', Value: '8' },
              list: { Type: 'String', Value: '["a"]' },
              blob: { Type: 'Binary', Value: 'AgME' },
            },
          },
        },
      ],
    }),
  )
})

test('without subject and attributes: null, and none; a confirmation brings its token and link', () => {
  const sns = (event: string) => (JSON.parse(event) as { Records: [{ Sns: Record<string, unknown> }] }).Records[0].Sns
  const plain = sns(lambdaEvent(formatEnvelope(createNotification(header, 'hi', to), signed), subscriptionArn))
  assert.deepEqual([plain['Subject'], plain['MessageAttributes']], [null, {}])
  const asked = createNotification({ ...header, type: 'SubscriptionConfirmation' }, '', { ...to, token: 'abc' })
  const confirmation = sns(lambdaEvent(formatEnvelope(asked, signed), subscriptionArn))
  assert.deepEqual(
    [confirmation['Type'], confirmation['Token'], confirmation['SubscribeUrl'], 'UnsubscribeUrl' in confirmation],
    ['SubscriptionConfirmation', 'abc', `http://sealcast/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=abc`, false],
  )
})
