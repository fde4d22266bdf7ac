import assert from 'node:assert/strict'
import test from 'node:test'
import { createWorld, type World } from '../../../tests/sqs-world.ts'

async function send(world: World, QueueUrl: string, MessageGroupId: string | undefined, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await world.sqs('SendMessage', { QueueUrl, MessageBody: `${MessageGroupId} ${at}`, MessageGroupId })
}

test('who is quiet does not wait behind who is loud', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await send(world, QueueUrl, 'loud', 40)
  assert.equal((await world.receive(QueueUrl)).length, 10)
  assert.equal((await world.receive(QueueUrl)).length, 10)
  await send(world, QueueUrl, 'quiet', 2)
  const bodies = (await world.receive(QueueUrl, { MaxNumberOfMessages: 2 })).map(({ Body }) => Body)
  assert.deepEqual(bodies, ['quiet 0', 'quiet 1'])
  // Nobody is shut out: what is left of the loud one comes when nobody else has any.
  assert.equal((await world.receive(QueueUrl)).length, 10)
})

test('messages without a group each count as their own', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await send(world, QueueUrl, 'loud', 30)
  await world.receive(QueueUrl)
  await world.receive(QueueUrl)
  await send(world, QueueUrl, undefined, 3)
  const bodies = (await world.receive(QueueUrl, { MaxNumberOfMessages: 3 })).map(({ Body }) => Body)
  assert.deepEqual(bodies, ['undefined 0', 'undefined 1', 'undefined 2'])
})
