import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED, elapse, publish, subscribe, told, topicArn, world } from '../../../tests/delivery-world.ts'
import { readEntries } from '../../model/entry.ts'
import { Table } from '../../model/tables.ts'

test('many outcomes and the checkpoint share one frame', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => DELIVERED
  await here.commits.commit((tx) => {
    for (let at = 0; at < 200; at++) tx.message({ type: 'Notification', messageId: `m${at}`, topicArn, publishedAt: 0 }, 'x')
  }).done
  const published = here.journal.frames.at(-1)
  await elapse(here, 200)
  assert.equal(told(here).length, 200)
  assert.equal(here.delivery.checkpoint, published?.end)
  const frames = here.journal.frames.filter(({ position }) => position > (published?.position ?? 0))
  assert.ok(frames.length <= 4, `${frames.length} frames`)
  const checkpointed = readEntries(frames.at(-1)?.payload ?? Buffer.alloc(0)).map(({ entry }) =>
    entry.kind === 'put' ? entry.table : entry.kind,
  )
  assert.ok(checkpointed.includes('attempt') && checkpointed.includes(Table.checkpoints))
})

test('idle, it writes nothing', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => DELIVERED
  await publish(here, 'x')
  await elapse(here, 1000)
  const frames = here.journal.frames.length
  await elapse(here, 600_000)
  assert.equal(here.journal.frames.length, frames)
})

test('frames without deliveries move the checkpoint on as well', async (t) => {
  const here = await world(t)
  for (let at = 0; at < 1001; at++) await publish(here, 'nobody listens')
  await elapse(here, 1000)
  assert.ok(here.delivery.checkpoint > (here.journal.frames[900]?.position ?? Infinity))
})
