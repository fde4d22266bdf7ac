import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { deliveryIdOfMessage } from './delivery-id.ts'

test('the same for the same message and subscription, whatever was asked between, and another for all others', () => {
  const messages = Array.from({ length: 40 }, (_, at) => `message-${at}`)
  const subscriptions = Array.from({ length: 40 }, (_, at) => `arn:aws:sns:us-east-1:000000000001:t:${at}`)
  const ids = messages.flatMap((message) => subscriptions.map((subscription) => deliveryIdOfMessage(message, subscription)))
  assert.equal(new Set(ids).size, 1600)
  const again = subscriptions.flatMap((subscription) => messages.map((message) => deliveryIdOfMessage(message, subscription)))
  assert.deepEqual(new Set(again), new Set(ids))
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('its bits are those of both hashes, but for version and variant', () => {
  const [message, subscription] = ['m', 's'].map((text) => createHash('sha256').update(text).digest())
  const bytes = Array.from({ length: 16 }, (_, at) => (message?.[at] ?? 0) ^ (subscription?.[at] ?? 0))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  assert.equal(deliveryIdOfMessage('m', 's').replaceAll('-', ''), Buffer.from(bytes).toString('hex'))
})
