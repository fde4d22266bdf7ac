// A chunk against a plain map, through removals, gaps and the form that a checkpoint stores; and what it weighs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Chunk, CHUNK_SEQUENCES, MessageState } from './chunk.ts'

const NUMBER = 3
const FIRST = NUMBER * CHUNK_SEQUENCES

test('any series of appends, removals, hides and stored forms reads as a map', () => {
  const some = fc.constantFrom(1, 5, 80)
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), gap: fc.constantFrom(0, 0, 0, 1, 40), count: some }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(1000), count: some, isOpen: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('hide' as const), pick: fc.nat(1000), time: fc.integer({ min: 1, max: 1000 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'store' as const }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const model = new Map<number, { position: number; visibleAt: number; firstReceivedAt: number; receives: number }>()
      let chunk = new Chunk(9, NUMBER)
      let next = FIRST
      for (const each of steps) {
        const picked = 'pick' in each ? [...model.keys()].slice(each.pick % Math.max(model.size, 1)) : []
        if (each.kind === 'append') {
          next += each.gap
          for (let at = 0; at < each.count && next < FIRST + CHUNK_SEQUENCES; at++, next++) {
            const index = chunk.append(next, { position: next * 10, length: next % 100, sentAt: next + 5, route: next % 7, group: 0 })
            assert.equal(chunk.sequence(index), next)
            model.set(next, { position: next * 10, visibleAt: 0, firstReceivedAt: 0, receives: 0 })
          }
        } else if (each.kind === 'remove') {
          for (const sequence of picked.slice(0, each.count)) {
            chunk.remove(chunk.find(sequence), each.isOpen)
            model.delete(sequence)
          }
        } else if (each.kind === 'hide') {
          const [sequence] = picked
          const message = model.get(sequence ?? 0)
          if (message === undefined) continue
          Object.assign(message, { visibleAt: each.time, firstReceivedAt: each.time, receives: each.time })
          chunk.setHidden(chunk.find(sequence ?? 0), each.time, each.time, each.time)
        } else if (chunk.live > 0) {
          chunk = Chunk.decode(9, NUMBER, chunk.encode())
        }
        assert.equal(chunk.live, model.size)
        assert.equal(chunk.lowestPosition(0), Math.min(...[...model.values()].map(({ position }) => position)))
        for (const [sequence, { position, visibleAt, firstReceivedAt, receives }] of model) {
          const index = chunk.find(sequence)
          assert.deepEqual(
            [chunk.sequence(index), chunk.position(index), chunk.length(index), chunk.sentAt(index), chunk.route(index)],
            [sequence, position, sequence % 100, sequence + 5, sequence % 7],
          )
          assert.deepEqual(
            [chunk.visibleAt(index), chunk.firstReceivedAt(index), chunk.receives(index)],
            [visibleAt, firstReceivedAt, receives],
          )
        }
        assert.equal(chunk.find(next), -1)
      }
    }),
    { numRuns: 200 },
  )
})

test('a reservation is stored as a visible message', () => {
  const chunk = new Chunk(9, NUMBER)
  chunk.setState(chunk.append(FIRST, { position: 0, length: 1, sentAt: 1, route: 0, group: 0 }), MessageState.reserved)
  assert.deepEqual(Chunk.decode(9, NUMBER, chunk.encode()).counts, [0, 1, 0, 0, 0])
  assert.equal(chunk.state(0), MessageState.reserved)
})

test('a full chunk weighs 27 bytes a message, a few survivors no more than their share, and flow through it nothing', () => {
  const chunk = new Chunk(9, NUMBER)
  for (let slot = 0; slot < CHUNK_SEQUENCES; slot++)
    chunk.append(FIRST + slot, { position: slot, length: 1, sentAt: 1, route: 0, group: 0 })
  assert.equal(chunk.bytes, CHUNK_SEQUENCES * 27)
  for (let slot = 0; slot < CHUNK_SEQUENCES; slot++) if (slot % 100 !== 0) chunk.remove(chunk.find(FIRST + slot), false)
  assert.equal(chunk.live, 82)
  assert.ok(chunk.bytes < 82 * 29 * 10, `${chunk.bytes} bytes`)
  const flow = new Chunk(9, NUMBER)
  flow.append(FIRST, { position: 0, length: 1, sentAt: 1, route: 0, group: 0 })
  for (let slot = 1; slot < CHUNK_SEQUENCES; slot++) {
    flow.append(FIRST + slot, { position: slot, length: 1, sentAt: 1, route: 0, group: 0 })
    flow.remove(flow.find(FIRST + slot), true)
    assert.ok(flow.bytes < 1000)
  }
})
