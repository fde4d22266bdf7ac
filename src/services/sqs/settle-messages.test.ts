import assert from 'node:assert/strict'
import test from 'node:test'
import { createWorld, refusal, SECOND } from '../../../tests/sqs-world.ts'
import { md5OfText } from '../../model/md5.ts'

test('a deleted message never comes again, whichever handle was used', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '1' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  const [old] = await world.receive(QueueUrl)
  world.clock.advance(SECOND)
  await world.receive(QueueUrl)
  await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: old?.ReceiptHandle })
  await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: old?.ReceiptHandle })
  world.clock.advance(SECOND)
  assert.deepEqual(await world.receive(QueueUrl), [])
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessagesNotVisible'), '0')
  const elsewhere = await world.create('other')
  for (const input of [
    { QueueUrl, ReceiptHandle: 'garbage' },
    { QueueUrl: elsewhere, ReceiptHandle: old?.ReceiptHandle },
  ]) {
    const refused = await refusal(world.sqs('DeleteMessage', input))
    assert.deepEqual([refused.code, refused.status], ['ReceiptHandleIsInvalid', 404])
  }
})

test('visibility can be prolonged and given back, by the newest handle and while in flight', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '10' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  const change = (message: { ReceiptHandle: string } | undefined, VisibilityTimeout: number) =>
    world.sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout })
  const [first] = await world.receive(QueueUrl)
  await change(first, 60)
  world.clock.advance(59 * SECOND)
  assert.deepEqual(await world.receive(QueueUrl), [])
  await change(first, 0)
  const [second] = await world.receive(QueueUrl)
  assert.ok(second)
  assert.match(
    (await refusal(change(first, 0))).message,
    /Reason: Message does not exist or is not available for visibility timeout change\.$/,
  )
  assert.equal((await refusal(change(second, 43_201))).code, 'InvalidParameterValue')
  world.clock.advance(10 * SECOND)
  assert.equal((await refusal(change(second, 5))).shape, 'MessageNotInflight')
  await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: second.ReceiptHandle })
  assert.equal((await refusal(change(second, 5))).code, 'InvalidParameterValue')
})

test('a message cannot be held for more than twelve hours from its receive', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '43200' })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  const [message] = await world.receive(QueueUrl)
  world.clock.advance(3600 * SECOND)
  const change = (VisibilityTimeout: number) =>
    world.sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout })
  assert.match((await refusal(change(39_601))).message, /Total VisibilityTimeout for the message is beyond the limit \[43200 seconds\]/)
  await change(39_600)
})

test('a batch is answered entry by entry', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { MaximumMessageSize: '1024' })
  const sent = await world.sqs<{ Successful: Record<string, string>[]; Failed: object[] }>('SendMessageBatch', {
    QueueUrl,
    Entries: [
      { Id: 'a', MessageBody: 'one' },
      { Id: 'b', MessageBody: 'x'.repeat(1025) },
      { Id: 'c', MessageBody: 'three' },
    ],
  })
  assert.deepEqual(
    sent.Successful.map(({ Id, MD5OfMessageBody }) => [Id, MD5OfMessageBody]),
    [
      ['a', md5OfText('one')],
      ['c', md5OfText('three')],
    ],
  )
  const Message = 'One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.'
  assert.deepEqual(sent.Failed, [{ Id: 'b', SenderFault: true, Code: 'InvalidParameterValue', Message }])
  const received = await world.receive(QueueUrl)
  assert.deepEqual(
    received.map(({ Body }) => Body),
    ['one', 'three'],
  )
  const handles = received.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
  assert.deepEqual(
    await world.sqs('ChangeMessageVisibilityBatch', { QueueUrl, Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 0 })) }),
    {
      Successful: [{ Id: '0' }, { Id: '1' }],
    },
  )
  const [again] = await world.receive(QueueUrl)
  assert.ok(again)
  const deleted = await world.sqs<{ Successful: object[]; Failed: { Code: string }[] }>('DeleteMessageBatch', {
    QueueUrl,
    Entries: [...handles, { Id: 'x', ReceiptHandle: 'x' }],
  })
  assert.deepEqual(deleted.Successful, [{ Id: '0' }, { Id: '1' }])
  assert.equal(deleted.Failed[0]?.Code, 'ReceiptHandleIsInvalid')
  world.clock.advance(60 * SECOND)
  assert.deepEqual(await world.receive(QueueUrl), [])
})

test('batches have one to ten entries with distinct ids, together at most 1 MiB', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const batch = (Entries: object[]) => refusal(world.sqs('SendMessageBatch', { QueueUrl, Entries }))
  const entry = (Id: string, MessageBody = 'x') => ({ Id, MessageBody })
  assert.equal((await batch([])).message, 'There should be at least one SendMessageBatchRequestEntry in the request.')
  assert.equal(
    (await batch(Array.from({ length: 11 }, (_, at) => entry(String(at))))).message,
    'Maximum number of entries per request are 10. You have sent 11.',
  )
  assert.equal((await batch([entry('a'), entry('a')])).message, 'Id a repeated.')
  for (const id of ['', 'a:b', 'a'.repeat(81)]) assert.equal((await batch([entry(id)])).shape, 'InvalidBatchEntryId')
  const long = await batch([entry('a', 'x'.repeat(524_288)), entry('b', 'x'.repeat(524_289))])
  assert.equal(long.shape, 'BatchRequestTooLong')
  assert.equal(long.message, 'Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.')
  assert.deepEqual(await world.receive(QueueUrl), [])
})
