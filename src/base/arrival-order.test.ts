import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArrivalOrder, type Placed } from './arrival-order.ts'
import { seededRandom } from './random.ts'

test('what came and left in any order stands as in a set', () => {
  const random = seededRandom(3)
  for (const keeps of [2, 5, 50]) {
    const order = new ArrivalOrder<Placed & { readonly id: number }>()
    const set = new Set<Placed & { readonly id: number }>()
    for (let id = 0; id < 20_000; id++) {
      const item = { id, place: undefined }
      order.add(item)
      set.add(item)
      while (random.below(keeps) === 0 && set.size > 0) {
        const leaving = [...set][random.below(Math.min(set.size, 40))]
        assert.ok(leaving !== undefined && order.delete(leaving) && set.delete(leaving))
        assert.equal(order.delete(leaving), false)
      }
      assert.equal(order.size, set.size)
      assert.equal(order.oldest, [...set.keys().take(1)][0])
      if (id % 1000 === 0) assert.deepEqual(order.values(), [...set])
      if (set.size > 3000) for (const each of [...set]) if (order.delete(each)) set.delete(each)
    }
    assert.deepEqual(order.values(), [...set])
  }
})
