import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, refusal, SECOND, UUID } from '../../../tests/sqs-world.ts'
import { md5OfAttributes, md5OfText } from '../../model/md5.ts'

test('a message comes back as it was sent, with the checksums that SDKs verify', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const MessageAttributes = {
    attr1: { DataType: 'Number', StringValue: '99.12' },
    attr2: { DataType: 'Number', StringValue: '109.12' },
    raw: { DataType: 'Binary.png', BinaryValue: new Uint8Array([2, 3, 4]) },
  }
  const sent = await world.sqs<Record<string, string>>('SendMessage', {
    QueueUrl,
    MessageBody: 'grüße',
    MessageAttributes,
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    MessageGroupId: 'tenant-1',
  })
  assert.match(sent['MessageId'] ?? '', UUID)
  assert.equal(sent['MD5OfMessageBody'], md5OfText('grüße'))
  assert.equal(sent['MD5OfMessageSystemAttributes'], md5OfAttributes({ AWSTraceHeader: { type: 'String', value: 'Root=1' } }))
  world.clock.advance(1500)
  const [message] = await world.receive(QueueUrl, { MessageAttributeNames: ['All'], AttributeNames: ['All'] })
  assert.ok(message)
  assert.equal(message.MessageId, sent['MessageId'])
  assert.equal(message.Body, 'grüße')
  assert.equal(message.MD5OfBody, sent['MD5OfMessageBody'])
  assert.equal(message.MD5OfMessageAttributes, sent['MD5OfMessageAttributes'])
  assert.deepEqual(message.MessageAttributes?.['attr1'], MessageAttributes.attr1)
  assert.deepEqual([...(message.MessageAttributes?.['raw']?.BinaryValue ?? [])], [2, 3, 4])
  assert.deepEqual(message.Attributes, {
    SenderId: ACCOUNT,
    SentTimestamp: String(world.clock.now() - 1500),
    ApproximateReceiveCount: '1',
    ApproximateFirstReceiveTimestamp: String(world.clock.now()),
    AWSTraceHeader: 'Root=1',
    MessageGroupId: 'tenant-1',
  })
})

test('a receiver gets the attributes it names, and the checksum over those', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '0' })
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  await world.sqs('SendMessage', {
    QueueUrl,
    MessageBody: 'msg',
    MessageAttributes: { Hello: text('There'), General: text('Kenobi'), 'Help.Me': text('Me') },
  })
  const names = async (...MessageAttributeNames: string[]) => {
    const [message] = await world.receive(QueueUrl, { MessageAttributeNames })
    return [message?.MD5OfMessageAttributes, ...Object.keys(message?.MessageAttributes ?? {}).sort()]
  }
  // The checksums are those that AWS gave for these attributes.
  const everything = ['4c360f3fdafd970e05fae2f149d997f5', 'General', 'Hello', 'Help.Me']
  assert.deepEqual(await names('All'), everything)
  assert.deepEqual(await names('.*'), everything)
  assert.deepEqual(await names('*'), everything)
  assert.deepEqual(await names('Hello', 'General'), ['fca026605781cb4126a1e9044df24232', 'General', 'Hello'])
  assert.deepEqual(await names('Hel.*'), ['83fee93c1bcd8b9a5a923ffacdc636c7', 'Hello', 'Help.Me'])
  assert.deepEqual(await names('Foo', 'Hello'), ['a311262e065454b75da111d535b8dacd', 'Hello'])
  assert.deepEqual(await names('Foo'), [undefined])
  assert.deepEqual(await names(), [undefined])
  assert.equal((await refusal(world.receive(QueueUrl, { AttributeNames: ['Foo'] }))).code, 'InvalidAttributeName')
  const [message] = await world.receive(QueueUrl, { MessageSystemAttributeNames: ['SenderId'] })
  assert.deepEqual(message?.Attributes, { SenderId: ACCOUNT })
})

test('messages that do not hold are refused, and nothing arrives', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { MaximumMessageSize: '1024' })
  const send = (more: object) => refusal(world.sqs('SendMessage', { QueueUrl, MessageBody: 'x', ...more }))
  assert.equal((await send({ MessageBody: '' })).message, 'The request must contain the parameter MessageBody.')
  assert.equal((await send({ MessageBody: 'a\u0000' })).code, 'InvalidMessageContents')
  assert.equal(
    (await send({ MessageBody: 'ä'.repeat(513) })).message,
    'One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.',
  )
  assert.equal(
    (await send({ MessageBody: 'a'.repeat(1010), MessageAttributes: { name: { DataType: 'String', StringValue: '12345' } } })).code,
    'InvalidParameterValue',
  )
  assert.equal(
    (await send({ DelaySeconds: 901 })).message,
    'Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.',
  )
  assert.equal((await send({ DelaySeconds: -1 })).code, 'InvalidParameterValue')
  assert.equal((await send({ MessageDeduplicationId: 'd' })).code, 'InvalidParameterValue')
  assert.equal((await send({ MessageGroupId: 'a b' })).code, 'InvalidParameterValue')
  assert.deepEqual(await world.receive(QueueUrl), [])
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'ä'.repeat(512) })
  assert.equal((await world.receive(QueueUrl)).length, 1)
})

test('a message of 1 MiB fits by default, one byte more does not', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'a'.repeat(1_048_576) })
  assert.equal((await world.receive(QueueUrl))[0]?.Body.length, 1_048_576)
  const refused = await refusal(world.sqs('SendMessage', { QueueUrl, MessageBody: 'a'.repeat(1_048_577) }))
  assert.equal(refused.message, 'One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.')
})

test('a received message is hidden for its timeout, then comes again with a new handle and a higher count', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  const firstAt = world.clock.now()
  const [first] = await world.receive(QueueUrl)
  assert.deepEqual(await world.receive(QueueUrl), [])
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessagesNotVisible'), '1')
  world.clock.advance(30 * SECOND - 1)
  assert.deepEqual(await world.receive(QueueUrl), [])
  world.clock.advance(1)
  const [second] = await world.receive(QueueUrl, {
    VisibilityTimeout: 5,
    AttributeNames: ['ApproximateReceiveCount', 'ApproximateFirstReceiveTimestamp'],
  })
  assert.deepEqual(second?.Attributes, { ApproximateReceiveCount: '2', ApproximateFirstReceiveTimestamp: String(firstAt) })
  assert.equal(second?.MessageId, first?.MessageId)
  assert.notEqual(second?.ReceiptHandle, first?.ReceiptHandle)
  world.clock.advance(5 * SECOND)
  assert.equal((await world.receive(QueueUrl)).length, 1)
})

test('receives keep to what was asked, and their numbers to their ranges', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  for (let at = 0; at < 12; at++) await world.sqs('SendMessage', { QueueUrl, MessageBody: `m${at}` })
  assert.equal((await world.receive(QueueUrl, { MaxNumberOfMessages: undefined })).length, 1)
  assert.equal((await world.receive(QueueUrl, { MaxNumberOfMessages: 3 })).length, 3)
  assert.deepEqual((await world.receive(QueueUrl)).map(({ Body }) => Body).sort(), ['m10', 'm11', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'])
  for (const [name, value] of [
    ['MaxNumberOfMessages', 0],
    ['MaxNumberOfMessages', 11],
    ['MaxNumberOfMessages', 1.5],
    ['VisibilityTimeout', -1],
    ['VisibilityTimeout', 43_201],
    ['WaitTimeSeconds', 21],
    ['WaitTimeSeconds', -1],
  ] as const) {
    const refused = await refusal(world.receive(QueueUrl, { [name]: value }))
    assert.equal(refused.code, 'InvalidParameterValue')
    assert.ok(refused.message.startsWith(`Value ${value} for parameter ${name} is invalid.`))
  }
})

test('a delayed message comes when its time is up', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { DelaySeconds: '10' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'queue delay' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'own delay', DelaySeconds: 20 })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'at once', DelaySeconds: 0 })
  const bodies = async () => (await world.receive(QueueUrl)).map(({ Body }) => Body)
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessagesDelayed'), '2')
  assert.deepEqual(await bodies(), ['at once'])
  world.clock.advance(10 * SECOND)
  assert.deepEqual(await bodies(), ['queue delay'])
  world.clock.advance(10 * SECOND)
  assert.deepEqual(await bodies(), ['own delay'])
})

test('a message past its retention is never given out, and leaves', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { MessageRetentionPeriod: '60' })
  const old = Array.from({ length: 10 }, (_, at) => ({ Id: String(at), MessageBody: 'old' }))
  for (let at = 0; at < 30; at++) await world.sqs('SendMessageBatch', { QueueUrl, Entries: old })
  world.clock.advance(59 * SECOND)
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'new' })
  world.clock.advance(SECOND)
  // More than one call looks at: the first may come back empty, and has cleared the way.
  const received = [...(await world.receive(QueueUrl)), ...(await world.receive(QueueUrl))]
  assert.deepEqual(
    received.map(({ Body }) => Body),
    ['new'],
  )
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessages'), '0')
})

test('a long poll answers as soon as a message comes, and only then', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  let answered = false
  const polling = world.receive(QueueUrl, { WaitTimeSeconds: 20 }).finally(() => (answered = true))
  world.clock.advance(10 * SECOND)
  await world.attribute(QueueUrl, 'All')
  assert.equal(answered, false)
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  assert.equal((await polling)[0]?.Body, 'x')
  // Nothing of the poll is left to run at its old end.
  world.clock.advance(10 * SECOND - 1)
  assert.notEqual(world.clock.nextTimerAt(), world.clock.now() + 1)
})

test('a long poll ends empty when its time is up', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { ReceiveMessageWaitTimeSeconds: '5' })
  let answered = false
  const polling = world.receive(QueueUrl).finally(() => (answered = true))
  await world.attribute(QueueUrl, 'All')
  world.clock.advance(5 * SECOND - 1)
  await world.attribute(QueueUrl, 'All')
  assert.equal(answered, false)
  world.clock.advance(1)
  assert.deepEqual(await polling, [])
})

test('a long poll gets a message whose visibility ends', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'again' })
  await world.receive(QueueUrl, { VisibilityTimeout: 5 })
  const polling = world.receive(QueueUrl, { WaitTimeSeconds: 20 })
  await world.attribute(QueueUrl, 'QueueArn')
  world.clock.advance(5 * SECOND)
  assert.equal((await polling)[0]?.Body, 'again')
})

test('of two long polls one gets the message, and the other waits on', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const polls = [world.receive(QueueUrl, { WaitTimeSeconds: 20 }), world.receive(QueueUrl, { WaitTimeSeconds: 20 })]
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'one' })
  const first = await Promise.race(polls)
  assert.deepEqual(
    first.map(({ Body }) => Body),
    ['one'],
  )
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'two' })
  assert.deepEqual(
    (await Promise.all(polls))
      .flat()
      .map(({ Body }) => Body)
      .sort(),
    ['one', 'two'],
  )
})

test('a long poll ends with its client, and takes nothing any more', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const client = { isOver: false, over: () => {} }
  const patience = {
    get isOver() {
      return client.isOver
    },
    onceOver(over: () => void) {
      client.over = over
      return () => (client.over = () => {})
    },
  }
  const polling = world.call('sqs', 'ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 }, undefined, { patience })
  await world.attribute(QueueUrl, 'QueueArn')
  client.isOver = true
  client.over()
  assert.deepEqual(await polling, {})
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'for somebody else' })
  assert.deepEqual(await world.call('sqs', 'ReceiveMessage', { QueueUrl }, undefined, { patience }), {})
  assert.equal((await world.receive(QueueUrl)).length, 1)
  assert.notEqual(world.clock.nextTimerAt(), world.clock.now() + 20 * SECOND)
})
