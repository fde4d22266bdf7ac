// What every lake owes, whatever it is made of. `open` gives the lake of one world again and again: with what was flushed, where it is
// durable.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { EventClass } from '../model/entry.ts'
import type { SqlValue } from '../model/sql-rows.ts'
import { type Lake, LakeQueryError, type LakeQueryFailure, type LakeRow } from './lake.ts'

export interface LakeWorld {
  readonly open: () => Promise<Lake>
  readonly remove: () => void
}

export const ARRIVED = Date.UTC(2026, 0, 2, 3, 4, 5)

export function eventRow(position: number, fields: Readonly<Record<string, unknown>> = {}): LakeRow {
  const record = {
    eventVersion: '1.11',
    eventTime: '2026-01-02T03:04:05Z',
    eventSource: 'sns.amazonaws.com',
    eventName: 'Publish',
    ...fields,
  }
  return recordRow(position, JSON.stringify(record))
}

export function recordRow(position: number, json: string): LakeRow {
  return { kind: 'event', position, class: EventClass.aws, arrivedAt: ARRIVED + 0.25, committedAt: ARRIVED + 2.5, json: Buffer.from(json) }
}

export async function rowsOf(lake: Lake, sql: string, options = {}): Promise<readonly (readonly SqlValue[])[]> {
  const result = await lake.query(sql, options)
  const rows: (readonly SqlValue[])[] = []
  for await (const batch of result.batches) rows.push(...batch)
  return rows
}

export async function refusedWith(lake: Lake, sql: string, kind: LakeQueryFailure, message: RegExp, options = {}): Promise<void> {
  await assert.rejects(rowsOf(lake, sql, options), (error: unknown) => {
    assert.ok(error instanceof LakeQueryError, `${sql}: ${String(error)}`)
    assert.equal(error.kind, kind, `${sql}: ${error.message}`)
    assert.match(error.message, message, sql)
    return true
  })
}

/** Runs `use` in a world of its own, with a folder beside it for files to import. */
export function inWorld(world: () => LakeWorld) {
  return async (use: (lake: Lake, files: string, open: () => Promise<Lake>) => Promise<void>): Promise<void> => {
    const { open, remove } = world()
    const files = mkdtempSync(join(tmpdir(), 'sealcast-import-'))
    const opened: Lake[] = []
    const openAnother = async (): Promise<Lake> => {
      const lake = await open()
      opened.push(lake)
      return lake
    }
    try {
      await use(await openAnother(), files, openAnother)
    } finally {
      for (const lake of opened) await lake.close()
      rmSync(files, { recursive: true, force: true })
      remove()
    }
  }
}

export function lakeSuite(backend: string, world: () => LakeWorld): void {
  const withLake = inWorld(world)

  test(`${backend}: what is appended is in the next query, events and attempts in their own tables, with times and positions`, () =>
    withLake(async (lake) => {
      assert.deepEqual(await rowsOf(lake, 'SELECT count(*) FROM events'), [[0]])
      const attempt = {
        deliveryId: 'd1',
        attempt: 2,
        startedAt: ARRIVED,
        durationMs: 7.5,
        status: 503,
        outcome: 'retry',
        topicArn: 'arn:t',
      }
      await lake.append({
        rows: [
          eventRow(8, { awsRegion: 'eu-west-1', userIdentity: { type: 'Root', accountId: '000000000000' } }),
          { kind: 'attempt', position: 20, json: Buffer.from(JSON.stringify(attempt)) },
        ],
        upTo: 30,
      })
      assert.equal(lake.appended, 30)
      const events =
        'SELECT event_class, position, event_time, arrived_at, committed_at, duration_ms, awsregion, useridentity.type FROM events'
      assert.deepEqual(await rowsOf(lake, events), [
        ['aws', 8, '2026-01-02 03:04:05', '2026-01-02 03:04:05.00025', '2026-01-02 03:04:05.0025', 2.25, 'eu-west-1', 'Root'],
      ])
      const deliveries =
        'SELECT delivery_id, attempt, started_at, duration_ms, status, outcome, topic_arn, next_attempt_at, position FROM deliveries'
      assert.deepEqual(await rowsOf(lake, deliveries), [['d1', 2, '2026-01-02 03:04:05', 7.5, 503, 'retry', 'arn:t', null, 20]])
      await lake.append({ rows: [eventRow(30)], upTo: 40 })
      assert.deepEqual(await rowsOf(lake, 'SELECT position FROM events ORDER BY 1'), [[8], [30]])
    }))

  test(`${backend}: a batch that comes again, whole or in part, before and after a flush, changes nothing`, () =>
    withLake(async (lake) => {
      const batch = { rows: [eventRow(10), eventRow(20)], upTo: 30 }
      await Promise.all([lake.append(batch), lake.append(batch)])
      await rowsOf(lake, 'SELECT count(*) FROM events')
      await lake.append(batch)
      await lake.flush()
      assert.equal(lake.checkpoint, 30)
      await lake.append({ rows: [eventRow(20), eventRow(30)], upTo: 40 })
      await lake.append(batch)
      assert.deepEqual(await rowsOf(lake, 'SELECT position FROM events ORDER BY 1'), [[10], [20], [30]])
      assert.equal(lake.appended, 40)
    }))

  test(`${backend}: a record with fields of any type comes in, and eventjson is what was written`, () =>
    withLake(async (lake) => {
      const odd = [
        '{"eventName":"a","userIdentity":"HIDDEN","requestParameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}',
        '{"eventName":"b","userIdentity":null,"resources":null,"tlsDetails":[1],"addendum":7,"readOnly":true,"eventVersion":1.08}',
        '{"eventName":{"x":[1]},"eventTime":1689,"userIdentity":{"type":{"deep":1},"sessionContext":"no"},"resources":[0,"x",{"ARN":5}]}',
        '{"eventName":"d","requestParameters":{"a" : [1, 2.50],"big":12345678901234567890,"e":"\\u00e9\\/"},"responseElements":[]}',
        '{"eventName":"e","half":"\\ud83d","userIdentity":{"userName":"caf\u00e9 \u65e5\u672c"}}',
        '{"eventName":"f","eventTime":"yesterday","errorMessage":"a\\u0000b\\nc","userIdentity":[]}',
        '[]',
        'not json at all',
      ]
      await lake.append({ rows: odd.map((json, at) => recordRow(at + 1, json)), upTo: 100 })
      const rows = await rowsOf(lake, 'SELECT eventjson FROM events ORDER BY position')
      assert.deepEqual(
        rows.map(([json]) => json),
        odd,
      )
      const fields =
        'SELECT eventname, event_time, requestparameters, readonly, eventversion, useridentity.type FROM events ORDER BY position'
      assert.deepEqual(await rowsOf(lake, fields), [
        ['a', null, 'HIDDEN_DUE_TO_SECURITY_REASONS', null, null, null],
        ['b', null, null, 'true', '1.08', null],
        ['{"x":[1]}', null, null, null, null, '{"deep":1}'],
        ['d', null, '{"a":[1,2.5],"big":12345678901234567890,"e":"é/"}', null, null, null],
        ['e', null, null, null, null, null],
        ['f', null, null, null, null, null],
        [null, null, null, null, null, null],
        [null, null, null, null, null, null],
      ])
      assert.deepEqual(await rowsOf(lake, "SELECT useridentity.username FROM events WHERE eventname = 'e'"), [['café 日本']])
    }))

  test(`${backend}: values come as JSON has them, whole where a double would round`, () =>
    withLake(async (lake) => {
      const sql =
        "SELECT 9007199254740991 AS a, 9007199254740993 AS b, 1.5::DECIMAL(38,2) AS c, 'NaN'::DOUBLE AS d, [1, NULL] AS e, " +
        "{'x': [true]} AS f, " +
        "MAP {'k': 1} AS g, TIMESTAMP '2026-01-02 03:04:05.5' AS h, NULL AS i, 'é' AS j"
      assert.deepEqual(await rowsOf(lake, sql), [
        [9007199254740991, '9007199254740993', 1.5, 'NaN', [1, null], { x: [true] }, { k: 1 }, '2026-01-02 03:04:05.5', null, 'é'],
      ])
      const { columns, batches } = await lake.query('SELECT 1 AS a, 2.5::DOUBLE AS a, now()::TIMESTAMP AS t')
      for await (const _ of batches) continue
      assert.deepEqual(
        columns.map(({ type }) => type),
        ['INTEGER', 'DOUBLE', 'TIMESTAMP'],
      )
    }))

  test(`${backend}: a large result comes in batches, is cut where asked, and may be left early`, () =>
    withLake(async (lake) => {
      const rows = await rowsOf(lake, 'SELECT range FROM range(50000)')
      assert.equal(rows.length, 50_000)
      assert.deepEqual(rows[49_999], [49_999])
      const cut = await lake.query('SELECT range FROM range(50000)', { rowsMax: 3000 })
      let count = 0
      for await (const batch of cut.batches) count += batch.length
      assert.deepEqual([count, cut.truncated()], [3000, true])
      const exact = await lake.query('SELECT range FROM range(3000)', { rowsMax: 3000 })
      for await (const _ of exact.batches) continue
      assert.equal(exact.truncated(), false)
      const left = await lake.query('SELECT range FROM range(100000000)')
      for await (const _ of left.batches) break
      assert.deepEqual(await rowsOf(lake, 'SELECT 1'), [[1]])
    }))

  test(`${backend}: only one SELECT over the lake's own tables runs; everything else is refused by name`, () =>
    withLake(async (lake, files) => {
      writeFileSync(join(files, 'secret.csv'), 'a,b\n1,2\n')
      const path = join(files, 'secret.csv')
      const refused: readonly (readonly [string, RegExp])[] = [
        [`SELECT * FROM read_csv('${path}')`, /read_csv\(\) is not allowed/],
        [`SELECT * FROM read_text('${path}')`, /read_text\(\)/],
        [`SELECT * FROM read_blob('${path}')`, /read_blob\(\)/],
        [`SELECT * FROM read_parquet('x')`, /read_parquet\(\)/],
        [`SELECT * FROM glob('/*')`, /glob\(\)/],
        [`SELECT * FROM '${path}'`, /There is no table/],
        [`FROM "${path}"`, /There is no table/],
        [`WITH "${path}" AS (SELECT * FROM "${path}") SELECT * FROM "${path}"`, /There is no table/],
        [`SELECT (SELECT max(content) FROM read_text('${path}'))`, /read_text\(\)/],
        [`SELECT * FROM events WHERE eventname IN (SELECT content FROM read_text('${path}'))`, /read_text\(\)/],
        [`WITH a AS (SELECT * FROM read_csv('${path}')) SELECT * FROM a`, /read_csv\(\)/],
        [`SELECT * FROM query('SELECT 1')`, /query\(\)/],
        [`SELECT * FROM query_table('recent_events')`, /query_table\(\)/],
        [`SELECT * FROM json_execute_serialized_sql('{}')`, /json_execute_serialized_sql\(\)/],
        [`SELECT * FROM duckdb_settings()`, /duckdb_settings\(\)/],
        [`SELECT * FROM duckdb_settings`, /There is no table "duckdb_settings"/],
        [`WITH duckdb_tables AS (SELECT * FROM duckdb_tables) SELECT * FROM duckdb_tables`, /There is no table "duckdb_tables"/],
        [`SELECT (WITH recent_events AS (SELECT 1) SELECT 1), * FROM recent_events`, /There is no table "recent_events"/],
        [`SELECT * FROM recent_events`, /There is no table "recent_events"/],
        [`SELECT * FROM information_schema.tables`, /There is no table "information_schema.tables"/],
        [`SELECT * FROM other.main.events`, /There is no table "other.main.events"/],
        [`SELECT current_setting('allowed_directories')`, /current_setting\(\)/],
        [`SELECT write_log('x')`, /write_log\(\)/],
        [`SELECT getenv('PATH')`, /getenv\(\)/],
        [`SELECT 1; SELECT 2`, /One statement at a time, not 2/],
        [`SHOW TABLES`, /SHOW is not allowed/],
        ...[
          `ATTACH '${path}' AS other`,
          `COPY events TO '${path}'`,
          `COPY (SELECT 1) TO '${path}'`,
          `INSTALL httpfs`,
          `LOAD httpfs`,
          `PRAGMA database_list`,
          `SET memory_limit = '10GB'`,
          `RESET memory_limit`,
          `CALL pragma_version()`,
          `CREATE TABLE t AS SELECT 1`,
          `CREATE MACRO events() AS TABLE SELECT 1`,
          `INSERT INTO events SELECT 1`,
          `DELETE FROM deliveries`,
          `DROP VIEW events`,
          `EXPORT DATABASE '${files}'`,
          `EXPLAIN ANALYZE SELECT 1`,
          `PREPARE p AS SELECT 1`,
          `USE memory`,
          `CHECKPOINT`,
          `BEGIN`,
        ].map((sql) => [sql, /Only SELECT statements are allowed/] as const),
      ]
      for (const [sql, message] of refused) await refusedWith(lake, sql, 'refused', message)
      const allowed = [
        'SELECT count(*) FROM events AS e, unnest(e.resources) AS t(r);',
        'WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (SELECT * FROM a) SELECT * FROM b JOIN main.events ON true',
        'WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 3) SELECT * FROM r',
        'DESCRIBE events',
        'SUMMARIZE deliveries',
        'VALUES (1)',
        'TABLE deliveries',
        'SELECT row_number() OVER (ORDER BY position) FROM EVENTS UNION SELECT 1',
      ]
      for (const sql of allowed) await rowsOf(lake, sql)
    }))

  test(`${backend}: a wrong statement is told what is wrong, a long one is stopped, a greedy one gets no more than it may`, () =>
    withLake(async (lake) => {
      await refusedWith(lake, 'SELEC 1', 'invalid', /syntax error at or near "SELEC"/)
      await refusedWith(lake, '', 'invalid', /empty/)
      await refusedWith(lake, 'SELECT eventnam FROM events', 'invalid', /"eventnam" not found[^]*eventname/)
      await refusedWith(lake, "SELECT 'x'::INTEGER", 'invalid', /Conversion Error/)
      await refusedWith(lake, 'SELECT count(*) FROM range(1000000) a, range(1000000) b', 'timeout', /longer than 50 ms/, { timeoutMs: 50 })
      await refusedWith(lake, 'SELECT list(a.range) FROM range(100000000) a', 'resources', /memory/i)
      assert.deepEqual(await rowsOf(lake, 'SELECT 1'), [[1]])
    }))

  test(`${backend}: an import takes every shape of CloudTrail file, names what it cannot use, and twice is once`, () =>
    withLake(async (lake, files) => {
      const record = (id: string, more = {}): string =>
        JSON.stringify({
          eventID: id,
          eventTime: '2025-05-05T05:05:05Z',
          eventName: 'X',
          eventSource: 's3.amazonaws.com',
          recipientAccountId: '1',
          ...more,
        })
      mkdirSync(join(files, 'deep', 'CloudTrail-Digest'), { recursive: true })
      writeFileSync(join(files, 'a.json'), `{"Records":[${record('1')},\n  ${record('2')}]}`)
      writeFileSync(join(files, 'deep', 'b.json'), `[${record('3')},5,{"no":"event"},${record('1')}]`)
      writeFileSync(join(files, 'c.jsonl'), `${record('4')}\n${record('1', { recipientAccountId: '2' })}\n{"eventName":"no id", "b":1}\n`)
      writeFileSync(join(files, 'd.json'), '{"b":1,"eventName":"no id"}')
      writeFileSync(join(files, 'deep', 'CloudTrail-Digest', 'e.json'), '{"digestStartTime":"x"}')
      writeFileSync(join(files, 'f.json.gz'), 'no gzip')
      writeFileSync(join(files, 'g.json'), `{"Records":[${record('9')},`)
      writeFileSync(join(files, 'h.txt'), 'not looked at')
      const first = await lake.importPaths([files], { importedAt: ARRIVED })
      const { skipped, rejections, ...counts } = first
      assert.deepEqual(counts, { files: 7, records: 10, imported: 6, duplicates: 2, rejected: 2, skippedFiles: 3 })
      assert.deepEqual(
        skipped.map(({ path, reason }) => [path.slice(files.length + 1), reason]),
        [
          ['deep/CloudTrail-Digest/e.json', 'a digest file: it seals log files and holds no events'],
          ['f.json.gz', 'not JSON: "no gzip" at byte 0'],
          ['g.json', 'the file ends in the middle of its list of records'],
        ],
      )
      assert.deepEqual(
        rejections.map(({ path, index, reason }) => [path.slice(files.length + 1), index, reason.slice(0, 20)]),
        [
          ['deep/b.json', 1, 'not an object but a '],
          ['deep/b.json', 2, 'no CloudTrail record'],
        ],
      )
      const imported = 'SELECT eventid, recipientaccountid, event_class, position, duration_ms, arrived_at FROM events ORDER BY 1, 2'
      const expected = [
        ['1', '1'],
        ['1', '2'],
        ['2', '1'],
        ['3', '1'],
        ['4', '1'],
        [null, null],
      ].map((row) => [...row, 'imported', null, null, '2026-01-02 03:04:05'])
      assert.deepEqual(await rowsOf(lake, imported), expected)
      const again = await lake.importPaths([files])
      assert.deepEqual([again.imported, again.duplicates, again.records], [0, 8, 10])
      assert.deepEqual(await rowsOf(lake, imported), expected)
      await assert.rejects(lake.importPaths([join(files, 'absent')]), /absent/)
    }))

  test(`${backend}: what is old goes by whole files, and the positions stay`, () =>
    withLake(async (lake) => {
      await lake.append({ rows: [eventRow(1), eventRow(2)], upTo: 10 })
      await lake.flush()
      assert.deepEqual(await lake.expire({ beforeMs: ARRIVED }), { files: 0, bytes: 0 })
      assert.ok(lake.bytes() > 0)
      const young = eventRow(11)
      assert.ok(young.kind === 'event')
      await lake.append({ rows: [{ ...young, committedAt: ARRIVED + 10_000 }], upTo: 20 })
      await lake.flush()
      assert.equal((await lake.expire({ beforeMs: ARRIVED + 5000 })).files, 1)
      assert.deepEqual(await rowsOf(lake, 'SELECT position FROM events'), [[11]])
      assert.equal((await lake.expire({ bytesMax: 0 })).files, 1)
      assert.deepEqual(await rowsOf(lake, 'SELECT position FROM events'), [])
      assert.deepEqual([lake.checkpoint, lake.appended, lake.bytes()], [20, 20, 0])
    }))
}
