import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness, type Harness } from '../../tests/harness.ts'
import { eventsOf } from '../model/acts.ts'
import { Table } from '../model/tables.ts'
import { sts } from '../services/sts/index.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import { lastCensus } from './census.ts'
import { type Life, openLife } from './life.ts'
import { downSpans } from './life-rows.ts'

const START = {
  ...{ version: '1.0.0', nodeVersion: '26', dataFormat: 1, recoveredFrames: 0, isFirst: true },
  ...{ settings: { 'a.b': 1, 'c.d': 'secret' }, defaults: { 'a.b': 1, 'c.d': undefined } },
}
const FOLDER = '/data'

async function worldOf() {
  const world = await createHarness(() => ({ sts }))
  const files = memoryFiles()
  files.makeFolder(FOLDER)
  const open = (): Promise<Life> => openLife({ env: world.env, census: world.census, files, folder: FOLDER })
  return { ...world, files, open }
}

async function actsOf({ events }: Pick<Harness, 'events'>): Promise<[string, Record<string, unknown>][]> {
  const acts = (await events()).filter(({ record }) => record['eventType'] === 'SealcastServerEvent')
  return acts.map(({ record }) => [String(record['eventName']), record['serviceEventDetails'] as Record<string, unknown>])
}

const namesOf = async (world: Harness): Promise<string[]> => (await actsOf(world)).map(([name]) => name)
const call = (world: Harness): Promise<unknown> => world.call('sts', 'GetCallerIdentity')

test('start and stop are on the record, and the stop is the last commit', async () => {
  const world = await worldOf()
  const life = await world.open()
  await life.begin(START)
  await call(world)
  world.clock.advance(90_000)
  await life.end('SIGTERM')
  assert.deepEqual(await namesOf(world), ['ServerStarted', 'Census', 'ServerStopped'])
  const [, census, stopped] = await actsOf(world)
  assert.deepEqual(census?.[1]['calls'], { aws: 1, own: 0, unsigned: 0, refusedSignature: 0 })
  assert.deepEqual(stopped?.[1], { reason: 'SIGTERM', uptimeSeconds: 90 })
  assert.equal((await world.events()).at(-1)?.record['eventName'], 'ServerStopped')
  assert.deepEqual(
    downSpans(world.env.tables).map(({ cause, to }) => [cause, to === undefined]),
    [
      ['not set up', false],
      ['stopped', true],
    ],
  )
  await world.close()
})

test('a life that ended without a word is a crash: down from its last event, its calls taken from the events they left', async () => {
  const world = await worldOf()
  const first = await world.open()
  await first.begin(START)
  await call(world)
  world.clock.advance(30_000)
  await call(world)
  const lastAlive = world.clock.now()
  world.clock.advance(5_000)
  // Its counts die with it.
  world.census.taken()
  await (await world.open()).begin({ ...START, isFirst: false })
  const crash = (await actsOf(world)).find(([name]) => name === 'ServerCrashed')
  assert.equal(crash?.[1]['aliveAt'], new Date(lastAlive).toISOString())
  assert.deepEqual(crash[1]['eventsSinceCensus'], { aws: 2, own: 0 })
  const { total } = lastCensus(world.env.tables)
  assert.deepEqual([total.aws, total.assumed, eventsOf(total)], [2, 2, 2])
  const span = downSpans(world.env.tables).find(({ cause }) => cause === 'crashed')
  assert.deepEqual([span?.from, span?.to], [lastAlive, world.clock.now()])
  await world.close()
})

test('an idle server that crashes was alive at its last sign of life, which comes each minute and without an event', async () => {
  const world = await worldOf()
  await (await world.open()).begin(START)
  world.clock.advance(10 * 60_000 + 30_000)
  const events = (await world.events()).length
  assert.equal(events, 1)
  await world.open()
  const alive = Date.parse(String((await actsOf(world)).find(([name]) => name === 'ServerCrashed')?.[1]['aliveAt']))
  assert.ok(world.clock.now() - alive < 70_000)
  await world.close()
})

test('a census comes every five minutes with calls, and says what was served since the last', async () => {
  const world = await worldOf()
  const life = await world.open()
  await life.begin(START)
  for (let minute = 0; minute < 11; minute++) {
    await call(world)
    world.clock.advance(60_000)
  }
  const censuses = (await actsOf(world)).filter(([name]) => name === 'Census')
  assert.equal(censuses.length, 2)
  await life.end('SIGTERM')
  const all = (await actsOf(world)).filter(([name]) => name === 'Census').map(([, details]) => details as { events: number })
  assert.equal(
    all.reduce((sum, { events }) => sum + events, 0),
    11,
  )
  assert.equal((all.at(-1) as unknown as { total: { events: number } }).total.events, 11)
  await world.close()
})

test('a version, settings and a clock that went back are told; values are not', async () => {
  const world = await worldOf()
  const first = await world.open()
  await first.begin(START)
  world.clock.advance(1000)
  await first.end('SIGTERM')
  const second = await world.open()
  world.clock.advance(5000)
  await second.begin({ ...START, version: '1.1.0', settings: { 'a.b': 2, 'c.d': 'secret' } })
  const acts = new Map(await actsOf(world))
  assert.deepEqual(acts.get('VersionChanged'), { from: '1.0.0', to: '1.1.0' })
  assert.deepEqual(acts.get('ConfigurationChanged'), { changedKeys: ['a.b'] })
  assert.ok(!JSON.stringify([...acts]).includes('secret'))
  assert.ok(!JSON.stringify(world.env.tables.get(Table.acts, 'life')).includes('secret'))
  assert.equal(downSpans(world.env.tables).at(-1)?.cause, 'version change')
  await world.close()
})

test('a clock that jumps is told; forward, the span between was not recorded', async () => {
  const world = await worldOf()
  let shift = 0
  const clock = {
    now: () => world.clock.now() + shift,
    monotonic: () => world.clock.monotonic(),
    after: (ms: number, run: () => void) => world.clock.after(ms, run),
  }
  const life = await openLife({ env: { ...world.env, clock }, census: world.census, files: world.files, folder: FOLDER })
  await life.begin(START)
  const jumps = async () => {
    // Its answer comes when all before it is durable.
    await call(world)
    return (await actsOf(world)).flatMap(([name, details]) => (name === 'ClockJumped' ? [details['seconds']] : []))
  }
  shift = 1_000
  world.clock.advance(10_000)
  assert.deepEqual(await jumps(), [], 'a second is slewing')
  shift += 3_600_000
  world.clock.advance(10_000)
  shift -= 7_200_000
  world.clock.advance(10_000)
  assert.deepEqual(await jumps(), [3600, -7200])
  const [, jumped, ...others] = downSpans(world.env.tables)
  assert.deepEqual([jumped?.cause, (jumped?.to ?? 0) - (jumped?.from ?? 0), others.length], ['clock jumped', 3_600_000, 0])
  await world.close()
})

test('low disk is entered and left once each; a journal that failed is found by the next start', async () => {
  const world = await worldOf()
  const life = await world.open()
  await life.begin(START)
  for (const isLow of [true, true, false, false]) life.lowDisk(isLow, 5)
  world.clock.advance(1000)
  life.failed(new Error('EIO: the disk is gone'))
  const failedAt = world.clock.now()
  world.clock.advance(60_000)
  await world.open()
  const acts = (await actsOf(world)).filter(([name]) => name.startsWith('ReadOnly'))
  assert.deepEqual(
    acts.map(([name, details]) => [name, details['reason']]),
    [
      ['ReadOnlyEntered', 'low disk'],
      ['ReadOnlyLeft', 'low disk'],
      ['ReadOnlyEntered', 'journal failure'],
    ],
  )
  const open = downSpans(world.env.tables).at(-1)
  assert.deepEqual([open?.cause, open?.from], ['read-only', failedAt])
  assert.deepEqual(world.files.list(FOLDER), [], 'the note is gone once it is told')
  await world.close()
})

test('a restore is told once, begins a lineage of its own, and shows what is missing', async () => {
  const world = await worldOf()
  await (await world.open()).begin(START)
  const before = world.env.tables.get(Table.acts, 'lineage')
  const takenAt = world.clock.now()
  world.clock.advance(3_600_000)
  const note = { lineage: 'new', generation: 3, takenAt, position: 77, from: 'old', restoredAt: world.clock.now() }
  const leave = (): void => {
    const file = world.files.open(`${FOLDER}/restored.json`, 'create')
    const bytes = Buffer.from(JSON.stringify(note))
    file.write(bytes, 0, bytes.length, 0)
    file.close()
  }
  leave()
  await world.open()
  // As if the process had died before it removed the file.
  leave()
  const life = await world.open()
  await life.begin(START)
  const restored = (await actsOf(world)).filter(([name]) => name === 'Restored')
  assert.equal(restored.length, 1)
  assert.ok(!(await namesOf(world)).includes('ServerCrashed'))
  assert.deepEqual(restored[0]?.[1]['missing'], {
    from: new Date(takenAt).toISOString(),
    to: new Date(world.clock.now()).toISOString(),
    behindPosition: 77,
  })
  const lineage = world.env.tables.get(Table.acts, 'lineage')
  assert.ok(lineage?.kind === 'lineage' && before?.kind === 'lineage')
  assert.deepEqual([lineage.id, lineage.number, lineage.directory], ['new', 2, before.directory])
  assert.equal(downSpans(world.env.tables).at(-1)?.cause, 'restored')
  await world.close()
})
