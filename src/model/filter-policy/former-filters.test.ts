import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Subscription } from '../topic.ts'
import { filterAt, withFormerFilter } from './former-filters.ts'

const HOUR = 3600 * 1000
const START: Subscription = {
  subscriptionArn: 'arn:aws:sns:us-east-1:000000000001:orders:5e1d2c3b-0000-4000-8000-000000000001',
  topicArn: 'arn:aws:sns:us-east-1:000000000001:orders',
  protocol: 'http',
  endpoint: 'http://a/',
  owner: '000000000001',
  principal: '',
  createdAt: 0,
  state: 'confirmed',
  confirmationWasAuthenticated: false,
  authenticateOnUnsubscribe: false,
  route: 0,
  attributes: {},
}

/** The subscription after its filter was set to each of these, with other subscriptions' changes in between. */
function after(policies: readonly (string | undefined)[], stepMs = 1): Subscription {
  let changes = 0
  return policies.reduce<Subscription>((before, policy, at) => {
    const attributes = { ...(policy !== undefined && { FilterPolicy: policy }), RawMessageDelivery: 'true' }
    return withFormerFilter(before, { ...before, attributes }, at * stepMs, () => (changes += 2))
  }, START)
}

const at = (subscription: Subscription, changes: number) => {
  const attributes = filterAt(subscription, changes)
  return attributes === undefined ? 'today' : (attributes['FilterPolicy'] ?? 'none')
}

test('each message meets the filter of its time', () => {
  const subscription = after(['a', 'b', undefined, 'c'])
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((changes) => at(subscription, changes)),
    ['none', 'none', 'a', 'a', 'b', 'b', 'none', 'none', 'today', 'today'],
  )
})

test('what changes no filter leaves no trace', () => {
  assert.equal(after([undefined, undefined]).formerFilters, undefined)
  assert.equal(after(['a', 'a', 'a']).formerFilters?.length, 1)
  const scoped = withFormerFilter(START, { ...START, attributes: { FilterPolicyScope: 'MessageBody' } }, 0, () => 1)
  assert.equal(scoped.formerFilters, undefined)
})

test('former filters are kept for an hour, eight of them, 256 KiB together, and always the last', () => {
  assert.equal(after(Array.from({ length: 20 }, (_, number) => `p${number}`)).formerFilters?.length, 8)
  assert.equal(after(['a', 'b', 'c', 'd'], HOUR).formerFilters?.length, 1)
  assert.equal(after(['a', 'b', 'c', 'd'], HOUR / 2).formerFilters?.length, 2)
  const large = (letter: string) => letter.repeat(200_000)
  assert.equal(after([large('a'), large('b'), large('c')]).formerFilters?.length, 1)
  assert.equal(after([large('a'), large('b').slice(0, 50_000), large('c')]).formerFilters?.length, 3)
})
