import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdjustableClock } from './adjustable-clock.ts'
import { SimulatedClock } from './clock.ts'

const START = Date.UTC(2026, 0, 2)

test('it goes as the machine goes, and ahead by as much as it was moved', () => {
  const machine = new SimulatedClock(START)
  const clock = new AdjustableClock(machine)
  const monotonic = clock.monotonic()
  machine.advance(1000)
  clock.advance(3600_000)
  machine.advance(500)
  assert.equal(clock.now(), START + 3601_500)
  assert.equal(clock.monotonic() - monotonic, 3601_500)
  assert.equal(clock.ahead, 3600_000)
  clock.advance(-5)
  assert.equal(clock.ahead, 3600_000)
})

test('timers run when the machine comes to them, and once', () => {
  const machine = new SimulatedClock(START)
  const clock = new AdjustableClock(machine)
  const ran: string[] = []
  clock.after(1000, () => ran.push('a'))
  clock.after(2000, () => ran.push('cancelled')).cancel()
  machine.advance(999)
  assert.deepEqual([ran, clock.untilNext()], [[], 1])
  machine.advance(5000)
  clock.advance(5000)
  assert.deepEqual([ran, clock.untilNext()], [['a'], undefined])
})

test('a move runs what it makes due in the order of its time, at its time; the rest comes by as much sooner', () => {
  const machine = new SimulatedClock(START)
  const clock = new AdjustableClock(machine)
  const ran: [string, number][] = []
  const note = (name: string) => () => void ran.push([name, clock.now() - START])
  clock.after(3000, note('third'))
  clock.after(1000, note('first'))
  const last = clock.after(4000, note('cancelled on the way'))
  clock.after(2000, () => {
    note('second')()
    last.cancel()
    clock.after(500, note('set on the way'))
  })
  clock.after(60_000, note('later'))
  clock.advance(10_000)
  assert.deepEqual(ran, [
    ['first', 1000],
    ['second', 2000],
    ['third', 3000],
  ])
  machine.advance(0)
  assert.deepEqual(ran.at(-1), ['set on the way', 10_000])
  machine.advance(49_999)
  assert.equal(ran.length, 4)
  machine.advance(1)
  assert.deepEqual(ran.at(-1), ['later', 60_000])
})

test('what fails in a timer leaves the others set', () => {
  const machine = new SimulatedClock(START)
  const clock = new AdjustableClock(machine)
  let ran = 0
  clock.after(1000, () => assert.fail('a fault'))
  clock.after(2000, () => ran++)
  assert.throws(() => clock.advance(5000), /a fault/)
  machine.advance(0)
  assert.deepEqual([ran, clock.ahead], [1, 5000])
})
