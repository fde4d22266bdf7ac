// Sealed records keep the port's contract; what lies beneath is sealed, and says why when it does not open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import { memoryRecords } from './memory/records.ts'
import { recordsSuite } from './records.suite.ts'
import { sealedRecords } from './sealed-records.ts'
import type { StoreKeys } from './store-keys.ts'

const [FIRST, SECOND] = [1, 2].map((number) => ({ number, key: Buffer.alloc(32, number), since: 0 })) as [
  StoreKeys['all'][0],
  StoreKeys['all'][0],
]
const random = seededRandom(1)

recordsSuite('sealed, in memory', () => {
  const records = memoryRecords()
  return { open: async () => sealedRecords(records, { keys: { current: FIRST, all: [FIRST] }, random }), remove: () => {} }
})

test('values are sealed from the key on, by the newest, and all of them open', () => {
  const beneath = memoryRecords()
  const put = (keys: StoreKeys, key: string, position: number): void =>
    sealedRecords(beneath, { keys, random }).apply([{ table: 1, key, value: Buffer.from(`"${key}"`) }], position)
  const all = [FIRST, SECOND]
  put({ current: undefined, all: [] }, 'open', 1)
  put({ current: FIRST, all: [FIRST] }, 'first', 2)
  put({ current: SECOND, all }, 'second', 3)
  put({ current: undefined, all }, 'open again', 4)
  const lying = [...beneath.range(1, {})].map(({ key, value }) => [key, value.includes(key)])
  assert.deepEqual(Object.fromEntries(lying), { open: true, first: false, second: false, 'open again': true })
  const records = sealedRecords(beneath, { keys: { current: SECOND, all }, random })
  for (const { key, value } of records.range(1, {})) assert.equal(value.toString(), `"${key}"`)
  assert.equal(records.get(1, 'first')?.toString(), '"first"')
  assert.equal(records.get(1, 'absent'), undefined)
})

test('a value of another record, and one whose key is not at hand, are named', () => {
  const beneath = memoryRecords()
  const keys = { current: FIRST, all: [FIRST] }
  const records = sealedRecords(beneath, { keys, random })
  records.apply([{ table: 1, key: 'a', value: Buffer.from('1') }], 1)
  beneath.apply([{ table: 1, key: 'b', value: beneath.get(1, 'a') ?? Buffer.alloc(0) }], 2)
  assert.throws(() => records.get(1, 'b'), { name: 'RecordDamaged', message: /"b" of table 1.*does not hold/ })
  const other = sealedRecords(beneath, { keys: { current: SECOND, all: [SECOND] }, random })
  assert.throws(() => other.get(1, 'a'), { name: 'RecordDamaged', message: /key 1 of its store, which is not at hand/ })
})
