// Indexes of former releases: they open, say from then on that they are of ours, and are of ours with the next checkpoint.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Committer, FakeJournal } from './committer.suite.ts'
import { HEAD_KEY, QUEUES_FORMAT, readHead } from './format.ts'
import { memoryQueueStore } from './memory-store.ts'
import { openQueues } from './queues.ts'
import type { QueueStore } from './store.ts'

/** As release 0.1.0 wrote it: queue 5 with a message in flight, one that is gone, one that waits, one delayed; queue 6 empty. */
const FORMAT_1: readonly (readonly [string, string])[] = [
  ['00', '8409201c01000000000000000000f03f0000000000907540'],
  [
    '0000000500000000000000000001',
    'a6b44511040000000100030000000000000000000000494000000000000049400000000000804a400000000000004c400000000000405b40' +
      '0000000000408f400000000000408f400000000000408f400000000000488f400000000000209040000000000000000000000000000000000000' +
      '0000007497400000000000508f400000000000000000000000000000000000000000000000000300000003000000030000000300000004000000' +
      '040000000400000000000000010000000000000003000102',
  ],
  ['00000005ffffffff000000000001', '6e8e4e410000000000001440'],
  ['00000006ffffffff000000000001', '92dfb6cc0000000000000040'],
]
const POSITION = 345

async function openFormer(): Promise<{ store: QueueStore; committer: Committer }> {
  const store = memoryQueueStore()
  await store.index.write(FORMAT_1.map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') })))
  const journal = new FakeJournal()
  journal.tail = POSITION
  return { store, committer: new Committer(journal, await openQueues({ journal, store })) }
}

const formatOf = (store: QueueStore): number => readHead(store.index.get(HEAD_KEY) ?? Buffer.alloc(24)).format

test('an index of format 1 opens as it was', async () => {
  const { committer } = await openFormer()
  const { queues } = committer
  assert.equal(queues.checkpointed, POSITION)
  assert.deepEqual(queues.counts(5, 1010), { visible: 1, inFlight: 1, delayed: 1 })
  const first = { sequence: 1, sentAt: 1000, route: 4, receives: 1, firstReceivedAt: 1002, visibleAt: 1032, isReserved: false }
  assert.deepEqual(queues.find(5, 1), first)
  assert.deepEqual(
    queues.take(5, 10, 1501).map(({ sequence }) => sequence),
    [1, 3, 4],
  )
  assert.deepEqual([queues.nextSequence(5), queues.nextSequence(6)], [5, 2])
})

test('it says at once that it is of our format, and takes groups and memories with the next checkpoint', async () => {
  const { store, committer } = await openFormer()
  // An older release reads the format here, refuses what is higher, and changes nothing.
  assert.equal(formatOf(store), QUEUES_FORMAT)
  assert.equal(store.index.get(HEAD_KEY)?.readUInt32LE(4), 2)
  committer.send(6, 1100, { count: 2, group: 9 })
  const key = Buffer.alloc(16, 3)
  committer.commit([{ kind: 'remember', queue: 6, key, until: 5000, value: Buffer.from('kept') }])
  await committer.queues.checkpoint()
  const again = await openQueues({ journal: committer.journal, store })
  assert.equal(again.recall(6, key, 1100)?.toString(), 'kept')
  assert.equal(again.take(6, 1, 1100).length, 1)
  assert.equal(again.take(6, 1, 1100).length, 0, 'the group is locked')
  assert.deepEqual(again.counts(5, 1100), { visible: 2, inFlight: 0, delayed: 1 })
})
