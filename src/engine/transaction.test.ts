import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { SimulatedClock } from '../base/clock.ts'
import { seededRandom } from '../base/random.ts'
import { Table } from '../model/tables.ts'
import { JournalFailed } from '../storage/journal.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import { memoryQueueStore } from '../storage/queues/memory-store.ts'
import { openQueues } from '../storage/queues/queues.ts'
import { openJournal } from '../storage/segments/journal.ts'
import { openStore } from '../storage/store.ts'
import { Tables } from './tables.ts'
import { Commits } from './transaction.ts'

const QUEUE = 7
const KEY = Buffer.alloc(16, 1)
const HOUR = 3_600_000

async function createWorld(t: { after(run: () => unknown): void }) {
  const clock = new SimulatedClock(1_700_000_000_000)
  const files = memoryFiles({ simulate: true })
  files.makeFolder('/journal')
  const records = memoryRecords()
  const journal = await openJournal({ files, folder: '/journal', random: seededRandom(1), clock, writer: 'inline' })
  const queues = await openQueues({ journal, store: memoryQueueStore() })
  const tables = new Tables(records)
  const store = await openStore({ journal, records, queues }, (end) => tables.applied(end))
  t.after(() => store.close().catch(() => {}))
  return { clock, files, queues, commits: new Commits({ clock, journal, queues, tables }) }
}

test('a range sees what is applied, what is staged and what its own commit changed, as a plain map would', async (t) => {
  const { commits } = await createWorld(t)
  const key = fc.array(fc.constantFrom('a', 'b', '\uFFFD', '\u{1F600}'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
  const change = fc.record({ key, next: fc.option(fc.nat()) })
  const range = fc.record({
    prefix: fc.constantFrom('', 'a', 'b'),
    after: fc.option(key, { nil: undefined }),
    limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    reverse: fc.boolean(),
  })
  const model = new Map<string, number>()
  const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
  const expected = ({
    prefix,
    after,
    limit,
    reverse,
  }: {
    prefix: string
    after?: string | undefined
    limit?: number | undefined
    reverse: boolean
  }) => {
    const keys = [...model.keys()].filter((each) => each.startsWith(prefix)).toSorted(bytes)
    if (reverse) keys.reverse()
    const behind = keys.filter((each) => after === undefined || (reverse ? bytes(each, after) < 0 : bytes(each, after) > 0))
    return behind.slice(0, limit).map((each) => ({ key: each, value: { next: model.get(each) } }))
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 8 }),
      fc.array(range, { maxLength: 4 }),
      fc.boolean(),
      async (changes, ranges, waits) => {
        const { done } = commits.commit((tx) => {
          for (const [at, { key: changed, next }] of changes.entries()) {
            if (next === null) tx.delete(Table.counters, changed)
            else tx.put(Table.counters, changed, { next })
            if (next === null) model.delete(changed)
            else model.set(changed, next)
            const { after, limit, ...where } = ranges[at] ?? { prefix: '', reverse: false }
            const asked = { ...where, ...(after !== undefined && { after }), ...(limit !== undefined && { limit }) }
            assert.deepEqual(tx.range(Table.counters, asked), expected({ ...asked }))
          }
        })
        if (waits) await done
      },
    ),
    { numRuns: 200 },
  )
})

test('what a frame tells to remember is recalled at once, by itself and by the next, and after it is applied until its time', async (t) => {
  const { clock, commits } = await createWorld(t)
  const recall = () => commits.commit((tx) => tx.recall(QUEUE, KEY)?.toString())
  assert.equal(recall().result, undefined)
  const told = commits.commit((tx) => {
    tx.remember(QUEUE, KEY, tx.now + 1000, Buffer.from('first'))
    return tx.recall(QUEUE, KEY)?.toString()
  })
  assert.equal(told.result, 'first')
  assert.equal(recall().result, 'first')
  await told.done
  assert.equal(recall().result, 'first')
  commits.commit((tx) => tx.remember(QUEUE, KEY, tx.now + 2000, Buffer.from('second')))
  assert.equal(recall().result, 'second')
  clock.advance(1999)
  assert.equal(recall().result, 'second')
  clock.advance(1)
  assert.equal(recall().result, undefined)
})

test('until a time that is past means forgotten, and other queues remember nothing', async (t) => {
  const { commits } = await createWorld(t)
  await commits.commit((tx) => tx.remember(QUEUE, KEY, tx.now + HOUR, Buffer.from('value'))).done
  assert.equal(commits.commit((tx) => tx.recall(QUEUE + 1, KEY)).result, undefined)
  const forgotten = commits.commit((tx) => tx.remember(QUEUE, KEY, tx.now, Buffer.alloc(0)))
  assert.equal(commits.commit((tx) => tx.recall(QUEUE, KEY)).result, undefined)
  await forgotten.done
  assert.equal(commits.commit((tx) => tx.recall(QUEUE, KEY)).result, undefined)
})

test('who recalls what is not durable yet waits until it is', async (t) => {
  const { commits, files } = await createWorld(t)
  files.fault = () => 'EIO'
  const told = commits.commit((tx) => tx.remember(QUEUE, KEY, tx.now + HOUR, Buffer.from('value')))
  const recalled = commits.commit((tx) => tx.recall(QUEUE, KEY)?.toString())
  assert.equal(recalled.result, 'value')
  await assert.rejects(recalled.done, JournalFailed)
  await assert.rejects(told.done, JournalFailed)
})

test('a key of 16 bytes, a value of up to 1 KiB, a time of up to a day', async (t) => {
  const { commits } = await createWorld(t)
  const remember = (key: number, value: number, ms: number) => () =>
    commits.commit((tx) => tx.remember(QUEUE, Buffer.alloc(key), tx.now + ms, Buffer.alloc(value)))
  remember(16, 1024, 24 * HOUR)()
  for (const bad of [remember(15, 0, 0), remember(17, 0, 0), remember(16, 1025, 0), remember(16, 0, 24 * HOUR + 1)]) assert.throws(bad)
})

test('what was taken goes back as it was when nothing is said of it', async (t) => {
  const { commits } = await createWorld(t)
  for (const group of [0, 5, -5]) {
    const queue = QUEUE + group
    await commits.commit((tx) => {
      const message = tx.message({ type: 'Queued', messageId: 'id', publishedAt: tx.now }, 'body')
      for (let at = 0; at < 3; at++) tx.enqueue(queue, message, { route: 0, group })
    }).done
    const take = () =>
      commits.commit((tx) =>
        assert.deepEqual(
          tx.take(queue, 2).map(({ sequence }) => sequence),
          [1, 2],
        ),
      )
    for (let round = 0; round < 3; round++) take()
  }
})
