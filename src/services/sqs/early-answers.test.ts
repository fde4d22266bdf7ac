import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, SECOND, type World } from '../../../tests/sqs-world.ts'
import { Table } from '../../model/tables.ts'

interface Answer {
  readonly Messages?: readonly { readonly ReceiptHandle: string }[]
}

/** Receives from the queue; whether the answer came before its commit was applied. */
async function receiveEarly(world: World, QueueUrl: string, more = {}): Promise<{ handle: string; isEarly: boolean }> {
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x', ...(QueueUrl.endsWith('.fifo') && { MessageGroupId: 'g' }) })
  const { Messages } = (await world.call('sqs', 'ReceiveMessage', { QueueUrl, ...more })) as Answer
  const name = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)
  const number = world.env.tables.get(Table.queues, `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`)?.number ?? 0
  return { handle: Messages?.[0]?.ReceiptHandle ?? '', isEarly: world.env.queues.find(number, 1)?.isReserved === true }
}

test('a receive that promises nothing is answered before its commit, others are not', async (t) => {
  const world = await createWorld(t)
  const standard = await world.create('standard')
  assert.equal((await receiveEarly(world, standard)).isEarly, true)
  assert.equal((await receiveEarly(world, await world.create('seen-again'), { VisibilityTimeout: 0 })).isEarly, false)
  const fifo = await world.create('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' })
  assert.equal((await receiveEarly(world, fifo)).isEarly, false)
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:standard`, maxReceiveCount: 9 })
  assert.equal((await receiveEarly(world, await world.create('counted', { RedrivePolicy }))).isEarly, false)
})

test('a receive that is recorded waits for its event', async (t) => {
  const world = await createWorld(t, { selected: () => ({ wants: () => true, takes: () => true }) })
  assert.equal((await receiveEarly(world, await world.create('q'))).isEarly, false)
  assert.equal((await world.events()).filter(({ record }) => record['eventName'] === 'ReceiveMessage').length, 1)
})

test('a handle works before the commit of its receive', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const changed = await receiveEarly(world, QueueUrl)
  assert.equal(changed.isEarly, true)
  await world.sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle: changed.handle, VisibilityTimeout: 60 })
  world.clock.advance(60 * SECOND - 1)
  assert.deepEqual(await world.receive(QueueUrl), [])
  world.clock.advance(1)
  const [again] = await world.receive(QueueUrl, { AttributeNames: ['ApproximateReceiveCount'] })
  assert.equal(again?.Attributes?.['ApproximateReceiveCount'], '2')

  const other = await world.create('other')
  const deleted = await receiveEarly(world, other)
  assert.equal(deleted.isEarly, true)
  await world.sqs('DeleteMessage', { QueueUrl: other, ReceiptHandle: deleted.handle })
  world.clock.advance(60 * SECOND)
  assert.deepEqual(await world.receive(other), [])
})
