import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from './random.ts'
import { utcSecond, utcText } from './utc-text.ts'

test('times read as Date writes them', () => {
  const random = seededRandom(11)
  const near = Date.UTC(2026, 10, 23, 12, 0, 0)
  const times = Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? near + random.below(5000) : random.below(8.64e15) - 4e12))
  for (const at of [0, -1, 999, 1000, 8.64e15, ...times]) {
    assert.equal(utcText(at), new Date(at).toISOString())
    assert.equal(utcSecond(at), new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z'))
  }
  assert.throws(() => utcText(8.64e15 + 1000), RangeError)
  assert.equal(utcText(5), '1970-01-01T00:00:00.005Z')
})
