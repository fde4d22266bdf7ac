// The header written by hand reads as the one that JSON.stringify writes.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { notificationHeaderJson } from './message.ts'

test('a notification header reads as what was written, whatever its texts hold', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('arn:aws:sns:us-east-1:000000000000:a', '"', '\\', '\n'),
  )
  const header = fc.record(
    {
      type: fc.constant('Notification' as const),
      messageId: fc.uuid(),
      publishedAt: fc.nat(),
      topicArn: text,
      subject: text,
      attributes: fc.dictionary(text, fc.record({ type: text, value: text }), { noNullPrototype: true }),
      structure: fc.constant('json' as const),
      groupId: text,
      signatureVersion: fc.constantFrom('1' as const, '2' as const),
      senderId: text,
    },
    { requiredKeys: ['type', 'messageId', 'publishedAt'] },
  )
  fc.assert(fc.property(header, (one) => assert.deepEqual(JSON.parse(notificationHeaderJson(one)), JSON.parse(JSON.stringify(one)))))
})
