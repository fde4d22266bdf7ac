// The door by hand: what no current SDK sends, and what it answers byte for byte.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceError } from '../model/service-error.ts'
import type { HttpResponse } from './answer.ts'
import type { Door, WireResult } from './door.ts'
import type { HttpRequest } from './http.ts'
import { only, recordingInvoke, testDoor, testRequest } from './test-world.ts'

const ARN = 'arn:aws:sns:eu-west-1:000000000000:orders'
const QUEUE = 'http://localhost:4566/000000000000/q'

const unsigned: Partial<HttpRequest> = { headers: { host: 'localhost:4566' } }

function byHand(outputs: Record<string, WireResult> = {}) {
  const { calls, invoke } = recordingInvoke(outputs)
  const door = testDoor(invoke)
  const send = async (parts: Parameters<typeof testRequest>[0]): Promise<HttpResponse & { text: string }> => {
    const answer = await door.handler(testRequest({ ...unsigned, ...parts }))
    return { ...answer, text: String(answer.body) }
  }
  return { calls, send, door }
}

const form = { host: 'localhost:4566', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
const scoped = (service: string, others: Record<string, string> = {}) => ({
  host: 'localhost:4566',
  'x-amz-date': '20260102T030405Z',
  authorization:
    `AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/${service}/aws4_request, ` + `SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  ...others,
})

test('links by GET: no signature, no version, an ARN that is not escaped', async () => {
  const { calls, send } = byHand()
  const { status, text } = await send({ method: 'GET', query: `Action=Unsubscribe&SubscriptionArn=${ARN}:id` })
  assert.equal(status, 200)
  assert.match(
    text,
    /^<UnsubscribeResponse [^>]*><ResponseMetadata><RequestId>[^<]+<\/RequestId><\/ResponseMetadata><\/UnsubscribeResponse>$/,
  )
  const { input, signature, service, region } = only(calls)
  assert.deepEqual(
    { input, signature, service, region },
    { input: { SubscriptionArn: `${ARN}:id` }, signature: undefined, service: 'sns', region: 'us-east-1' },
  )
})

test('parameters in the URL of a POST count, and agree with those of the body', async () => {
  const { calls, send } = byHand()
  await send({ query: 'Action=CreateTopic&Version=2010-03-31', headers: form, body: 'Name=a' })
  assert.deepEqual(only(calls).input, { Name: 'a' })
  assert.equal((await send({ query: 'Action=CreateTopic&Name=b', headers: form, body: 'Name=a' })).status, 200)
  assert.equal(calls[1]?.decodeError?.code, 'MalformedQueryString')
})

test('SQS in its query protocol, posted to the queue', async () => {
  const { calls, send } = byHand({ SendMessage: { output: { MessageId: 'm' } } })
  const { text } = await send({
    path: '/000000000000/q',
    headers: { ...form },
    body: 'Action=SendMessage&Version=2012-11-05&MessageBody=b',
  })
  assert.match(
    text,
    /^<\?xml version="1.0"\?><SendMessageResponse xmlns="http:\/\/queue.amazonaws.com\/doc\/2012-11-05\/"><SendMessageResult><MessageId>m</,
  )
  assert.deepEqual(only(calls).input, { MessageBody: 'b', QueueUrl: QUEUE })
})

test('both spellings of CloudTrail in X-Amz-Target', async () => {
  for (const prefix of ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', 'CloudTrail_20131101']) {
    const { calls, send } = byHand()
    const { status, headers, text } = await send({ headers: { host: 'h', 'x-amz-target': `${prefix}.ListTrails` }, body: '{}' })
    assert.deepEqual([status, headers['content-type'], text], [200, 'application/x-amz-json-1.1', '{}'])
    assert.equal(only(calls).operation, 'ListTrails')
  }
})

test('a call whose input cannot be read reaches the engine with its error', async () => {
  const { calls, send } = byHand()
  await send({ headers: { ...scoped('sqs'), 'x-amz-target': 'AmazonSQS.SendMessage' }, body: '{"QueueUrl":5}' })
  await send({ headers: { ...form }, body: 'Action=CreateTopic&Tags=x' })
  await send({ method: 'PUT', path: '/b', query: 'tagging', headers: scoped('s3'), body: '<Tagging>' })
  assert.deepEqual(
    calls.map(({ operation, decodeError }) => [operation, decodeError?.code]),
    [
      ['SendMessage', 'SerializationException'],
      ['CreateTopic', 'MalformedInput'],
      ['PutBucketTagging', 'MalformedXML'],
    ],
  )
})

test('required members that are absent are named as AWS names them', async () => {
  const { calls, send } = byHand()
  await send({ headers: form, body: 'Action=SetSMSAttributes&Version=2010-03-31' })
  await send({ headers: form, body: 'Action=PublishBatch&TopicArn=a&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=n' })
  assert.deepEqual(calls[0]?.missing, ['attributes'])
  assert.deepEqual(calls[1]?.missing, [
    'publishBatchRequestEntries.1.member.id',
    'publishBatchRequestEntries.1.member.message',
    'publishBatchRequestEntries.1.member.messageAttributes.n.member.dataType',
  ])
})

test('what is for no operation gets the error AWS would give, in the protocol it speaks', async () => {
  const { calls, send } = byHand()
  const refusals: readonly (readonly [Parameters<typeof testRequest>[0], number, RegExp])[] = [
    [{ method: 'GET' }, 403, /<Code>MissingAuthenticationToken<\/Code>/],
    [{ body: 'x', headers: form }, 403, /<Code>MissingAuthenticationToken<\/Code>/],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Version=2010-03-31' }, 400, /<Code>MissingAction<\/Code>/],
    [
      { headers: scoped('sns', { 'content-type': 'text/plain' }), body: 'Action=ListTopics' },
      400,
      /<Code>MissingAction<\/Code>.*x-www-form-urlencoded/,
    ],
    [
      { headers: { ...scoped('sns'), ...form }, body: 'Action=Nope&Version=2010-03-31' },
      400,
      /<Code>InvalidAction<\/Code><Message>Could not find operation Nope for version 2010-03-31</,
    ],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Action=ListTopics&Version=1999' }, 400, /<Code>InvalidAction<\/Code>/],
    [{ headers: { ...scoped('sts'), ...form }, body: 'Action=ListTopics&Version=2010-03-31' }, 403, /scoped to correct service: 'sns'/],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Action=ListTopics&a=%' }, 400, /<Code>MalformedQueryString<\/Code>/],
    [{ headers: { ...scoped('ec2'), ...form }, body: 'Action=DescribeInstances' }, 400, /does not serve 'ec2'; it serves sns, sqs/],
    [{ headers: { ...scoped('sns'), 'x-amz-target': 'AmazonSQS.ListQueues' } }, 400, /#InvalidSignatureException/],
    [{ headers: { host: 'h', 'x-amz-target': 'Nobody.Knows' } }, 400, /UnknownOperationException/],
    [{ headers: { host: 'h', 'x-amz-target': 'AmazonSQS.__proto__' } }, 400, /UnknownOperationException/],
    [{ headers: { ...form }, body: 'Action=constructor' }, 400, /<Code>InvalidAction<\/Code>/],
    [{ headers: { host: 'h', authorization: 'AWS4-HMAC-SHA256 Credential=A' } }, 400, /<Code>IncompleteSignature<\/Code>/],
    [{ method: 'PATCH', path: '/b/k', headers: scoped('s3') }, 405, /<Code>MethodNotAllowed<\/Code>/],
    [{ method: 'GET', path: '/b/%ff', headers: scoped('s3') }, 400, /<Code>InvalidURI<\/Code>/],
  ]
  for (const [request, status, text] of refusals) {
    const answer = await send(request)
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.text, text)
    assert.ok(answer.headers['x-amzn-RequestId'] ?? answer.headers['x-amz-request-id'])
  }
  assert.deepEqual(calls, [])
})

test('signature refusals have the form of each protocol', async () => {
  const refused = { error: new ServiceError('InvalidClientTokenId', 403, 'invalid', { shape: 'UnrecognizedClientException' }) }
  const door = testDoor(async () => refused)
  const ask = async (parts: Parameters<typeof testRequest>[0]): Promise<[number, string]> => {
    const { status, body } = await door.handler(testRequest(parts))
    return [status, String(body)]
  }
  const [queryStatus, xml] = await ask({ headers: form, body: 'Action=ListTopics' })
  assert.equal(queryStatus, 403)
  assert.match(xml, /<Code>InvalidClientTokenId</)
  const [jsonStatus, json] = await ask({ headers: { host: 'h', 'x-amz-target': 'CloudTrail_20131101.ListTrails' } })
  assert.deepEqual([jsonStatus, JSON.parse(json).__type], [400, 'UnrecognizedClientException'])
})

test('the server itself refuses in the protocol that the request speaks', () => {
  const { door } = byHand()
  const tooLarge = new ServiceError('RequestEntityTooLarge', 413, 'too large')
  const refuse = (parts: Parameters<typeof testRequest>[0]) => String(door.refuse(testRequest(parts), tooLarge).body)
  assert.match(refuse({ headers: { ...scoped('sns'), ...form } }), /<Code>RequestEntityTooLarge</)
  assert.match(
    refuse({ headers: scoped('sqs', { 'x-amz-target': 'AmazonSQS.SendMessage' }) }),
    /"__type":"com.amazon.coral.service#RequestEntityTooLarge"/,
  )
  assert.match(refuse({ method: 'PUT', path: '/b/k', headers: scoped('s3') }), /<Code>EntityTooLarge</)
})

test('paths of our own go to their handler, and only uploads are streamed', async () => {
  const { send, door } = byHand()
  assert.equal((await send({ method: 'GET', path: '/_sealcast/health' })).text, 'internal /_sealcast/health')
  assert.equal((await send({ method: 'GET', path: '/SimpleNotificationService-1.pem' })).text, 'internal /SimpleNotificationService-1.pem')
  const admit = (...[parts]: Parameters<typeof testRequest>): ReturnType<Door['admit']> => door.admit(testRequest(parts))
  assert.equal(admit({ method: 'PUT', path: '/b/k', headers: scoped('s3') }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b/k', query: 'partNumber=1&uploadId=u', headers: scoped('s3') }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b/k' }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b', headers: scoped('s3') }), 'collect')
  assert.equal(admit({ method: 'PUT', path: '/b/k', query: 'tagging', headers: scoped('s3') }), 'collect')
  assert.equal(admit({ method: 'POST', path: '/', headers: scoped('sns') }), 'collect')
})
