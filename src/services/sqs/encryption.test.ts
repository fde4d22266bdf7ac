import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../../../tests/harness.ts'
import { createWorld, HOST, other, refusal, SECOND, type World } from '../../../tests/sqs-world.ts'
import { servicePrincipal } from '../../model/principal.ts'

const urlOf = (name: string): string => `http://${HOST}/${ACCOUNT}/${name}`
const SECRET = 'planted-words-Zu7fPq3LmX'
const ATTRIBUTES = { a: { DataType: 'String', StringValue: `${SECRET}-attribute` } }

async function createKey(world: World, alias: string): Promise<{ readonly keyId: string; readonly arn: string }> {
  const { result, done } = world.env.commits.commit((tx) => world.env.keys.create(tx, { account: ACCOUNT, region: REGION, alias }))
  await done
  return result
}
const setEnabled = (world: World, keyId: string, isEnabled: boolean) =>
  world.env.commits.commit((tx) => world.env.keys.setEnabled(tx, keyId, isEnabled)).done

/** Whether the journal holds the words as they are. */
async function isReadable(world: World): Promise<boolean> {
  const { journal } = world.env
  for (let at = journal.start; at < journal.durable;) {
    const frames = await journal.read(at, 1 << 20)
    if (frames.some(({ payload }) => payload.includes(SECRET))) return true
    at = frames.at(-1)?.end ?? journal.durable
  }
  return false
}

const send = (world: World, QueueUrl: string, as?: typeof other) =>
  world.sqs('SendMessage', { QueueUrl, MessageBody: SECRET, MessageAttributes: ATTRIBUTES }, as)

test('a queue with encryption keeps bodies and attributes sealed, and gives them as they were sent', async (t) => {
  for (const [name, value] of [
    ['SqsManagedSseEnabled', 'true'],
    ['KmsMasterKeyId', 'alias/mine'],
    ['KmsMasterKeyId', 'alias/aws/sqs'],
  ] as const) {
    const world = await createWorld(t)
    await createKey(world, 'alias/mine')
    const QueueUrl = await world.create('q', { [name]: value })
    const sent = (await send(world, QueueUrl)) as { MessageId: string; MD5OfMessageBody: string; MD5OfMessageAttributes: string }
    await world.sqs('SendMessageBatch', { QueueUrl, Entries: [{ Id: 'b', MessageBody: SECRET }] })
    assert.equal(await isReadable(world), false)
    const received = await world.receive(QueueUrl, { MessageAttributeNames: ['All'] })
    assert.deepEqual(
      received.map(({ Body }) => Body),
      [SECRET, SECRET],
    )
    const first = received.find(({ MessageId }) => MessageId === sent.MessageId)
    assert.deepEqual(
      [first?.MessageAttributes, first?.MD5OfBody, first?.MD5OfMessageAttributes],
      [ATTRIBUTES, sent.MD5OfMessageBody, sent.MD5OfMessageAttributes],
    )
  }
  const open = await createWorld(t)
  await send(open, await open.create('q'))
  assert.equal(await isReadable(open), true)
})

test('messages stay readable when encryption is turned on, off, or to another key', async (t) => {
  const world = await createWorld(t)
  const one = await createKey(world, 'alias/one')
  await createKey(world, 'alias/two')
  const QueueUrl = await world.create('q')
  const set = (Attributes: Record<string, string>) => world.sqs('SetQueueAttributes', { QueueUrl, Attributes })
  const steps: readonly Record<string, string>[] = [
    { KmsMasterKeyId: one.arn },
    { KmsMasterKeyId: 'alias/two' },
    { SqsManagedSseEnabled: 'true' },
    { SqsManagedSseEnabled: 'false' },
  ]
  await world.sqs('SendMessage', { QueueUrl, MessageBody: '0' })
  for (const [at, step] of steps.entries()) {
    await set(step)
    await world.sqs('SendMessage', { QueueUrl, MessageBody: String(at + 1) })
  }
  await world.env.commits.commit((tx) => world.env.keys.rotate(tx, one.keyId)).done
  assert.deepEqual((await world.receive(QueueUrl)).map(({ Body }) => Body).toSorted(), ['0', '1', '2', '3', '4'])
  assert.deepEqual(await world.sqs('GetQueueAttributes', { QueueUrl, AttributeNames: ['KmsMasterKeyId', 'SqsManagedSseEnabled'] }), {
    Attributes: { SqsManagedSseEnabled: 'false' },
  })
})

test('without any attribute a queue has the encryption of the whole server', async (t) => {
  for (const isSealedAtRest of [false, true]) {
    const world = await createWorld(t, { isSealedAtRest })
    const QueueUrl = await world.create('q')
    assert.equal(await world.attribute(QueueUrl, 'SqsManagedSseEnabled'), String(isSealedAtRest))
    assert.equal(await world.create('q', { SqsManagedSseEnabled: String(isSealedAtRest) }), QueueUrl)
    const refused = await refusal(world.create('q', { SqsManagedSseEnabled: String(!isSealedAtRest) }))
    assert.match(refused.message, /different value for attribute SqsManagedSseEnabled/)
  }
})

test('a key that is missing, disabled or foreign refuses with the codes of AWS, when its data key is used up', async (t) => {
  const world = await createWorld(t)
  const Policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }] })
  const key = await createKey(world, 'alias/mine')
  const QueueUrl = await world.create('q', { KmsMasterKeyId: key.keyId, KmsDataKeyReusePeriodSeconds: '60', Policy })
  await send(world, QueueUrl)
  const foreign = await refusal(send(world, QueueUrl, other))
  assert.deepEqual([foreign.code, foreign.shape, foreign.status], ['KMS.AccessDeniedException', 'KmsAccessDenied', 400])
  assert.equal((await refusal(world.sqs('ReceiveMessage', { QueueUrl }, other))).shape, 'KmsAccessDenied')

  await setEnabled(world, key.keyId, false)
  await send(world, QueueUrl)
  assert.equal((await world.receive(QueueUrl, { VisibilityTimeout: 0 })).length, 2)
  world.clock.advance(60 * SECOND)
  for (const refused of [await refusal(send(world, QueueUrl)), await refusal(world.receive(QueueUrl))])
    assert.deepEqual(
      [refused.code, refused.shape, refused.status, refused.message],
      ['KMS.DisabledException', 'KmsDisabled', 400, `${key.arn} is disabled.`],
    )
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessages'), '2')
  await setEnabled(world, key.keyId, true)
  assert.equal((await world.receive(QueueUrl)).length, 2)

  const none = await world.create('none', { KmsMasterKeyId: 'testKeyId' })
  const missing = await refusal(send(world, none))
  assert.deepEqual([missing.code, missing.shape, missing.message], ['KMS.NotFoundException', 'KmsNotFound', "Invalid keyId 'testKeyId'"])
})

test('the key of the service serves no other service; a key of the account does', async (t) => {
  const world = await createWorld(t)
  await createKey(world, 'alias/mine')
  const Policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }] })
  const s3 = (account: string) => servicePrincipal('s3.amazonaws.com', account)
  const mine = await world.create('mine', { KmsMasterKeyId: 'alias/mine', Policy })
  await send(world, mine, s3(ACCOUNT))
  assert.equal((await refusal(send(world, mine, s3(OTHER_ACCOUNT)))).shape, 'KmsAccessDenied')
  const theirs = await world.create('theirs', { KmsMasterKeyId: 'alias/aws/sqs', Policy })
  await send(world, theirs)
  assert.match((await refusal(send(world, theirs, s3(ACCOUNT)))).message, /alias\/aws\/sqs serves no other service/)
})

test('what dies or moves is sealed as its new queue wants it, and stays where that cannot be', async (t) => {
  const world = await createWorld(t)
  const key = await createKey(world, 'alias/mine')
  await world.create('dead', { KmsMasterKeyId: 'alias/mine', KmsDataKeyReusePeriodSeconds: '60' })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:dead`, maxReceiveCount: 1 })
  const QueueUrl = await world.create('q', { SqsManagedSseEnabled: 'true', VisibilityTimeout: '0', RedrivePolicy })
  await setEnabled(world, key.keyId, false)
  await send(world, QueueUrl)
  for (let more = 0; more < 3; more++) assert.equal((await world.receive(QueueUrl)).length, 1)
  await setEnabled(world, key.keyId, true)
  assert.equal((await world.receive(QueueUrl)).length, 0)
  const [letter] = await world.receive(urlOf('dead'), { VisibilityTimeout: 0, MessageAttributeNames: ['All'] })
  assert.deepEqual([letter?.Body, letter?.MessageAttributes], [SECRET, ATTRIBUTES])

  await setEnabled(world, key.keyId, false)
  world.clock.advance(301 * SECOND)
  const tasks = async () => {
    const SourceArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:dead`
    await world.sqs('StartMessageMoveTask', { SourceArn })
    for (let turns = 0; turns < 20; turns++) {
      world.clock.advance(0)
      await turn()
    }
    return (await world.sqs<{ Results: { Status: string; FailureReason?: string }[] }>('ListMessageMoveTasks', { SourceArn })).Results[0]
  }
  const failed = await tasks()
  assert.deepEqual([failed?.Status, failed?.FailureReason], ['FAILED', 'KMS.DisabledException'])
  await setEnabled(world, key.keyId, true)
  assert.equal((await tasks())?.Status, 'COMPLETED')
  assert.equal((await world.receive(QueueUrl))[0]?.Body, SECRET)
  assert.equal(await isReadable(world), false)
})
