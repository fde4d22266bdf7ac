import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { attemptKey, contentDeduplicationId, deduplicationKey, formatFirstSend, readFirstSend } from './deduplication.ts'
import { sequenceNumber } from './sequence-number.ts'

test('a first send is read as it was written, in far less than what may be remembered', () => {
  fc.assert(
    fc.property(
      fc.uuid().map((id) => id.toLowerCase()),
      fc.maxSafeNat(),
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
      (messageId, sequence, group) => {
        const bytes = formatFirstSend({ messageId, sequence, group })
        assert.ok(bytes.length <= 1024)
        assert.deepEqual(readFirstSend(bytes), { messageId, sequence, group })
      },
    ),
  )
})

test('keys tell ids, groups and purposes apart', () => {
  const keys = [
    deduplicationKey('a'),
    deduplicationKey('a', 'b'),
    deduplicationKey('b', 'a'),
    deduplicationKey('ab', ''),
    deduplicationKey('b', 'aa'),
    attemptKey('a'),
  ]
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, keys.length)
  for (const key of keys) assert.equal(key.length, 16)
  assert.deepEqual(deduplicationKey('a', 'b'), deduplicationKey('a', 'b'))
})

test('the id of a content is the hash of its UTF-8', () => {
  assert.equal(contentDeduplicationId('grüße'), '8285d1ad84c6b6e475d3b50dbf90389c8c7a07a278d9ae46d5698cbe872e3834')
})

test('sequence numbers have twenty digits and sort as they rise', () => {
  assert.equal(sequenceNumber(0), '18800000000000000000')
  assert.equal(sequenceNumber(Number.MAX_SAFE_INTEGER).length, 20)
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
      assert.equal(a < b, sequenceNumber(a) < sequenceNumber(b))
    }),
  )
})
