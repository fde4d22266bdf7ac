import assert from 'node:assert/strict'
import test from 'node:test'
import { SimulatedClock } from '../../base/clock.ts'
import { AnswerRoom } from './answer-room.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('answers enter in order while they fit together, and one alone always does', async () => {
  const clock = new SimulatedClock(0)
  const room = new AnswerRoom(100)
  const entered: string[] = []
  const gives = new Map<string, () => void>()
  const enter = (name: string, bytes: number): void =>
    void room.enter(bytes, clock).then((give) => {
      entered.push(name)
      gives.set(name, give)
    })
  enter('larger than all', 500)
  enter('a', 60)
  enter('b', 40)
  enter('c', 1)
  await turn()
  assert.deepEqual(entered, ['larger than all'])
  gives.get('larger than all')?.()
  gives.get('larger than all')?.()
  await turn()
  assert.deepEqual(entered, ['larger than all', 'a', 'b'])
  enter('d', 1)
  gives.get('b')?.()
  await turn()
  assert.deepEqual(entered.slice(3), ['c', 'd'])
})

test('room that a slow client holds is given back after a while', async () => {
  const clock = new SimulatedClock(0)
  const room = new AnswerRoom(100)
  await room.enter(100, clock)
  let isIn = false
  void room.enter(100, clock).then(() => (isIn = true))
  clock.advance(59_999)
  await turn()
  assert.equal(isIn, false)
  clock.advance(1)
  await turn()
  assert.equal(isIn, true)
})
