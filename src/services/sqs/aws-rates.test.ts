import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createWorld, refusal, SECOND, type World } from '../../../tests/sqs-world.ts'
import { createReceiveMessage } from './receive-message.ts'
import { createSqs } from './index.ts'
import { createHarness } from '../../../tests/harness.ts'

const FIFO = { FifoQueue: 'true', ContentBasedDeduplication: 'true' }
const HIGH = { ...FIFO, DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }

/** How many of `count` sends at one moment are taken. */
async function sendsTaken(world: World, QueueUrl: string, count: number, group = 'g'): Promise<number> {
  const sends = Array.from({ length: count }, (_, at) =>
    world.call('sqs', 'SendMessage', { QueueUrl, MessageBody: `${group} ${at} ${world.clock.now()}`, MessageGroupId: group }),
  )
  const outcomes = await Promise.allSettled(sends)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      assert.deepEqual([outcome.reason.code, outcome.reason.status, outcome.reason.message], ['RequestThrottled', 403, 'Rate exceeded'])
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

test('with the rates of AWS a FIFO queue takes 300 calls a second of each action', async (t) => {
  const world = await createWorld(t, { hasAwsRates: true })
  const QueueUrl = await world.create('a.fifo', FIFO)
  assert.equal(await sendsTaken(world, QueueUrl, 301), 300)
  assert.equal(await sendsTaken(world, QueueUrl, 1, 'other'), 0)
  assert.equal((await world.receive(QueueUrl)).length, 10)
  assert.equal(await sendsTaken(world, await world.create('b.fifo', FIFO), 1), 1)
  world.clock.advance(SECOND)
  assert.equal(await sendsTaken(world, QueueUrl, 300), 300)
  assert.equal(await sendsTaken(world, await world.create('standard'), 400), 400)
})

test('with high throughput the rate is that of each group, and receives have none', async (t) => {
  const world = await createWorld(t, { hasAwsRates: true })
  const QueueUrl = await world.create('a.fifo', HIGH)
  assert.equal(await sendsTaken(world, QueueUrl, 301, 'a'), 300)
  assert.equal(await sendsTaken(world, QueueUrl, 300, 'b'), 300)
  const batch = ['a', 'c'].map((MessageGroupId) => ({ Id: MessageGroupId, MessageBody: 'x', MessageGroupId }))
  assert.equal((await refusal(world.sqs('SendMessageBatch', { QueueUrl, Entries: batch }))).code, 'RequestThrottled')
  const receives = await Promise.all(Array.from({ length: 400 }, () => world.receive(QueueUrl, { VisibilityTimeout: 0 })))
  assert.equal(receives.length, 400)
})

test('without them nothing is limited', async (t) => {
  const world = await createWorld(t)
  assert.equal(await sendsTaken(world, await world.create('a.fifo', FIFO), 400), 400)
})

/** Queues that have at most three messages in flight. */
async function smallWorld(t: TestContext) {
  const notifications = () => Promise.reject(new Error('no topic sends here'))
  const harness = await createHarness(() => {
    const sqs = createSqs({ notifications })
    return { sqs: { ...sqs, operations: { ...sqs.operations, ReceiveMessage: createReceiveMessage(notifications, 3) } } }
  })
  t.after(() => harness.close())
  const create = async (QueueName: string, Attributes = {}): Promise<string> =>
    String((await harness.call('sqs', 'CreateQueue', { QueueName, Attributes }))['QueueUrl'])
  const send = (QueueUrl: string, MessageBody: string, more = {}) => harness.call('sqs', 'SendMessage', { QueueUrl, MessageBody, ...more })
  const receive = async (QueueUrl: string, more = {}): Promise<readonly { readonly ReceiptHandle: string }[]> => {
    const { Messages = [] } = (await harness.call('sqs', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, ...more })) as {
      readonly Messages?: readonly { readonly ReceiptHandle: string }[]
    }
    return Messages
  }
  return { harness, create, send, receive }
}

test('beyond the messages that may be in flight a short poll is refused', async (t) => {
  const { harness, create, send, receive } = await smallWorld(t)
  const QueueUrl = await create('q')
  for (const body of ['1', '2', '3', '4']) await send(QueueUrl, body)
  const taken = await receive(QueueUrl)
  assert.equal(taken.length, 3)
  const refused = await refusal(receive(QueueUrl))
  assert.deepEqual([refused.code, refused.status], ['OverLimit', 403])
  assert.match(refused.message, /^Too many messages have been received without being deleted\./)
  let answered = false
  const polling = receive(QueueUrl, { WaitTimeSeconds: 20 }).finally(() => (answered = true))
  harness.clock.advance(5 * SECOND)
  await turn()
  assert.equal(answered, false)
  await harness.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle: taken[0]?.ReceiptHandle })
  harness.clock.advance(SECOND)
  assert.equal((await polling).length, 1)
})

test('a FIFO queue gives nothing then, and refuses nobody', async (t) => {
  const { create, send, receive } = await smallWorld(t)
  const QueueUrl = await create('q.fifo', FIFO)
  for (const body of ['1', '2', '3', '4']) await send(QueueUrl, body, { MessageGroupId: body })
  assert.equal((await receive(QueueUrl)).length, 3)
  assert.deepEqual(await receive(QueueUrl), [])
})
