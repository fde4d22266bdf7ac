// Large requests hold up nobody for long, and nothing when they are alone.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SimulatedClock } from '../base/clock.ts'
import { LARGE_BODY_BYTES, LargeTurns } from './large-turns.ts'

const MIB = 1024 * 1024
const laterTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function createWorld() {
  const clock = new SimulatedClock(0)
  const turns = new LargeTurns(clock)
  const handled: string[] = []
  return { clock, handled, turns, take: (name: string, bytes: number) => turns.take(bytes, () => handled.push(name)) }
}

test('a small request is handled at once, up to the limit and not above while a large one rests', () => {
  const { handled, take } = createWorld()
  take('large', MIB)
  take('small', 1)
  take('at the limit', LARGE_BODY_BYTES)
  take('above', LARGE_BODY_BYTES + 1)
  assert.deepEqual(handled, ['large', 'small', 'at the limit'])
})

test('beside small ones a large request rests in proportion to its size before the next', async () => {
  const { clock, handled, take } = createWorld()
  take('first', MIB)
  take('small', 1)
  take('second', MIB)
  await laterTurn()
  clock.advance(31)
  assert.deepEqual(handled, ['first', 'small'])
  clock.advance(1)
  assert.deepEqual(handled, ['first', 'small', 'second'])
})

test('large requests alone follow each other without a rest, one to a turn and in order', async () => {
  const { handled, take } = createWorld()
  for (const name of ['a', 'b', 'c']) take(name, MIB)
  assert.deepEqual(handled, ['a'])
  while (handled.length < 3) await laterTurn()
  assert.deepEqual(handled, ['a', 'b', 'c'])
})

test('a small request between two large ones that wait makes the second rest', async () => {
  const { clock, handled, take } = createWorld()
  take('a', MIB)
  take('b', MIB)
  take('small', 1)
  await laterTurn()
  assert.deepEqual(handled, ['a', 'small'])
  clock.advance(32)
  assert.deepEqual(handled, ['a', 'small', 'b'])
})

test('a request that was taken back is not handled, and the next comes in its place', async () => {
  const { clock, handled, turns, take } = createWorld()
  take('first', MIB)
  take('small', 1)
  const takeBack = turns.take(MIB, () => handled.push('taken back'))
  take('second', MIB)
  takeBack?.()
  await laterTurn()
  clock.advance(32)
  assert.deepEqual(handled, ['first', 'small', 'second'])
})
