import assert from 'node:assert/strict'
import test from 'node:test'
import { createWorld, refusal, SECOND } from '../../../tests/sqs-world.ts'

test('with the rates of AWS a queue is purged once in sixty seconds', async (t) => {
  const world = await createWorld(t, { hasAwsRates: true })
  const QueueUrl = await world.create('q')
  await world.sqs('PurgeQueue', { QueueUrl })
  await world.sqs('PurgeQueue', { QueueUrl: await world.create('other') })
  world.clock.advance(59 * SECOND)
  const refused = await refusal(world.sqs('PurgeQueue', { QueueUrl }))
  assert.deepEqual(
    [refused.code, refused.shape, refused.status, refused.message],
    [
      'AWS.SimpleQueueService.PurgeQueueInProgress',
      'PurgeQueueInProgress',
      403,
      'Only one PurgeQueue operation on q is allowed every 60 seconds.',
    ],
  )
  world.clock.advance(SECOND)
  await world.sqs('PurgeQueue', { QueueUrl })
})

test('with the rates of AWS the name of a deleted queue is free after sixty seconds', async (t) => {
  const world = await createWorld(t, { hasAwsRates: true })
  const QueueUrl = await world.create('q')
  await world.sqs('DeleteQueue', { QueueUrl })
  await world.create('other')
  world.clock.advance(59 * SECOND)
  const refused = await refusal(world.create('q'))
  assert.deepEqual(
    [refused.code, refused.shape, refused.status],
    ['AWS.SimpleQueueService.QueueDeletedRecently', 'QueueDeletedRecently', 400],
  )
  world.clock.advance(SECOND)
  await world.create('q')
})

test('without them a queue may be purged, deleted and made again at any time', async (t) => {
  const world = await createWorld(t)
  for (let round = 0; round < 2; round++) {
    const QueueUrl = await world.create('q')
    await world.sqs('PurgeQueue', { QueueUrl })
    await world.sqs('PurgeQueue', { QueueUrl })
    await world.sqs('DeleteQueue', { QueueUrl })
  }
})
