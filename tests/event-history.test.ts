// The event history and channels from outside: the stock SDK's paginator over many events and a restart, and events put into a channel
// over HTTP, found by SQL and in no trail.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CloudTrail, paginateLookupEvents } from '@aws-sdk/client-cloudtrail'
import { SNS } from '@aws-sdk/client-sns'
import { clientConfig, runCommand, SERVER_REGION, startTestServer, temporaryFolder, type TestServer } from './server.ts'
import { signedHeaders } from './sign.ts'

const folder = temporaryFolder()
const data = `${folder.path}/data`
let server: TestServer = await startTestServer({ data })
after(async () => {
  await server.kill()
  folder.remove()
})

async function found(attribute: string, value: string): Promise<string[]> {
  const client = new CloudTrail(clientConfig(server.url))
  const ids: string[] = []
  const query = { LookupAttributes: [{ AttributeKey: attribute as 'EventName', AttributeValue: value }] }
  for await (const { Events } of paginateLookupEvents({ client, pageSize: 20 }, query))
    ids.push(...(Events ?? []).map(({ EventId }) => EventId ?? ''))
  return ids
}

test('the paginator of the SDK gives every event once, newest first, also after a SIGKILL', async () => {
  const sns = new SNS(clientConfig(server.url))
  for (let number = 0; number < 55; number++) await sns.createTopic({ Name: `topic-${number}` })
  const before = await found('EventName', 'CreateTopic')
  assert.equal(new Set(before).size, 55)
  const cloudtrail = new CloudTrail(clientConfig(server.url))
  const { Events: [newest] = [] } = await cloudtrail.lookupEvents({
    MaxResults: 1,
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateTopic' }],
  })
  assert.match(newest?.CloudTrailEvent ?? '', /topic-54/)
  assert.deepEqual(newest?.Resources, [
    { ResourceType: 'AWS::SNS::Topic', ResourceName: `arn:aws:sns:${SERVER_REGION}:000000000000:topic-54` },
  ])
  assert.ok(newest?.EventTime instanceof Date)
  await server.kill()
  server = await startTestServer({ data })
  assert.deepEqual(await found('EventName', 'CreateTopic'), before)
  assert.deepEqual(await found('EventId', before[7] ?? ''), [before[7]])
})

async function putAuditEvents(channelArn: string, body: object | string, query = `channelArn=${encodeURIComponent(channelArn)}`) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const request = {
    path: '/PutAuditEvents',
    query,
    body: text,
    service: 'cloudtrail-data',
    headers: { 'content-type': 'application/json' },
  }
  const { host: _, ...headers } = signedHeaders(new URL(server.url).host, request)
  const answer = await fetch(`${server.url}/PutAuditEvents?${query}`, { method: 'POST', headers, body: text })
  return { status: answer.status, error: answer.headers.get('x-amzn-errortype'), body: (await answer.json()) as Record<string, unknown> }
}

test('an event put into a channel is answered with its id, survives a SIGKILL and is found by SQL', async () => {
  const cloudtrail = new CloudTrail(clientConfig(server.url))
  const { EventDataStores: [store] = [] } = await cloudtrail.listEventDataStores({})
  const { ChannelArn = '' } = await cloudtrail.createChannel({
    Name: 'billing',
    Source: 'Custom',
    Destinations: [{ Type: 'EVENT_DATA_STORE', Location: store?.EventDataStoreArn }],
  })
  const eventData = JSON.stringify({
    version: '1.0',
    userIdentity: { type: 'User', principalId: 'u-1' },
    eventSource: 'billing.example.com',
    eventName: 'RefundIssued',
    eventTime: '2026-01-02T03:04:05Z',
    UID: 'refund-1',
    recipientAccountId: '000000000000',
  })
  const { status, body } = await putAuditEvents(ChannelArn, { auditEvents: [{ id: 'one', eventData }] })
  assert.equal(status, 200, JSON.stringify(body))
  const [{ eventID = '' } = {}] = body['successful'] as { eventID?: string }[]
  await server.kill()
  server = await startTestServer({ data })
  const name = "json_extract_string(eventjson, '$.eventData.eventName') AS name"
  const sql = `SELECT event_class, eventcategory, ${name} FROM events WHERE eventid = '${eventID}'`
  const { output, code, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.equal(code, 0, notes)
  assert.deepEqual(JSON.parse(output), { event_class: 'channel', eventcategory: 'ActivityAuditLog', name: 'RefundIssued' })
  assert.deepEqual(await found('EventName', 'RefundIssued'), [], 'the event history holds calls alone')
})

test('bad requests to the data service get its errors in its protocol', async () => {
  const refused = async (body: object | string, query?: string) => {
    const answer = await putAuditEvents('x', body, query)
    return [answer.status, answer.error, typeof answer.body['message']]
  }
  assert.deepEqual(await refused({ auditEvents: [] }), [400, 'InvalidChannelARN', 'string'])
  assert.deepEqual(await refused({ auditEvents: [] }, ''), [400, 'ValidationException', 'string'])
  assert.deepEqual(await refused('{'), [400, 'SerializationException', 'string'])
  assert.deepEqual(await refused({ auditEvents: 5 }), [400, 'SerializationException', 'string'])
  const { host: _, ...headers } = signedHeaders(new URL(server.url).host, { method: 'GET', path: '/Other', service: 'cloudtrail-data' })
  const answer = await fetch(`${server.url}/Other`, { headers })
  assert.deepEqual([answer.status, answer.headers.get('x-amzn-errortype')], [400, 'UnknownOperationException'])
})
