// What no SDK sends: each request below is refused in the form of its protocol, and after all of them the server is as it was.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { before, test } from 'node:test'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { type Answer, type Unsigned, sendBytes, sendSigned, signedBytes } from './sign.ts'
import { clientConfig } from './server.ts'
import { untilTrue } from './until.ts'

const MINUTE = 60_000
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:kept'
const { server } = await startFileServer()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
const s3 = new S3({ ...clientConfig(server.url), forcePathStyle: true })
let state = ''
before(async () => {
  await sns.createTopic({ Name: 'kept', Tags: [{ Key: 'team', Value: 'a' }] })
  await sqs.createQueue({ QueueName: 'kept' })
  await s3.createBucket({ Bucket: 'kept' })
  state = await readState()
})

/** All that a caller can see of what is there. */
async function readState(): Promise<string> {
  const topics = await sns.listTopics({})
  const attributes = await sns.getTopicAttributes({ TopicArn: TOPIC })
  const tags = await sns.listTagsForResource({ ResourceArn: TOPIC })
  const subscriptions = await sns.listSubscriptions({})
  const queues = await sqs.listQueues({})
  const { Buckets } = await s3.listBuckets({})
  return JSON.stringify([topics.Topics, attributes.Attributes, tags.Tags, subscriptions.Subscriptions, queues.QueueUrls, Buckets])
}

/** A good call goes through right after, nothing has changed, and nothing of it took the server by surprise. */
async function assertUnharmed(): Promise<void> {
  assert.equal(await readState(), state)
  const surprises = server
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'))
  assert.deepEqual(surprises, [])
}

/** Code and message of the query protocol's error; fails when the answer has another form. */
function queryError({ status, headers, body }: Answer): readonly [status: number, code: string, message: string] {
  assert.equal(headers['content-type'], 'text/xml', body.slice(0, 200))
  const parts = [
    /^<ErrorResponse xmlns="[^"]+"><Error><Type>(Sender|Receiver)<\/Type><Code>(\w+)<\/Code><Message>([^<]*)<\/Message><\/Error>/,
    /<RequestId>([0-9a-f-]{36})<\/RequestId><\/ErrorResponse>$/,
  ]
  const form = new RegExp(parts.map(({ source }) => source).join(''))
  const [, type, code = '', message = '', requestId] = form.exec(body) ?? []
  assert.equal(type, status < 500 ? 'Sender' : 'Receiver', body.slice(0, 300))
  assert.equal(headers['x-amzn-requestid'], requestId)
  return [status, code, message.replaceAll('&apos;', "'").replaceAll('&quot;', '"')]
}

function jsonError({ status, headers, body }: Answer, version = '1.0'): readonly [status: number, type: string] {
  assert.equal(headers['content-type'], `application/x-amz-json-${version}`)
  const { __type: type, message } = JSON.parse(body) as { __type: string; message: string }
  assert.ok(message.length > 0)
  assert.ok(headers['x-amzn-requestid'])
  return [status, type.replace(/^.*#/, '')]
}

function s3Error({ status, headers, body }: Answer): readonly [status: number, code: string] {
  assert.equal(headers['content-type'], 'application/xml')
  const [, code = ''] =
    /^<\?xml version="1.0" encoding="UTF-8"\?>\s*<Error><Code>(\w+)<\/Code><Message>[^<]+<\/Message>.*<RequestId>\w+<\/RequestId>/s.exec(
      body,
    ) ?? []
  assert.ok(headers['x-amz-request-id'] && headers['x-amz-id-2'])
  return [status, code]
}

const form = (body: string | Buffer, more: Unsigned = {}): Promise<Answer> => sendSigned(server.port, { body, ...more })
const json = (service: string, target: string, body: string, more: Unsigned = {}): Promise<Answer> => {
  const version = service === 'sqs' ? '1.0' : '1.1'
  return form(body, { service, headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target }, ...more })
}
const bare = (head: string, body = ''): Promise<Answer> =>
  sendBytes(server.port, `${head}\r\nhost: test\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)

const MANY_TAGS = Array.from({ length: 5000 }, (_, at) => `Tags.member.${at + 1}.Key=k${at}`).join('&')
const ATTRIBUTE = 'MessageAttributes.entry.1'
const NO_BASE64 = `${ATTRIBUTE}.Name=a&${ATTRIBUTE}.Value.DataType=Binary&${ATTRIBUTE}.Value.BinaryValue=%21%21`
const SYNTAX = 'The query string contains a syntax error: '
const FORMS: readonly (readonly [what: string, body: string | Buffer, status: number, code: string, message: string | RegExp])[] = [
  ['no action', 'Version=2010-03-31', 400, 'MissingAction', /^The request must contain the parameter Action/],
  ['nothing at all', '', 400, 'MissingAction', /Action/],
  [
    'an unknown operation',
    'Action=Explode&Version=2010-03-31',
    400,
    'InvalidAction',
    'Could not find operation Explode for version 2010-03-31',
  ],
  ['an operation in the wrong case', 'Action=createtopic&Name=x', 400, 'InvalidAction', /createtopic/],
  ['a name from the language below', 'Action=__proto__', 400, 'InvalidAction', /__proto__/],
  ['a name of no operation', 'Action=constructor', 400, 'InvalidAction', /constructor/],
  ['ten megabytes', `Action=CreateTopic&Name=${'x'.repeat(10_000_000)}`, 413, 'RequestEntityTooLarge', /larger than \d+ bytes/],
  [
    'a deep tree',
    `Action=CreateTopic&Name=x&${'a.'.repeat(400)}b=1`,
    400,
    'MalformedQueryString',
    /^The query string contains a syntax error/,
  ],
  [
    'a deep member',
    `Action=CreateTopic&Name=x&Attributes.entry.1.key${'.a'.repeat(30)}=1`,
    400,
    'MalformedQueryString',
    /more than 12 parts/,
  ],
  ['a wide tree', `Action=CreateTopic&Name=x&${MANY_TAGS}`, 400, 'MalformedQueryString', /more than 4096 parameters/],
  ['broken UTF-8, escaped', 'Action=CreateTopic&Name=%FF%FE', 400, 'MalformedQueryString', `${SYNTAX}bytes that are not UTF-8`],
  ['half a character', 'Action=Publish&Message=%E2%82', 400, 'MalformedQueryString', `${SYNTAX}bytes that are not UTF-8`],
  ['broken UTF-8, bare', Buffer.from([...Buffer.from('Action=CreateTopic&Name='), 0xff, 0]), 400, 'MalformedQueryString', /not UTF-8/],
  ['a broken escape', 'Action=CreateTopic&Name=%ZZ', 400, 'MalformedQueryString', /percent sign/],
  ['a parameter twice', 'Action=CreateTopic&Name=a&Name=b', 400, 'MalformedQueryString', /Name stands there twice/],
  ['an action twice', 'Action=ListTopics&Action=CreateTopic&Name=a', 400, 'MalformedQueryString', /Action stands there twice/],
  ['a zero byte', 'Action=CreateTopic&Name=a%00b', 400, 'InvalidParameter', 'Invalid parameter: Topic Name'],
  [
    'a list where a text belongs',
    'Action=CreateTopic&Name.member.1=a',
    400,
    'MalformedInput',
    'Start of structure or map found where not expected.',
  ],
  ['an attribute without a name', 'Action=CreateTopic&Name=x&Attributes.entry.1.value=a', 400, 'MalformedInput', /without key/],
  ['a boolean that is none', 'Action=Subscribe&TopicArn=x&Protocol=sqs&ReturnSubscriptionArn=perhaps', 400, 'MalformedInput', /.+/],
  ['bytes that are no base64', `Action=Publish&TopicArn=${TOPIC}&Message=x&${NO_BASE64}`, 400, 'MalformedInput', /.+/],
]

for (const [what, body, status, code, message] of FORMS)
  test(`refused in the query protocol: ${what}`, async () => {
    const [answered, answeredCode, answeredMessage] = queryError(await form(body))
    assert.deepEqual([answered, answeredCode], [status, code], answeredMessage)
    if (typeof message === 'string') assert.equal(answeredMessage, message)
    else assert.match(answeredMessage, message)
    await assertUnharmed()
  })

test('malformed ARNs are refused by name', async () => {
  const parts = (count: number) => [
    400,
    'InvalidParameter',
    `Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not ${count}`,
  ]
  const wrong = [400, 'InvalidParameter', 'Invalid parameter: TopicArn']
  const missing = [404, 'NotFound', 'Topic does not exist']
  for (const [arn, expected] of [
    ['', parts(1)],
    ['arn', parts(1)],
    ['arn:aws:sns', parts(3)],
    [':::::', wrong],
    ['arn:aws:sqs:us-east-1:000000000000:kept', wrong],
    [`${TOPIC}:a:b:c`, wrong],
    ['arn:aws:sns:us-east-1:000000000000:', missing],
    ['arn:aws:sns:us-east-1:000000000000:../../kept', missing],
    [`arn:aws:sns:us-east-1:000000000000:${'x'.repeat(5000)}`, missing],
    ['arn:aws:sns:us-east-1:000000000000:KEPT', missing],
  ] as const)
    for (const action of ['GetTopicAttributes', 'ListSubscriptionsByTopic', 'Publish&Message=x'])
      assert.deepEqual(
        queryError(await form(`Action=${action}&TopicArn=${encodeURIComponent(arn)}`)),
        expected,
        `${action} ${arn.slice(0, 60)}`,
      )
  await assertUnharmed()
})

test('content types that no protocol has', async () => {
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json', ''])
    assert.equal(queryError(await form('Action=CreateTopic&Name=typed', { headers: { 'content-type': type } }))[1], 'MissingAction', type)
  await assertUnharmed()
})

test('calls that are not signed, or not readably', async () => {
  const post = 'POST / HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded'
  const unsigned = queryError(await bare(post, 'Action=CreateTopic&Name=unsigned'))
  assert.deepEqual(unsigned, [403, 'MissingAuthenticationToken', 'Request is missing Authentication Token'])
  const target = 'POST / HTTP/1.1\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.CreateQueue'
  assert.deepEqual(jsonError(await bare(target, '{"QueueName":"unsigned"}')), [400, 'MissingAuthenticationTokenException'])
  assert.deepEqual(s3Error(await bare('PUT /unsigned HTTP/1.1\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD')), [403, 'AccessDenied'])
  for (const authorization of [
    'Basic dGVzdDp0ZXN0',
    'AWS4-HMAC-SHA256 Credential=x',
    'AWS4-HMAC-SHA256',
    `AWS4-HMAC-SHA256 ${'x'.repeat(5000)}`,
  ]) {
    const [status, code] = queryError(await bare(`${post}\r\nauthorization: ${authorization}`, 'Action=CreateTopic&Name=unsigned'))
    assert.deepEqual([status, code], [400, 'IncompleteSignature'], authorization.slice(0, 40))
  }
  await assertUnharmed()
})

test('signatures that do not hold', async () => {
  const create = 'Action=CreateTopic&Name=forged'
  const [expired, future] = [{ at: Date.now() - 16 * MINUTE }, { at: Date.now() + 16 * MINUTE }]
  const [status, code, message] = queryError(await form(create, expired))
  assert.deepEqual([status, code], [403, 'SignatureDoesNotMatch'])
  assert.match(message, /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/)
  assert.match(queryError(await form(create, future))[2], /^Signature not yet current: /)
  assert.deepEqual(jsonError(await json('sqs', 'AmazonSQS.CreateQueue', '{"QueueName":"forged"}', expired)), [
    400,
    'InvalidSignatureException',
  ])
  assert.deepEqual(s3Error(await form('', { service: 's3', method: 'PUT', path: '/forged', ...expired })), [403, 'RequestTimeTooSkewed'])
  assert.equal((await form('Action=ListTopics', { at: Date.now() - 14 * MINUTE })).status, 200)

  const nobody = { key: { accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: 'x' } }
  assert.deepEqual(queryError(await form(create, nobody)), [
    403,
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
  ])
  assert.deepEqual(jsonError(await json('sqs', 'AmazonSQS.CreateQueue', '{}', nobody)), [400, 'UnrecognizedClientException'])
  assert.deepEqual(s3Error(await form('', { service: 's3', method: 'PUT', path: '/forged', ...nobody })), [403, 'InvalidAccessKeyId'])

  const elsewhere = { region: 'mars-north-1' }
  assert.deepEqual(queryError(await form(create, elsewhere)), [
    403,
    'SignatureDoesNotMatch',
    "Credential should be scoped to a valid region, not 'mars-north-1'.",
  ])
  assert.deepEqual(jsonError(await json('sqs', 'AmazonSQS.CreateQueue', '{"QueueName":"x"}', elsewhere)), [
    400,
    'InvalidSignatureException',
  ])
  assert.equal(queryError(await form(create, { service: 'moon' }))[1], 'InvalidAction')
  await assertUnharmed()
})

test('a request that was changed on its way, and one that is sent again when it is old', async () => {
  const signed = signedBytes(server.port, { body: 'Action=CreateTopic&Name=signed' }).toString('latin1')
  const changed = await sendBytes(server.port, signed.replace('Name=signed', 'Name=forged'))
  assert.equal(queryError(changed)[1], 'SignatureDoesNotMatch')
  const moved = await sendBytes(server.port, signed.replace('POST / ', 'POST /?Action=ListTopics '))
  assert.equal(moved.status >= 400, true)
  const old = signedBytes(server.port, { body: 'Action=CreateTopic&Name=old', at: Date.now() - 20 * MINUTE })
  for (let time = 0; time < 2; time++) assert.match(queryError(await sendBytes(server.port, old))[2], /^Signature expired/)
  await assertUnharmed()
})

test('the JSON protocol refuses in its own form', async () => {
  const create = (body: string) => json('sqs', 'AmazonSQS.CreateQueue', body)
  for (const body of [
    '{"QueueName":',
    '[]',
    '"text"',
    'null',
    '['.repeat(50_000),
    `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
    '{"QueueName":5}',
  ])
    assert.deepEqual(jsonError(await create(body)), [400, 'SerializationException'], body.slice(0, 20))
  assert.deepEqual(jsonError(await json('sqs', 'AmazonSQS.Explode', '{}')), [400, 'UnknownOperationException'])
  assert.deepEqual(jsonError(await json('sqs', 'AmazonSQS.__proto__', '{}')), [400, 'UnknownOperationException'])
  assert.deepEqual(jsonError(await json('cloudtrail', 'CloudTrail_20131101.Explode', '{}'), '1.1'), [400, 'UnknownOperationException'])
  const pollution = await create('{"QueueName":"kept","__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}')
  assert.equal(pollution.status, 200)
  await assertUnharmed()
})

test('S3 refuses in its own form', async () => {
  const bucket = (more: Unsigned) => form('', { service: 's3', method: 'GET', path: '/kept', ...more })
  assert.deepEqual(s3Error(await bucket({ method: 'DELETE', path: '/' })), [405, 'MethodNotAllowed'])
  assert.deepEqual(s3Error(await bucket({ method: 'PUT', path: '/Bad_Name' })), [400, 'InvalidBucketName'])
  assert.deepEqual(s3Error(await bucket({ method: 'PUT', path: '/broken', body: '<a' })), [400, 'MalformedXML'])
  assert.deepEqual(s3Error(await bucket({ path: '/kept/%FF' })), [400, 'InvalidURI'])
  assert.deepEqual(s3Error(await bucket({ path: '/absent' })), [404, 'NoSuchBucket'])
  assert.deepEqual(s3Error(await bucket({ query: 'metadataConfiguration=' })), [501, 'NotImplemented'])
  const bomb = `<!DOCTYPE a [<!ENTITY b "${'c'.repeat(1000)}">]><a>${'&b;'.repeat(1000)}</a>`
  assert.deepEqual(s3Error(await bucket({ method: 'PUT', path: '/bomb', body: bomb })), [400, 'MalformedXML'])
  await assertUnharmed()
})

test('bytes that are no HTTP', async () => {
  for (const [bytes, status] of [
    ['GARBAGE\r\n\r\n', 400],
    ['\x16\x03\x01\x00\xa0\x01\x00\x00\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
    ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', 400],
    ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nhello', 400],
    ['POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\nhello', 400],
    ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\nhello', 400],
    ['GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    [`GET /${'y'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, 414],
  ] as const)
    assert.equal((await sendBytes(server.port, bytes)).status, status, JSON.stringify(bytes.slice(0, 60)))
  await assertUnharmed()
})

test('a body that is cut short does nothing', async () => {
  for (const missing of [1, 10, 30]) {
    const bytes = signedBytes(server.port, { body: 'Action=CreateTopic&Name=cut-short-by-the-wire' })
    const { status } = await sendBytes(server.port, bytes.subarray(0, -missing), { end: true })
    assert.ok(status === 0 || status === 400, `status ${status}`)
  }
  // Gone without a word, in the middle of a body.
  for (let time = 0; time < 20; time++) {
    const socket = connect(server.port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    socket.write(signedBytes(server.port, { body: 'Action=CreateTopic&Name=gone' }).subarray(0, -3))
    socket.destroy()
  }
  await assertUnharmed()
})

test('connections that say nothing do not keep others out', async () => {
  const idle = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1'))
  await Promise.all(idle.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))))
  try {
    await assertUnharmed()
  } finally {
    for (const socket of idle) socket.destroy()
  }
})

test('the server is ready and well after all of it', async () => {
  await untilTrue('every follower is up to date', async () => {
    const health = (await (await fetch(`${server.url}/_sealcast/health`)).json()) as { status: string; followers: { failing?: string }[] }
    return health.status === 'ready' && health.followers.every(({ failing }) => failing === undefined)
  })
  await assertUnharmed()
})
