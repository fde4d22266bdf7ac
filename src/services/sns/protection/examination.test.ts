import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ACCOUNT, createHarness, OTHER_ACCOUNT, REGION } from '../../../../tests/harness.ts'
import { topicsMaySend } from '../../../../tests/queue-policy.ts'
import { readEntries } from '../../../model/entry.ts'
import { Table } from '../../../model/tables.ts'
import { createSns } from '../index.ts'
import { createSqs } from '../../sqs/index.ts'

/** Long enough that other calls come in between. */
const LONG = 'and so on '.repeat(20_000)
const policyOf = (DataDirection: string, MaskWithCharacter: string, ...Principal: readonly string[]) =>
  JSON.stringify({
    ...{ Name: 'p', Version: '2021-06-01' },
    Statement: [
      {
        ...{ DataDirection, Principal },
        DataIdentifier: ['arn:aws:dataprotection::aws:data-identifier/EmailAddress'],
        Operation: { Deidentify: { MaskConfig: { MaskWithCharacter } } },
      },
    ],
  })

async function worldOf(t: TestContext, DataProtectionPolicy: string) {
  const server = await createHarness((env) => ({
    sns: createSns({ tables: env.tables, protocols: { sqs: { validate: () => undefined } } }),
    sqs: createSqs({ notifications: (_header, body) => Promise.resolve(body) }),
  }))
  t.after(() => server.close())
  const call = (service: string, operation: string, input: object) => server.call(service, operation, input)
  const { TopicArn = '' } = (await call('sns', 'CreateTopic', { Name: 'orders', DataProtectionPolicy })) as { readonly TopicArn?: string }
  const Endpoint = `arn:aws:sqs:${REGION}:${ACCOUNT}:q`
  const { QueueUrl } = await call('sqs', 'CreateQueue', { QueueName: 'q', Attributes: { Policy: topicsMaySend('*') } })
  return {
    server,
    TopicArn,
    subscribe: () => call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint }),
    publish: () => call('sns', 'Publish', { TopicArn, Message: `a@b.example ${LONG}` }),
    protect: (policy: string) => call('sns', 'PutDataProtectionPolicy', { ResourceArn: TopicArn, DataProtectionPolicy: policy }),
    async received() {
      const { Messages = [] } = (await call('sqs', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 })) as {
        readonly Messages?: readonly { readonly Body: string }[]
      }
      return Messages.map(({ Body }) => Body.slice(0, 11))
    },
  }
}

test('a policy that changes while a message is looked through holds for the message', async (t) => {
  const { subscribe, publish, protect, received } = await worldOf(t, policyOf('Inbound', '#', '*'))
  await subscribe()
  for (const [policy, text] of [
    [policyOf('Inbound', '-', '*'), '-----------'],
    [policyOf('Outbound', '+', '*'), '+++++++++++'],
    ['', 'a@b.example'],
  ] as const) {
    const published = publish()
    await protect(policy)
    await published
    assert.deepEqual(await received(), [text])
    await protect(policyOf('Inbound', '#', '*'))
  }
})

test('a subscriber who comes while a message is looked through gets what is meant for it', async (t) => {
  const { server, TopicArn, subscribe, publish, received } = await worldOf(t, policyOf('Outbound', '#', `arn:aws:iam::${ACCOUNT}:root`))
  const published = publish()
  await subscribe()
  await published
  assert.deepEqual(await received(), ['###########'])
  // Of the same kind: it was looked for already.
  const [row] = server.env.tables.range(Table.subscriptions, { prefix: TopicArn })
  assert.ok(row)
  const other = { ...row.value, subscriptionArn: `${row.key.slice(0, -1)}z`, endpoint: `${row.value.endpoint}2` }
  await server.env.commits.commit((tx) => tx.put(Table.subscriptions, other.subscriptionArn, other)).done
  await publish()
  assert.deepEqual(await received(), ['###########'])
})

test('without a subscriber whom a statement means nothing is staged but the message itself', async (t) => {
  const { server, subscribe, publish } = await worldOf(t, policyOf('Outbound', '#', `arn:aws:iam::${OTHER_ACCOUNT}:root`))
  await subscribe()
  const from = server.env.journal.durable
  await publish()
  const frames = await server.env.journal.read(from, 1 << 22)
  const messages = frames.flatMap(({ payload }) => readEntries(payload)).filter(({ entry }) => entry.kind === 'message')
  assert.equal(messages.length, 1)
})
