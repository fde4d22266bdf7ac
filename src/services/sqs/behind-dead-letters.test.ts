import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, SECOND, type World } from '../../../tests/sqs-world.ts'

const RECEIVED_ONCE = JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`, maxReceiveCount: 1 })

async function send(world: World, QueueUrl: string, MessageBody: string, more: object = {}): Promise<void> {
  await world.sqs('SendMessage', { QueueUrl, MessageBody, ...more })
}

test('a receive that finds nothing but dead letters looks behind them, and a wait goes on', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead')
  const QueueUrl = await world.create('q', { VisibilityTimeout: '0', RedrivePolicy: RECEIVED_ONCE })
  for (let at = 0; at < 10; at++) await send(world, QueueUrl, 'poison')
  await world.receive(QueueUrl)
  const waiting = world.receive(QueueUrl, { WaitTimeSeconds: 20 })
  await new Promise((resolve) => setImmediate(resolve))
  await send(world, QueueUrl, 'behind')
  assert.deepEqual(
    (await waiting).map(({ Body }) => Body),
    ['behind'],
  )
  assert.equal((await world.receive(dead)).length, 10)
})

test('a message of a FIFO group comes with the receive that clears an expired one before it', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true', MessageRetentionPeriod: '60' })
  await send(world, QueueUrl, 'old', { MessageGroupId: 'g' })
  world.clock.advance(60 * SECOND)
  await send(world, QueueUrl, 'new', { MessageGroupId: 'g' })
  assert.deepEqual(
    (await world.receive(QueueUrl, { MaxNumberOfMessages: 1 })).map(({ Body }) => Body),
    ['new'],
  )
})

test('in a standard dead-letter queue the retention of a message counts from when it was first sent', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead', { MessageRetentionPeriod: '60' })
  const QueueUrl = await world.create('q', { VisibilityTimeout: '0', RedrivePolicy: RECEIVED_ONCE })
  await send(world, QueueUrl, 'young')
  await world.receive(QueueUrl)
  world.clock.advance(30 * SECOND)
  await world.receive(QueueUrl)
  world.clock.advance(29 * SECOND)
  assert.equal((await world.receive(dead, { VisibilityTimeout: 0 })).length, 1)
  world.clock.advance(SECOND)
  assert.deepEqual(await world.receive(dead), [])
})
