import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { EventClass } from '../../model/entry.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { ServiceError } from '../../model/service-error.ts'
import { eventDataStoreArn } from '../../model/channel.ts'
import { ACCOUNT, createHarness, type Harness, OTHER_ACCOUNT, REGION } from '../../../tests/harness.ts'
import { createCloudtrail } from '../cloudtrail/index.ts'
import { cloudtrailData } from './index.ts'

interface Answer {
  readonly successful: readonly { readonly id: string; readonly eventID: string }[]
  readonly failed: readonly { readonly id: string; readonly errorCode: string; readonly errorMessage: string }[]
}
interface World extends Harness {
  readonly channelArn: string
  put(auditEvents: readonly object[], more?: object, account?: string): Promise<Answer>
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const harness = await createHarness(() => ({
    cloudtrail: createCloudtrail({
      history: { find: () => ({ events: [], hasMore: false }) },
      caughtUp: () => Promise.resolve(),
      mayLookUp: () => true,
      retentionDays: 90,
    }),
    'cloudtrail-data': cloudtrailData,
  }))
  try {
    const Destinations = [{ Type: 'EVENT_DATA_STORE', Location: eventDataStoreArn(ACCOUNT, REGION) }]
    const { ChannelArn } = await harness.call('cloudtrail', 'CreateChannel', { Name: 'ours', Source: 'Custom', Destinations })
    const channelArn = String(ChannelArn)
    await run({
      ...harness,
      channelArn,
      put: async (auditEvents, more = {}, account = ACCOUNT) =>
        (await harness.call('cloudtrail-data', 'PutAuditEvents', { channelArn, auditEvents, ...more }, rootPrincipal(account))) as never,
    })
  } finally {
    await harness.close()
  }
}

const DATA = {
  version: '1.0',
  userIdentity: { type: 'User', principalId: 'u-1', details: { team: 'a' } },
  eventSource: 'billing.example.com',
  eventName: 'RefundIssued',
  eventTime: '2026-01-02T03:04:05Z',
  UID: 'refund-1',
  requestParameters: { amount: 5 },
  recipientAccountId: ACCOUNT,
}
const event = (id: string, more: object = {}) => ({ id, eventData: JSON.stringify({ ...DATA, ...more }) })

suite('PutAuditEvents', () => {
  test('what is accepted stands in the record, as an entry of its own kind', () =>
    withWorld(async ({ put, events, channelArn, call }) => {
      const sent = event('e-1')
      const { successful, failed } = await put([
        { ...sent, eventDataChecksum: createHash('sha256').update(sent.eventData).digest('base64') },
      ])
      assert.deepEqual(failed, [])
      assert.equal(successful[0]?.id, 'e-1')
      const told = (await events()).filter((entry) => entry.class === EventClass.channel)
      assert.equal(told.length, 1)
      assert.deepEqual(told[0]?.record, {
        eventVersion: '1.0',
        eventCategory: 'ActivityAuditLog',
        eventType: 'ActivityLog',
        eventID: successful[0]?.eventID,
        eventTime: '2026-01-02T03:04:05Z',
        awsRegion: REGION,
        recipientAccountId: ACCOUNT,
        metadata: { ingestionTime: '2026-01-02T03:04:05Z', channelARN: channelArn },
        eventData: DATA,
      })
      const { IngestionStatus } = await call('cloudtrail', 'GetChannel', { Channel: channelArn })
      const status = IngestionStatus as unknown as Record<string, unknown>
      assert.equal(status['LatestIngestionSuccessEventID'], successful[0]?.eventID)
      assert.ok(!('LatestIngestionErrorCode' in status))
    }))

  test('each event is taken or refused by itself', () =>
    withWorld(async ({ put, events, call, channelArn }) => {
      const long = (chars: number) => 'x'.repeat(chars)
      const { successful, failed } = await put([
        event('good'),
        { ...event('checksum'), eventDataChecksum: 'AAAA' },
        { id: 'json', eventData: '{' },
        { id: 'list', eventData: '[]' },
        event('absent', { UID: undefined }),
        event('empty', { eventName: '' }),
        event('principal', { userIdentity: { type: 'User' } }),
        event('kind', { requestParameters: 'text' }),
        event('unknown', { colour: 'red' }),
        event('time', { eventTime: 'yesterday' }),
        event('own', { eventSource: 'sns.amazonaws.com' }),
        event('recipient', { recipientAccountId: OTHER_ACCOUNT }),
        event('longest', { eventName: long(256) }),
        event('too-long', { eventName: long(257) }),
        event('local-time', { eventTime: '2026-01-02T03:04:05' }),
      ])
      assert.deepEqual(
        successful.map(({ id }) => id),
        ['good', 'longest', 'local-time'],
      )
      assert.deepEqual(Object.fromEntries(failed.map(({ id, errorCode }) => [id, errorCode])), {
        checksum: 'InvalidChecksum',
        json: 'InvalidData',
        list: 'InvalidData',
        absent: 'FieldNotFound',
        empty: 'FieldNotFound',
        principal: 'FieldNotFound',
        kind: 'InvalidData',
        unknown: 'InvalidData',
        time: 'InvalidData',
        own: 'InvalidEventSource',
        recipient: 'InvalidRecipient',
        'too-long': 'FieldTooLong',
      })
      assert.equal((await events()).filter((entry) => entry.class === EventClass.channel).length, 3)
      const { IngestionStatus } = await call('cloudtrail', 'GetChannel', { Channel: channelArn })
      assert.equal((IngestionStatus as unknown as Record<string, unknown>)['LatestIngestionErrorCode'], 'InvalidChecksum')
    }))

  test('a call as a whole is refused: too many, too large, twice the same id, no such channel', () =>
    withWorld(async ({ put, events }) => {
      const many = (count: number) => Array.from({ length: count }, (_, at) => event(`e-${at}`))
      assert.equal((await put(many(100))).successful.length, 100)
      await refused(put(many(101)), 'ValidationException')
      await refused(put([]), 'ValidationException')
      await refused(put([event('a'), event('a')]), 'DuplicatedAuditEventId')
      await refused(put([event('a b')]), 'ValidationException')
      await refused(put([event('x'.repeat(129))]), 'ValidationException')
      const large = (bytes: number) => Array.from({ length: 8 }, (_, at) => ({ id: `l-${at}`, eventData: 'x'.repeat(bytes / 8) }))
      assert.equal((await put(large(1024 * 1024))).failed.length, 8)
      await refused(put(large(1024 * 1024 + 8)), 'ValidationException')
      await refused(put([event('a')], { channelArn: 'x' }), 'InvalidChannelARN')
      await refused(put([event('a')], { channelArn: '00000000-0000-4000-8000-000000000000' }), 'ChannelNotFound')
      await refused(put([event('a')], { externalId: '?' }), 'ValidationException')
      assert.equal((await events()).filter((entry) => entry.class === EventClass.channel).length, 100)
    }))

  test('another account may where the policy of the channel lets it, with the external id that it asks for', () =>
    withWorld(async ({ put, call, channelArn }) => {
      await refused(put([event('a')], {}, OTHER_ACCOUNT), 'ChannelInsufficientPermission')
      const Statement = [
        {
          Effect: 'Allow',
          Principal: { AWS: OTHER_ACCOUNT },
          Action: 'cloudtrail-data:PutAuditEvents',
          Resource: channelArn,
          Condition: { StringEquals: { 'cloudtrail:ExternalId': 'secret' } },
        },
      ]
      const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement })
      await call('cloudtrail', 'PutResourcePolicy', { ResourceArn: channelArn, ResourcePolicy })
      await refused(put([event('a')], {}, OTHER_ACCOUNT), 'ChannelInsufficientPermission')
      assert.equal((await put([event('a')], { externalId: 'secret' }, OTHER_ACCOUNT)).successful.length, 1)
    }))
})

async function refused(call: Promise<unknown>, shape: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.shape, error.status], [shape, 400], error.message)
    return true
  })
}
