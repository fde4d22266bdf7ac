import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, HOST, other, refusal, SECOND } from '../../../tests/sqs-world.ts'
import { HIDDEN } from '../../engine/audit.ts'
import { servicePrincipal } from '../../model/principal.ts'
import { createSqs } from './index.ts'

test('a queue is created once, and found again under any host', async (t) => {
  const world = await createWorld(t)
  const url = await world.create('orders', { VisibilityTimeout: '7' })
  assert.equal(url, `http://${HOST}/${ACCOUNT}/orders`)
  assert.equal(await world.create('orders'), url)
  assert.equal(await world.create('orders', { VisibilityTimeout: '7', DelaySeconds: '0' }), url)
  assert.deepEqual(await world.sqs('GetQueueUrl', { QueueName: 'orders' }), { QueueUrl: url })
  assert.equal(
    await world.attribute(`https://elsewhere.example/prefix/${ACCOUNT}/orders`, 'QueueArn'),
    `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`,
  )
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
  assert.deepEqual(
    await world.call('sqs', 'GetQueueUrl', { QueueName: 'orders' }, undefined, { host: 'us-east-1.queue.example:8443', tls }),
    { QueueUrl: `https://us-east-1.queue.example:8443/${ACCOUNT}/orders` },
  )
  const different = await refusal(world.create('orders', { DelaySeconds: '1' }))
  assert.equal(different.code, 'QueueAlreadyExists')
  assert.equal(different.shape, 'QueueNameExists')
  assert.equal(different.message, 'A queue already exists with the same name and a different value for attribute DelaySeconds')
})

test('names that are none are refused', async (t) => {
  const world = await createWorld(t)
  for (const name of ['', 'a b', 'a.b', 'a.fifo', 'ä', 'a'.repeat(81), 'a/b', 'x:y'])
    assert.equal((await refusal(world.create(name))).code, 'InvalidParameterValue', name)
  await world.create('a'.repeat(80))
  assert.equal((await refusal(world.create('b', { Foo: '1' }))).code, 'InvalidAttributeName')
  assert.equal((await refusal(world.create('b', { DelaySeconds: '901' }))).code, 'InvalidAttributeValue')
})

test('a queue that is not there has the same refusal everywhere, in both protocols', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = `http://${HOST}/${ACCOUNT}/none`
  const calls: Record<string, object> = {
    GetQueueUrl: { QueueName: 'none' },
    DeleteQueue: { QueueUrl },
    GetQueueAttributes: { QueueUrl, AttributeNames: ['All'] },
    SetQueueAttributes: { QueueUrl, Attributes: {} },
    SendMessage: { QueueUrl, MessageBody: 'x' },
    SendMessageBatch: { QueueUrl, Entries: [{ Id: '1', MessageBody: 'x' }] },
    ReceiveMessage: { QueueUrl },
    DeleteMessage: { QueueUrl, ReceiptHandle: 'x' },
    DeleteMessageBatch: { QueueUrl, Entries: [] },
    ChangeMessageVisibility: { QueueUrl, ReceiptHandle: 'x', VisibilityTimeout: 1 },
    ChangeMessageVisibilityBatch: { QueueUrl, Entries: [] },
    PurgeQueue: { QueueUrl },
    TagQueue: { QueueUrl, Tags: {} },
    UntagQueue: { QueueUrl, TagKeys: [] },
    ListQueueTags: { QueueUrl },
    ListDeadLetterSourceQueues: { QueueUrl },
  }
  for (const [operation, input] of Object.entries(calls)) {
    const { code, shape, status } = await refusal(world.sqs(operation, input))
    assert.deepEqual(
      { code, shape, status },
      { code: 'AWS.SimpleQueueService.NonExistentQueue', shape: 'QueueDoesNotExist', status: 400 },
      operation,
    )
  }
  for (const url of ['none', '', 'http://host/none', 'http://host/12/none', '/'])
    assert.equal((await refusal(world.sqs('ReceiveMessage', { QueueUrl: url }))).code, 'InvalidAddress', url)
})

test('queues are kept apart by region', async (t) => {
  const world = await createWorld(t)
  const url = await world.create('q')
  await assert.rejects(world.call('sqs', 'SendMessage', { QueueUrl: url, MessageBody: 'x' }, undefined, { region: 'eu-west-1' }), {
    shape: 'QueueDoesNotExist',
  })
})

test('queues are listed by name, by prefix and by page', async (t) => {
  const world = await createWorld(t)
  for (const name of ['b2', 'a1', 'b1', 'b3']) await world.create(name)
  const urls = (...names: string[]) => names.map((name) => `http://${HOST}/${ACCOUNT}/${name}`)
  assert.deepEqual(await world.sqs('ListQueues'), { QueueUrls: urls('a1', 'b1', 'b2', 'b3') })
  assert.deepEqual(await world.sqs('ListQueues', { QueueNamePrefix: 'b' }), { QueueUrls: urls('b1', 'b2', 'b3') })
  assert.deepEqual(await world.sqs('ListQueues', { QueueNamePrefix: 'c' }), {})
  assert.deepEqual(await world.sqs('ListQueues', {}, other), {})
  const first = await world.sqs<{ QueueUrls: string[]; NextToken: string }>('ListQueues', { QueueNamePrefix: 'b', MaxResults: 2 })
  assert.deepEqual(first.QueueUrls, urls('b1', 'b2'))
  assert.deepEqual(await world.sqs('ListQueues', { QueueNamePrefix: 'b', MaxResults: 2, NextToken: first.NextToken }), {
    QueueUrls: urls('b3'),
  })
  for (const input of [{ MaxResults: 0 }, { MaxResults: 1001 }, { NextToken: 'x' }])
    assert.equal((await refusal(world.sqs('ListQueues', input))).code, 'InvalidParameterValue')
})

test('a thousand queues are listed at once, and the rest by a token where a page was asked for', async (t) => {
  const world = await createWorld(t)
  for (let at = 0; at < 1001; at++) await world.create(`q${String(at).padStart(4, '0')}`)
  const all = await world.sqs<{ QueueUrls: string[]; NextToken?: string }>('ListQueues')
  assert.deepEqual([all.QueueUrls.length, all.NextToken], [1000, undefined])
  const first = await world.sqs<{ QueueUrls: string[]; NextToken: string }>('ListQueues', { MaxResults: 1000 })
  assert.equal(first.QueueUrls.length, 1000)
  assert.deepEqual(await world.sqs('ListQueues', { MaxResults: 1000, NextToken: first.NextToken }), {
    QueueUrls: [`http://${HOST}/${ACCOUNT}/q1000`],
  })
})

test('attributes are shown with their defaults, changed one by one, and taken away when empty', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '60' })
  const born = String(Math.floor(world.clock.now() / 1000))
  const all = async () => (await world.sqs<{ Attributes: object }>('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })).Attributes
  const expected = {
    QueueArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:q`,
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesNotVisible: '0',
    ApproximateNumberOfMessagesDelayed: '0',
    CreatedTimestamp: born,
    LastModifiedTimestamp: born,
    DelaySeconds: '0',
    MaximumMessageSize: '1048576',
    MessageRetentionPeriod: '345600',
    ReceiveMessageWaitTimeSeconds: '0',
    VisibilityTimeout: '60',
    SqsManagedSseEnabled: 'false',
  }
  assert.deepEqual(await all(), expected)
  world.clock.advance(5 * SECOND)
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' }],
  })
  await world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { DelaySeconds: '3', Policy: policy } })
  assert.deepEqual(await all(), { ...expected, DelaySeconds: '3', Policy: policy, LastModifiedTimestamp: String(Number(born) + 5) })
  await world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { Policy: '' } })
  assert.equal(await world.attribute(QueueUrl, 'Policy'), undefined)
  assert.deepEqual(await world.sqs('GetQueueAttributes', { QueueUrl, AttributeNames: ['DelaySeconds', 'RedrivePolicy'] }), {
    Attributes: { DelaySeconds: '3' },
  })
  assert.deepEqual(await world.sqs('GetQueueAttributes', { QueueUrl }), {})
  assert.equal((await refusal(world.attribute(QueueUrl, 'Foo'))).message, 'Unknown Attribute Foo.')
})

test('a purge takes what is there, in flight included, and nothing that comes later', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '1' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'in flight' })
  await world.receive(QueueUrl)
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'waiting' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'delayed', DelaySeconds: 1 })
  await world.sqs('PurgeQueue', { QueueUrl })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'later' })
  world.clock.advance(2 * SECOND)
  assert.deepEqual(
    (await world.receive(QueueUrl)).map(({ Body }) => Body),
    ['later'],
  )
})

test('a deleted queue is gone, and a new one of its name is empty', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  await world.sqs('DeleteQueue', { QueueUrl })
  assert.deepEqual(await world.sqs('ListQueues'), {})
  assert.equal((await refusal(world.receive(QueueUrl))).shape, 'QueueDoesNotExist')
  assert.deepEqual(world.env.queues.counts(1, world.clock.now()), { visible: 0, inFlight: 0, delayed: 0 })
  await world.create('q')
  assert.deepEqual(await world.receive(QueueUrl), [])
})

test('tags are added, replaced, listed and taken away', async (t) => {
  const world = await createWorld(t)
  const { QueueUrl } = await world.sqs<{ QueueUrl: string }>('CreateQueue', { QueueName: 'q', tags: { team: 'a' } })
  await world.sqs('TagQueue', { QueueUrl, Tags: { team: 'b', cost: '' } })
  assert.deepEqual(await world.sqs('ListQueueTags', { QueueUrl }), { Tags: { team: 'b', cost: '' } })
  await world.sqs('UntagQueue', { QueueUrl, TagKeys: ['team', 'none'] })
  assert.deepEqual(await world.sqs('ListQueueTags', { QueueUrl }), { Tags: { cost: '' } })
  await world.sqs('UntagQueue', { QueueUrl, TagKeys: ['cost'] })
  assert.deepEqual(await world.sqs('ListQueueTags', { QueueUrl }), {})
  for (const [operation, more, name] of [
    ['TagQueue', { Tags: {} }, 'Tags'],
    ['UntagQueue', { TagKeys: [] }, 'TagKeys'],
    ['SetQueueAttributes', { Attributes: {} }, 'Attribute.Name'],
  ] as const)
    assert.equal((await refusal(world.sqs(operation, { QueueUrl, ...more }))).message, `The request must contain the parameter ${name}.`)
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 'v']))
  for (const Tags of [many, { 'aws:x': 'y' }, { ['k'.repeat(129)]: 'v' }, { k: 'v'.repeat(257) }])
    assert.equal((await refusal(world.sqs('TagQueue', { QueueUrl, Tags }))).code, 'InvalidParameterValue')
})

test('other accounts reach a queue by its policy alone, and never what belongs to the owner', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const send = (as: typeof other) => world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, as)
  const denied = await refusal(send(other))
  assert.deepEqual([denied.code, denied.shape, denied.status], ['AccessDenied', 'AccessDeniedException', 403])
  assert.match(denied.message, new RegExp(`is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:${ACCOUNT}:q`))
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: OTHER_ACCOUNT }, Action: 'sqs:*', Resource: `arn:aws:sqs:us-east-1:${ACCOUNT}:q` }],
  })
  await world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { Policy } })
  await send(other)
  for (const [operation, more] of Object.entries({
    DeleteQueue: {},
    SetQueueAttributes: { Attributes: {} },
    TagQueue: { Tags: {} },
    ListQueueTags: {},
  }))
    assert.equal((await refusal(world.sqs(operation, { QueueUrl, ...more }, other))).code, 'AccessDenied', operation)
  await assert.rejects(world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, servicePrincipal('sns.amazonaws.com', '')), {
    code: 'AccessDenied',
  })
  assert.deepEqual(await world.sqs('GetQueueUrl', { QueueName: 'q', QueueOwnerAWSAccountId: ACCOUNT }, other), { QueueUrl })
})

test('queue operations are on the record as management events; messages only where a trail asks, and never what they say', async (t) => {
  const quiet = await createWorld(t)
  const QueueUrl = await quiet.create('q')
  await quiet.sqs('SendMessage', { QueueUrl, MessageBody: 'secret' })
  assert.deepEqual(
    (await quiet.events()).map(({ record }) => record['eventName']),
    ['CreateQueue'],
  )

  const world = await createWorld(t, { selected: () => ({ wants: () => true, takes: () => true }) })
  await world.create('q')
  const attributes = { MessageAttributes: { a: { DataType: 'String', StringValue: 'private' } } }
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'secret', ...attributes })
  await world.sqs('SendMessageBatch', { QueueUrl, Entries: [{ Id: 'a', MessageBody: 'secret', ...attributes }] })
  await world.receive(QueueUrl, { MessageAttributeNames: ['All'] })
  await refusal(world.sqs('SendMessage', { QueueUrl, MessageBody: 'secret', DelaySeconds: 901 }))
  const records = (await world.events()).map(({ record }) => record)
  assert.deepEqual(
    records.map(({ eventName, managementEvent, readOnly }) => [eventName, managementEvent, readOnly]),
    [
      ['CreateQueue', true, false],
      ['SendMessage', false, false],
      ['SendMessageBatch', false, false],
      ['ReceiveMessage', false, true],
      ['SendMessage', false, false],
    ],
  )
  assert.deepEqual(records[1]?.['requestParameters'], { queueUrl: QueueUrl, messageBody: HIDDEN, messageAttributes: HIDDEN })
  assert.deepEqual(records[1]?.['resources'], [{ accountId: ACCOUNT, type: 'AWS::SQS::Queue', ARN: `arn:aws:sqs:us-east-1:${ACCOUNT}:q` }])
  assert.deepEqual(records[2]?.['requestParameters'], {
    queueUrl: QueueUrl,
    entries: [{ id: 'a', messageBody: HIDDEN, messageAttributes: HIDDEN }],
  })
  assert.equal(records[4]?.['errorCode'], 'InvalidParameterValue')
  assert.doesNotMatch(JSON.stringify(records), /secret|private/)
})

test('every operation is one of the model, and every required member that is absent is named', async (t) => {
  const { operations, model, missing } = createSqs({ notifications: () => Promise.resolve('') })
  for (const [name, operation] of Object.entries(operations)) {
    assert.equal(operation.name, name)
    assert.ok(model().operations[name] !== undefined, name)
  }
  assert.equal(missing(['queueUrl']).message, 'The request must contain the parameter QueueUrl.')
  assert.equal(missing(['entries.1.member.messageBody', 'queueUrl']).message, 'The request must contain the parameter MessageBody.')
  const world = await createWorld(t)
  const refused = await refusal(world.call('sqs', 'SendMessage', { MessageBody: 'x' }, undefined, { missing: ['queueUrl'] }))
  assert.deepEqual([refused.code, refused.shape], ['MissingParameter', 'MissingRequiredParameterException'])
})
