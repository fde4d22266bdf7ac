// The lake on DuckDB against the port's suite, on disk and in memory, with a real SQL process; and its imports of real files.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { diskFiles } from '../disk/files.ts'
import { eventRow, inWorld, lakeSuite, type LakeWorld, rowsOf } from '../lake.suite.ts'
import { type DuckdbLakeOptions, openDuckdbLake } from './lake.ts'

function world(): LakeWorld {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-lake-'))
  return {
    open: async () => openDuckdbLake({ folder, files: diskFiles(), clock: systemClock, log: silentLog }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function memoryWorld(settings: Partial<DuckdbLakeOptions> = {}): LakeWorld {
  return {
    open: async () => openDuckdbLake({ folder: undefined, files: diskFiles(), clock: systemClock, log: silentLog, ...settings }),
    remove: () => undefined,
  }
}

lakeSuite('duckdb', world)
lakeSuite('duckdb in memory', memoryWorld)

const POSITIONS = 'SELECT position FROM events ORDER BY 1'

test('in memory the oldest rows give way beyond the limit, in the SQL process as well', () =>
  inWorld(() => memoryWorld({ chunkBytes: 1, memoryRowsBytes: 1000 }))(async (lake) => {
    for (let position = 1; position <= 10; position++) {
      await lake.append({ rows: [eventRow(position, { at: position })], upTo: position + 1 })
      await lake.flush()
      if (position === 5) await rowsOf(lake, POSITIONS)
    }
    const left = (await rowsOf(lake, POSITIONS)).map(([position]) => position)
    assert.ok(left.length >= 2 && left.length < 10, String(left))
    assert.deepEqual(left, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].slice(-left.length))
  }))

test('an import survives a restart, and what it knows as imported does as well', () =>
  inWorld(world)(async (lake, files, open) => {
    const record = (id: number): string => `{"eventID":"${id}","eventName":"X","eventTime":"2025-01-01T00:00:00Z"}`
    const many = Array.from({ length: 3000 }, (_, id) => record(id))
    writeFileSync(join(files, '1_CloudTrail_x.json.gz'), gzipSync(`{"Records":[${many.join(',')}]}`))
    const progress: number[] = []
    const first = await lake.importPaths([files], { onProgress: ({ records }) => progress.push(records) })
    assert.deepEqual([first.imported, progress.at(-1)], [3000, 3000])
    await lake.close()
    const again = await open()
    assert.deepEqual(await rowsOf(again, 'SELECT count(*), count(DISTINCT eventid), max(event_time) FROM events'), [
      [3000, 3000, '2025-01-01 00:00:00'],
    ])
    writeFileSync(join(files, '2.json'), `[${record(2999)},${record(3000)}]`)
    const second = await again.importPaths([files])
    assert.deepEqual([second.imported, second.duplicates], [1, 3001])
    assert.deepEqual(await rowsOf(again, 'SELECT count(*) FROM events'), [[3001]])
  }))

test('a gzip that breaks off or unpacks to too much is skipped whole and named', () =>
  inWorld(world)(async (lake, files) => {
    const record = '{"eventID":"1","eventName":"X"}'
    const whole = gzipSync(`{"Records":[${record}]}`)
    writeFileSync(join(files, 'cut.json.gz'), whole.subarray(0, whole.length - 6))
    writeFileSync(
      join(files, 'bomb.json.gz'),
      gzipSync(Buffer.concat([Buffer.from(`{"Records":[${record},`), Buffer.alloc(64 * 1024 * 1024, ' ')])),
    )
    const result = await lake.importPaths([files])
    assert.deepEqual([result.imported, result.skippedFiles], [0, 2])
    assert.match(result.skipped[0]?.reason ?? '', /unpacks to more than 250 times its size/)
    assert.match(result.skipped[1]?.reason ?? '', /broken gzip: unexpected end of file/)
  }))
