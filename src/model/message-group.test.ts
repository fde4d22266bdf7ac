import assert from 'node:assert/strict'
import test from 'node:test'
import { fairGroup, orderedGroup } from './message-group.ts'

test('the numbers of groups never change, since journals hold them', () => {
  assert.deepEqual(['', 'a', 'orders/42', 'groß'].map(orderedGroup), [1020189864179358, 1405111693244387, 3867670588576992, 42402869075982])
  assert.equal(fairGroup('a'), -orderedGroup('a'))
})

test('two hundred thousand ids of usual forms have a number each, all within 52 bits', () => {
  const seen = new Set<number>()
  for (let at = 0; at < 100_000; at++) seen.add(orderedGroup(String(at))).add(orderedGroup(`tenant-${at.toString(36)}-x`))
  assert.equal(seen.size, 200_000)
  for (const number of seen) if (!(Number.isInteger(number) && number >= 1 && number <= 2 ** 52)) assert.fail(String(number))
})
