// Digests from outside: hourly and chained, from the start of logging to its end, through crashes, refusing buckets and odd clocks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openLife } from '../src/engine/life.ts'
import { Table } from '../src/model/tables.ts'
import { memoryFiles } from '../src/storage/memory/files.ts'
import { writeWholeFile } from '../src/storage/whole-files.ts'
import { createDeath } from './death.ts'
import { bucketObjects, digests, HOUR_SECONDS, startValidating, stride } from './digest-world.ts'
import { BUCKET_POLICY, INTERVAL_SECONDS, makeTrail, turns, withWorld, type World } from './trail-world.ts'

const windows = (read: readonly { readonly start: string; readonly end: string }[]): string[] =>
  read.map(({ start, end }) => `${start.slice(11, 19)} ${end.slice(11, 19)}`)

function createTopic({ call }: World, name: string): Promise<unknown> {
  return call('sns', 'CreateTopic', { Name: name })
}

function rows(world: World): readonly string[] {
  return world.server.env.tables.range(Table.digests, {}).map(({ value }) => value.kind)
}

test('an hourly chain, even when nothing happened, ends with the file of StopLogging and begins anew', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    await stride(world, HOUR_SECONDS)
    await createTopic(world, 'orders')
    await world.call('cloudtrail', 'StopLogging', { Name: 'all' })
    await stride(world, HOUR_SECONDS)
    let read = await digests(world)
    // The stop came 2 h 1 min after the start, and was seen at the next full minute.
    assert.deepEqual(windows(read), ['03:04:05 04:04:05', '04:04:05 05:04:05', '05:04:05 05:06:00'])
    assert.deepEqual(
      read.map(({ previous }) => previous),
      [null, read[0]?.key, read[1]?.key],
    )
    assert.deepEqual(
      read.map(({ logFiles }) => logFiles.length),
      [1, 0, 1],
    )
    await stride(world, HOUR_SECONDS)
    assert.equal((await digests(world)).length, 3, 'without logging there are none')
    assert.deepEqual(rows(world), ['region'])

    await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    read = await digests(world)
    assert.equal(read.at(-1)?.previous, null)
    const status = await world.status()
    assert.ok(status['LatestDigestDeliveryTime'] instanceof Date)
    assert.equal(status['LatestDigestDeliveryError'], undefined)
  }))

test('validation is turned on and off by UpdateTrail', () =>
  withWorld(async (world) => {
    await makeTrail(world)
    await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
    await stride(world, 2 * HOUR_SECONDS)
    assert.deepEqual(rows(world), [])
    const isOn = await world.call('cloudtrail', 'UpdateTrail', { Name: 'all', EnableLogFileValidation: true })
    assert.equal(isOn['LogFileValidationEnabled'], true)
    await createTopic(world, 'orders')
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    const unlisted = (await bucketObjects(world)).filter(({ key }) => key.includes('0305Z')).length
    assert.equal(unlisted, 1, 'a file of before, which no digest lists')
    await world.call('cloudtrail', 'UpdateTrail', { Name: 'all', EnableLogFileValidation: false })
    await stride(world, 3 * HOUR_SECONDS)
    const read = await digests(world, (key) => !key.includes('0305Z'))
    assert.deepEqual(windows(read), ['05:04:05 06:04:05', '06:04:05 06:06:00'])
    assert.equal(read[1]?.logFiles.length, 1, 'the file that tells of the end')
    assert.deepEqual(rows(world), ['region'])
  }))

test('a deleted trail has its final digest, and leaves nothing to do', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, 10 * INTERVAL_SECONDS)
    await world.call('cloudtrail', 'DeleteTrail', { Name: 'all' })
    await stride(world, 3 * INTERVAL_SECONDS)
    const read = await digests(world)
    assert.deepEqual([read.length, read[0]?.logFiles.length], [1, 2])
    assert.deepEqual(rows(world), ['region'])
  }))

test('files that wait for a refusing bucket come into backfill digests, each once, and the status tells', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, HOUR_SECONDS / 2)
    await world.call('s3', 'DeleteBucketPolicy', { Bucket: 'logs' })
    for (let count = 0; count < 4; count++) {
      await createTopic(world, `topic-${count}`)
      await stride(world, HOUR_SECONDS / 2)
    }
    assert.equal((await world.status())['LatestDigestDeliveryError'], 'AccessDenied')
    await world.call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: BUCKET_POLICY })
    await stride(world, HOUR_SECONDS)
    const read = await digests(world)
    const backfill = read.filter(({ isBackfill }) => isBackfill)
    assert.equal(backfill.length, 1)
    assert.ok((backfill[0]?.logFiles.length ?? 0) >= 3)
    assert.equal(read.filter(({ isBackfill }) => !isBackfill).length, 3, 'and an hourly one for each hour')
    const delays = (await world.server.events()).map(({ record }) => record).filter((record) => record['eventName'] === 'LogFileDelayed')
    const delayed = new Set(delays.map((record) => (record['serviceEventDetails'] as Record<string, unknown>)['objectKey']))
    assert.ok(delayed.isSupersetOf(new Set(backfill[0]?.logFiles)), 'each of them is told with its delay')
    for (const record of delays) assert.deepEqual(record['addendum'], { reason: 'DELIVERY_DELAY' })
    assert.equal((await world.status())['LatestDigestDeliveryError'], undefined)
  }))

test('digests for a bucket that is gone go to the one the trail has now', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, HOUR_SECONDS / 2)
    for (const { key } of await bucketObjects(world)) await world.call('s3', 'DeleteObject', { Bucket: 'logs', Key: key })
    await world.call('s3', 'DeleteBucket', { Bucket: 'logs' })
    await stride(world, HOUR_SECONDS)
    assert.equal((await world.status())['LatestDigestDeliveryError'], 'NoSuchBucket')
    await world.call('s3', 'CreateBucket', { Bucket: 'logs-2' })
    await world.call('s3', 'PutBucketPolicy', { Bucket: 'logs-2', Policy: BUCKET_POLICY.replaceAll(':::logs', ':::logs-2') })
    await world.call('cloudtrail', 'UpdateTrail', { Name: 'all', S3BucketName: 'logs-2' })
    await stride(world, HOUR_SECONDS)
    const contents = (await bucketObjects(world, 'logs-2')).filter(({ key }) => key.includes('CloudTrail-Digest'))
    assert.ok(contents.length >= 2)
    for (const { key, body } of contents) {
      const digest = JSON.parse(gunzipSync(body).toString()) as Record<string, unknown>
      assert.deepEqual([digest['digestS3Bucket'], digest['digestS3Object']], ['logs-2', key])
    }
  }))

test('each region of a trail has a chain from its first event on, and at once when logging starts again', () =>
  withWorld(async (world) => {
    await startValidating(world, { IsMultiRegionTrail: true })
    await stride(world, HOUR_SECONDS)
    await world.call('sns', 'ListTopics', {}, { region: 'eu-west-1' })
    await stride(world, 2 * HOUR_SECONDS)
    const inRegion = async (region: string) => windows((await digests(world)).filter((digest) => digest.region === region))
    assert.deepEqual(await inRegion('eu-west-1'), ['04:04:05 05:04:05', '05:04:05 06:04:05'])
    await world.call('cloudtrail', 'UpdateTrail', { Name: 'all', IsMultiRegionTrail: false })
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    assert.deepEqual((await inRegion('eu-west-1')).slice(2), ['06:04:05 06:05:00'])
    await world.call('cloudtrail', 'UpdateTrail', { Name: 'all', IsMultiRegionTrail: true })
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    assert.equal((await inRegion('eu-west-1')).length, 4)
    assert.equal((await digests(world)).filter(({ region, previous }) => region === 'us-east-1' && previous === null).length, 1)
  }))

test('a clock that jumps ahead by hours or goes back makes no gap and no overlap', () =>
  withWorld(async (world) => {
    const { clock } = world.server
    await startValidating(world)
    await stride(world, HOUR_SECONDS / 2)
    clock.jump(5 * HOUR_SECONDS * 1000)
    await createTopic(world, 'after-the-jump')
    await stride(world, 2 * INTERVAL_SECONDS)
    assert.equal((await digests(world)).length, 5, 'one for each hour')
    clock.jump(-3 * HOUR_SECONDS * 1000)
    await createTopic(world, 'in-the-past')
    await stride(world, 2 * HOUR_SECONDS)
    await createTopic(world, 'still-in-the-past')
    await stride(world, 4 * HOUR_SECONDS)
    let read = await digests(world)
    assert.ok(
      read.some(({ isBackfill, logFiles }) => isBackfill && logFiles.length > 0),
      'what was written in the past is late',
    )
    clock.jump(100 * HOUR_SECONDS * 1000)
    await stride(world, 2 * INTERVAL_SECONDS)
    read = (await digests(world)).filter(({ isBackfill }) => !isBackfill)
    for (const [at, { start }] of read.entries()) assert.equal(start, read[at - 1]?.end ?? start)
  }))

test('behind a restore a chain starts anew, and lists what was to be listed', () =>
  withWorld(async (world) => {
    const { env } = world.server
    const lineage = (number: number) =>
      env.commits.commit((tx) =>
        tx.put(Table.acts, 'lineage', { kind: 'lineage', directory: 'd', id: `lineage ${number}`, number, since: tx.now }),
      ).done
    await lineage(1)
    await startValidating(world)
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    await createTopic(world, 'orders')
    await stride(world, HOUR_SECONDS / 2)
    await world.call('s3', 'DeleteBucketPolicy', { Bucket: 'logs' })
    await stride(world, HOUR_SECONDS)
    await world.follower.stop()
    await lineage(2)
    world.restart()
    await world.call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: BUCKET_POLICY })
    await stride(world, HOUR_SECONDS + 10 * INTERVAL_SECONDS)
    const read = await digests(world)
    assert.deepEqual(windows(read), ['03:04:05 04:04:05', '05:35:05 06:35:05'])
    assert.equal(read[1]?.previous, null)
    assert.ok((read[1]?.logFiles.length ?? 0) >= 2)
  }))

test('keys are rotated by their age, overlap, and stay listed', () =>
  withWorld(async (world) => {
    const { clock, env } = world.server
    await startValidating(world)
    await stride(world, 2 * HOUR_SECONDS)
    const listed = async (input: object = {}) =>
      (await world.call('cloudtrail', 'ListPublicKeys', input))['PublicKeyList'] as { Fingerprint: string; Value: Buffer }[]
    const [first] = await listed()
    assert.ok(first !== undefined && (await listed()).length === 1)
    assert.equal(first.Value.length, 270)
    clock.jump(31 * 24 * HOUR_SECONDS * 1000)
    await stride(world, 2 * HOUR_SECONDS)
    assert.deepEqual((await listed()).length, 2, 'both are valid for a while')
    clock.jump(3 * 24 * HOUR_SECONDS * 1000)
    assert.equal((await listed()).length, 1)
    const StartTime = new Date(clock.now() - 40 * 24 * HOUR_SECONDS * 1000)
    assert.equal((await listed({ StartTime })).length, 2)
    assert.deepEqual(await listed({ StartTime, EndTime: StartTime }), [])
    await digests(world)
    await assert.rejects(listed({ StartTime: new Date(clock.now() + 1) }), { code: 'InvalidTimeRangeException' })
    await assert.rejects(listed({ NextToken: 'x' }), { code: 'InvalidTokenException' })
    const sealed = env.tables.range(Table.digestKeys, {}).map(({ value }) => value.sealedPrivateKey ?? '')
    for (const text of sealed) assert.doesNotMatch(text, /PRIVATE KEY/)
  }))

test('a cut at any step of a digest repeats the same digest', async () => {
  for (let cutAt = 1; ; cutAt++) {
    const death = createDeath(cutAt)
    await withWorld(async (world) => {
      await startValidating(world)
      await stride(world, 2 * INTERVAL_SECONDS)
      world.server.clock.jump((HOUR_SECONDS - 3 * INTERVAL_SECONDS) * 1000)
      await createTopic(world, 'orders')
      death.arm()
      await Promise.race([death.met, stride(world, 3 * INTERVAL_SECONDS)])
      if (!death.isMet()) return death.disarm()
      await turns()
      world.restart()
      await stride(world, 10 * INTERVAL_SECONDS)
      world.server.clock.jump((HOUR_SECONDS - 5 * INTERVAL_SECONDS) * 1000)
      await stride(world, 3 * INTERVAL_SECONDS)
      const read = await digests(world)
      assert.deepEqual(windows(read), ['03:04:05 04:04:05', '04:04:05 05:04:05'], `cut at ${cutAt}`)
      assert.equal(read[1]?.previous, read[0]?.key)
    }, death.cut)
    if (!death.isMet()) {
      assert.ok(cutAt > 12, 'before and after the steps of a log file and of a digest')
      return
    }
    assert.ok(cutAt < 60)
  }
})

test('a restore that is found at start begins each chain anew: a declared break, and nothing that validates twice', () =>
  withWorld(async (world) => {
    await startValidating(world)
    await stride(world, HOUR_SECONDS + INTERVAL_SECONDS)
    const before = await digests(world)
    const files = memoryFiles()
    files.makeFolder('/data')
    const { env, census, clock } = world.server
    const note = { lineage: 'another', generation: 1, takenAt: clock.now(), position: 0, from: 'one', restoredAt: clock.now() }
    writeWholeFile(files, '/data/restored.json', Buffer.from(JSON.stringify(note)))
    await openLife({ env, census, files, folder: '/data' })
    await stride(world, 3 * HOUR_SECONDS)
    const [last, start, next] = await digests(world)
    assert.equal(last?.key, before[0]?.key)
    assert.equal(start?.previous, null)
    assert.equal(next?.previous, start?.key)
  }))
