// Time takes what nobody confirmed, and what belongs to no topic any more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { readEntries } from '../../model/entry.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import { createSns } from './index.ts'
import { TOKEN_LIFE_MS } from './subscribe.ts'
import { createSubscriptionSweep } from './sweep-subscriptions.ts'

const HOUR_MS = 3600 * 1000

async function worldFor() {
  const server = await createHarness((env) => ({
    sns: createSns({ tables: env.tables, protocols: { http: { validate: () => undefined }, sqs: { validate: () => undefined } } }),
  }))
  const { journal, seal } = server.env
  return {
    ...server,
    sweep: createSubscriptionSweep(server.env),
    /** Tokens that went out, the oldest first. */
    async tokens(): Promise<string[]> {
      const frames = await journal.read(journal.start, 1 << 20)
      return frames.flatMap(({ payload }) =>
        [...readEntries(payload)].flatMap(({ entry }) => {
          if (entry.kind !== 'message') return []
          const { sealedToken, subscriptionArn } = JSON.parse(entry.header.toString('utf8')) as MessageHeader
          return sealedToken === undefined ? [] : [seal.open(sealedToken, `confirmation ${subscriptionArn}`)]
        }),
      )
    },
  }
}

test('a token and its subscription run out together, a confirmed subscription stays', async (t) => {
  const world = await worldFor()
  t.after(() => world.close())
  const { TopicArn } = await world.call('sns', 'CreateTopic', { Name: 'a' })
  const subscribe = async (Endpoint: string) =>
    (await world.call('sns', 'Subscribe', { TopicArn, Protocol: 'http', Endpoint, ReturnSubscriptionArn: true })).SubscriptionArn
  const [late, kept] = [await subscribe('http://late/'), await subscribe('http://kept/')]
  const [lateToken, keptToken] = await world.tokens()
  await world.call('sns', 'ConfirmSubscription', { TopicArn, Token: keptToken })
  world.clock.advance(TOKEN_LIFE_MS - 1)
  await world.sweep()
  await world.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn: late })
  world.clock.advance(1)
  await assert.rejects(world.call('sns', 'ConfirmSubscription', { TopicArn, Token: lateToken }), { message: 'Invalid parameter: Token' })
  await world.sweep()
  await assert.rejects(world.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn: late }), { code: 'NotFound' })
  await world.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn: kept })
  assert.equal(world.env.tables.range(Table.confirmations, {}).length, 0)
  const { Attributes } = await world.call('sns', 'GetTopicAttributes', { TopicArn })
  const { SubscriptionsConfirmed, SubscriptionsPending } = Attributes as unknown as Record<string, string>
  assert.deepEqual([SubscriptionsConfirmed, SubscriptionsPending], ['1', '0'])
})

test('subscriptions of a topic that is gone are readable for two days', async (t) => {
  const world = await worldFor()
  t.after(() => world.close())
  const { TopicArn } = await world.call('sns', 'CreateTopic', { Name: 'a' })
  const { SubscriptionArn } = await world.call('sns', 'Subscribe', {
    TopicArn,
    Protocol: 'sqs',
    Endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:q`,
  })
  await world.call('sns', 'DeleteTopic', { TopicArn })
  await world.sweep()
  world.clock.advance(47 * HOUR_MS)
  await world.sweep()
  await world.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn })
  world.clock.advance(HOUR_MS)
  await world.sweep()
  await assert.rejects(world.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn }), { code: 'NotFound' })
})
