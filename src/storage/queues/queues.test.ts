// The queues over both of their stores against the port's suite; damaged copies of bodies, and the weight of many small queues.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { QueuesDamaged } from '../queues.ts'
import { queuesSuite } from '../queues.suite.ts'
import { Committer, FakeJournal } from './committer.suite.ts'
import { lmdbQueueStore } from './lmdb-store.ts'
import { memoryQueueStore } from './memory-store.ts'
import { openQueues } from './queues.ts'

queuesSuite(
  'memory',
  () => {
    const store = memoryQueueStore()
    return { openStore: () => store, remove: () => {} }
  },
  700,
)

queuesSuite(
  'lmdb',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealcast-queues-'))
    return { openStore: () => lmdbQueueStore({ folder }), remove: () => rmSync(folder, { recursive: true, force: true }) }
  },
  25,
)

test('a copied body with a flipped bit is named, and so is one that is missing', async () => {
  const store = memoryQueueStore()
  const journal = new FakeJournal()
  const committer = new Committer(journal, await openQueues({ journal, store }))
  const [sequence = 0] = committer.send(4, 1000)
  while (!(await committer.queues.release(journal.tail))) continue
  const isNamed = (failure: Error): boolean => failure instanceof QueuesDamaged && /message 1 of queue 4/.test(failure.message)
  const [copy] = store.bodies.entries(Buffer.alloc(2), Buffer.alloc(13, 255))
  assert.ok(copy)
  copy.value.writeUInt8(copy.value.readUInt8(5) ^ 1, 5)
  await store.bodies.write([copy])
  assert.throws(() => committer.queues.body(4, sequence), isNamed)
  await store.bodies.write([{ key: copy.key, value: undefined }])
  assert.throws(() => committer.queues.body(4, sequence), isNamed)
})

test('ten thousand queues that messages pass through stay small', async () => {
  const journal = new FakeJournal()
  const committer = new Committer(journal, await openQueues({ journal, store: memoryQueueStore() }))
  for (let round = 0; round < 5; round++) {
    for (let queue = 1; queue <= 10_000; queue++) {
      const sequence = committer.queues.nextSequence(queue)
      const message = { messageOffset: 0, messageLength: 1, route: 0, group: 0 }
      committer.queues.apply({ kind: 'enqueue', queue, sequence, visibleAt: 0, sentAt: 0, ...message }, 0)
      if (round > 0) committer.queues.apply({ kind: 'remove', queue, sequence: round }, 0)
    }
  }
  assert.ok(committer.queues.bytes().index <= 10_000 * 8 * 29)
})
