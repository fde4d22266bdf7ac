import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, HOST, refusal } from '../../../tests/sqs-world.ts'

const FIFO = { FifoQueue: 'true' }
const attributesOf = async (world: Awaited<ReturnType<typeof createWorld>>, QueueUrl: string) =>
  (await world.sqs<{ Attributes: Record<string, string> }>('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })).Attributes

test('a FIFO queue is one by name and attribute, and is found again', async (t) => {
  const world = await createWorld(t)
  const url = await world.create('orders.fifo', FIFO)
  assert.equal(url, `http://${HOST}/${ACCOUNT}/orders.fifo`)
  assert.equal(await world.create('orders.fifo', { ...FIFO, ContentBasedDeduplication: 'false', DeduplicationScope: 'queue' }), url)
  assert.deepEqual(await world.sqs('GetQueueUrl', { QueueName: 'orders.fifo' }), { QueueUrl: url })
  assert.equal(
    (await refusal(world.create('orders.fifo', { ...FIFO, ContentBasedDeduplication: 'true' }))).message,
    'A queue already exists with the same name and a different value for attribute ContentBasedDeduplication',
  )
  await world.create(`${'a'.repeat(75)}.fifo`, FIFO)
  for (const name of ['orders', `${'a'.repeat(76)}.fifo`, 'a.b.fifo', '.fifo', 'orders.FIFO'])
    assert.deepEqual(
      [(await refusal(world.create(name, FIFO))).code, (await refusal(world.create(name, FIFO))).message],
      [
        'InvalidParameterValue',
        'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, ' +
          'must end with .fifo suffix and be 1 to 80 in length.',
      ],
      name,
    )
  for (const attributes of [undefined, { FifoQueue: 'false' }])
    assert.equal(
      (await refusal(world.create('other.fifo', attributes))).message,
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    )
})

test('a FIFO queue shows its attributes with their defaults, a standard queue none of them', async (t) => {
  const world = await createWorld(t)
  const { ContentBasedDeduplication, DeduplicationScope, FifoQueue, FifoThroughputLimit } = await attributesOf(
    world,
    await world.create('a.fifo', FIFO),
  )
  assert.deepEqual([ContentBasedDeduplication, DeduplicationScope, FifoQueue, FifoThroughputLimit], ['false', 'queue', 'true', 'perQueue'])
  const standard = await attributesOf(world, await world.create('a'))
  assert.deepEqual(
    Object.keys(standard).filter((name) => /fifo|dedup/i.test(name)),
    [],
  )
})

test('what may be changed of a FIFO queue, and what not', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('a.fifo', FIFO)
  const set = (Attributes: Record<string, string>) => world.sqs('SetQueueAttributes', { QueueUrl, Attributes })
  await set({ FifoQueue: 'true', ContentBasedDeduplication: 'true' })
  assert.equal(await world.attribute(QueueUrl, 'ContentBasedDeduplication'), 'true')
  const refused = await refusal(set({ FifoQueue: 'false' }))
  assert.deepEqual(
    [refused.code, refused.message],
    ['InvalidAttributeValue', 'Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.'],
  )
  for (const [name, value] of [
    ['ContentBasedDeduplication', 'yes'],
    ['DeduplicationScope', 'group'],
    ['FifoThroughputLimit', 'perGroup'],
    ['FifoQueue', 'TRUE'],
  ] as const) {
    const invalid = await refusal(set({ [name]: value }))
    assert.equal(invalid.code, 'InvalidAttributeValue')
    assert.ok(invalid.message.startsWith(`Invalid value for the parameter ${name}.`), invalid.message)
  }
})

test('throughput by group needs deduplication by group, at every step', async (t) => {
  const world = await createWorld(t)
  const limit =
    'Invalid value for the parameter FifoThroughputLimit. Reason: ' +
    'To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup.'
  const both = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
  assert.equal((await refusal(world.create('a.fifo', { ...FIFO, FifoThroughputLimit: 'perMessageGroupId' }))).message, limit)
  const QueueUrl = await world.create('a.fifo', FIFO)
  const set = (Attributes: Record<string, string>) => world.sqs('SetQueueAttributes', { QueueUrl, Attributes })
  assert.equal((await refusal(set({ FifoThroughputLimit: 'perMessageGroupId' }))).message, limit)
  await set({ DeduplicationScope: 'messageGroup' })
  await set({ FifoThroughputLimit: 'perMessageGroupId' })
  assert.equal((await refusal(set({ DeduplicationScope: 'queue' }))).message, limit)
  await set({ DeduplicationScope: 'queue', FifoThroughputLimit: 'perQueue' })
  await set(both)
  assert.equal(await world.create('a.fifo', { ...FIFO, ...both }), QueueUrl)
})

test('a standard queue has none of them', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('a')
  for (const [name, value, message] of [
    ['FifoQueue', 'false', 'Unknown Attribute FifoQueue.'],
    ['ContentBasedDeduplication', 'true', 'Unknown Attribute ContentBasedDeduplication.'],
    ['DeduplicationScope', 'queue', 'You can specify the DeduplicationScope only when FifoQueue is set to true.'],
    ['FifoThroughputLimit', 'perQueue', 'You can specify the FifoThroughputLimit only when FifoQueue is set to true.'],
  ] as const)
    for (const call of [
      world.create('b', { [name]: value }),
      world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { [name]: value } }),
    ]) {
      const refused = await refusal(call)
      assert.deepEqual([refused.code, refused.message], ['InvalidAttributeName', message])
    }
})

test('the dead-letter queue of a FIFO queue is FIFO, that of a standard queue standard', async (t) => {
  const world = await createWorld(t)
  await world.create('dead.fifo', FIFO)
  await world.create('dead')
  const policy = (name: string) => JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`, maxReceiveCount: 3 })
  for (const [name, attributes, dead] of [
    ['a.fifo', FIFO, 'dead'],
    ['a', {}, 'dead.fifo'],
    ['a', {}, 'none.fifo'],
  ] as const) {
    const refused = await refusal(world.create(name, { ...attributes, RedrivePolicy: policy(dead) }))
    assert.equal(refused.code, 'InvalidParameterValue')
    assert.equal(
      refused.message,
      `Value ${policy(dead)} for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source..`,
    )
  }
  await world.create('a.fifo', { ...FIFO, RedrivePolicy: policy('dead.fifo') })
  await world.create('a', { RedrivePolicy: policy('dead') })
})
