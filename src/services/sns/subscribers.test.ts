import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tables } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription, Topic } from '../../model/topic.ts'
import { memoryRecords } from '../../storage/memory/records.ts'
import { createSubscriberIndex } from './subscribers.ts'

const arnOf = (topic: string) => `arn:aws:sns:us-east-1:000000000001:${topic}`
const topicOf = (name: string, createdAt = 1): Topic => ({
  topicArn: arnOf(name),
  owner: '000000000001',
  createdAt,
  attributes: {},
  tags: {},
  subscriptionsDeleted: 0,
})

function subscription(topic: string, at: number, more: Partial<Subscription> = {}): Subscription {
  return {
    subscriptionArn: `${arnOf(topic)}:5e1d2c3b-0000-4000-8000-${String(at).padStart(12, '0')}`,
    topicArn: arnOf(topic),
    protocol: 'sqs',
    endpoint: `arn:aws:sqs:us-east-1:000000000001:q${at}`,
    owner: '000000000001',
    principal: '',
    createdAt: 1,
    state: 'confirmed',
    confirmationWasAuthenticated: true,
    authenticateOnUnsubscribe: false,
    route: at + 1,
    attributes: { FilterPolicy: JSON.stringify({ kind: [`k${at % 10}`] }) },
    ...more,
  }
}

function world() {
  const tables = new Tables(memoryRecords())
  let position = 0
  const put = (...rows: readonly Subscription[]) =>
    tables.stage(
      rows.map((value) => ({ table: Table.subscriptions, key: value.subscriptionArn, value })),
      ++position,
    )
  const remove = (...rows: readonly Subscription[]) =>
    tables.stage(
      rows.map(({ subscriptionArn: key }) => ({ table: Table.subscriptions, key, value: undefined })),
      ++position,
    )
  const create = (topic: Topic) => tables.stage([{ table: Table.topics, key: topic.topicArn, value: topic }], ++position)
  return { tables, put, remove, create }
}

const numbers = (subscriptions: readonly Subscription[]) => subscriptions.map(({ route }) => route - 1).sort((a, b) => a - b)
const of = (kind: string) => ({ attributes: { kind: { type: 'String', value: kind } }, body: 'x' })

test('after a start, and with whatever changes meanwhile, all is known as if it had been read at once', async (t) => {
  const { tables, put, remove, create } = world()
  for (const name of ['a', 'b', 'c']) {
    create(topicOf(name))
    put(...Array.from({ length: 100 }, (_, at) => subscription(name, at)))
  }
  const index = createSubscriberIndex(tables)
  await new Promise((resolve) => setImmediate(resolve))
  // While the first topic is being read.
  remove(subscription('a', 13), subscription('a', 93))
  put(subscription('a', 3, { attributes: {} }), subscription('a', 83, { attributes: {} }), subscription('a', 103), subscription('b', 103))
  const early = numbers(index.of(topicOf('b')).queuesFor(of('k3')))
  await index.warm
  const range = t.mock.method(tables, 'range')
  const expected = [3, 13, 23, 33, 43, 53, 63, 73, 83, 93, 103]
  assert.deepEqual(numbers(index.of(topicOf('b')).queuesFor(of('k3'))), expected)
  assert.deepEqual(early, expected)
  const a = index.of(topicOf('a'))
  assert.deepEqual(numbers(a.queuesFor(of('k3'))), [3, 23, 33, 43, 53, 63, 73, 83, 103])
  assert.deepEqual(numbers(a.queuesFor(of('none'))), [3, 83])
  assert.deepEqual([a.all.size, a.filterPolicies, a.pending, a.hasOutside], [99, 97, 0, false])
  assert.equal(index.of(topicOf('c')).all.size, 100)
  assert.equal(range.mock.calls.length, 0)
})

test('each change counts, and none has the topic read again', (t) => {
  const { tables, put, remove } = world()
  const index = createSubscriberIndex(tables)
  const subscribers = () => index.of(topicOf('a'))
  assert.equal(subscribers().all.size, 0)
  const range = t.mock.method(tables, 'range')
  const http = { protocol: 'http', endpoint: 'http://a/' }
  put(subscription('a', 1, { state: 'pending', ...http }))
  assert.deepEqual([subscribers().pending, subscribers().hasOutside, subscribers().hasOutsideFilters], [1, false, true])
  put(subscription('a', 1, { ...http, attributes: {} }))
  assert.deepEqual([subscribers().pending, subscribers().hasOutside, subscribers().hasOutsideFilters], [0, true, false])
  put(subscription('a', 2), subscription('a', 3, { createdAt: 0 }))
  assert.deepEqual([...subscribers().byEndpoint.keys()], ['http http://a/', 'sqs arn:aws:sqs:us-east-1:000000000001:q2'])
  remove(subscription('a', 1))
  put(subscription('a', 2, { attributes: {} }))
  assert.deepEqual([subscribers().all.size, subscribers().hasOutside, numbers(subscribers().queuesFor(of('x')))], [1, false, [2]])
  assert.equal(range.mock.calls.length, 0)
  // A successor of the same name begins anew.
  assert.equal(index.of(topicOf('a', 2)).all.size, 0)
})

test('whether HTTP endpoints are sure to get each message in an envelope', () => {
  const { tables, put, remove, create } = world()
  create(topicOf('t'))
  const index = createSubscriberIndex(tables)
  const protocol = () => index.of(topicOf('t')).envelopeProtocol
  const http = (at: number, more: Partial<Subscription> = {}) =>
    subscription('t', at, { protocol: 'http', endpoint: `http://host/${at}`, attributes: {}, ...more })
  put(subscription('t', 0), http(1, { state: 'pending' }), http(2, { attributes: { RawMessageDelivery: 'true' } }))
  put(http(3, { attributes: { FilterPolicy: '{"kind":["k"]}' } }), subscription('t', 4, { protocol: 'email', attributes: {} }))
  assert.equal(protocol(), undefined)
  const secure = http(5, { protocol: 'https', endpoint: 'https://host/5' })
  put(secure)
  assert.equal(protocol(), 'https')
  put(http(1))
  assert.equal(protocol(), 'http')
  remove(http(1), secure)
  assert.equal(protocol(), undefined)
})
