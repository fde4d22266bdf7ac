// What only a folder can show of the lake: restarts, crashes between any two steps, files that were tampered with, a full disk, and a SQL
// process that is shot.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { setImmediate as soon } from 'node:timers/promises'
import { SimulatedClock, systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { diskFiles } from '../disk/files.ts'
import type { Files } from '../files.ts'
import { type Lake, LakeDamaged } from '../lake.ts'
import { eventRow, inWorld, type LakeWorld, rowsOf } from '../lake.suite.ts'
import { type DuckdbLakeOptions, openDuckdbLake } from './lake.ts'

function world(settings: Partial<DuckdbLakeOptions> = {}): LakeWorld & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-lake-'))
  return {
    folder,
    open: async () => openDuckdbLake({ folder, files: diskFiles(), clock: systemClock, log: silentLog, ...settings }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Every step of its own size, so that a handful of rows goes all the way to Parquet. */
const EAGER = { chunkBytes: 1, compactBytes: 1 } as const
const POSITIONS = 'SELECT position FROM events ORDER BY 1'

async function appendOne(lake: Lake, position: number): Promise<void> {
  await lake.append({ rows: [eventRow(position, { at: position })], upTo: position + 1 })
  await lake.flush()
}

test('what was flushed is there after a restart, as chunks and as Parquet; what was not is asked for again', () =>
  inWorld(() => world({ compactBytes: 400 }))(async (lake, _files, open) => {
    await appendOne(lake, 1)
    await appendOne(lake, 2)
    await lake.append({ rows: [eventRow(3)], upTo: 4 })
    assert.deepEqual([lake.checkpoint, lake.appended], [3, 4])
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1], [2], [3]])
    const again = await open()
    assert.deepEqual([again.checkpoint, again.appended], [3, 3])
    assert.deepEqual(await rowsOf(again, POSITIONS), [[1], [2]])
    await again.append({ rows: [eventRow(2), eventRow(3), eventRow(5)], upTo: 6 })
    assert.deepEqual(await rowsOf(again, POSITIONS), [[1], [2], [3], [5]])
  }))

test('chunks become Parquet files that hold the same rows', async () => {
  const { folder, open, remove } = world(EAGER)
  try {
    const lake = await open()
    for (const position of [1, 2, 3]) await appendOne(lake, position)
    await lake.append({ rows: [{ kind: 'attempt', position: 4, json: Buffer.from('{"deliveryId":"d"}') }], upTo: 5 })
    await lake.flush()
    const before = await rowsOf(lake, 'SELECT eventjson FROM events ORDER BY position')
    assert.deepEqual(readdirSync(join(folder, 'chunks')), [])
    assert.ok(readdirSync(join(folder, 'parquet')).some((name) => name.startsWith('deliveries-')))
    await lake.close()
    const again = await open()
    assert.deepEqual(await rowsOf(again, 'SELECT eventjson FROM events ORDER BY position'), before)
    assert.deepEqual(await rowsOf(again, 'SELECT delivery_id FROM deliveries'), [['d']])
    assert.equal(again.checkpoint, 5)
    await again.close()
  } finally {
    remove()
  }
})

test('files of a release that knew fewer columns of deliveries are read', async () => {
  const { folder, open, remove } = world(EAGER)
  const attempt = async (lake: Lake, position: number): Promise<void> => {
    await lake.append({
      rows: [{ kind: 'attempt', position, json: Buffer.from(`{"deliveryId":"${position}","statusLog":"s"}`) }],
      upTo: position + 1,
    })
    await lake.flush()
  }
  try {
    const lake = await open()
    await attempt(lake, 1)
    assert.deepEqual(await rowsOf(lake, 'SELECT status_log FROM deliveries'), [['s']])
    await lake.close()
    const [file = ''] = readdirSync(join(folder, 'parquet')).filter((name) => name.startsWith('deliveries-'))
    const path = join(folder, 'parquet', file)
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(`CREATE TABLE old AS SELECT * EXCLUDE (log_group, status_log) FROM read_parquet('${path}')`)
    await connection.run(`COPY old TO '${path}' (FORMAT parquet)`)
    connection.closeSync()
    const manifest = join(folder, 'manifest.json')
    const bytes = statSync(path).size
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(new RegExp(`("name":"${file}"[^}]*"bytes":)\\d+`), `$1${bytes}`))
    const again = await open()
    await attempt(again, 5)
    await again.append({ rows: [{ kind: 'attempt', position: 9, json: Buffer.from('{"deliveryId":"9"}') }], upTo: 10 })
    assert.deepEqual(await rowsOf(again, 'SELECT delivery_id, status_log, position FROM deliveries ORDER BY position'), [
      ['1', null, 1],
      ['5', 's', 5],
      ['9', null, 9],
    ])
    await again.close()
  } finally {
    remove()
  }
})

/** Stops the world after so many changes to files: every later one fails, as it does for a process that is gone. */
function mortalFiles(changes: number): { readonly files: Files; readonly used: () => number } {
  const disk = diskFiles()
  let used = 0
  const change = (): void => {
    if (++used > changes) throw new Error('the machine is off')
  }
  return {
    used: () => used,
    files: {
      ...disk,
      open: (path, mode, options) => {
        if (mode === 'create') change()
        const file = disk.open(path, mode, options)
        return {
          ...file,
          write: (from, offset, length, position) => {
            change()
            return file.write(from, offset, length, position)
          },
        }
      },
      rename: (from, to) => {
        change()
        disk.rename(from, to)
      },
      remove: (path) => {
        change()
        disk.remove(path)
      },
    },
  }
}

test('a crash between any two steps of chunk, Parquet, manifest and cleaning loses no row and counts none twice', async () => {
  const before = world(EAGER)
  const lake = await before.open()
  await appendOne(lake, 1)
  await rowsOf(lake, POSITIONS)
  await lake.close()
  const run = async (changes: number): Promise<number> => {
    const { folder, open, remove } = world(EAGER)
    const { files, used } = mortalFiles(changes)
    try {
      cpSync(before.folder, folder, { recursive: true })
      const dying = openDuckdbLake({ folder, files, clock: systemClock, log: silentLog, ...EAGER })
      let flushed = 1
      try {
        for (const position of [2, 3]) {
          await appendOne(dying, position)
          flushed = position
        }
        await rowsOf(dying, POSITIONS)
      } catch {}
      await dying.close().catch(() => undefined)
      const after = await open()
      try {
        assert.ok(after.checkpoint > flushed, `stopped after ${changes}: checkpoint ${after.checkpoint}, flushed ${flushed}`)
        for (const position of [2, 3]) await after.append({ rows: [eventRow(position)], upTo: position + 1 })
        assert.deepEqual(await rowsOf(after, POSITIONS), [[1], [2], [3]], `stopped after ${changes} changes`)
      } finally {
        await after.close()
      }
    } finally {
      remove()
    }
    return used()
  }
  try {
    const all = await run(Infinity)
    assert.ok(all >= 12, `${all} steps`)
    for (let changes = 0; changes < all; changes++) await run(changes)
  } finally {
    before.remove()
  }
})

test('files left over from a crash are removed; missing, cut and strange ones are named', async () => {
  const { folder, open, remove } = world(EAGER)
  const damage = async (name: string, change: (folder: string) => void, message: RegExp): Promise<void> => {
    const copy = mkdtempSync(join(tmpdir(), 'sealcast-lake-copy-'))
    try {
      cpSync(folder, copy, { recursive: true })
      change(copy)
      assert.throws(
        () => openDuckdbLake({ folder: copy, files: diskFiles(), clock: systemClock, log: silentLog }),
        (error: unknown) => error instanceof LakeDamaged && message.test(error.message),
        name,
      )
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  }
  try {
    let lake = await open()
    await appendOne(lake, 1)
    await rowsOf(lake, POSITIONS)
    for (const position of [2, 3, 4]) await appendOne(lake, position)
    await lake.close()
    const parquet = readdirSync(join(folder, 'parquet'))[0] ?? ''
    const chunk = readdirSync(join(folder, 'chunks'))[1] ?? ''
    await damage('a Parquet file is missing', (copy) => rmSync(join(copy, 'parquet', parquet)), /events-0-2\.parquet is missing/)
    await damage('a Parquet file is cut', (copy) => truncateSync(join(copy, 'parquet', parquet), 10), /events-0-2\.parquet has 10 bytes/)
    await damage('a chunk is missing', (copy) => rmSync(join(copy, 'chunks', chunk)), /nothing for the positions from 3 to 4/)
    await damage('a strange file', (copy) => writeFileSync(join(copy, 'chunks', 'x'), ''), /x is none of the lake's files/)
    await damage(
      'a newer format',
      (copy) => writeFileSync(join(copy, 'manifest.json'), '{"format":2}'),
      /has format 2; this release reads format 1/,
    )
    await damage('a broken manifest', (copy) => writeFileSync(join(copy, 'manifest.json'), '{'), /manifest\.json cannot be read/)

    writeFileSync(join(folder, 'parquet', 'events-2-9.parquet'), 'left over')
    writeFileSync(join(folder, 'tmp', 'x'), 'left over')
    lake = await open()
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1], [2], [3], [4]])
    assert.deepEqual(
      [existsSync(join(folder, 'tmp', 'x')), readdirSync(join(folder, 'parquet')).includes('events-2-9.parquet')],
      [false, false],
    )
    await lake.close()
  } finally {
    remove()
  }
})

test('a flipped bit in a chunk fails the query instead of giving other rows', async () => {
  const { folder, open, remove } = world()
  try {
    const lake = await open()
    await appendOne(lake, 1)
    await lake.close()
    const path = join(folder, 'chunks', readdirSync(join(folder, 'chunks'))[0] ?? '')
    const bytes = readFileSync(path)
    const at = bytes.length - 12
    bytes[at] = (bytes[at] ?? 0) ^ 4
    writeFileSync(path, bytes)
    const again = await open()
    await assert.rejects(rowsOf(again, POSITIONS), /0-2-\d+-\d+\.ndjson\.zst/)
    await again.close()
  } finally {
    remove()
  }
})

test('a disk that refuses writes costs no row: they wait, and are written when it takes them again', async () => {
  const { folder, remove } = world()
  const disk = diskFiles()
  let full = true
  const files: Files = {
    ...disk,
    open: (path, mode, options) => {
      if (full && mode === 'create') throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return disk.open(path, mode, options)
    },
  }
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (message) => void errors.push(message) }
  try {
    const lake = openDuckdbLake({ folder, files, clock: systemClock, log, chunkBytes: 300 })
    await lake.append({ rows: [eventRow(1), eventRow(2)], upTo: 3 })
    await assert.rejects(lake.flush(), /ENOSPC/)
    await lake.append({ rows: [eventRow(3)], upTo: 4 })
    assert.deepEqual([lake.checkpoint, lake.appended], [0, 4])
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1], [2], [3]])
    const many = Array.from({ length: 12 }, (_, at) => eventRow(4 + at))
    await lake.append({ rows: many, upTo: 16 }).catch(() => undefined)
    await assert.rejects(lake.append({ rows: [eventRow(16)], upTo: 17 }), /ENOSPC/)
    assert.ok(errors.length > 0)
    full = false
    await lake.append({ rows: [...many, eventRow(16)], upTo: 17 })
    await lake.flush()
    assert.equal(lake.checkpoint, 17)
    assert.equal((await rowsOf(lake, POSITIONS)).length, 16)
    await lake.close()
  } finally {
    remove()
  }
})

test('a query or an import that loses its SQL process fails, and the next one finds everything again', () =>
  inWorld(() => world())(async (lake) => {
    await appendOne(lake, 1)
    await lake.append({ rows: [eventRow(2)], upTo: 3 })
    const running = rowsOf(lake, 'SELECT count(*) FROM range(100000000) a, range(100000) b', { timeoutMs: 1 })
    await assert.rejects(running)
    const batches = (await lake.query('SELECT range FROM range(100000000)')).batches
    const [pid] = childrenOf(process.pid)
    assert.ok(pid !== undefined)
    process.kill(pid, 'SIGKILL')
    await assert.rejects(async () => {
      for await (const _ of batches) continue
    }, /The SQL process ended \(SIGKILL\)/)
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1], [2]])
  }))

/** The processes that this one has started, as Linux lists them. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? [] : children.split(' ').map(Number)
}

test('in a quiet time chunks become Parquet by themselves, and the SQL process ends when nobody has asked for a while', async () => {
  const { folder, remove } = world()
  const clock = new SimulatedClock(0)
  const lake = openDuckdbLake({ folder, files: diskFiles(), clock, log: silentLog, compactBytes: 1 })
  try {
    await appendOne(lake, 1)
    assert.deepEqual(childrenOf(process.pid), [])
    clock.advance(30_000)
    while (readdirSync(join(folder, 'chunks')).length > 0) await soon()
    assert.deepEqual(readdirSync(join(folder, 'parquet')), ['events-0-2.parquet'])
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1]])
    assert.equal(childrenOf(process.pid).length, 1)
    clock.advance(59_000)
    await rowsOf(lake, POSITIONS)
    clock.advance(59_000)
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1]])
    clock.advance(60_000)
    while (childrenOf(process.pid).length > 0) await soon()
    assert.deepEqual(await rowsOf(lake, POSITIONS), [[1]])
  } finally {
    await lake.close()
    remove()
  }
})

test('what expires under a running query is still read by it, and gone afterwards', async () => {
  const { folder, open, remove } = world(EAGER)
  const lake = await open()
  try {
    await lake.append({ rows: Array.from({ length: 10_000 }, (_, at) => eventRow(at + 1)), upTo: 10_001 })
    await lake.flush()
    const result = await lake.query('SELECT eventjson FROM events')
    assert.equal(readdirSync(join(folder, 'parquet')).length, 1)
    assert.equal((await lake.expire({ bytesMax: 0 })).files, 1)
    let count = 0
    for await (const batch of result.batches) count += batch.length
    assert.equal(count, 10_000)
    assert.deepEqual(await rowsOf(lake, 'SELECT count(*) FROM events'), [[0]])
    assert.deepEqual(readdirSync(join(folder, 'parquet')), [])
  } finally {
    await lake.close()
    remove()
  }
})
