// Records in lmdb against the port's suite; damage, newer formats and crashes, provoked through a handle of lmdb's own.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { open } from 'lmdb'
import { SimulatedClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { durableRecordsSuite, recordsSuite, type RecordsWorld } from '../records.suite.ts'
import { RecordDamaged, RecordFormatUnknown } from '../records.ts'
import { openLmdbRecords } from './records.ts'

function world(): RecordsWorld & { folder: string; clock: SimulatedClock } {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-records-'))
  const clock = new SimulatedClock(0)
  return {
    folder,
    clock,
    open: () => openLmdbRecords({ folder, clock, log: silentLog }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

recordsSuite('lmdb', world)
durableRecordsSuite('lmdb', world)

const raw = (folder: string) =>
  open<Buffer, Buffer>(folder, { keyEncoding: 'binary', encoding: 'binary', noSubdir: false, overlappingSync: false })
const change = (key: string, value: string) => ({ table: 1, key, value: Buffer.from(value) })

test('a flipped bit in a stored value is named by table and key, by get and by range', async () => {
  const { folder, open: openRecords, remove } = world()
  let records = await openRecords()
  records.apply([change('good', 'value'), change('struck', 'value')], 10)
  await records.close()
  const database = raw(folder)
  const key = Buffer.from('\u0001struck')
  const stored = database.getBinary(key)
  assert.ok(stored)
  stored.writeUInt8(stored.readUInt8(stored.length - 1) ^ 1, stored.length - 1)
  await database.put(key, stored)
  await database.close()
  records = await openRecords()
  const isNamed = (failure: Error): boolean => failure instanceof RecordDamaged && /"struck" of table 1/.test(failure.message)
  assert.equal(records.get(1, 'good')?.toString(), 'value')
  assert.throws(() => records.get(1, 'struck'), isNamed)
  assert.throws(() => [...records.range(1, {})], isNamed)
  await records.close()
  remove()
})

test('a newer format is refused by name and nothing is changed', async () => {
  const { folder, open: openRecords, remove } = world()
  const records = await openRecords()
  records.apply([change('a', 'value')], 10)
  await records.close()
  const database = raw(folder)
  const key = Buffer.from([255])
  const state = Buffer.from(JSON.stringify({ format: 2, checkpoint: 10, counts: {} }))
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(state, crc32(key)))
  const stored = Buffer.concat([sum, state])
  await database.put(key, stored)
  await database.close()
  const isNamed = (failure: Error): boolean => failure instanceof RecordFormatUnknown && /format 2.*up to 1/.test(failure.message)
  await assert.rejects(openRecords(), isNamed)
  const after = raw(folder)
  assert.deepEqual(after.getBinary(key), stored)
  await after.close()
  remove()
})

test('a copy taken at any moment holds whole groups with their checkpoint, and a replay from there completes it', async () => {
  const { folder, clock, open: openRecords, remove } = world()
  const records = await openRecords()
  const group = (at: number) => [change(`left ${at % 7}`, String(at)), change(`right ${at % 7}`, String(at)), change('last', String(at))]
  for (let at = 1; at <= 400; at++) {
    records.apply(group(at), at)
    if (at % 40 !== 0) continue
    clock.advance(100)
    if (at % 80 === 0) await records.flush()
    const copy = `${folder}-copy`
    cpSync(folder, copy, { recursive: true })
    const reopened = await openLmdbRecords({ folder: copy, clock, log: silentLog })
    const from = reopened.checkpoint
    assert.ok(from <= at && from >= at - 80)
    assert.equal(reopened.get(1, 'last')?.toString(), from === 0 ? undefined : String(from))
    for (let which = 0; which < 7; which++) {
      assert.deepEqual(reopened.get(1, `left ${which}`), reopened.get(1, `right ${which}`))
    }
    for (let again = 1; again <= at; again++) reopened.apply(group(again), again)
    assert.deepEqual([...reopened.range(1, {})], [...records.range(1, {})])
    await reopened.close()
    rmSync(copy, { recursive: true })
  }
  await records.close()
  remove()
})

test('groups are written in the background without a call to flush', async () => {
  const { clock, open: openRecords, remove } = world()
  const records = await openRecords()
  records.apply([change('a', 'value')], 10)
  assert.equal(records.flushed, 0)
  clock.advance(100)
  while (records.flushed < 10) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(records.get(1, 'a')?.toString(), 'value')
  // What comes while a flush is under way is not left waiting for the next group.
  records.apply([change('b', 'value')], 20)
  const flushing = records.flush()
  records.apply([change('c', 'value')], 30)
  await flushing
  clock.advance(100)
  while (records.flushed < 30) await new Promise((resolve) => setImmediate(resolve))
  await records.close()
  remove()
})
