// needs: aws
// The AWS CLI, unchanged, over the event history and channels.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { awsAnswer, runProgram } from './shell.ts'

const { server, folder } = await startFileServer()

const environment = awsEnvironment(server.url)

const aws = (...words: string[]): Promise<Record<string, unknown>> => awsAnswer(words, { folder, environment })

test('lookup-events in pages, by attribute and time', async () => {
  for (const name of ['a', 'b', 'c']) await aws('sns', 'create-topic', '--name', name)
  const attribute = ['--lookup-attributes', 'AttributeKey=EventName,AttributeValue=CreateTopic']
  const { Events } = await aws('cloudtrail', 'lookup-events', ...attribute, '--page-size', '1')
  const names = (Events as { CloudTrailEvent: string }[]).map(({ CloudTrailEvent }) => {
    const { requestParameters } = JSON.parse(CloudTrailEvent) as { requestParameters: { name: string } }
    return requestParameters.name
  })
  assert.deepEqual(names, ['c', 'b', 'a'])
  const first = await aws('cloudtrail', 'lookup-events', ...attribute, '--max-items', '2')
  const rest = await aws('cloudtrail', 'lookup-events', ...attribute, '--starting-token', String(first['NextToken']))
  assert.deepEqual([(first['Events'] as []).length, (rest['Events'] as []).length], [2, 1])
  const none = await aws('cloudtrail', 'lookup-events', '--end-time', '2001-01-01')
  assert.deepEqual(none['Events'], [])
  const refused = await runProgram('aws', ['cloudtrail', 'lookup-events', '--start-time', '2002-01-01', '--end-time', '2001-01-01'], {
    folder,
    environment,
  })
  assert.match(refused.notes, /\(InvalidTimeRangeException\) when calling the LookupEvents operation/)
})

test('a channel, and events put into it', async () => {
  const { EventDataStores } = await aws('cloudtrail', 'list-event-data-stores')
  const [{ EventDataStoreArn = '' } = {}] = EventDataStores as { EventDataStoreArn?: string }[]
  const destinations = JSON.stringify([{ Type: 'EVENT_DATA_STORE', Location: EventDataStoreArn }])
  const { ChannelArn } = await aws('cloudtrail', 'create-channel', '--name', 'cli', '--source', 'Custom', '--destinations', destinations)
  const eventData = JSON.stringify({
    version: '1.0',
    userIdentity: { type: 'User', principalId: 'u-1' },
    eventSource: 'billing.example.com',
    eventName: 'RefundIssued',
    eventTime: '2026-01-02T03:04:05Z',
    UID: 'refund-1',
    recipientAccountId: '000000000000',
  })
  const events = JSON.stringify([
    { id: 'good', eventData },
    { id: 'bad', eventData: '{}' },
  ])
  const put = await aws('cloudtrail-data', 'put-audit-events', '--channel-arn', String(ChannelArn), '--audit-events', events)
  assert.deepEqual(
    (put['successful'] as { id: string }[]).map(({ id }) => id),
    ['good'],
  )
  assert.deepEqual(
    (put['failed'] as { id: string; errorCode: string }[]).map(({ id, errorCode }) => [id, errorCode]),
    [['bad', 'FieldNotFound']],
  )
  const wrong = await runProgram(
    'aws',
    ['cloudtrail-data', 'put-audit-events', '--channel-arn', 'arn:x', '--audit-events', '[{"id":"a","eventData":"{}"}]'],
    { folder, environment },
  )
  assert.match(wrong.notes, /\(InvalidChannelARN\) when calling the PutAuditEvents operation/)
  const policy = await runProgram('aws', ['cloudtrail', 'start-query', '--query-statement', 'SELECT 1'], {
    folder,
    environment,
  })
  assert.match(policy.notes, /\(UnsupportedOperationException\) when calling the StartQuery operation: .*sealcast query/)
})
