// Filter policies with the stock SDK over HTTP: each operator, both scopes, what is refused and what is told.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type MessageAttributeValue, SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, startTestServer } from './server.ts'
import { until } from './until.ts'

const { server, data } = await startFileServer()
const receiver = await openReceiver()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(() => receiver.close())

const topicNamed = async (name: string): Promise<string> => (await sns.createTopic({ Name: name })).TopicArn ?? ''

interface Subscribed {
  readonly arn: string
  readonly url: string
}

/** A queue on the topic, raw, with these attributes. */
async function subscribed(TopicArn: string, name: string, Attributes: Record<string, string>): Promise<Subscribed> {
  const arn = `arn:aws:sqs:us-east-1:000000000000:${name}`
  const Policy = topicsMaySend(arn)
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: name, Attributes: { Policy } })
  const { SubscriptionArn = '' } = await sns.subscribe({
    TopicArn,
    Protocol: 'sqs',
    Endpoint: arn,
    Attributes: { RawMessageDelivery: 'true', ...Attributes },
  })
  return { arn: SubscriptionArn, url: QueueUrl }
}

/** What waits in the queue, taken off it. A publish that was answered has arrived. */
async function taken({ url }: Subscribed): Promise<readonly string[]> {
  const bodies: string[] = []
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: url, MaxNumberOfMessages: 10 })
    if (Messages.length === 0) return bodies.sort()
    for (const { Body = '', ReceiptHandle } of Messages) {
      bodies.push(Body)
      await sqs.deleteMessage({ QueueUrl: url, ReceiptHandle })
    }
  }
}

const attribute = (value: string | number | readonly unknown[]): MessageAttributeValue =>
  typeof value === 'string'
    ? { DataType: 'String', StringValue: value }
    : typeof value === 'number'
      ? { DataType: 'Number', StringValue: String(value) }
      : { DataType: 'String.Array', StringValue: JSON.stringify(value) }

/** Conditions, values that meet one of them, values that meet none. */
const OPERATORS: Readonly<Record<string, readonly [conditions: readonly unknown[], yes: readonly unknown[], no: readonly unknown[]]>> = {
  text: [
    ['a', 'b'],
    ['a', ['x', 'b']],
    ['c', 'A', ['x']],
  ],
  number: [[301.5, 7], [301.5, 7], [8]],
  prefix: [[{ prefix: 'bas' }], ['baseball'], ['rugby', 1]],
  suffix: [[{ suffix: 'ball' }], ['baseball'], ['balls']],
  caseless: [[{ 'equals-ignore-case': 'TENNIS' }], ['tennis'], ['tenni']],
  'anything-but': [[{ 'anything-but': ['a', 'b'] }], ['c', 1, ['a', 'x']], ['a', ['a', 'b']]],
  'anything-but-one': [[{ 'anything-but': 100 }], ['100', 101], [100]],
  'anything-but-prefix': [[{ 'anything-but': { prefix: 'order-' } }], ['data'], ['order-1']],
  numeric: [[{ numeric: ['>', 0, '<=', 150] }], [150, 0.00001], [0, 151, '7']],
  equal: [[{ numeric: ['=', 3.015e2] }], [301.5], [301.51]],
  cidr4: [[{ cidr: '10.0.0.0/24' }], ['10.0.0.255'], ['10.0.1.0', 'x']],
  cidr6: [[{ cidr: '2001:db8::/64' }], ['2001:DB8:0:0:1::'], ['2001:db8:0:1::']],
  exists: [[{ exists: true }], ['a', 1], []],
  mixed: [
    [null, true, { prefix: 'a' }],
    [[null], [true], 'ab'],
    ['b', [false]],
  ],
}

/** Conditions that AWS refuses, and the first line of its words for it. */
const RECORDED: readonly (readonly [condition: string, text: string])[] = [
  ['[["value"]]', 'Match value must be String, number, true, false, or null'],
  ['[{"wrong-operator":true}]', 'Unrecognized match type wrong-operator'],
  ['[{"suffix":"value","prefix":"value2"}]', 'Only one key allowed in match expression'],
  ['[]', 'Empty arrays are not allowed'],
  ['{}', 'Empty objects are not allowed'],
  ['"value"', '"key" must be an object or an array'],
  ['{"suffix":"value"}', '"suffix" must be an object or an array'],
  ...['prefix', 'suffix', 'equals-ignore-case'].flatMap((operator) =>
    ['100', 'null', '["a","b"]'].map((value) => [`[{"${operator}":${value}}]`, `${operator} match pattern must be a string`] as const),
  ),
  ['[{"cidr":7}]', 'prefix match pattern must be a string'],
  ['[{"cidr":"10.0.0.0"}]', "Malformed CIDR, one '/' required"],
  ['[{"cidr":"10.0.0.0/x"}]', 'Malformed CIDR, mask bits must be an integer'],
  ['[{"cidr":"host/8"}]', 'Nonstandard IP address: host'],
  ['[{"cidr":"10.0.0.0/32"}]', 'IPv4 mask bits must be < 32'],
  ['[{"cidr":"::/128"}]', 'IPv6 mask bits must be < 128'],
  ['[{"exists":"no"}]', 'exists match pattern must be either true or false.'],
  ...['suffix', 'exists', 'equals-ignore-case', 'wildcard', 'wrong-operator'].map(
    (operator) => [`[{"anything-but":{"${operator}":"x"}}]`, `Unsupported anything-but pattern: ${operator}`] as const,
  ),
  ['[{"anything-but":{"prefix":false}}]', 'prefix match pattern must be a string'],
  ['[{"numeric":[]}]', 'Invalid member in numeric match: ]'],
  ['[{"numeric":[1,"<="]}]', 'Invalid member in numeric match: 1'],
  ['[{"numeric":["operator"]}]', 'Unrecognized numeric range operator: operator'],
  ['[{"numeric":["=","000"]}]', 'Value of equals must be numeric'],
  ['[{"numeric":[">="]}]', 'Value of >= must be numeric'],
  ['[{"numeric":[">","20","<","30"]}]', 'Value of > must be numeric'],
  ['[{"numeric":["<",100,">",10]}]', 'Too many elements in numeric expression'],
  ['[{"numeric":[">",20,30]}]', 'Bad value in numeric range: 30'],
  ['[{"numeric":[">=",1,">",2]}]', 'Bad numeric range operator: >'],
  ['[{"numeric":[">",3,"<",1]}]', 'Bottom must be less than top'],
  ['[{"numeric":[">",20,"<",30,"<",50]}]', 'Too many terms in numeric range expression'],
]

test('each operator, on attributes and in bodies, at own queues', async () => {
  const topicArn = await topicNamed('operators')
  const queues = new Map<string, readonly [Subscribed, Subscribed]>()
  for (const [name, [conditions]] of Object.entries(OPERATORS)) {
    const FilterPolicy = JSON.stringify({ [name]: conditions })
    queues.set(name, [
      await subscribed(topicArn, `${name}-attributes`, { FilterPolicy }),
      await subscribed(topicArn, `${name}-body`, { FilterPolicy, FilterPolicyScope: 'MessageBody' }),
    ])
  }
  for (const [name, [, yes, no]] of Object.entries(OPERATORS)) {
    const publish = (word: string, values: readonly unknown[]) =>
      values.map(async (value, at) => {
        await sns.publish({ TopicArn: topicArn, Message: `${word} ${at}`, MessageAttributes: { [name]: attribute(value as string) } })
        await sns.publish({ TopicArn: topicArn, Message: JSON.stringify({ [name]: value, word, at }) })
      })
    await Promise.all([...publish('yes', yes), ...publish('no', no)])
    const [byAttributes, byBody] = queues.get(name) ?? []
    assert.ok(byAttributes !== undefined && byBody !== undefined)
    const words = (bodies: readonly string[]) =>
      bodies.map((body) => (body.startsWith('{') ? (JSON.parse(body) as { word: string }).word : body.slice(0, 3)))
    assert.deepEqual(
      words(await taken(byAttributes)),
      yes.map(() => 'yes'),
      `${name} on attributes`,
    )
    assert.deepEqual(
      words(await taken(byBody)),
      yes.map(() => 'yes'),
      `${name} in bodies`,
    )
  }
})

test('$or, absence, arrays of objects, paths with dots', async () => {
  const topicArn = await topicNamed('shapes')
  const FilterPolicyScope = 'MessageBody'
  const or = await subscribed(topicArn, 'or', {
    FilterPolicyScope,
    FilterPolicy: JSON.stringify({
      detail: { scope: ['Service'], $or: [{ source: ['aws.cloudwatch'] }, { type: [{ exists: false }] }] },
    }),
  })
  const rows = await subscribed(topicArn, 'rows', {
    FilterPolicyScope,
    FilterPolicy: JSON.stringify({
      Records: { s3: { object: { key: [{ prefix: 'auto-' }] } }, eventName: [{ prefix: 'ObjectCreated:' }] },
    }),
  })
  const dots = await subscribed(topicArn, 'dots', { FilterPolicyScope, FilterPolicy: '{"object.nested":["x"]}' })
  const record = (key: string, eventName: string) => ({ s3: { object: [[{ key }]] }, eventName })
  const bodies = {
    or1: { detail: { scope: 'Service', source: 'aws.cloudwatch', type: 'x' } },
    or2: { detail: { scope: 'Service' } },
    no1: { detail: { scope: 'Service', type: 'x' } },
    no2: { detail: { source: 'aws.cloudwatch' } },
    rows1: { Records: [record('home-1', 'ObjectRemoved:x'), record('auto-1', 'ObjectCreated:Put')] },
    no3: { Records: [record('home-1', 'ObjectCreated:Put'), record('auto-1', 'ObjectRemoved:x')] },
    dots1: { object: { nested: 'x' } },
    dots2: { 'object.nested': ['x'] },
    no4: { object: { nested: 'y' } },
  }
  for (const [id, body] of Object.entries(bodies)) await sns.publish({ TopicArn: topicArn, Message: JSON.stringify({ id, ...body }) })
  for (const Message of ['plain', '"text"', '[{"object.nested":"x"}]']) await sns.publish({ TopicArn: topicArn, Message })
  const ids = async (queue: Subscribed) => (await taken(queue)).map((body) => (JSON.parse(body) as { id: string }).id)
  assert.deepEqual(await ids(or), ['or1', 'or2'])
  assert.deepEqual(await ids(rows), ['rows1'])
  assert.deepEqual(await ids(dots), ['dots1', 'dots2'])
})

test('each entry of a batch is filtered by itself, with the text of its protocol; HTTP receivers are filtered alike', async () => {
  const topicArn = await topicNamed('batch')
  const FilterPolicy = '{"kind":["a"]}'
  const queue = await subscribed(topicArn, 'batch', { FilterPolicy, FilterPolicyScope: 'MessageBody' })
  await sns.subscribe({
    TopicArn: topicArn,
    Protocol: 'http',
    Endpoint: `${receiver.url}/filtered`,
    Attributes: { FilterPolicy, RawMessageDelivery: 'true' },
  })
  const { Token } = JSON.parse((await receiver.nextPost('SubscriptionConfirmation')).text) as { Token: string }
  await sns.confirmSubscription({ TopicArn: topicArn, Token })
  const kind = (value: string) => ({ kind: attribute(value) })
  await sns.publishBatch({
    TopicArn: topicArn,
    PublishBatchRequestEntries: [
      { Id: '1', Message: '{"kind":"a"}', MessageAttributes: kind('b') },
      { Id: '2', Message: '{"kind":"b"}', MessageAttributes: kind('a') },
      { Id: '3', Message: JSON.stringify({ default: '{"kind":"b"}', sqs: '{"kind":"a","n":3}' }), MessageStructure: 'json' },
    ],
  })
  assert.deepEqual(await taken(queue), ['{"kind":"a","n":3}', '{"kind":"a"}'])
  await sns.publish({ TopicArn: topicArn, Message: 'last', MessageAttributes: kind('a') })
  const posts = [await receiver.nextPost('Notification'), await receiver.nextPost('Notification')].map(({ text }) => text)
  assert.deepEqual(posts.sort(), ['last', '{"kind":"b"}'])
})

test('policy and scope as they are told, changed and removed', async () => {
  const topicArn = await topicNamed('told')
  const { arn } = await subscribed(topicArn, 'told', {})
  const told = async () => {
    const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn: arn })
    return [Attributes?.['FilterPolicy'], Attributes?.['FilterPolicyScope']]
  }
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn: arn, AttributeName, AttributeValue })
  assert.deepEqual(await told(), [undefined, undefined])
  await set('FilterPolicyScope', 'MessageBody')
  assert.deepEqual(await told(), [undefined, undefined])
  const policy = '{ "attr" : [ "match-this", 1.0 ] }'
  await set('FilterPolicy', policy)
  assert.deepEqual(await told(), [policy, 'MessageBody'])
  await set('FilterPolicy', '{"attr":{"inner":["x"]}}')
  assert.deepEqual(
    await refusalOf(set('FilterPolicyScope', 'MessageAttributes')),
    invalid('Filter policy scope MessageAttributes does not support nested filter policy'),
  )
  await set('FilterPolicy', '{}')
  assert.deepEqual(await told(), [undefined, undefined])
  await set('FilterPolicyScope', 'MessageAttributes')
  await set('FilterPolicy', policy)
  assert.deepEqual(await told(), [policy, 'MessageAttributes'])
  await set('FilterPolicy', '')
  assert.deepEqual(await told(), [undefined, undefined])

  // Subscribing again is the same subscription when what is given equals what is there, defaults included.
  const again = (Attributes: Record<string, string>) =>
    sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: 'arn:aws:sqs:us-east-1:000000000000:told', Attributes })
  assert.equal((await again({ FilterPolicyScope: 'MessageAttributes' })).SubscriptionArn, arn)
  assert.deepEqual(
    await refusalOf(again({ FilterPolicy: policy })),
    invalid('Attributes Reason: Subscription already exists with different attributes'),
  )
})

test('what is refused, at Subscribe and afterwards', async () => {
  const topicArn = await topicNamed('refused')
  const { arn } = await subscribed(topicArn, 'refused', {})
  const place = (column: number) =>
    `\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`
  const refusals: readonly (readonly [attributes: Record<string, string>, text: string])[] = [
    [{ FilterPolicy: '{"key":[["value"]]}' }, `FilterPolicy: Match value must be String, number, true, false, or null${place(10)}`],
    [{ FilterPolicy: '{"key":[{"wildcard":"a*"}]}' }, `FilterPolicy: Unrecognized match type wildcard${place(22)}`],
    [{ FilterPolicy: '{"key":[{"numeric":[">",3,"<",1]}]}' }, `FilterPolicy: Bottom must be less than top${place(33)}`],
    [{ FilterPolicy: '{"key":[{"cidr":"10.0.0.0/32"}]}' }, 'FilterPolicy: IPv4 mask bits must be < 32'],
    [{ FilterPolicy: '{"a":{"b":["c"]}}' }, 'Filter policy scope MessageAttributes does not support nested filter policy'],
    [{ FilterPolicy: JSON.stringify({ a: Array.from({ length: 151 }, (_, at) => at) }) }, 'FilterPolicy: Filter policy is too complex'],
    [
      { FilterPolicy: JSON.stringify(Object.fromEntries('abcdef'.split('').map((key) => [key, ['x']]))) },
      'FilterPolicy: Filter policy can not have more than 5 keys',
    ],
    [
      { FilterPolicy: '{"key":["a"' },
      'FilterPolicy: failed to parse JSON. Unexpected end-of-input: ' +
        `expected close marker for Array (start marker${place(8).slice(1)})${place(12)}`,
    ],
    [{ FilterPolicyScope: 'Body' }, 'FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes'],
    [{ FilterPolicyScope: '' }, 'FilterPolicyScope: Invalid value []. Please use either MessageBody or MessageAttributes'],
  ]
  for (const [Attributes, text] of refusals) {
    const [[AttributeName, AttributeValue] = ['', '']] = Object.entries(Attributes)
    assert.deepEqual(
      await refusalOf(sns.subscribe({ TopicArn: topicArn, Protocol: 'http', Endpoint: 'http://example.com/', Attributes })),
      invalid(`Attributes Reason: ${text}`),
    )
    assert.deepEqual(await refusalOf(sns.setSubscriptionAttributes({ SubscriptionArn: arn, AttributeName, AttributeValue })), invalid(text))
  }
})

test('every text that AWS was recorded with, over HTTP', async () => {
  const topicArn = await topicNamed('recorded')
  const { arn: SubscriptionArn } = await subscribed(topicArn, 'recorded', { FilterPolicyScope: 'MessageBody' })
  const set = (AttributeValue: string) => sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName: 'FilterPolicy', AttributeValue })
  for (const [condition, text] of RECORDED) {
    const [name, status, message] = await refusalOf(set(`{"key":${condition}}`))
    const [first = ''] = message.split('\n at [')
    assert.deepEqual([name, status, first], invalid(`FilterPolicy: ${text}`), condition)
  }
  const values = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`)
  const or = (source: number, metric: number, type: number, id: number, space: number) => ({
    source: values(source),
    $or: [{ metricName: values(metric) }, { metricType: values(type), $or: [{ metricId: values(id) }, { spaceId: values(space) }] }],
  })
  for (const policy of [
    { key: values(151) },
    { key1: values(100), key2: values(51) },
    { a: { b: { c: values(4) } }, d: { e: values(3) }, f: values(3) },
    or(4, 6, 4, 4, 4),
    {
      $or: [{ metricName: values(3) }, { namespace: values(2) }],
      detail: { scope: values(2), $or: [{ source: values(1) }, { type: values(3) }] },
    },
  ])
    assert.deepEqual(await refusalOf(set(JSON.stringify(policy))), invalid('FilterPolicy: Filter policy is too complex'))
  await set(JSON.stringify(or(3, 6, 4, 4, 7)))
})

test('policies hold after a restart', async () => {
  const topicArn = await topicNamed('restarted')
  const queue = await subscribed(topicArn, 'restarted', { FilterPolicy: '{"kind":["a"]}' })
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: 'restarted' })
  await server.kill()
  const next = await startTestServer({ data })
  try {
    const [sns2, sqs2] = [new SNS(clientConfig(next.url)), new SQS(clientConfig(next.url))]
    for (const kind of ['a', 'b']) await sns2.publish({ TopicArn: topicArn, Message: kind, MessageAttributes: { kind: attribute(kind) } })
    const received = await until('a message', async () => {
      const { Messages } = await sqs2.receiveMessage({ QueueUrl: QueueUrl?.replace(server.url, next.url), MaxNumberOfMessages: 10 })
      return Messages
    })
    assert.deepEqual(
      received.map(({ Body }) => Body),
      ['a'],
    )
    assert.ok(queue.arn.startsWith(topicArn))
  } finally {
    await next.kill()
  }
})
