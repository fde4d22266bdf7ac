import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { readEntries } from '../../model/entry.ts'
import { createSns } from './index.ts'

async function worldOf(t: TestContext) {
  const server = await createHarness((env) => ({
    sns: createSns({ tables: env.tables, protocols: { sqs: { validate: () => undefined } } }),
  }))
  t.after(() => server.close())
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'orders' })
  const kinds = async (): Promise<string[]> => {
    const frames = await server.env.journal.read(server.env.journal.start, 1 << 24)
    return frames.flatMap(({ payload }) => [...readEntries(payload)].map(({ entry }) => entry.kind))
  }
  return {
    server,
    TopicArn,
    attempts: async () => (await kinds()).filter((kind) => kind === 'attempt').length,
    subscribe: (name: string, Attributes: object) =>
      server.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`, Attributes }),
    publish: (kind: string) =>
      server.call('sns', 'Publish', { TopicArn, Message: 'x', MessageAttributes: { kind: { DataType: 'String', StringValue: kind } } }),
  }
}

test('a message that does not pass is no attempt, even at a queue that is not there', async (t) => {
  const { subscribe, publish, attempts } = await worldOf(t)
  await subscribe('missing', { FilterPolicy: '{"kind":["a"]}' })
  await publish('b')
  assert.equal(await attempts(), 0)
  await publish('a')
  assert.equal(await attempts(), 1)
})

test('a policy of 256 KiB is kept and told as it was given, changes and all', async (t) => {
  const { server, subscribe, publish, attempts } = await worldOf(t)
  const large = (kind: string) => JSON.stringify({ kind: [kind] }).padEnd(256 * 1024, ' ')
  const { SubscriptionArn } = await subscribe('missing', { FilterPolicy: large('a') })
  for (const kind of ['b', 'c', 'd'])
    await server.call('sns', 'SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'FilterPolicy', AttributeValue: large(kind) })
  const { Attributes } = await server.call('sns', 'GetSubscriptionAttributes', { SubscriptionArn })
  assert.equal((Attributes as Record<string, string> | undefined)?.['FilterPolicy'], large('d'))
  for (const kind of ['a', 'b', 'c', 'd']) await publish(kind)
  assert.equal(await attempts(), 1)
})

test('a publish that has nothing to wait for is decided in the step it came in', async (t) => {
  const { server, publish } = await worldOf(t)
  const { tail } = server.env.journal
  const published = publish('a')
  assert.ok(server.env.journal.tail > tail)
  await published
})
