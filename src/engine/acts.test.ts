import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCOUNT, createHarness, REGION } from '../../tests/harness.ts'
import { EventClass } from '../model/entry.ts'

test('an act of the server is an event of our own kind, in the commit that has the effect', async () => {
  const { env, events, close } = await createHarness(() => ({}))
  await env.acts.record({ name: 'ServerStarted', details: { version: '1.2.3' } })
  await env.commits.commit((tx) => env.acts.tell(tx, { name: 'KeyRotated', error: { code: 'DiskFull', message: 'no room' } })).done
  const [started, rotated] = await events()
  assert.equal(started?.class, EventClass.own)
  const { eventID, ...record } = started.record
  assert.match(String(eventID), /^[0-9a-f-]{36}$/)
  assert.deepEqual(record, {
    eventVersion: '1.11',
    userIdentity: { type: 'SealcastServer', accountId: ACCOUNT, invokedBy: 'sealcast.local' },
    eventTime: '2026-01-02T03:04:05Z',
    eventSource: 'sealcast.local',
    eventName: 'ServerStarted',
    awsRegion: REGION,
    sourceIPAddress: 'sealcast.local',
    userAgent: 'sealcast/test',
    requestParameters: null,
    responseElements: null,
    readOnly: false,
    eventType: 'SealcastServerEvent',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    serviceEventDetails: { version: '1.2.3' },
    eventCategory: 'Sealcast',
  })
  assert.equal(rotated?.record['errorCode'], 'DiskFull')
  await close()
})
