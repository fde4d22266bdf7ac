// What happens around a trail's delivery: a disk that is full at any write on its way, and a clock that goes back and jumps over the hour.
// Nothing is lost, and nothing stands twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import type { Blobs } from '../src/storage/blobs.ts'
import { memoryBlobs } from '../src/storage/memory/blobs.ts'
import { type Fault, memoryFiles } from '../src/storage/memory/files.ts'
import { assertComplete, EVERYTHING, files, INTERVAL_SECONDS, makeTrail, MANAGEMENT, withWorld, type World } from './trail-world.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const HOUR_MS = 3_600_000
const CATEGORIES = ['Management', 'Data']

const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

async function begin(world: World): Promise<void> {
  await makeTrail(world)
  await world.call('cloudtrail', 'PutEventSelectors', { TrailName: 'all', AdvancedEventSelectors: [MANAGEMENT, ...EVERYTHING] })
  await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
}

/** Calls and deliveries; what is refused meanwhile is refused. */
async function goOn(world: World): Promise<void> {
  for (const Name of ['first', 'second', 'third']) {
    await world.call('sns', 'CreateTopic', { Name }).catch(() => {})
    await world.pass(INTERVAL_SECONDS)
  }
}

/** Blobs of which the n-th write from now on meets a full disk. */
function blobsThatFill(): Blobs & { fillAt: number; writes: number } {
  const blobs = memoryBlobs({ clock: new SimulatedClock(NOW), random: seededRandom(9) })
  const filling = {
    ...blobs,
    fillAt: Infinity,
    writes: 0,
    write(...given: Parameters<Blobs['write']>) {
      if (++filling.writes !== filling.fillAt) return blobs.write(...given)
      return Promise.reject(full())
    },
  }
  return filling
}

test('a disk that is full at any write of a blob: the files come when there is room', async () => {
  for (let fillAt = 1; ; fillAt++) {
    const blobs = blobsThatFill()
    await withWorld(begun, undefined, {}, { blobs })
    async function begun(world: World): Promise<void> {
      await begin(world)
      Object.assign(blobs, { fillAt, writes: 0 })
      await goOn(world)
      blobs.fillAt = Infinity
      await world.pass(400)
      await assertComplete(world, CATEGORIES)
    }
    if (blobs.writes < fillAt) return
    assert.ok(fillAt < 20)
  }
})

const FAULTS = ['ENOSPC', 'short', 'EIO'] satisfies Fault[]

test("a journal that cannot be written at any write of a trail's way: after the restart every event has its file", async () => {
  for (let failAt = 1; ; failAt++) {
    const disk = memoryFiles({ simulate: true })
    disk.makeFolder('/journal')
    const blobs = memoryBlobs({ clock: new SimulatedClock(NOW), random: seededRandom(9) })
    let calls = 0
    const run = async (world: World): Promise<void> => {
      await begin(world)
      const fault = FAULTS[failAt % FAULTS.length]
      disk.fault = () => (++calls === failAt ? fault : undefined)
      await goOn(world)
      disk.fault = undefined
      // A short write is gone on with; after the others nothing is taken until the restart.
      if (calls >= failAt && fault !== 'short')
        await assert.rejects(world.call('sns', 'CreateTopic', { Name: 'late' }), { code: 'ServiceUnavailable' })
    }
    await withWorld(run, undefined, {}, { files: disk, blobs, seed: 1 }).catch((error: unknown) => {
      // A journal that failed fails to close, too.
      if (calls < failAt || error instanceof assert.AssertionError) throw error
    })
    disk.restart()
    const again = (world: World): Promise<void> => assertComplete(world, CATEGORIES)
    await withWorld(again, undefined, {}, { files: disk, blobs, seed: 2, now: NOW + HOUR_MS })
    if (calls < failAt) {
      assert.ok(failAt > 12, 'before, in and after each round and delivery')
      return
    }
    assert.ok(failAt < 100)
  }
})

test('a clock that goes back and jumps over the hour loses no event and writes no file twice', () =>
  withWorld(async (world) => {
    await begin(world)
    const { clock } = world.server
    for (const [at, jump] of [-2 * HOUR_MS, 3 * HOUR_MS, -1000, HOUR_MS, -26 * HOUR_MS, 49 * HOUR_MS].entries()) {
      await world.call('sns', 'CreateTopic', { Name: `before-${at}` })
      clock.jump(jump)
      await world.call('sns', 'CreateTopic', { Name: `behind-${at}` })
      await world.pass(INTERVAL_SECONDS + 1)
    }
    await assertComplete(world, CATEGORIES)
    const written = await files(world)
    assert.ok(written.length >= 6)
    const keys = (await world.files()).map(({ key }) => key)
    const days = new Set(keys.map((key) => /us-east-1\/(\d{4}\/\d\d\/\d\d)\//.exec(key)?.[1]))
    assert.deepEqual(days, new Set(['2026/01/01', '2026/01/02', '2026/01/03']))
    // Each lies under the day that its name bears.
    for (const key of keys) assert.ok(key.includes(`/${/_(\d{4})(\d\d)(\d\d)T/.exec(key)?.slice(1).join('/')}/`), key)
  }))
