import assert from 'node:assert/strict'
import test from 'node:test'
import { allowsRedrive, ownedAttributes, QueueAttributeError, readQueueAttributes, settingsOf } from './queue-attributes.ts'
import type { Queue } from './topic.ts'

const queue = (attributes: Record<string, string>): Queue => ({
  queueArn: 'arn:aws:sqs:us-east-1:000000000001:q',
  number: 1,
  owner: '000000000001',
  createdAt: 0,
  modifiedAt: 0,
  attributes,
  tags: {},
})
const refused = (given: Record<string, string>): QueueAttributeError => {
  try {
    readQueueAttributes(given)
  } catch (error) {
    if (error instanceof QueueAttributeError) return error
  }
  assert.fail(`accepted ${JSON.stringify(given)}`)
}

test('numbers are accepted at both ends of their range and refused beyond', () => {
  const ranges: [string, number, number][] = [
    ['DelaySeconds', 0, 900],
    ['MaximumMessageSize', 1024, 1_048_576],
    ['MessageRetentionPeriod', 60, 1_209_600],
    ['ReceiveMessageWaitTimeSeconds', 0, 20],
    ['VisibilityTimeout', 0, 43_200],
  ]
  for (const [name, min, max] of ranges) {
    assert.deepEqual(readQueueAttributes({ [name]: String(min) }), { [name]: String(min) })
    assert.deepEqual(readQueueAttributes({ [name]: String(max) }), { [name]: String(max) })
    for (const text of [String(min - 1), String(max + 1), '', '1.5', 'x', ' 7']) {
      const error = refused({ [name]: text })
      assert.equal(error.kind, 'value', `${name}=${text}`)
      assert.ok(error.message.startsWith(`Invalid value for the parameter ${name}.`))
    }
  }
})

test('leading zeros do not make two values of one', () => {
  assert.deepEqual(readQueueAttributes({ DelaySeconds: '007' }), { DelaySeconds: '7' })
})

test('names that are none, counts, and attributes of FIFO queues are unknown', () => {
  for (const name of ['Foo', 'QueueArn', 'ApproximateNumberOfMessages', 'ContentBasedDeduplication', '__proto__'])
    assert.equal(refused(Object.fromEntries([[name, 'true']])).message, `Unknown Attribute ${name}.`)
  assert.equal(refused({ FifoQueue: 'false' }).kind, 'unknown')
})

test('one kind of encryption takes the place of the other, and both at once are refused', () => {
  assert.deepEqual(readQueueAttributes({ KmsMasterKeyId: 'alias/x' }), { KmsMasterKeyId: 'alias/x', SqsManagedSseEnabled: 'false' })
  assert.deepEqual(readQueueAttributes({ SqsManagedSseEnabled: 'true' }), { KmsMasterKeyId: '', SqsManagedSseEnabled: 'true' })
  const off = { SqsManagedSseEnabled: 'false', KmsMasterKeyId: '' }
  assert.deepEqual(readQueueAttributes(off), off)
  const both = refused({ SqsManagedSseEnabled: 'true', KmsMasterKeyId: 'x' })
  assert.deepEqual(
    [both.kind, both.message],
    ['unknown', 'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.'],
  )
})

test('values of encryption hold within their limits', () => {
  for (const KmsDataKeyReusePeriodSeconds of ['60', '86400'])
    assert.deepEqual(readQueueAttributes({ KmsDataKeyReusePeriodSeconds }), { KmsDataKeyReusePeriodSeconds })
  for (const value of ['59', '86401', '', 'x', '60.5'])
    assert.match(
      refused({ KmsDataKeyReusePeriodSeconds: value }).message,
      /^Invalid value for the parameter KmsDataKeyReusePeriodSeconds\./,
    )
  for (const value of ['True', '', '1']) assert.equal(refused({ SqsManagedSseEnabled: value }).kind, 'value')
  assert.equal(refused({ KmsMasterKeyId: 'k'.repeat(2049) }).kind, 'value')
  assert.equal(readQueueAttributes({ KmsMasterKeyId: 'k'.repeat(2048) })['KmsMasterKeyId']?.length, 2048)
})

test('of encryption is shown what counts', () => {
  const shown = (attributes: Record<string, string>, isSealedAtRest = false) =>
    Object.fromEntries(Object.entries(ownedAttributes(queue(attributes), isSealedAtRest)).filter(([name]) => /Kms|Sse/.test(name)))
  assert.deepEqual(shown({}), { SqsManagedSseEnabled: 'false' })
  assert.deepEqual(shown({}, true), { SqsManagedSseEnabled: 'true' })
  assert.deepEqual(shown({ SqsManagedSseEnabled: 'false' }, true), { SqsManagedSseEnabled: 'false' })
  assert.deepEqual(shown({ SqsManagedSseEnabled: 'true', KmsDataKeyReusePeriodSeconds: '300' }), { SqsManagedSseEnabled: 'true' })
  assert.deepEqual(shown({ KmsMasterKeyId: 'k' }, true), {
    SqsManagedSseEnabled: 'false',
    KmsMasterKeyId: 'k',
    KmsDataKeyReusePeriodSeconds: '300',
  })
  assert.deepEqual(shown({ KmsDataKeyReusePeriodSeconds: '6000' }), {
    SqsManagedSseEnabled: 'false',
    KmsDataKeyReusePeriodSeconds: '6000',
  })
})

test('a redrive policy is kept in one form, its count as a number', () => {
  const arn = 'arn:aws:sqs:us-east-1:000000000001:dead'
  const kept = `{"deadLetterTargetArn":"${arn}","maxReceiveCount":5}`
  assert.deepEqual(readQueueAttributes({ RedrivePolicy: `{ "maxReceiveCount": "5", "deadLetterTargetArn": "${arn}" }` }), {
    RedrivePolicy: kept,
  })
  assert.deepEqual(settingsOf(queue({ RedrivePolicy: kept })).redrive, { deadLetterTargetArn: arn, maxReceiveCount: 5 })
})

test('a redrive policy that does not hold says why, in the words of AWS', () => {
  const text = '{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}'
  assert.equal(
    refused({ RedrivePolicy: text }).message,
    `Value ${text} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn.`,
  )
  assert.match(refused({ RedrivePolicy: 'x' }).message, /not a valid JSON map/)
  assert.match(refused({ RedrivePolicy: '[]' }).message, /not a valid JSON map/)
  const arn = 'arn:aws:sqs:us-east-1:000000000001:dead'
  assert.match(refused({ RedrivePolicy: `{"deadLetterTargetArn":"${arn}"}` }).message, /mandatory attribute: maxReceiveCount/)
  for (const count of ['0', '1001', '1.5', 'true'])
    assert.match(
      refused({ RedrivePolicy: `{"deadLetterTargetArn":"${arn}","maxReceiveCount":${count}}` }).message,
      /valid values are from 1 to 1000/,
    )
})

test('a redrive allow policy names its sources by queue, and only then', () => {
  const source = 'arn:aws:sqs:us-east-1:000000000001:source'
  const allows = (text: string, arn = source): boolean =>
    allowsRedrive(settingsOf(queue(readQueueAttributes({ RedriveAllowPolicy: text }))), arn)
  assert.equal(allows('{"redrivePermission":"allowAll"}'), true)
  assert.equal(allows('{"redrivePermission":"denyAll"}'), false)
  assert.equal(allows(`{"redrivePermission":"byQueue","sourceQueueArns":["${source}"]}`), true)
  assert.equal(allows(`{"redrivePermission":"byQueue","sourceQueueArns":["${source}"]}`, `${source}2`), false)
  assert.equal(allowsRedrive(settingsOf(queue({})), source), true)
  for (const text of [
    '{"redrivePermission":"some"}',
    '{"redrivePermission":"byQueue"}',
    `{"redrivePermission":"denyAll","sourceQueueArns":["${source}"]}`,
  ])
    assert.equal(refused({ RedriveAllowPolicy: text }).kind, 'parameter', text)
})

test('a policy must be one', () => {
  assert.match(
    refused({ Policy: '{"Statement":[{"Effect":"Maybe"}]}' }).message,
    /^Invalid value for the parameter Policy\. Reason: .*Effect/,
  )
  assert.equal(refused({ Policy: 'x' }).kind, 'value')
  assert.deepEqual(readQueueAttributes({ Policy: '' }), { Policy: '' })
})

test('what nobody set is shown with its default', () => {
  assert.deepEqual(ownedAttributes(queue({ VisibilityTimeout: '7' }), false), {
    DelaySeconds: '0',
    MaximumMessageSize: '1048576',
    MessageRetentionPeriod: '345600',
    ReceiveMessageWaitTimeSeconds: '0',
    VisibilityTimeout: '7',
    SqsManagedSseEnabled: 'false',
  })
})
