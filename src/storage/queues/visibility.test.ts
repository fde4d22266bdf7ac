// The calendar of hidden messages: due ones come in the order of their time, dead ones never, and the dead do not pile up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Visibility } from './visibility.ts'

test('what is due comes by time, once, and only if it still holds', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('hide' as const), sequence: fc.nat(20), time: fc.nat(300) }),
    fc.record({ kind: fc.constant('remove' as const), sequence: fc.nat(20) }),
    fc.record({ kind: fc.constant('expire' as const), time: fc.nat(300) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const hidden = new Map<number, number>()
      const visibility = new Visibility((visibleAt, _, sequence) => hidden.get(sequence) === visibleAt)
      for (const each of steps) {
        if (each.kind === 'hide') {
          hidden.set(each.sequence, each.time)
          visibility.push(each.time, 1, each.sequence, hidden.size)
        } else if (each.kind === 'remove') hidden.delete(each.sequence)
        else {
          const due: number[] = []
          visibility.expire(each.time, Infinity, (_, sequence) => {
            due.push(hidden.get(sequence) ?? NaN)
            hidden.delete(sequence)
          })
          assert.deepEqual(
            due,
            due.toSorted((a, b) => a - b),
          )
          assert.ok([...hidden.values()].every((time) => time > each.time))
        }
        assert.equal(visibility.next(), hidden.size === 0 ? undefined : Math.min(...hidden.values()))
      }
    }),
  )
})

test('messages received and removed before their time do not stay', () => {
  const hidden = new Map<number, number>()
  const visibility = new Visibility((visibleAt, _, sequence) => hidden.get(sequence) === visibleAt)
  for (let sequence = 0; sequence < 100_000; sequence++) {
    hidden.set(sequence, 43_200_000 + (sequence % 7))
    visibility.push(43_200_000 + (sequence % 7), 1, sequence, hidden.size)
    hidden.delete(sequence - 10)
    assert.ok(visibility.size < 200)
  }
  // The same message hidden by turns until two times.
  for (let turn = 0; turn < 10_000; turn++) {
    hidden.set(1, turn % 2)
    visibility.push(turn % 2, 1, 1, hidden.size)
    assert.ok(visibility.size < 200)
  }
})

test('two hundred thousand that died, or that are due at once, are met a few at a time', () => {
  const alive = new Set<number>()
  const visibility = new Visibility((_, __, sequence) => alive.has(sequence))
  for (let sequence = 0; sequence < 200_000; sequence++) {
    alive.add(sequence)
    visibility.push(1000 + (sequence >> 4), 1, sequence, alive.size)
  }
  let expired = 0
  visibility.expire(10_000, 2000, () => expired++)
  assert.ok(expired > 0 && expired <= 2000, String(expired))
  for (const sequence of [...alive].slice(0, 190_000)) alive.delete(sequence)
  let calls = 0
  for (let next = visibility.next() ?? 0; next < 1000 + (190_000 >> 4); next = visibility.next() ?? 0, calls++)
    visibility.expire(next, 2000, () => assert.fail('it died'))
  assert.ok(calls > 20)
})
