import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventDataStoreArn } from '../../model/channel.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { ServiceError } from '../../model/service-error.ts'
import { ACCOUNT, createHarness, OTHER_ACCOUNT, REGION } from '../../../tests/harness.ts'
import { createCloudtrail } from './index.ts'
import { UNOFFERED } from './unoffered-operations.ts'

type Output = Readonly<Record<string, unknown>>
interface World {
  readonly ask: (operation: string, input?: object, account?: string) => Promise<Output>
  readonly refused: (operation: string, input: object, shape: string, account?: string) => Promise<void>
}

async function withWorld(run: (world: World) => Promise<void>, channelsMax = Infinity): Promise<void> {
  const server = await createHarness(() => ({
    cloudtrail: createCloudtrail({
      history: { find: () => ({ events: [], hasMore: false }) },
      caughtUp: () => Promise.resolve(),
      mayLookUp: () => true,
      channelsMax,
      retentionDays: 90,
    }),
  }))
  const ask: World['ask'] = (operation, input, account = ACCOUNT) => server.call('cloudtrail', operation, input, rootPrincipal(account))
  try {
    await run({
      ask,
      async refused(operation, input, shape, account) {
        await assert.rejects(ask(operation, input, account), (error) => {
          assert.ok(error instanceof ServiceError)
          assert.deepEqual(
            [error.shape, error.status],
            [shape, 400],
            `${operation} ${JSON.stringify(input).slice(0, 200)}: ${error.message}`,
          )
          return true
        })
      },
    })
  } finally {
    await server.close()
  }
}

const STORE = eventDataStoreArn(ACCOUNT, REGION)
const Destinations = [{ Type: 'EVENT_DATA_STORE', Location: STORE }]
const CHANNEL = { Name: 'ours', Source: 'Custom', Destinations }

suite('channels', () => {
  test('from creation to deletion', () =>
    withWorld(async ({ ask, refused }) => {
      const made = await ask('CreateChannel', { ...CHANNEL, Tags: [{ Key: 'team', Value: 'a' }] })
      const { ChannelArn } = made
      assert.match(String(ChannelArn), /^arn:aws:cloudtrail:us-east-1:000000000001:channel\/[0-9a-f-]{36}$/)
      assert.deepEqual(made, { ChannelArn, ...CHANNEL, Tags: [{ Key: 'team', Value: 'a' }] })
      const id = String(ChannelArn).split('/')[1] ?? ''
      for (const Channel of [ChannelArn, id])
        assert.deepEqual(await ask('GetChannel', { Channel }), {
          ChannelArn,
          ...CHANNEL,
          SourceConfig: { ApplyToAllRegions: false, AdvancedEventSelectors: [] },
          IngestionStatus: {},
        })
      await ask('AddTags', { ResourceId: ChannelArn, TagsList: [{ Key: 'stage', Value: 'b' }] })
      await ask('RemoveTags', { ResourceId: ChannelArn, TagsList: [{ Key: 'team' }] })
      assert.deepEqual(await ask('ListTags', { ResourceIdList: [ChannelArn] }), {
        ResourceTagList: [{ ResourceId: ChannelArn, TagsList: [{ Key: 'stage', Value: 'b' }] }],
      })
      await ask('UpdateChannel', { Channel: id, Name: 'renamed' })
      assert.deepEqual(await ask('ListChannels'), { Channels: [{ ChannelArn, Name: 'renamed' }] })
      assert.deepEqual(await ask('ListChannels', {}, OTHER_ACCOUNT), { Channels: [] })
      await refused('GetChannel', { Channel: ChannelArn }, 'AccessDeniedException', OTHER_ACCOUNT)
      assert.deepEqual(await ask('DeleteChannel', { Channel: id }), {})
      await refused('GetChannel', { Channel: id }, 'ChannelNotFoundException')
      await refused('AddTags', { ResourceId: ChannelArn, TagsList: [] }, 'ChannelNotFoundException')
    }))

  test('bad input, each limit at, below and above', () =>
    withWorld(async ({ ask, refused }) => {
      for (const Name of ['abc', 'a'.repeat(128)]) await ask('CreateChannel', { ...CHANNEL, Name })
      for (const Name of ['ab', 'a'.repeat(129), 'a b c', 'ümlaut'])
        await refused('CreateChannel', { ...CHANNEL, Name }, 'InvalidParameterException')
      await refused('CreateChannel', { ...CHANNEL, Name: 'abc' }, 'ChannelAlreadyExistsException')
      await refused('CreateChannel', { ...CHANNEL, Source: 'Partner' }, 'InvalidSourceException')
      const to = (Location: string, Type = 'EVENT_DATA_STORE') => ({ ...CHANNEL, Destinations: [{ Type, Location }] })
      await refused('CreateChannel', { ...CHANNEL, Destinations: [] }, 'InvalidParameterException')
      await refused('CreateChannel', { ...CHANNEL, Destinations: [...Destinations, ...Destinations] }, 'InvalidParameterException')
      await refused('CreateChannel', to(STORE, 'AWS_SERVICE'), 'InvalidParameterException')
      await refused('CreateChannel', to('a store'), 'EventDataStoreARNInvalidException')
      await refused('CreateChannel', to('00000000-0000-4000-8000-000000000000'), 'EventDataStoreNotFoundException')
      await refused('CreateChannel', { ...CHANNEL, Tags: [{ Key: 'aws:x' }] }, 'InvalidTagParameterException')
      for (const Channel of ['ours', 'arn:aws:sns:us-east-1:000000000001:x', ''])
        await refused('GetChannel', { Channel }, 'ChannelARNInvalidException')
      await refused('ListChannels', { MaxResults: 0 }, 'InvalidParameterException')
      await refused('ListChannels', { MaxResults: 1001 }, 'InvalidParameterException')
      await refused('ListChannels', { NextToken: 'x' }, 'InvalidNextTokenException')
      const first = await ask('ListChannels', { MaxResults: 1 })
      const second = await ask('ListChannels', { MaxResults: 1000, NextToken: first['NextToken'] })
      assert.deepEqual([(first['Channels'] as []).length, (second['Channels'] as []).length, second['NextToken']], [1, 1, undefined])
    }))

  test('as many as the limits say', () =>
    withWorld(async ({ ask, refused }) => {
      await ask('CreateChannel', { ...CHANNEL, Name: 'one' })
      await ask('CreateChannel', { ...CHANNEL, Name: 'two' })
      await refused('CreateChannel', { ...CHANNEL, Name: 'three' }, 'ChannelMaxLimitExceededException')
    }, 2))

  test('the policy of a channel', () =>
    withWorld(async ({ ask, refused }) => {
      const { ChannelArn: ResourceArn } = await ask('CreateChannel', CHANNEL)
      await refused('GetResourcePolicy', { ResourceArn }, 'ResourcePolicyNotFoundException')
      const statement = {
        Effect: 'Allow',
        Principal: { AWS: OTHER_ACCOUNT },
        Action: 'cloudtrail-data:PutAuditEvents',
        Resource: ResourceArn,
      }
      const policy = (more: object = {}): string => JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...more }] })
      assert.deepEqual(await ask('PutResourcePolicy', { ResourceArn, ResourcePolicy: policy() }), { ResourceArn, ResourcePolicy: policy() })
      assert.deepEqual(await ask('GetResourcePolicy', { ResourceArn }), { ResourceArn, ResourcePolicy: policy() })
      for (const ResourcePolicy of [
        '',
        '{',
        policy({ Action: 's3:GetObject' }),
        policy({ Resource: `${String(ResourceArn)}x` }),
        ' '.repeat(8193),
      ])
        await refused('PutResourcePolicy', { ResourceArn, ResourcePolicy }, 'ResourcePolicyNotValidException')
      await refused('GetResourcePolicy', { ResourceArn: STORE }, 'ResourceTypeNotSupportedException')
      await refused('GetResourcePolicy', { ResourceArn: 'x' }, 'ResourceARNNotValidException')
      await refused('GetResourcePolicy', { ResourceArn: `${String(ResourceArn).slice(0, -1)}` }, 'ResourceARNNotValidException')
      await ask('DeleteResourcePolicy', { ResourceArn })
      await refused('DeleteResourcePolicy', { ResourceArn }, 'ResourcePolicyNotFoundException')
    }))
})

test('the one event data store is told, and cannot be changed', () =>
  withWorld(async ({ ask, refused }) => {
    const { EventDataStores } = await ask('ListEventDataStores')
    const [store] = EventDataStores as readonly Output[]
    assert.deepEqual([store?.['EventDataStoreArn'], store?.['Status'], store?.['RetentionPeriod']], [STORE, 'ENABLED', 90])
    const found = await ask('GetEventDataStore', { EventDataStore: STORE.split('/')[1] })
    assert.equal(found['EventDataStoreArn'], STORE)
    const [others] = (await ask('ListEventDataStores', {}, OTHER_ACCOUNT))['EventDataStores'] as readonly Output[]
    assert.notEqual(others?.['EventDataStoreArn'], STORE)
    await refused('GetEventDataStore', { EventDataStore: 'x' }, 'EventDataStoreARNInvalidException')
    await refused('ListEventDataStores', { MaxResults: 0 }, 'InvalidMaxResultsException')
    await refused('ListEventDataStores', { NextToken: 'x' }, 'InvalidNextTokenException')
    await refused('CreateEventDataStore', { Name: 'mine' }, 'UnsupportedOperationException')
  }))

test('what is not offered says so, and what to do instead', () =>
  withWorld(async ({ ask }) => {
    for (const operation of Object.keys(UNOFFERED))
      await assert.rejects(ask(operation), (error) => {
        assert.ok(error instanceof ServiceError)
        assert.match(error.shape, /^(UnsupportedOperationException|OrganizationsNotInUseException)$/)
        assert.ok(error.message.length > 20)
        return true
      })
  }))

test('the event configuration is the one there is; others are refused by name', () =>
  withWorld(async ({ ask, refused }) => {
    const standard = { EventDataStoreArn: STORE, MaxEventSize: 'Standard', ContextKeySelectors: [] }
    assert.deepEqual(await ask('GetEventConfiguration', { EventDataStore: STORE }), standard)
    assert.deepEqual(await ask('PutEventConfiguration', { EventDataStore: STORE, MaxEventSize: 'Standard' }), standard)
    for (const more of [{ MaxEventSize: 'Large' }, { ContextKeySelectors: [{}] }, { AggregationConfigurations: [{}] }])
      await refused('PutEventConfiguration', { EventDataStore: STORE, ...more }, 'UnsupportedOperationException')
    await refused('GetEventConfiguration', {}, 'InvalidParameterException')
    await refused('GetEventConfiguration', { EventDataStore: STORE, TrailName: 'all' }, 'InvalidParameterCombinationException')
    await refused('GetEventConfiguration', { TrailName: 'all' }, 'TrailNotFoundException')
  }))
