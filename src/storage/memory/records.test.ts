// Records in memory against the port's suite, and their cost at a size that development reaches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordsSuite } from '../records.suite.ts'
import { memoryRecords } from './records.ts'

recordsSuite('memory', () => {
  const records = memoryRecords()
  return { open: async () => records, remove: () => {} }
})

test('a hundred thousand keys in any order are kept sorted while they are read', () => {
  const records = memoryRecords()
  const keys = Array.from({ length: 100_000 }, (_, at) => `key ${(at * 7919) % 100_003}`)
  let position = 0
  for (const [at, key] of keys.entries()) {
    records.apply([{ table: 1, key, value: Buffer.from(key) }], ++position)
    if (at % 1000 === 0) assert.ok([...records.range(1, { prefix: 'key', limit: 3 })].length >= 1)
  }
  const read = [...records.range(1, {})].map(({ key }) => key)
  assert.deepEqual(read, keys.sort())
})
