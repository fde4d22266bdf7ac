import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../base/random.ts'
import { historySuite } from '../history.suite.ts'
import { HistoryDamaged, HistoryFormatUnknown } from '../history.ts'
import { decodePostings, encodeBlock, encodePostings, encodeValue, HEAD_KEY, Part, readBlockEvent } from './format.ts'
import { openHistory } from './history.ts'
import { lmdbHistoryStore } from './lmdb-store.ts'
import { memoryHistoryStore } from './memory-store.ts'
import type { HistoryStore } from './store.ts'

historySuite('memory', () => {
  const store = memoryHistoryStore()
  return { open: () => store, close: () => {} }
})
historySuite('lmdb', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-history-'))
  return { open: () => lmdbHistoryStore({ folder }), close: () => rmSync(folder, { recursive: true, force: true }) }
})

const random = seededRandom(1)

test('postings and blocks come back as they were', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 16_382 }), { maxLength: 300 }), (given) => {
      const ordinals = given.toSorted((a, b) => a - b)
      assert.deepEqual(decodePostings(encodePostings(ordinals)), ordinals)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.double({ noNaN: true }), fc.string())), (given) => {
      const events = given.map(([time, text]) => ({ time, json: Buffer.from(text) }))
      const block = encodeBlock(events)
      for (const [at, event] of events.entries()) assert.deepEqual(readBlockEvent(block, at), event)
      assert.equal(readBlockEvent(block, events.length), undefined)
    }),
  )
})

test('a changed byte is named, and nothing of it served', async () => {
  for (const part of [Part.chunk, Part.postings]) {
    const store = memoryHistoryStore()
    const history = openHistory({ store, random })
    history.append([{ scope: 's', terms: ['a'], time: 1, json: Buffer.from('{}') }], 10)
    await history.flush()
    const [entry] = store.forward(Buffer.from([part]), Buffer.from([part, 255, 255, 255, 255, 255, 255, 255, 255]), 1)
    assert.ok(entry !== undefined)
    const value = Buffer.from(entry.value)
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
    await store.write([{ key: entry.key, value }])
    assert.throws(() => history.find({ scope: 's', limit: 1 }), HistoryDamaged)
  }
})

test('a newer format is refused by name', async () => {
  const store = memoryHistoryStore()
  const head = { format: 2, checkpoint: 0, next: 0, salt: '' }
  await store.write([{ key: HEAD_KEY, value: encodeValue(HEAD_KEY, Buffer.from(JSON.stringify(head))) }])
  assert.throws(() => openHistory({ store, random }), HistoryFormatUnknown)
})

test('what could not be written is written later, with what came meanwhile', async () => {
  const store = memoryHistoryStore()
  let isFailing = true
  const failing: HistoryStore = { ...store, write: (changes) => (isFailing ? Promise.reject(new Error('no room')) : store.write(changes)) }
  const history = openHistory({ store: failing, random })
  history.append([{ scope: 's', terms: [], time: 1, json: Buffer.from('1') }], 10)
  await assert.rejects(history.flush(), /no room/)
  assert.equal(history.checkpoint, 0)
  history.append([{ scope: 's', terms: [], time: 2, json: Buffer.from('2') }], 20)
  const both = [
    { number: 1, json: '2' },
    { number: 0, json: '1' },
  ]
  assert.deepEqual(history.find({ scope: 's', limit: 9 }).events, both)
  isFailing = false
  await history.flush()
  assert.equal(history.checkpoint, 20)
  const again = openHistory({ store, random })
  assert.deepEqual(again.find({ scope: 's', limit: 9 }).events, both)
})
