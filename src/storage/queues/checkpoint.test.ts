// Checkpoints of many parts: each save counts whole or not at all, whatever write fails, and leaves nothing behind that counts later.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { QueuesDamaged, QueuesFormatUnknown } from '../queues.ts'
import { Checkpoints, type ChangedPart } from './checkpoint.ts'
import { QUEUES_FORMAT } from './format.ts'
import { memoryQueueStore } from './memory-store.ts'
import type { StoredBytes, StoredEntry } from './store.ts'

const all = (store: StoredBytes): readonly StoredEntry[] => store.entries(Buffer.alloc(1), Buffer.alloc(20, 255))
const encoded = (text: string): Buffer => Buffer.concat([Buffer.alloc(4), Buffer.from(text)])

test('any series of saves, failures and restarts reads back as the last save that succeeded', async () => {
  const round = fc.record({
    // Ranges of parts, so that saves are longer than one write.
    from: fc.nat(900),
    count: fc.integer({ min: 1, max: 900 }),
    isRemoval: fc.boolean(),
    failAfter: fc.option(fc.nat(5), { nil: Infinity }),
    isReopened: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 12, size: 'max' }), async (rounds) => {
      const { index: store } = memoryQueueStore()
      let failAfter = Infinity
      const failing: StoredBytes = {
        ...store,
        async write(changes) {
          if (failAfter-- <= 0) throw new Error('disk full')
          await store.write(changes)
        },
      }
      let checkpoints = new Checkpoints(failing)
      let saved = new Map<number, string>()
      let savedPosition = 0
      let current = new Map<number, string>()
      let generations = new Map<number, number>()
      let dirty = new Set<number>()
      for (const [at, { from, count, isRemoval, failAfter: fails, isReopened }] of rounds.entries()) {
        for (let part = from; part < from + count; part++) {
          if (isRemoval) current.delete(part)
          else current.set(part, `round ${at}`)
          dirty.add(part)
        }
        const generation = checkpoints.begin()
        const parts = [...dirty].map((part): ChangedPart => {
          const value = current.get(part)
          const previous = generations.get(part) ?? 0
          generations.set(part, generation)
          return { queue: part % 3, part, previous, encode: () => (value === undefined ? undefined : encoded(value)) }
        })
        failAfter = fails
        const position = (at + 1) * 100
        const isSaved = await checkpoints.save(position, parts).then(
          () => true,
          () => checkpoints.position === position,
        )
        if (isSaved) {
          saved = new Map(current)
          savedPosition = position
          dirty = new Set()
        }
        failAfter = Infinity
        assert.equal(checkpoints.position, savedPosition)
        if (fails === Infinity) assert.equal(all(store).length, saved.size + 1, 'nothing but the head and what is there is kept')
        if (!isReopened && at < rounds.length - 1) continue
        checkpoints = new Checkpoints(failing)
        const loaded = [...checkpoints.load()]
        assert.deepEqual(new Map(loaded.map(({ part, value }) => [part, value.toString('utf8', 4)])), saved)
        assert.equal(checkpoints.position, savedPosition)
        current = new Map(saved)
        generations = new Map(loaded.map(({ part, generation: of }) => [part, of]))
        dirty = new Set()
      }
    }),
    { numRuns: 40 },
  )
})

test('a flipped bit in a part or in the head is named', async () => {
  for (const [key, name] of [
    [0, /head of the queue index/],
    [1, /part 7 of queue 5/],
  ] as const) {
    const { index: store } = memoryQueueStore()
    const checkpoints = new Checkpoints(store)
    checkpoints.begin()
    await checkpoints.save(100, [{ queue: 5, part: 7, previous: 0, encode: () => encoded('value') }])
    const entry = all(store)[key]
    assert.ok(entry)
    entry.value.writeUInt8(entry.value.readUInt8(entry.value.length - 1) ^ 4, entry.value.length - 1)
    await store.write([entry])
    const isNamed = (failure: Error): boolean => failure instanceof QueuesDamaged && name.test(failure.message)
    assert.throws(() => [...new Checkpoints(store).load()], isNamed)
  }
})

test('a newer format is refused by name and nothing is changed', async () => {
  const { index: store } = memoryQueueStore()
  const checkpoints = new Checkpoints(store)
  checkpoints.begin()
  await checkpoints.save(100, [])
  const head = all(store)[0]
  assert.ok(head)
  head.value.writeUInt32LE(QUEUES_FORMAT + 1, 4)
  head.value.writeUInt32LE(crc32(head.value.subarray(4), crc32(head.key)), 0)
  await store.write([head])
  const before = all(store)
  const isNamed = (failure: Error): boolean => failure instanceof QueuesFormatUnknown && /format 3.*up to 2/.test(failure.message)
  assert.throws(() => [...new Checkpoints(store).load()], isNamed)
  assert.deepEqual(all(store), before)
})
