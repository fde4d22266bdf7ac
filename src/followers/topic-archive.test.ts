import assert from 'node:assert/strict'
import test from 'node:test'
import { createReplayWorld, replayFrom } from '../../tests/replay-world.ts'
import { seededRandom } from '../base/random.ts'
import { Table } from '../model/tables.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import { memoryQueueStore } from '../storage/queues/memory-store.ts'

test('what a power cut takes from the archive comes again from the journal, which is kept until then', async (t) => {
  for (let seed = 1; seed <= 4; seed++) {
    const archiveFiles = memoryFiles({ simulate: true })
    const kept = { files: memoryFiles(), records: memoryRecords(), queueStore: memoryQueueStore(), archiveFiles }
    const world = await createReplayWorld(t, kept)
    const TopicArn = await world.topic()
    const from = world.clock.now()
    for (let n = 0; n < 30; n++) await world.publish(TopicArn, `m${n}`)
    // Past a flush, and on the way to the next one.
    await world.settle(seed % 2 === 0 ? 1100 : 50)
    for (let n = 30; n < 40; n++) await world.publish(TopicArn, `m${n}`)
    await world.settle(50)
    archiveFiles.crash(seededRandom(seed))
    await world.runs.stop()
    const again = await createReplayWorld(t, { ...kept, now: world.clock.now(), seed: 100 + seed })
    await again.subscribe(TopicArn, await again.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
    await again.settle(300)
    assert.equal((await again.taken('a.fifo')).map(({ Body }) => Body).join(), Array.from({ length: 40 }, (_, n) => `m${n}`).join())
  }
})

test('topics without an archive leave no trace; the files of one that ended are removed by the next start', async (t) => {
  const kept = { files: memoryFiles(), records: memoryRecords(), queueStore: memoryQueueStore(), archiveFiles: memoryFiles() }
  const world = await createReplayWorld(t, kept)
  const plain = await world.topic({}, 'plain.fifo')
  for (let n = 0; n < 5; n++) await world.publish(plain, `m${n}`)
  await world.settle(1100)
  assert.equal(world.archives.bytes(), 0)
  const TopicArn = await world.topic()
  await world.publish(TopicArn, 'one')
  await world.settle(1100)
  assert.ok(world.archives.bytes() > 0)
  await world.runs.stop()
  await world.close()
  assert.ok((world.env.tables.get(Table.checkpoints, 'topic-archive')?.position ?? 0) > 0)
  // The process ended between the commit that ended the archive and the removal.
  const records = memoryRecords()
  await createReplayWorld(t, { archiveFiles: kept.archiveFiles, records }).then(({ archives }) => assert.equal(archives.bytes(), 0))
})
