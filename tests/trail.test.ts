// Trails from outside: what is called, what stands in the bucket afterwards, and what the status says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Table } from '../src/model/tables.ts'
import { createDeath } from './death.ts'
import { ACCOUNT } from './harness.ts'
import {
  allow,
  assertComplete,
  BUCKET_POLICY,
  EVERYTHING,
  files,
  idsOf,
  INTERVAL_SECONDS,
  isCaused,
  makeNotices,
  makeTrail,
  MANAGEMENT,
  namesOf,
  NOTICES,
  TRAIL_ARN,
  turns,
  withWorld,
  type World,
} from './trail-world.ts'

test('publishes, a denied call and an unknown topic stand in a log file as they stand in the journal', () =>
  withWorld(async (world) => {
    const { call, server } = world
    await makeTrail(world)
    await call('cloudtrail', 'PutEventSelectors', {
      TrailName: 'all',
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
            { Field: 'eventName', Equals: ['Publish', 'PublishBatch'] },
          ],
        },
      ],
    })
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    const { TopicArn: topic } = await call('sns', 'CreateTopic', { Name: 'orders' })
    await call('sns', 'Publish', { TopicArn: topic, Message: 'secret text', Subject: 'secret subject' })
    await assert.rejects(call('sns', 'Publish', { TopicArn: `${String(topic)}x`, Message: 'm' }))
    const deny = { Effect: 'Deny', Principal: '*', Action: 'SNS:Publish', Resource: topic }
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [deny] })
    await call('sns', 'SetTopicAttributes', { TopicArn: topic, AttributeName: 'Policy', AttributeValue: policy })
    await assert.rejects(call('sns', 'Publish', { TopicArn: topic, Message: 'secret text' }))
    await world.pass(INTERVAL_SECONDS + 1)

    const [file, ...others] = await world.files()
    assert.ok(file !== undefined && others.length === 0)
    assert.match(
      file.key,
      new RegExp(
        `^AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2026/01/02/${ACCOUNT}_CloudTrail_us-east-1_20260102T0305Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
      ),
    )
    assert.deepEqual(
      file.records.map((record) => [record['eventName'], record['errorCode']]),
      [
        ['Publish', undefined],
        ['Publish', 'NotFound'],
        ['Publish', 'AccessDenied'],
      ],
    )
    const ids = new Set(idsOf(file.records))
    const journal = (await server.events())
      .filter(({ record }) => ids.has(String(record['eventID'])))
      .map(({ json }) => json.toString('utf8'))
    assert.equal(file.bytes.toString('utf8'), `{"Records":[${journal.join(',')}]}`)
    assert.doesNotMatch(file.bytes.toString('utf8'), /secret/)

    const head = await call('s3', 'HeadObject', { Bucket: 'logs', Key: file.key })
    assert.deepEqual([head['ContentType'], head['ContentEncoding']], ['application/json', 'gzip'])
    const status = await world.status()
    assert.equal(status['IsLogging'], true)
    assert.ok(status['LatestDeliveryTime'] instanceof Date)
    assert.equal(status['LatestDeliveryError'], undefined)
  }))

test('each file is announced on the trail topic after it is there', () =>
  withWorld(async (world) => {
    const { call, server } = world
    await makeNotices(world)
    await makeTrail(world, { SnsTopicName: 'notices' })
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await world.pass(INTERVAL_SECONDS + 1)
    const [file] = await world.files()
    const events = (await server.events()).map(({ record }) => record)
    const publishes = events.filter((record) => record['eventName'] === 'Publish')
    assert.equal(publishes.length, 2, 'the validation message and one notice')
    for (const publish of publishes) {
      assert.deepEqual(publish['userIdentity'], { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' })
      assert.deepEqual(publish['additionalEventData'], { causedByTrail: TRAIL_ARN })
    }
    assert.ok(file !== undefined)
    assert.ok((await world.status())['LatestNotificationTime'] instanceof Date)
    await call('sns', 'SetTopicAttributes', {
      TopicArn: NOTICES,
      AttributeName: 'Policy',
      AttributeValue: allow('SNS:GetTopicAttributes', NOTICES),
    })
    await world.pass(INTERVAL_SECONDS)
    const status = await world.status()
    assert.equal(status['LatestNotificationError'], 'AuthorizationError')
    assert.equal((await world.files()).length, 2, 'delivery goes on without notices')
    const { LatestDeliveryTime: delivered, LatestNotificationTime: notified } = status
    assert.ok(delivered instanceof Date && notified instanceof Date)
    assert.equal(delivered.getTime() - notified.getTime(), INTERVAL_SECONDS * 1000, 'each time is that of its own last success')
    await makeNotices(world, 'again')
    await call('cloudtrail', 'UpdateTrail', { Name: 'all', SnsTopicName: 'again' })
    assert.equal((await world.status())['LatestNotificationError'], undefined)
  }))

test('a trail that logs everything, itself included, writes at most one file in ten idle minutes', () =>
  withWorld(async (world) => {
    const { call } = world
    await makeNotices(world)
    await makeTrail(world, { SnsTopicName: 'notices' })
    await call('cloudtrail', 'PutEventSelectors', { TrailName: 'all', AdvancedEventSelectors: [MANAGEMENT, ...EVERYTHING] })
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await world.pass(10 * 60)
    const before = world.server.env.journal.durable
    assert.equal((await files(world)).length, 1)
    await world.pass(10 * 60)
    assert.equal(world.server.env.journal.durable, before, 'an idle server writes nothing at all')

    // What the first delivery caused rides with the next foreign event.
    await call('sns', 'CreateTopic', { Name: 'orders' })
    await world.pass(INTERVAL_SECONDS)
    const [, second] = await files(world)
    const own = (second?.records ?? []).filter(isCaused)
    assert.deepEqual(namesOf(own), ['PutObject', 'Publish'])
    assert.ok(namesOf(second?.records ?? []).includes('CreateTopic'))
    await world.pass(INTERVAL_SECONDS)
    assert.equal((await files(world)).length, 2)
    assert.equal(await leftOver(world, 'carried'), 2, 'only what the second delivery caused is carried on')
  }))

async function leftOver({ server }: World, kind: string): Promise<number> {
  return server.env.tables.range(Table.trailPlans, {}).filter(({ value }) => value.kind === kind).length
}

test('logging begins with StartLogging and ends with StopLogging', () =>
  withWorld(async (world) => {
    const { call } = world
    await makeTrail(world)
    await call('sns', 'CreateTopic', { Name: 'before' })
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await call('sns', 'CreateTopic', { Name: 'between' })
    await call('cloudtrail', 'StopLogging', { Name: 'all' })
    await call('sns', 'CreateTopic', { Name: 'after' })
    await world.pass(INTERVAL_SECONDS + 1)
    assert.deepEqual(
      (await files(world)).map(({ records }) => namesOf(records)),
      [['StartLogging', 'CreateTopic', 'StopLogging']],
    )
    const status = await world.status()
    assert.equal(status['IsLogging'], false)
    assert.ok(status['StartLoggingTime'] instanceof Date && status['StopLoggingTime'] instanceof Date)
    await world.pass(5 * INTERVAL_SECONDS)
    assert.equal((await files(world)).length, 1)
    assert.equal(await leftOver(world, 'view'), 0)
  }))

test('a deleted trail delivers its last events', () =>
  withWorld(async (world) => {
    const { call } = world
    await makeTrail(world)
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await world.pass(INTERVAL_SECONDS + 1)
    await call('sns', 'CreateTopic', { Name: 'late' })
    await call('cloudtrail', 'DeleteTrail', { Name: 'all' })
    await world.pass(INTERVAL_SECONDS)
    assert.deepEqual(namesOf((await files(world)).at(-1)?.records ?? []), ['CreateTopic', 'DeleteTrail'])
    assert.equal(world.server.env.tables.range(Table.trailPlans, {}).length, 0)
  }))

test('a trail of all regions has a file in each; a trail of one has only its own', () =>
  withWorld(async (world) => {
    const { call } = world
    await makeTrail(world, { IsMultiRegionTrail: true })
    await call('cloudtrail', 'CreateTrail', { Name: 'home', S3BucketName: 'logs', S3KeyPrefix: '' })
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await call('cloudtrail', 'StartLogging', { Name: 'home' })
    await call('sns', 'CreateTopic', { Name: 'far' }, { region: 'eu-west-1' })
    await world.pass(INTERVAL_SECONDS + 1)
    const found = await world.files()
    assert.equal(found.length, 3)
    const [far] = found.filter(({ key }) => key.includes('/CloudTrail/eu-west-1/'))
    assert.deepEqual(namesOf(far?.records ?? []), ['CreateTopic'])
    for (const { key, records } of found)
      for (const record of records)
        assert.ok(key.includes(`/CloudTrail/${String(record['awsRegion'])}/`), 'each record lies in the folder of its region')
  }))

test('a bucket that refuses is told in the status and gets everything once it lets the trail in again', () =>
  withWorld(async (world) => {
    const { call, server } = world
    await makeTrail(world)
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await call('s3', 'DeleteBucketPolicy', { Bucket: 'logs' })
    await world.pass(INTERVAL_SECONDS + 1)
    assert.deepEqual((await files(world)).length, 0)
    assert.equal((await world.status())['LatestDeliveryError'], 'AccessDenied')
    await call('sns', 'CreateTopic', { Name: 'meanwhile' })
    await world.pass(5 * INTERVAL_SECONDS)
    // The files lie finished, so that the journal may go.
    const held = server.env.tables.range(Table.trailPlans, {}).flatMap(({ value }) => (value.kind === 'file' ? [value] : []))
    assert.ok(held.length >= 2)
    for (const plan of held) assert.ok(plan.spooled !== undefined && plan.to <= world.follower.checkpoint)

    await call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: BUCKET_POLICY })
    await world.pass(6 * INTERVAL_SECONDS)
    const delivered = await world.files()
    for (const plan of held)
      assert.ok(
        delivered.some(({ key }) => key === plan.objectKey),
        'each planned file under its planned name',
      )
    const status = await world.status()
    assert.equal(status['LatestDeliveryError'], undefined)
    assert.ok(status['LatestDeliveryTime'] instanceof Date)
    await assertComplete(world)
    assert.equal(await leftOver(world, 'file'), 0)
  }))

test('a bucket that is gone is told as such, and another one takes the files', () =>
  withWorld(async (world) => {
    const { call } = world
    await makeTrail(world)
    await call('cloudtrail', 'StartLogging', { Name: 'all' })
    await call('s3', 'DeleteBucket', { Bucket: 'logs' })
    await world.pass(INTERVAL_SECONDS + 1)
    assert.equal((await world.status())['LatestDeliveryError'], 'NoSuchBucket')
    await call('s3', 'CreateBucket', { Bucket: 'logs-2' })
    await call('s3', 'PutBucketPolicy', { Bucket: 'logs-2', Policy: BUCKET_POLICY.replaceAll(':::logs', ':::logs-2') })
    await call('cloudtrail', 'UpdateTrail', { Name: 'all', S3BucketName: 'logs-2' })
    await world.pass(6 * INTERVAL_SECONDS)
    assert.equal((await world.status())['LatestDeliveryError'], undefined)
    const page = await call('s3', 'ListObjectsV2', { Bucket: 'logs-2' })
    assert.ok(Number(page['KeyCount']) >= 1)
  }))

test('a cut at any step of a delivery repeats the same file under the same name', async () => {
  for (let cutAt = 1; ; cutAt++) {
    const death = createDeath(cutAt)
    death.arm()
    await withWorld(async (world) => {
      await makeNotices(world)
      await makeTrail(world, { SnsTopicName: 'notices' })
      await world.call('cloudtrail', 'PutEventSelectors', { TrailName: 'all', AdvancedEventSelectors: [MANAGEMENT, ...EVERYTHING] })
      await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
      for (const name of ['first', 'second', 'third']) {
        await world.call('sns', 'CreateTopic', { Name: name })
        await Promise.race([death.met, world.pass(INTERVAL_SECONDS)])
      }
      await turns()
      world.restart()
      await assertComplete(world, ['Management', 'Data'])
      assert.equal(await leftOver(world, 'file'), 0)
    }, death.cut)
    if (!death.isMet()) {
      assert.ok(cutAt > 24, 'before and after a round, a put, a notice and an end, three times')
      return
    }
    assert.ok(cutAt < 50)
  }
})

test('a full file is closed before its time, and the next one begins', () =>
  withWorld(
    async (world) => {
      const { call } = world
      await makeTrail(world)
      await call('cloudtrail', 'StartLogging', { Name: 'all' })
      for (let count = 0; count < 20; count++) await call('sns', 'CreateTopic', { Name: `topic-${count}` })
      await world.pass(2)
      const early = await files(world)
      assert.ok(early.length >= 1, 'without waiting for the interval')
      await assertComplete(world)
    },
    undefined,
    { fileBytesMax: 10_000 },
  ))

test('files that wait are bounded: beyond, the oldest are given up', () =>
  withWorld(
    async (world) => {
      const { call, server } = world
      await makeTrail(world)
      await call('cloudtrail', 'StartLogging', { Name: 'all' })
      await call('s3', 'DeleteBucketPolicy', { Bucket: 'logs' })
      for (let round = 0; round < 5; round++) {
        await call('sns', 'CreateTopic', { Name: `topic-${round}` })
        await world.pass(INTERVAL_SECONDS)
      }
      const held = server.env.tables.range(Table.trailPlans, {}).flatMap(({ value }) => (value.kind === 'file' ? [value] : []))
      const bytes = held.reduce((sum, { spooledBytes = 0 }) => sum + spooledBytes, 0)
      assert.ok(held.length >= 1 && held.length < 5 && bytes <= 2_000, `${held.length} files of ${bytes} bytes`)
      assert.equal(server.env.blobs.bytes(), bytes, 'what is given up leaves nothing behind')
    },
    undefined,
    { spoolBytesMax: 2_000 },
  ))
