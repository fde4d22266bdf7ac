// What every records backend owes. `open` gives the store of one world again and again: with what was flushed, where it is durable.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Range, RecordChange, Records } from './records.ts'

export interface RecordsWorld {
  readonly open: () => Promise<Records>
  readonly remove: () => void
}

export function recordsSuite(backend: string, world: () => RecordsWorld): void {
  const withRecords = async (use: (records: Records) => Promise<void> | void): Promise<void> => {
    const { open, remove } = world()
    const records = await open()
    try {
      await use(records)
    } finally {
      await records.close()
      remove()
    }
  }

  test(`${backend}: a value is readable when apply returns, and replaced and deleted by later ones`, () =>
    withRecords(async (records) => {
      assert.equal(records.checkpoint, 0)
      records.apply([put(1, 'a', 'one'), put(2, 'a', 'two')], 10)
      assert.equal(records.checkpoint, 10)
      assert.equal(text(records.get(1, 'a')), 'one')
      assert.equal(text(records.get(2, 'a')), 'two')
      assert.equal(records.get(3, 'a'), undefined)
      await records.flush()
      assert.equal(records.flushed, 10)
      records.apply([put(1, 'a', 'three'), remove(2, 'a'), remove(2, 'never')], 20)
      assert.equal(text(records.get(1, 'a')), 'three')
      assert.equal(records.get(2, 'a'), undefined)
      await records.flush()
      assert.equal(text(records.get(1, 'a')), 'three')
      assert.equal(records.get(2, 'a'), undefined)
      assert.deepEqual([records.count(1), records.count(2)], [1, 0])
    }))

  test(`${backend}: the last change of a group wins`, () =>
    withRecords(async (records) => {
      records.apply([put(1, 'a', 'one'), remove(1, 'a'), put(1, 'a', 'two'), put(1, 'b', 'one'), remove(1, 'b')], 10)
      for (let round = 0; round < 2; round++) {
        assert.equal(text(records.get(1, 'a')), 'two')
        assert.equal(records.get(1, 'b'), undefined)
        assert.equal(records.count(1), 1)
        await records.flush()
      }
    }))

  test(`${backend}: buffers given and got are the caller's`, () =>
    withRecords(async (records) => {
      const value = Buffer.from('value')
      records.apply([{ table: 1, key: 'a', value }], 10)
      value.fill('x')
      records.get(1, 'a')?.fill('y')
      for (const entry of records.range(1, {})) entry.value.fill('z')
      assert.equal(text(records.get(1, 'a')), 'value')
      await records.flush()
      records.get(1, 'a')?.fill('y')
      assert.equal(text(records.get(1, 'a')), 'value')
    }))

  test(`${backend}: a replay of an applied group changes nothing`, () =>
    withRecords((records) => {
      records.apply([put(1, 'a', 'old')], 10)
      records.apply([put(1, 'a', 'new'), put(1, 'b', 'new')], 20)
      records.apply([put(1, 'a', 'old'), remove(1, 'b')], 10)
      records.apply([remove(1, 'a')], 20)
      assert.equal(records.checkpoint, 20)
      assert.equal(text(records.get(1, 'a')), 'new')
      assert.equal(records.count(1), 2)
    }))

  test(`${backend}: a group with a bad key changes nothing at all`, () =>
    withRecords((records) => {
      for (const [table, key] of [
        [1, ''],
        [1, 'x'.repeat(1901)],
        [255, 'a'],
        [1, 'lone \ud800'],
      ] as const) {
        assert.throws(() => records.apply([put(1, 'good', 'value'), put(table, key, 'value')], 10), /record (key|table)/)
      }
      assert.equal(records.checkpoint, 0)
      assert.equal(records.get(1, 'good'), undefined)
      assert.equal(records.get(1, 'x'.repeat(5000)), undefined)
      const longest = 'é'.repeat(950)
      records.apply([put(1, longest, 'value')], 10)
      assert.equal(text(records.get(1, longest)), 'value')
    }))

  test(`${backend}: a range may be changed while it is read, and does not lose or repeat what stays`, () =>
    withRecords(async (records) => {
      const keys = Array.from({ length: 1000 }, (_, at) => `k${String(at).padStart(4, '0')}`)
      records.apply(
        keys.map((key) => put(1, key, key)),
        10,
      )
      const seen: string[] = []
      let position = 10
      for (const { key } of records.range(1, { prefix: 'k' })) {
        seen.push(key)
        if (seen.length % 100 === 0) {
          records.apply([put(1, `k${String(seen.length).padStart(4, '0')}`, 'again'), put(1, `j${seen.length}`, 'other')], ++position)
          await records.flush()
        }
      }
      assert.deepEqual(seen, keys)
    }))

  test(`${backend}: any history reads as a plain map sorted by UTF-8 bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        await withRecords(async (records) => {
          const model = new Map<string, Buffer>()
          let position = 0
          for (const each of steps) {
            if (each.kind === 'flush') await records.flush()
            if (each.kind === 'apply') {
              records.apply(each.changes, ++position)
              for (const { table, key, value } of each.changes) {
                if (value === undefined) model.delete(`${table} ${key}`)
                else model.set(`${table} ${key}`, value)
              }
            }
            if (each.kind === 'range') {
              const { table, range } = each
              const expected = expectedRange(model, table, range)
              assert.deepEqual(
                [...records.range(table, range)].map(({ key, value }) => [key, value.toString('hex')]),
                expected,
              )
              assert.equal(records.count(table), expectedRange(model, table, {}).length)
            }
          }
          for (const [name, value] of model) assert.deepEqual(records.get(Number(name[0]), name.slice(2)), value)
        })
      }),
      { numRuns: 150 },
    )
  })
}

/** What a backend on disk owes beyond that. */
export function durableRecordsSuite(backend: string, world: () => RecordsWorld): void {
  test(`${backend}: what was flushed is there after reopening, with its checkpoint and counts`, async () => {
    const { open, remove: removeWorld } = world()
    let records = await open()
    for (let at = 1; at <= 300; at++) records.apply([put(at % 3, `key ${at}`, `value ${at}`), remove(at % 3, `key ${at - 30}`)], at)
    await records.close()
    records = await open()
    assert.equal(records.checkpoint, 300)
    assert.equal(records.flushed, 300)
    assert.deepEqual(
      [0, 1, 2].map((table) => records.count(table)),
      [10, 10, 10],
    )
    const first = [...records.range(0, { limit: 2 })].map(({ key, value }) => [key, text(value)])
    assert.deepEqual(first, [
      ['key 273', 'value 273'],
      ['key 276', 'value 276'],
    ])
    assert.equal(records.get(0, 'key 270'), undefined)
    assert.ok(records.bytes() > 0)
    await records.close()
    removeWorld()
  })
}

type Step = { kind: 'apply'; changes: RecordChange[] } | { kind: 'range'; table: number; range: Range } | { kind: 'flush' }

// Letters on both sides of the surrogates, where the order of UTF-16 differs from that of UTF-8.
const someLetter = fc.constantFrom('a', 'b', 'é', '\uffee', '\u{1f600}', '\u{10ffff}')
const someKey = fc.array(someLetter, { minLength: 1, maxLength: 4 }).map((letters) => letters.join(''))
const someTable = fc.constantFrom(1, 2)
const someValue = fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes))
const someChange = fc.record({ table: someTable, key: someKey, value: fc.option(someValue, { nil: undefined }) })
const someChanges = fc.array(someChange, { maxLength: 12 }) as fc.Arbitrary<RecordChange[]>
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), changes: someChanges }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      table: someTable,
      range: fc.record({ prefix: someKey, after: someKey, limit: fc.nat(5), reverse: fc.boolean() }, { requiredKeys: [] }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
)

function expectedRange(model: ReadonlyMap<string, Buffer>, table: number, range: Range): [string, string][] {
  const { prefix = '', after, limit = Infinity, reverse = false } = range
  const rows = [...model]
    .filter(([name]) => name.startsWith(`${table} ${prefix}`))
    .map(([name, value]) => [name.slice(2), value.toString('hex')] as [string, string])
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (reverse) rows.reverse()
  const isBehind = (key: string): boolean =>
    after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) * (reverse ? -1 : 1) > 0
  return rows.filter(([key]) => isBehind(key)).slice(0, limit)
}

function put(table: number, key: string, value: string): RecordChange {
  return { table, key, value: Buffer.from(value) }
}

function remove(table: number, key: string): RecordChange {
  return { table, key, value: undefined }
}

function text(value: Buffer | undefined): string | undefined {
  return value?.toString()
}
