import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, HOST, other, refusal, SECOND, type World } from '../../../tests/sqs-world.ts'
import { memoryFiles } from '../../storage/memory/files.ts'

const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
const urlOf = (name: string): string => `http://${HOST}/${ACCOUNT}/${name}`

interface Listed {
  readonly Status: string
  readonly TaskHandle?: string
  readonly FailureReason?: string
  readonly ApproximateNumberOfMessagesMoved: number
  readonly ApproximateNumberOfMessagesToMove: number
}

/** Queues whose every message is dead after one receive. */
async function withDeadLetters(world: World, letters: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await world.create('dead')
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('dead'), maxReceiveCount: 1 })
  for (const [name, bodies] of Object.entries(letters)) {
    const QueueUrl = await world.create(name, { RedrivePolicy, VisibilityTimeout: '0' })
    for (const MessageBody of bodies) await world.sqs('SendMessage', { QueueUrl, MessageBody })
    // Received once, then found to be dead.
    const isAlive = async () => (await world.attribute(QueueUrl, 'ApproximateNumberOfMessages')) !== '0'
    while (await isAlive()) await world.receive(QueueUrl)
  }
}

const start = async (world: World, more: object = {}): Promise<string> =>
  (await world.sqs<{ TaskHandle: string }>('StartMessageMoveTask', { SourceArn: arnOf('dead'), ...more })).TaskHandle
const list = async (world: World, MaxResults?: number): Promise<readonly Listed[]> =>
  (
    await world.sqs<{ Results: Listed[] }>('ListMessageMoveTasks', {
      SourceArn: arnOf('dead'),
      ...(MaxResults !== undefined && { MaxResults }),
    })
  ).Results

async function pass(world: World, milliseconds: number): Promise<void> {
  for (let more = 0; more < 20; more++) {
    world.clock.advance(more === 0 ? milliseconds : 0)
    for (let turns = 0; turns < 5; turns++) await turn()
  }
}

async function bodiesOf(world: World, name: string): Promise<readonly string[]> {
  const bodies: string[] = []
  for (let isEmpty = false; !isEmpty;) {
    const batch = await world.receive(urlOf(name), { VisibilityTimeout: 60 })
    bodies.push(...batch.map(({ Body }) => Body))
    isEmpty = batch.length === 0
  }
  return bodies.toSorted()
}

test('dead letters go back to the queues they came from, as new messages, and the end is told', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['a1', 'a2'], b: ['b1'] })
  const before = await world.receive(urlOf('dead'), { AttributeNames: ['All'], VisibilityTimeout: 0 })
  assert.equal(before.length, 3)
  world.clock.advance(5 * SECOND)
  const handle = await start(world)
  assert.deepEqual(JSON.parse(Buffer.from(handle, 'base64').toString()), {
    taskId: (JSON.parse(Buffer.from(handle, 'base64').toString()) as { taskId: string }).taskId,
    sourceArn: arnOf('dead'),
  })
  const startedAt = world.clock.now()
  await pass(world, 0)
  assert.deepEqual(await list(world), [
    {
      Status: 'COMPLETED',
      SourceArn: arnOf('dead'),
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      StartedTimestamp: startedAt,
    },
  ])
  const [b1] = await world.receive(urlOf('b'), { AttributeNames: ['All'] })
  assert.equal(b1?.Body, 'b1')
  assert.ok(before.every(({ MessageId }) => MessageId !== b1?.MessageId))
  assert.deepEqual(b1?.Attributes, {
    SenderId: before[0]?.Attributes?.['SenderId'],
    SentTimestamp: String(startedAt),
    ApproximateReceiveCount: '1',
    ApproximateFirstReceiveTimestamp: String(startedAt),
  })
  assert.deepEqual(await bodiesOf(world, 'a'), ['a1', 'a2'])
  assert.deepEqual(await bodiesOf(world, 'dead'), [])
  const told = (await world.events()).map(({ record }) => record).filter(({ eventName }) => eventName === 'MessageMoveTaskEnded')
  assert.equal(told.length, 1)
  const details = told[0]?.['serviceEventDetails'] as Record<string, unknown>
  assert.deepEqual([details['sourceArn'], details['status'], details['moved']], [arnOf('dead'), 'COMPLETED', 3])
})

test('all go to the destination where one is named, whatever they came from', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['a1'] })
  await world.create('other')
  await world.sqs('SendMessage', { QueueUrl: urlOf('dead'), MessageBody: 'direct' })
  await start(world, { DestinationArn: arnOf('other') })
  await pass(world, 0)
  assert.deepEqual(await bodiesOf(world, 'other'), ['a1', 'direct'])
  assert.equal((await list(world))[0]?.Status, 'COMPLETED')
})

test('a message that came from no queue fails the task and stays', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['a1'] })
  await world.sqs('SendMessage', { QueueUrl: urlOf('dead'), MessageBody: 'direct' })
  await start(world)
  await pass(world, 0)
  const [task] = await list(world)
  assert.deepEqual([task?.Status, task?.FailureReason], ['FAILED', 'CouldNotDetermineMessageSource'])
  assert.equal(task?.TaskHandle, undefined)
  assert.deepEqual(await bodiesOf(world, 'dead'), ['direct'])
  assert.deepEqual(await bodiesOf(world, 'a'), ['a1'])
})

test('a task keeps to its rate, is the only one of its source, and ends when it is cancelled', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: Array.from({ length: 12 }, (_, at) => `m${at}`) })
  const TaskHandle = await start(world, { MaxNumberOfMessagesPerSecond: 2 })
  const running = (await list(world))[0]
  assert.deepEqual(
    [running?.Status, running?.TaskHandle, running?.ApproximateNumberOfMessagesMoved, running?.ApproximateNumberOfMessagesToMove],
    ['RUNNING', TaskHandle, 0, 12],
  )
  for (let second = 1; second <= 2; second++) {
    for (let half = 0; half < 2; half++) await pass(world, SECOND / 2)
    assert.equal((await list(world))[0]?.ApproximateNumberOfMessagesMoved, 2 * second)
  }
  assert.equal(
    (await refusal(start(world))).message,
    'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
  )
  assert.deepEqual(await world.sqs('CancelMessageMoveTask', { TaskHandle }), { ApproximateNumberOfMessagesMoved: 4 })
  await pass(world, 0)
  const [cancelled] = await list(world)
  assert.deepEqual([cancelled?.Status, cancelled?.ApproximateNumberOfMessagesMoved], ['CANCELLED', 4])
  await pass(world, 10 * SECOND)
  assert.equal((await bodiesOf(world, 'a')).length, 4)
  assert.equal((await refusal(world.sqs('CancelMessageMoveTask', { TaskHandle }))).shape, 'UnsupportedOperation')
  await start(world)
})

test('the highest rate is a rate, too', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: Array.from({ length: 120 }, (_, at) => `m${at}`) })
  await start(world, { MaxNumberOfMessagesPerSecond: 500 })
  await pass(world, 0)
  assert.equal((await list(world))[0]?.ApproximateNumberOfMessagesMoved, 0)
  await pass(world, SECOND / 10)
  assert.equal((await list(world))[0]?.ApproximateNumberOfMessagesMoved, 50)
})

test('a destination that goes meanwhile fails the task, and what was not moved stays', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['1', '2', '3'] })
  await world.create('other')
  await start(world, { DestinationArn: arnOf('other'), MaxNumberOfMessagesPerSecond: 1 })
  await pass(world, SECOND)
  await world.sqs('DeleteQueue', { QueueUrl: urlOf('other') })
  await pass(world, SECOND)
  const [task] = await list(world)
  assert.deepEqual(
    [task?.Status, task?.FailureReason, task?.ApproximateNumberOfMessagesMoved],
    ['FAILED', 'AWS.SimpleQueueService.NonExistentQueue', 1],
  )
  assert.equal((await bodiesOf(world, 'dead')).length, 2)
})

test('messages past their retention do not come back to life', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['old'] })
  await world.sqs('SetQueueAttributes', { QueueUrl: urlOf('dead'), Attributes: { MessageRetentionPeriod: '60' } })
  world.clock.advance(61 * SECOND)
  await start(world)
  await pass(world, 0)
  assert.deepEqual(await bodiesOf(world, 'a'), [])
  assert.deepEqual(
    [(await list(world))[0]?.Status, await world.attribute(urlOf('dead'), 'ApproximateNumberOfMessages')],
    ['COMPLETED', '0'],
  )
})

test('large messages move in steps of about a megabyte', async (t) => {
  const world = await createWorld(t)
  const body = (at: number) => `${at}${'x'.repeat(600_000)}`
  await withDeadLetters(world, { a: [0, 1, 2, 3, 4].map(body) })
  await start(world)
  for (let more = 0; more < 6; more++) await pass(world, 0)
  assert.equal((await list(world))[0]?.Status, 'COMPLETED')
  assert.deepEqual(
    (await bodiesOf(world, 'a')).map((text) => text.length),
    [0, 1, 2, 3, 4].map((at) => body(at).length),
  )
})

test('a task goes on after a restart, and each message moves once', async (t) => {
  const files = memoryFiles()
  const first = await createWorld(t, { files })
  await withDeadLetters(first, { a: Array.from({ length: 9 }, (_, at) => `m${at}`) })
  await start(first, { MaxNumberOfMessagesPerSecond: 1 })
  for (let second = 0; second < 3; second++) await pass(first, SECOND)
  assert.equal((await list(first))[0]?.ApproximateNumberOfMessagesMoved, 3)
  await first.moves.stop()
  await first.close()
  const second = await createWorld(t, { files, seed: 2, now: first.clock.now() })
  assert.equal((await list(second))[0]?.Status, 'RUNNING')
  for (let more = 0; more < 8; more++) await pass(second, SECOND)
  assert.deepEqual(
    [(await list(second))[0]?.Status, (await list(second))[0]?.ApproximateNumberOfMessagesMoved, await bodiesOf(second, 'a')],
    ['COMPLETED', 9, Array.from({ length: 9 }, (_, at) => `m${at}`)],
  )
})

test('ten tasks of a source are kept, the newest first, and go with it', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: [] })
  for (let more = 0; more < 12; more++) {
    await start(world)
    await pass(world, SECOND)
  }
  const started = (await list(world, 10)).map((task) => (task as unknown as { StartedTimestamp: number }).StartedTimestamp)
  assert.deepEqual(
    started,
    started.toSorted((a, b) => b - a),
  )
  assert.equal(started.length, 10)
  assert.equal((await list(world)).length, 1)
  await world.sqs('DeleteQueue', { QueueUrl: urlOf('dead') })
  await world.create('dead')
  assert.deepEqual(await list(world, 10), [])
})

test('what cannot be moved, or not by this caller, is refused as AWS refuses it', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['a1'] })
  const format = 'You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>'
  const none = (name: string) => `The resource that you specified for the ${name} parameter doesn't exist.`
  for (const [input, code, message] of [
    [{ SourceArn: 'dead' }, 'InvalidParameterValue', format],
    [{ SourceArn: arnOf('none') }, 'ResourceNotFoundException', none('SourceArn')],
    [{ SourceArn: arnOf('dead').replace('us-east-1', 'eu-west-1') }, 'ResourceNotFoundException', none('SourceArn')],
    [{ SourceArn: arnOf('a') }, 'InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.'],
    [{ DestinationArn: arnOf('none') }, 'ResourceNotFoundException', none('DestinationArn')],
    [{ DestinationArn: 'x' }, 'InvalidParameterValue', format.replace('SourceArn', 'DestinationArn')],
    [{ DestinationArn: arnOf('dead') }, 'InvalidParameterValue', 'Source queue and destination queue must be different.'],
    [
      { MaxNumberOfMessagesPerSecond: 0 },
      'InvalidParameterValue',
      'Value 0 for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500, if provided.',
    ],
    [{ MaxNumberOfMessagesPerSecond: 501 }, 'InvalidParameterValue', /Must be between 1 and 500/],
  ] as const) {
    const refused = await refusal(start(world, input))
    assert.equal(refused.code, code)
    if (typeof message === 'string') assert.equal(refused.message, message)
    else assert.match(refused.message, message)
  }
  const handle = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64')
  for (const [TaskHandle, code, message] of [
    ['foobared', 'InvalidParameterValue', 'Value for parameter TaskHandle is invalid.'],
    [handle({ taskId: 'x', sourceArn: arnOf('none') }), 'ResourceNotFoundException', none('SourceArn')],
    [handle({ taskId: 'x', sourceArn: 'x' }), 'ResourceNotFoundException', none('SourceArn')],
    [handle({ taskId: 'x', sourceArn: arnOf('dead') }), 'ResourceNotFoundException', 'Task does not exist.'],
  ] as const) {
    const refused = await refusal(world.sqs('CancelMessageMoveTask', { TaskHandle }))
    assert.deepEqual([refused.code, refused.message], [code, message])
  }
  for (const MaxResults of [0, 11]) assert.match((await refusal(list(world, MaxResults))).message, /Must be between 1 and 10/)
  assert.equal((await list(world, 10)).length, 0)
  const everything = [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }]
  await world.sqs('SetQueueAttributes', { QueueUrl: urlOf('dead'), Attributes: { Policy: JSON.stringify({ Statement: everything }) } })
  for (const operation of ['StartMessageMoveTask', 'ListMessageMoveTasks'])
    assert.equal((await refusal(world.sqs(operation, { SourceArn: arnOf('dead') }, other))).code, 'AccessDenied', operation)
})

test('who moves messages needs to be let receive, delete and read there, and send where they go', async (t) => {
  const world = await createWorld(t)
  await withDeadLetters(world, { a: ['a1'] })
  for (const [name, action] of [
    ['dead', 'ReceiveMessage'],
    ['dead', 'DeleteMessage'],
    ['dead', 'GetQueueAttributes'],
    ['dead', 'StartMessageMoveTask'],
    ['a', 'SendMessage'],
  ] as const) {
    const Policy = JSON.stringify({ Statement: [{ Effect: 'Deny', Principal: '*', Action: `sqs:${action}`, Resource: '*' }] })
    await world.sqs('SetQueueAttributes', { QueueUrl: urlOf(name), Attributes: { Policy } })
    const refused = await refusal(start(world))
    assert.deepEqual([refused.code, refused.message.includes(action.toLowerCase())], ['AccessDenied', true], action)
    await world.sqs('SetQueueAttributes', { QueueUrl: urlOf(name), Attributes: { Policy: '' } })
  }
  await start(world)
})

test('the letters of a FIFO queue go back in order, with their ids, and to FIFO queues alone', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead.fifo', { FifoQueue: 'true' })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('dead.fifo'), maxReceiveCount: 1 })
  const QueueUrl = await world.create('a.fifo', { FifoQueue: 'true', RedrivePolicy, VisibilityTimeout: '0' })
  const bodies = Array.from({ length: 12 }, (_, at) => `m${at}`)
  for (const body of bodies)
    await world.sqs('SendMessage', { QueueUrl, MessageBody: body, MessageGroupId: 'g', MessageDeduplicationId: `id-${body}` })
  while ((await world.attribute(QueueUrl, 'ApproximateNumberOfMessages')) !== '0') await world.receive(QueueUrl)
  await world.create('standard')
  const startTo = (more: object = {}) => world.sqs('StartMessageMoveTask', { SourceArn: arnOf('dead.fifo'), ...more })
  assert.match((await refusal(startTo({ DestinationArn: arnOf('standard') }))).message, /must be of the same type\.$/)
  await startTo()
  await pass(world, SECOND)
  assert.deepEqual(await world.receive(dead), [])
  const back: string[] = []
  while (back.length < bodies.length) {
    const messages = await world.receive(QueueUrl, { AttributeNames: ['All'], VisibilityTimeout: 60 })
    assert.ok(messages.length > 0, `only ${back.join(' ')} came back`)
    for (const { Body, ReceiptHandle, Attributes = {} } of messages) {
      back.push(Body)
      assert.deepEqual([Attributes['MessageGroupId'], Attributes['MessageDeduplicationId']], ['g', `id-${Body}`])
      await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle })
    }
  }
  assert.deepEqual(back, bodies)
})
