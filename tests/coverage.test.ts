// Coverage over simulated hours: what each minute was for the record and for trails, and by whom.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import { createLive } from '../src/engine/live.ts'
import { type Life, openLife } from '../src/engine/life.ts'
import { createLakeFollower } from '../src/followers/lake.ts'
import { COVERAGE_STATES, type CoverageSpan, coverageOf, MINUTE_MS } from '../src/model/coverage.ts'
import { leftOutBy } from '../src/model/trail-coverage.ts'
import { operatorPrincipal, rootPrincipal } from '../src/model/principal.ts'
import type { CoverageReport } from '../src/services/sealcast/coverage.ts'
import type { SealcastParts } from '../src/services/sealcast/operation.ts'
import { createSealcast } from '../src/services/sealcast/index.ts'
import { cloudtrail } from '../src/services/cloudtrail/index.ts'
import { s3 } from '../src/services/s3/index.ts'
import type { Service } from '../src/engine/operation.ts'
import { openDuckdbLake } from '../src/storage/duckdb/lake.ts'
import { memoryFiles } from '../src/storage/memory/files.ts'
import { ACCOUNT, createHarness } from './harness.ts'

const START = {
  ...{ version: '1', nodeVersion: '26', dataFormat: 1, recoveredFrames: 0, isFirst: true },
  ...{ settings: {}, defaults: {} },
}
const BOB = rootPrincipal(ACCOUNT, 'AKIABOB')

async function worldOf(t: TestContext) {
  const lake = openDuckdbLake({
    folder: undefined,
    files: memoryFiles(),
    clock: systemClock,
    log: silentLog,
  })
  const services: Record<string, Service> = { cloudtrail, s3 }
  const world = await createHarness(() => services)
  const { env, clock } = world
  const { journal, tables } = env
  const follower = createLakeFollower({ lake, tables, random: seededRandom(2), journal, clock, log: silentLog })
  services['sealcast'] = createSealcast({
    lake,
    live: createLive(journal),
    caughtUp: () => follower.catchUp(),
  } as unknown as SealcastParts)
  t.after(async () => {
    await follower.stop()
    await lake.close()
    await world.close()
  })
  const minutes = (count: number): void => world.clock.advance(count * MINUTE_MS)
  const open = (): Promise<Life> => openLife({ env, census: world.census, files: memoryFiles(), folder: undefined })
  const report = async (input: object): Promise<CoverageReport> =>
    (await world.call('sealcast', 'Coverage', input, operatorPrincipal('tester', ACCOUNT))) as unknown as CoverageReport
  return { ...world, minutes, open, report }
}

const told = (spans: readonly CoverageSpan[], from: number) =>
  spans.map((span) => [(span.from - from) / MINUTE_MS, (span.to - from) / MINUTE_MS, span.state, span.why?.replace(/ 2026-[^)]*/, '')])

test('each minute of a day: logged, down and why, unselected and by whom', async (t) => {
  const { call, clock, minutes, open, report } = await worldOf(t)
  const start = Math.ceil(clock.now() / MINUTE_MS) * MINUTE_MS
  clock.advance(start - clock.now())
  const first = await open()
  await first.begin(START)
  await call('s3', 'CreateBucket', { Bucket: 'logs' })
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const Statement = [
    { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: 'arn:aws:s3:::logs' },
    { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: 'arn:aws:s3:::logs/AWSLogs/*' },
  ]
  await call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
  minutes(10)
  await call('cloudtrail', 'CreateTrail', { Name: 'main', S3BucketName: 'logs' })
  await call('cloudtrail', 'StartLogging', { Name: 'main' })
  minutes(20)
  await call('cloudtrail', 'StopLogging', { Name: 'main' }, BOB)
  minutes(15)
  await call('cloudtrail', 'StartLogging', { Name: 'main' }, BOB)
  minutes(5)
  await call('cloudtrail', 'PutEventSelectors', {
    TrailName: 'main',
    EventSelectors: [{ ReadWriteType: 'WriteOnly', IncludeManagementEvents: true }],
  })
  minutes(10)
  await first.end('SIGTERM')
  minutes(30)
  const second = await open()
  await second.begin(START)
  minutes(10)
  // It ends without a word, and its last sign of life is a minute old at most.
  clock.advance(30_000)
  const third = await open()
  await third.begin(START)
  minutes(5)

  const { server, trails, from, census } = await report({ From: new Date(start - 5 * MINUTE_MS).toISOString() })
  assert.equal(from, start - 5 * MINUTE_MS)
  assert.equal(census.mismatches.length, 0)
  assert.ok(census.spans >= 3 && census.events >= 7)
  assert.deepEqual(told(server.spans, start), [
    [-5, 0, 'down', 'not set up'],
    [0, 60, 'logged', undefined],
    [60, 90, 'down', 'stopped (SIGTERM)'],
    [90, 100, 'logged', undefined],
    [100, 101, 'down', 'crashed'],
    [101, 106, 'logged', undefined],
  ])
  const [trail, ...others] = trails
  assert.equal(others.length, 0)
  assert.deepEqual(told(trail?.spans ?? [], start).slice(1), [
    [0, 10, 'unselected', 'there was no such trail'],
    [10, 30, 'logged', undefined],
    [30, 45, 'unselected', 'the trail was not logging (StopLogging)'],
    [45, 50, 'logged', undefined],
    [50, 60, 'partly', 'selectors leave out management reads (PutEventSelectors)'],
    [60, 90, 'down', 'stopped (SIGTERM)'],
    [90, 100, 'partly', 'selectors leave out management reads (PutEventSelectors)'],
    [100, 101, 'down', 'crashed'],
    [101, 106, 'partly', 'selectors leave out management reads (PutEventSelectors)'],
  ])
  assert.equal(trail?.spans.find(({ why }) => why?.includes('StopLogging'))?.by, BOB.arn)
  assert.deepEqual(trail.minutes, { logged: 25, partly: 25, unselected: 25, unknown: 0, down: 36 })

  assert.equal((await report({ Region: 'eu-west-1' })).trails.length, 0, 'the trail is of one region')
  assert.equal((await report({ AccountId: '999999999999' })).trails.length, 0)
  await assert.rejects(report({ From: 'yesterday' }), /From: give a time/)
  await assert.rejects(report({ From: '2030-01-01' }), /From: must lie before To/)
})

test('an event that no call accounts for, and a call that left none, are noticed', async (t) => {
  const { call, env, census, open, report, minutes } = await worldOf(t)
  const life = await open()
  await life.begin(START)
  await call('s3', 'CreateBucket', { Bucket: 'one' })
  minutes(6)
  assert.equal((await report({})).census.mismatches.length, 0)
  env.commits.commit((tx) => tx.event({ class: 1, flags: 0, arrivedAt: tx.now, json: '{"eventID":"stray","eventType":"AwsApiCall"}' }))
  minutes(6)
  await call('s3', 'CreateBucket', { Bucket: 'two' })
  census.served('aws', 1)
  census.served('aws', 1)
  census.served('aws', 1)
  minutes(6)
  const { mismatches } = (await report({})).census
  // The stray event and the report's own calls are in the first span, three calls without an event in the second.
  assert.deepEqual(
    mismatches.map(({ told, found }) => found - told),
    [1, -3],
  )
})

test('what selectors leave out of management events', () => {
  const management = { Field: 'eventCategory', Equals: ['Management'] }
  assert.deepEqual(leftOutBy({}), [])
  assert.deepEqual(leftOutBy({ eventSelectors: [{ IncludeManagementEvents: false }] }), ['management reads', 'management writes'])
  assert.deepEqual(leftOutBy({ eventSelectors: [{ ExcludeManagementEventSources: ['kms.amazonaws.com'] }] }), [
    'management events of kms.amazonaws.com',
  ])
  assert.deepEqual(leftOutBy({ advancedEventSelectors: [{ FieldSelectors: [management] }] }), [])
  assert.deepEqual(leftOutBy({ advancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Data'] }] }] }), [
    'management reads',
    'management writes',
  ])
  const readOnly = { Field: 'readOnly', Equals: ['true'] }
  assert.deepEqual(leftOutBy({ advancedEventSelectors: [{ FieldSelectors: [management, readOnly] }] }), ['management writes'])
})

test('whatever marks there are: every minute is told once, and by the worst that holds for a part of it', () => {
  const mark = fc.record({
    from: fc.integer({ min: -100, max: 1000 }).map((second) => second * 10_000),
    length: fc.integer({ min: 1, max: 300 }).map((second) => second * 10_000),
    state: fc.constantFrom(...COVERAGE_STATES),
  })
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 12 }), (drawn) => {
      const marks = drawn.map(({ from, length, state }) => ({ from, to: from + length, state }))
      const to = 120 * MINUTE_MS
      const spans = coverageOf(0, to, marks)
      assert.equal(spans[0]?.from, 0)
      assert.equal(spans.at(-1)?.to, to)
      for (const [at, span] of spans.entries()) assert.equal(span.from, at === 0 ? 0 : spans[at - 1]?.to)
      for (let minute = 0; minute < to; minute += MINUTE_MS) {
        const holding = marks
          .filter((one) => one.from < minute + MINUTE_MS && one.to > minute)
          .map(({ state }) => COVERAGE_STATES.indexOf(state))
        const span = spans.find((one) => one.from <= minute && one.to > minute)
        assert.equal(span?.state, COVERAGE_STATES[Math.max(0, ...holding)])
      }
    }),
  )
})
