import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createRateLimit } from '../../engine/rate-limit.ts'
import { createHistoryFollower } from '../../followers/history.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { ServiceError } from '../../model/service-error.ts'
import { openHistory } from '../../storage/history/history.ts'
import { memoryHistoryStore } from '../../storage/history/memory-store.ts'
import { ACCOUNT, createHarness, type Harness, OTHER_ACCOUNT, REGION } from '../../../tests/harness.ts'
import { createSns } from '../sns/index.ts'
import { createCloudtrail } from './index.ts'

interface Found {
  readonly EventId: string
  readonly EventName: string
  readonly EventTime: Date
  readonly ReadOnly?: string
  readonly Username?: string
  readonly AccessKeyId?: string
  readonly Resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[]
  readonly CloudTrailEvent: string
}
interface World extends Harness {
  lookup(input?: object, account?: string): Promise<{ readonly Events: readonly Found[]; readonly NextToken?: string }>
  names(input?: object, account?: string): Promise<string[]>
}

const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:orders`

async function withWorld(run: (world: World) => Promise<void>, perSecond?: number): Promise<void> {
  const store = memoryHistoryStore()
  const history = { current: undefined as ReturnType<typeof createHistoryFollower> | undefined }
  const harness = await createHarness((env) => {
    const opened = openHistory({ store, random: env.random })
    const follower = createHistoryFollower({ ...env, history: opened })
    history.current = follower
    const lookups = perSecond === undefined ? undefined : createRateLimit({ clock: env.clock, perSecond })
    return {
      sns: createSns({ tables: env.tables, protocols: {} }),
      cloudtrail: createCloudtrail({
        history: opened,
        caughtUp: () => follower.catchUp(),
        retentionDays: 90,
        mayLookUp: (account, region) => lookups?.take(`${account}/${region}`) ?? true,
      }),
    }
  })
  const lookup: World['lookup'] = async (input = {}, account = ACCOUNT) =>
    (await harness.call('cloudtrail', 'LookupEvents', input, rootPrincipal(account, 'AKIATEST'))) as never
  const names: World['names'] = async (input, account) => (await lookup(input, account)).Events.map(({ EventName }) => EventName)
  try {
    await run({ ...harness, lookup, names })
  } finally {
    await history.current?.stop()
    await harness.close()
  }
}

const by = (AttributeKey: string, AttributeValue: string): object => ({ LookupAttributes: [{ AttributeKey, AttributeValue }] })

suite('LookupEvents', () => {
  test('a management event is found as soon as its call is answered, by each attribute and no other value', () =>
    withWorld(async ({ call, lookup, names, clock }) => {
      const now = clock.now()
      await call('sns', 'CreateTopic', { Name: 'orders' })
      clock.advance(1000)
      await call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' })
      await call('sns', 'ListTopics')
      const { Events: events } = await lookup()
      assert.deepEqual(
        events.map(({ EventName }) => EventName),
        ['ListTopics', 'CreateTopic'],
        'newest first, and no data event',
      )
      const created = events[1]
      assert.ok(created !== undefined)
      assert.deepEqual(
        [created.ReadOnly, created.Username, created.AccessKeyId, created.EventTime.getTime()],
        ['false', 'root', 'AKIATEST', Math.floor(now / 1000) * 1000],
      )
      assert.deepEqual(created.Resources, [{ ResourceType: 'AWS::SNS::Topic', ResourceName: TOPIC }])
      assert.equal((JSON.parse(created.CloudTrailEvent) as { eventID: string }).eventID, created.EventId)
      for (const [key, value] of [
        ['EventId', created.EventId],
        ['EventName', 'CreateTopic'],
        ['ResourceType', 'AWS::SNS::Topic'],
        ['ResourceName', TOPIC],
      ] as const)
        assert.deepEqual(await names(by(key, value)), ['CreateTopic'], key)
      assert.deepEqual(await names(by('ReadOnly', 'false')), ['CreateTopic'])
      assert.deepEqual(await names(by('EventSource', 'sns.amazonaws.com')), ['ListTopics', 'CreateTopic'])
      for (const [key, value] of [
        ['Username', 'root'],
        ['AccessKeyId', 'AKIATEST'],
      ] as const)
        assert.ok((await names(by(key, value))).includes('CreateTopic'), key)
      for (const key of ['EventId', 'EventName', 'ReadOnly', 'Username', 'ResourceType', 'ResourceName', 'EventSource', 'AccessKeyId'])
        assert.deepEqual(await names(by(key, 'createtopic')), [], `${key}: values are told apart by case`)
    }))

  test('an account sees its own events alone, a region those of the region', () =>
    withWorld(async ({ call, names }) => {
      await call('sns', 'CreateTopic', { Name: 'orders' })
      assert.deepEqual(await names({}, OTHER_ACCOUNT), [])
      const elsewhere = await call('cloudtrail', 'LookupEvents', {}, undefined, { region: 'eu-west-1' })
      assert.deepEqual(elsewhere['Events'], [])
    }))

  test('times bound what is found, both ends included, and nothing is found after ninety days', () =>
    withWorld(async ({ call, names, clock }) => {
      const at = new Date(Math.floor(clock.now() / 1000) * 1000)
      const second = (seconds: number): Date => new Date(at.getTime() + seconds * 1000)
      await call('sns', 'CreateTopic', { Name: 'orders' })
      const topics = by('EventName', 'CreateTopic')
      assert.deepEqual(await names({ ...topics, StartTime: at, EndTime: at }), ['CreateTopic'])
      assert.deepEqual(await names({ ...topics, StartTime: second(1) }), [])
      assert.deepEqual(await names({ ...topics, EndTime: second(-1) }), [])
      clock.advance(90 * 86_400_000 - 10_000)
      assert.deepEqual(await names(topics), ['CreateTopic'])
      clock.advance(20_000)
      assert.deepEqual(await names(topics), [])
    }))

  test('pages hold every event once; a token holds for its own parameters, account and region alone', () =>
    withWorld(async ({ call, lookup }) => {
      for (let number = 0; number < 120; number++) await call('sns', 'CreateTopic', { Name: `orders-${number}` })
      const topics = by('EventName', 'CreateTopic')
      const found: string[] = []
      let token: string | undefined
      const sizes: number[] = []
      do {
        const page = await lookup({ ...topics, ...(token !== undefined && { NextToken: token }) })
        sizes.push(page.Events.length)
        found.push(...page.Events.map(({ CloudTrailEvent }) => /orders-\d+/.exec(CloudTrailEvent)?.[0] ?? ''))
        token = page.NextToken
      } while (token !== undefined)
      assert.deepEqual(sizes, [50, 50, 20])
      assert.deepEqual(
        found,
        Array.from({ length: 120 }, (_, at) => `orders-${119 - at}`),
      )
      const { NextToken } = await lookup({ ...topics, MaxResults: 10 })
      assert.equal((await lookup({ ...topics, MaxResults: 5, NextToken })).Events.length, 5)
      for (const input of [{ NextToken }, { ...by('EventName', 'Other'), NextToken }, { ...topics, EndTime: new Date(), NextToken }])
        await refused(lookup(input), 'InvalidNextTokenException')
      await refused(lookup({ ...topics, NextToken }, OTHER_ACCOUNT), 'InvalidNextTokenException')
      await refused(lookup({ ...topics, NextToken: `${NextToken?.slice(0, -8)}AAAAAAA=` }), 'InvalidNextTokenException')
      await refused(lookup({ NextToken: 'no token' }), 'InvalidNextTokenException')
    }))

  test('each limit at, below and above', () =>
    withWorld(async ({ lookup }) => {
      for (const MaxResults of [1, 50]) await lookup({ MaxResults })
      for (const MaxResults of [0, 51, -1, 1.5]) await refused(lookup({ MaxResults }), 'InvalidMaxResultsException')
      await lookup(by('Username', 'a'.repeat(2000)))
      await refused(lookup(by('Username', 'a'.repeat(2001))), 'InvalidLookupAttributesException')
      await lookup(by('Username', '_'.repeat(1000)))
      await refused(lookup(by('Username', `${'_'.repeat(1000)}a`)), 'InvalidLookupAttributesException')
      await refused(lookup(by('Username', '')), 'InvalidLookupAttributesException')
      await refused(lookup(by('Colour', 'red')), 'InvalidLookupAttributesException')
      const two = [1, 2].map(() => ({ AttributeKey: 'Username', AttributeValue: 'root' }))
      await refused(lookup({ LookupAttributes: two }), 'InvalidLookupAttributesException')
      const time = (ms: number): Date => new Date(ms)
      await lookup({ StartTime: time(1000), EndTime: time(1000) })
      await refused(lookup({ StartTime: time(2000), EndTime: time(1000) }), 'InvalidTimeRangeException')
      await refused(lookup({ EventCategory: 'management' }), 'InvalidEventCategoryException')
      assert.deepEqual(await lookup({ EventCategory: 'insight', ...by('EventSource', 'sns.amazonaws.com') }), { Events: [] })
      await refused(lookup({ EventCategory: 'insight', ...by('Username', 'root') }), 'InvalidLookupAttributesException')
    }))

  test('with the rates of AWS: two in a second for an account and region, then again', () =>
    withWorld(async ({ lookup, clock }) => {
      await lookup()
      await lookup()
      await refused(lookup(), 'ThrottlingException', 'Rate exceeded')
      await lookup({}, OTHER_ACCOUNT)
      clock.advance(500)
      await lookup()
      await refused(lookup(), 'ThrottlingException')
    }, 2))
})

async function refused(call: Promise<unknown>, shape: string, message?: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.shape, error.status, error.message], [shape, 400, message ?? error.message])
    return true
  })
}
