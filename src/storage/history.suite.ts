// What every backend of the event history owes: what was appended is found, newest first and within its scope, at once and after a
// restart; pages do not overlap; what is let go of is gone.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import type { FoundEvents, History, HistoryQuery, HistoryRow } from './history.ts'
import { openHistory } from './history/history.ts'
import type { HistoryStore } from './history/store.ts'

export interface HistoryBackend {
  /** The same bytes each time. */
  open(): HistoryStore
  close(): void
}

const SCOPE = '000000000001/us-east-1'
const OTHER = '000000000002/us-east-1'

export function historySuite(name: string, makeBackend: () => HistoryBackend): void {
  const withHistory = async (run: (history: History, reopen: () => Promise<History>) => Promise<void>): Promise<void> => {
    const backend = makeBackend()
    let history = openHistory({ store: backend.open(), random: seededRandom(1) })
    try {
      await run(history, async () => {
        await history.close()
        history = openHistory({ store: backend.open(), random: seededRandom(2) })
        return history
      })
    } finally {
      await history.close()
      backend.close()
    }
  }

  suite(`event history: ${name}`, () => {
    test('what is appended is found at once, by each of its terms, newest first, and in no other scope', () =>
      withHistory(async (history) => {
        history.append([row(1, ['a', 'b']), row(2, ['b']), row(3, ['a'], OTHER)], 30)
        assert.deepEqual(numbers(history.find({ scope: SCOPE, limit: 10 })), ['event 2', 'event 1'])
        assert.deepEqual(numbers(history.find({ scope: SCOPE, term: 'a', limit: 10 })), ['event 1'])
        assert.deepEqual(numbers(history.find({ scope: SCOPE, term: 'b', limit: 10 })), ['event 2', 'event 1'])
        assert.deepEqual(numbers(history.find({ scope: OTHER, term: 'a', limit: 10 })), ['event 3'])
        assert.deepEqual(history.find({ scope: SCOPE, term: 'c', limit: 10 }), { events: [], hasMore: false })
      }))

    test('a batch that comes twice changes nothing; what was flushed is there after a restart, the rest is to come again', () =>
      withHistory(async (history, reopen) => {
        history.append([row(1, ['a'])], 10)
        history.append([row(1, ['a'])], 10)
        assert.deepEqual([history.appended, history.checkpoint, history.count()], [10, 0, 1])
        await history.flush()
        assert.equal(history.checkpoint, 10)
        const again = await reopen()
        assert.deepEqual([again.appended, again.checkpoint, again.count()], [10, 10, 1])
        again.append([row(2, ['a'])], 20)
        assert.deepEqual(numbers(again.find({ scope: SCOPE, term: 'a', limit: 10 })), ['event 2', 'event 1'])
      }))

    test('pages over several groups tell each event once, for common and rare terms, and by time', () =>
      withHistory(async (history, reopen) => {
        const total = 5000
        const termsOf = (number: number): string[] => [
          `id ${number}`,
          ...(number % 2 === 0 ? ['even'] : []),
          ...(number % 1500 === 7 ? ['rare'] : []),
        ]
        for (let number = 1; number <= total; number++) {
          history.append([row(number, termsOf(number))], number * 10)
          if (history.isFull) await history.flush()
        }
        const check = (history: History): void => {
          assert.equal(history.count(), total)
          assert.deepEqual(
            pages(history, { scope: SCOPE, limit: 50 }),
            counted(total, () => true),
          )
          assert.deepEqual(
            pages(history, { scope: SCOPE, term: 'even', limit: 49 }),
            counted(total, (number) => number % 2 === 0),
          )
          assert.deepEqual(
            pages(history, { scope: SCOPE, term: 'rare', limit: 1 }),
            counted(total, (number) => number % 1500 === 7),
          )
          assert.deepEqual(pages(history, { scope: SCOPE, term: 'id 1234', limit: 5 }), ['event 1234'])
          assert.deepEqual(
            pages(history, { scope: SCOPE, term: 'even', from: timeOf(1000), to: timeOf(3001), limit: 50 }),
            counted(total, (number) => number % 2 === 0 && number >= 1000 && number <= 3001),
          )
          assert.deepEqual(pages(history, { scope: SCOPE, from: timeOf(total + 1), limit: 50 }), [])
        }
        check(history)
        check(await reopen())
      }))

    test('times that go back hide nothing', () =>
      withHistory(async (history) => {
        history.append([{ ...row(1, []), time: timeOf(500) }], 10)
        await history.flush()
        history.append([{ ...row(2, []), time: timeOf(100) }], 20)
        await history.flush()
        history.append([{ ...row(3, []), time: timeOf(500) }], 30)
        assert.deepEqual(numbers(history.find({ scope: SCOPE, from: timeOf(400), limit: 10 })), ['event 3', 'event 1'])
        assert.deepEqual(numbers(history.find({ scope: SCOPE, to: timeOf(400), limit: 10 })), ['event 2'])
      }))

    test('whole groups that are old are let go of with their terms; younger ones stay', () =>
      withHistory(async (history, reopen) => {
        for (const number of [1, 2, 3]) {
          history.append([row(number, ['a', `id ${number}`])], number * 10)
          await history.flush()
        }
        assert.equal(await history.expire(timeOf(3)), 2)
        assert.equal(await history.expire(timeOf(3)), 0)
        const check = (kept: History): void => {
          assert.deepEqual(numbers(kept.find({ scope: SCOPE, term: 'a', limit: 10 })), ['event 3'])
          assert.deepEqual(numbers(kept.find({ scope: SCOPE, term: 'id 1', limit: 10 })), [])
          assert.equal(kept.count(), 1)
        }
        check(history)
        check(await reopen())
      }))

    test('appending goes on while a group is written', () =>
      withHistory(async (history) => {
        history.append([row(1, ['a'])], 10)
        const flushed = history.flush()
        history.append([row(2, ['a'])], 20)
        assert.deepEqual(numbers(history.find({ scope: SCOPE, term: 'a', limit: 10 })), ['event 2', 'event 1'])
        await flushed
        history.append([row(3, ['a'])], 30)
        assert.deepEqual(numbers(history.find({ scope: SCOPE, term: 'a', limit: 10 })), ['event 3', 'event 2', 'event 1'])
        await history.flush()
        assert.equal(history.checkpoint, 30)
      }))
  })
}

function row(number: number, terms: readonly string[], scope = SCOPE): HistoryRow {
  return { scope, terms, time: timeOf(number), json: Buffer.from(JSON.stringify(`event ${number}`)) }
}

function timeOf(number: number): number {
  return Date.UTC(2026, 0, 1) + number * 1000
}

function numbers({ events }: FoundEvents): string[] {
  return events.map(({ json }) => JSON.parse(json) as string)
}

function pages(history: History, query: HistoryQuery): string[] {
  const found: string[] = []
  let before: number | undefined
  for (;;) {
    const page = history.find({ ...query, ...(before !== undefined && { before }) })
    assert.ok(page.events.length <= query.limit)
    found.push(...numbers(page))
    if (!page.hasMore) return found
    assert.equal(page.events.length, query.limit)
    before = page.events.at(-1)?.number
  }
}

function counted(total: number, holds: (number: number) => boolean): string[] {
  return Array.from({ length: total }, (_, at) => total - at)
    .filter(holds)
    .map((number) => `event ${number}`)
}
