import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, createHarness, REGION } from '../../tests/harness.ts'
import { checkQueueKey } from './queued-message.ts'
import { sealedForTopic } from './topic-message.ts'

test('a key serves the queues and topics of its own region alone', async (t) => {
  const { env, close } = await createHarness(() => ({}))
  t.after(close)
  const user = { account: ACCOUNT, isService: false }
  const { result: use, done } = env.commits.commit((tx) => {
    const key = (region: string) => env.keys.create(tx, { account: ACCOUNT, region }).arn
    const [near, far] = [key(REGION), key('eu-west-1')]
    const kept = { owner: ACCOUNT, createdAt: 0, tags: {} }
    return (isNear: boolean) => {
      const attributes = { KmsMasterKeyId: isNear ? near : far }
      const queue = { ...kept, attributes, queueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:q`, number: 1, modifiedAt: 0 }
      const topic = { ...kept, attributes, topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:t`, subscriptionsDeleted: 0 }
      const header = { type: 'Notification', messageId: 'm', publishedAt: 0 } as const
      return {
        queue: () => checkQueueKey(env.tables, env, queue, user, 0),
        topic: () => env.commits.commit((tx) => sealedForTopic(tx, env, topic, { header, body: 'x' }, user)),
        refusal: { name: 'KeyMissing', message: `Invalid keyId '${attributes.KmsMasterKeyId}'` },
      }
    }
  })
  await done
  use(true).queue()
  use(true).topic()
  const { queue, topic, refusal } = use(false)
  assert.throws(queue, refusal)
  assert.throws(topic, refusal)
})
