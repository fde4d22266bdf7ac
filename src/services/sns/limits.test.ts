// Counts and rates hold with the limits of AWS alone.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, type Harness, OTHER_ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { rootPrincipal } from '../../model/principal.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import { createSns } from './index.ts'
import { createSnsLimits, type SnsLimits } from './limits.ts'

async function worldWith(t: TestContext, limits: Partial<SnsLimits> | undefined): Promise<Harness> {
  const server = await createHarness((env) => ({
    sns: createSns({
      tables: env.tables,
      protocols: { sqs: { validate: () => undefined } },
      ...(limits !== undefined && { limits: { ...createSnsLimits(env), ...limits } }),
    }),
  }))
  t.after(() => server.close())
  return server
}

test('an account has so many topics in a region; making one again is no more', async (t) => {
  const server = await worldWith(t, { topicsMax: 3 })
  const create = (Name: string, as = rootPrincipal(ACCOUNT, 'AKIATEST')) => server.call('sns', 'CreateTopic', { Name }, as)
  for (const name of ['a', 'b', 'c', 'c']) await create(name)
  await assert.rejects(create('d'), {
    code: 'TopicLimitExceeded',
    status: 403,
    message: 'Topic limit exceeded: an account has at most 3 topics in a region',
  })
  await create('d', rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER'))
  await server.call('sns', 'DeleteTopic', { TopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:b` })
  await create('d')
  await assert.rejects(create('b'), { code: 'TopicLimitExceeded' })
})

test('topics that were there before the first count are counted, over pages', async (t) => {
  const server = await worldWith(t, { topicsMax: 1100 })
  const names = Array.from({ length: 1100 }, (_, at) => `t${at}`)
  await server.env.commits.commit((tx) => {
    for (const name of names) {
      const topicArn = `arn:aws:sns:us-east-1:${ACCOUNT}:${name}`
      tx.put(Table.topics, topicArn, { topicArn, owner: ACCOUNT, createdAt: tx.now, attributes: {}, tags: {}, subscriptionsDeleted: 0 })
    }
  }).done
  await assert.rejects(server.call('sns', 'CreateTopic', { Name: 'one-more' }), { code: 'TopicLimitExceeded' })
  await server.call('sns', 'DeleteTopic', { TopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:t7` })
  await server.call('sns', 'CreateTopic', { Name: 'one-more' })
})

test('a topic has so many subscriptions', async (t) => {
  const server = await worldWith(t, { subscriptionsMax: 2 })
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'busy' })
  const subscribe = (name: string) =>
    server.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}` })
  for (const name of ['a', 'b', 'b']) await subscribe(name)
  await assert.rejects(subscribe('c'), { code: 'SubscriptionLimitExceeded', status: 403 })
})

test('a topic and an account in a region have so many filter policies; subscriptions without one do not count', async (t) => {
  const server = await worldWith(t, { filterPoliciesPerTopicMax: 2, filterPoliciesMax: 3 })
  const [one, two] = await Promise.all(['one', 'two'].map(async (Name) => (await server.call('sns', 'CreateTopic', { Name })).TopicArn))
  const subscribe = (TopicArn: string | undefined, name: string, Attributes: object = { FilterPolicy: '{"a":["b"]}' }) =>
    server.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`, Attributes })
  await subscribe(one, 'a')
  const { SubscriptionArn } = await subscribe(one, 'b')
  await subscribe(one, 'c', {})
  const refusal = (of: string) => ({
    code: 'FilterPolicyLimitExceeded',
    status: 403,
    message: `Filter policy limit exceeded: ${of}`,
  })
  await assert.rejects(subscribe(one, 'd'), refusal('a topic has at most 2 filter policies'))
  await subscribe(two, 'a')
  await assert.rejects(subscribe(two, 'b'), refusal('an account has at most 3 filter policies in a region'))
  const late = (await subscribe(two, 'c', {})).SubscriptionArn
  const set = (arn: unknown, AttributeValue: string) =>
    server.call('sns', 'SetSubscriptionAttributes', { SubscriptionArn: arn, AttributeName: 'FilterPolicy', AttributeValue })
  await assert.rejects(set(late, '{"a":["b"]}'), refusal('an account has at most 3 filter policies in a region'))
  await set(SubscriptionArn, '{"a":["c"]}')
  await set(SubscriptionArn, '')
  await set(late, '{"a":["b"]}')
})

test('calls beyond the rate are throttled, each account for itself, and the rate is no limit of the open profile', async (t) => {
  const server = await worldWith(t, {})
  const list = (times: number, as = rootPrincipal(ACCOUNT, 'AKIATEST')) =>
    Promise.allSettled(Array.from({ length: times }, () => server.call('sns', 'ListTopics', {}, as)))
  const failed = (results: readonly PromiseSettledResult<unknown>[]) => results.filter(({ status }) => status === 'rejected')
  const beyond = failed(await list(31))
  assert.equal(beyond.length, 1)
  const { code, status, message } = (beyond[0] as PromiseRejectedResult).reason as ServiceError
  assert.deepEqual([code, status, message], ['Throttling', 400, 'Rate exceeded'])
  assert.equal(failed(await list(30, rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER'))).length, 0)
  server.clock.advance(1000)
  assert.equal(failed(await list(30)).length, 0)
  const open = await worldWith(t, undefined)
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => open.call('sns', 'ListTopics')))
  assert.equal(failed(results).length, 0)
})
