// What CloudTrail tells of SQS, as far as samples of AWS are known: keys, their order, what is hidden, what is about the queue.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, other, refusal, type World } from '../../../tests/sqs-world.ts'
import { HIDDEN } from '../../engine/audit.ts'

const everything = { selected: () => ({ wants: () => true, takes: () => true }) }
const resources = (name: string) => [{ accountId: ACCOUNT, type: 'AWS::SQS::Queue', ARN: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}` }]

async function lastRecord(world: World): Promise<Readonly<Record<string, unknown>>> {
  return (await world.events()).at(-1)?.record ?? {}
}

test('management events: parameters by their names, resources, and nothing of an answer but an address', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q', { VisibilityTimeout: '40' })
  const created = await lastRecord(world)
  assert.deepEqual(
    [created['requestParameters'], created['responseElements'], created['resources'], created['readOnly']],
    [{ queueName: 'q', attributes: { VisibilityTimeout: '40' } }, { queueUrl: QueueUrl }, resources('q'), false],
  )
  await world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { Policy: '', DelaySeconds: '0' } })
  const set = await lastRecord(world)
  assert.deepEqual(
    Object.entries(set).filter(([name]) =>
      /^(requestParameters|responseElements|readOnly|resources|managementEvent|eventCategory)$/.test(name),
    ),
    [
      ['requestParameters', { queueUrl: QueueUrl, attributes: { Policy: '', DelaySeconds: '0' } }],
      ['responseElements', null],
      ['readOnly', false],
      ['resources', resources('q')],
      ['managementEvent', true],
      ['eventCategory', 'Management'],
    ],
  )
  await world.sqs('AddPermission', { QueueUrl, Label: 'l', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['SendMessage'] })
  assert.deepEqual((await lastRecord(world))['requestParameters'], {
    queueUrl: QueueUrl,
    label: 'l',
    aWSAccountIds: [OTHER_ACCOUNT],
    actions: ['SendMessage'],
  })
  const SourceArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:q`
  await refusal(world.sqs('StartMessageMoveTask', { SourceArn }))
  const refused = await lastRecord(world)
  assert.deepEqual(
    [refused['errorCode'], refused['requestParameters'], refused['resources'], refused['managementEvent']],
    ['InvalidParameterValue', { sourceArn: SourceArn }, resources('q'), true],
  )
})

test('data events: bodies and attributes hidden, ids and checksums told, reads without an answer', async (t) => {
  const world = await createWorld(t, everything)
  const QueueUrl = await world.create('q.fifo', { FifoQueue: 'true' })
  const trace = { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } }
  const message = { MessageBody: 'secret', MessageDeduplicationId: 'd', MessageGroupId: 'g', MessageSystemAttributes: trace }
  const sent = await world.sqs<Record<string, string>>('SendMessage', { QueueUrl, ...message })
  const record = await lastRecord(world)
  assert.deepEqual(record['requestParameters'], {
    queueUrl: QueueUrl,
    messageBody: HIDDEN,
    messageSystemAttributes: HIDDEN,
    messageDeduplicationId: 'd',
    messageGroupId: 'g',
  })
  assert.deepEqual(Object.entries(record['responseElements'] as object), [
    ['mD5OfMessageBody', sent['MD5OfMessageBody']],
    ['mD5OfMessageSystemAttributes', sent['MD5OfMessageSystemAttributes']],
    ['messageId', sent['MessageId']],
    ['sequenceNumber', sent['SequenceNumber']],
  ])
  assert.deepEqual(
    [record['readOnly'], record['resources'], record['managementEvent'], record['eventCategory']],
    [false, resources('q.fifo'), false, 'Data'],
  )
  const [received] = await world.receive(QueueUrl, { MaxNumberOfMessages: 1 })
  const read = await lastRecord(world)
  assert.deepEqual(
    [read['eventName'], read['requestParameters'], read['responseElements'], read['readOnly']],
    ['ReceiveMessage', { queueUrl: QueueUrl, maxNumberOfMessages: 1 }, null, true],
  )
  await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: received?.ReceiptHandle })
  const deleted = await lastRecord(world)
  assert.deepEqual([deleted['readOnly'], deleted['responseElements']], [false, null])
})

test('what another account does is told to both, and to the owner without the names of the other', async (t) => {
  const world = await createWorld(t, everything)
  const QueueUrl = await world.create('q')
  await world.sqs('AddPermission', { QueueUrl, Label: 'l', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['SendMessage'] })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, other)
  const copies = (await world.events()).slice(-2).map(({ record }) => record)
  assert.deepEqual(
    copies.map((copy) => [copy['eventName'], copy['recipientAccountId']]),
    [
      ['SendMessage', OTHER_ACCOUNT],
      ['SendMessage', ACCOUNT],
    ],
  )
  assert.equal(copies[0]?.['sharedEventID'], copies[1]?.['sharedEventID'])
  assert.ok(copies[0]?.['sharedEventID'] !== undefined)
})
