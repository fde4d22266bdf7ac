import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../model/service-error.ts'
import { testModel, testOperation } from '../test-world.ts'
import { decodeJson, encodeJson, encodeJsonError } from './aws-json.ts'

const decode = (service: 'sqs' | 'cloudtrail', operation: string, body: string | Buffer) =>
  decodeJson(testOperation(service, operation), Buffer.from(body))
const isSerialization = (error: unknown) => error instanceof ServiceError && error.code === 'SerializationException' && error.status === 400

test('blobs, numbers, maps and times', () => {
  const body = { QueueUrl: 'u', MessageBody: 'é', DelaySeconds: 3, MessageAttributes: { a: { DataType: 'Binary', BinaryValue: 'eA==' } } }
  assert.deepEqual(decode('sqs', 'SendMessage', JSON.stringify(body)), {
    ...body,
    MessageAttributes: { a: { DataType: 'Binary', BinaryValue: Buffer.from('x') } },
  })
  assert.deepEqual(decode('cloudtrail', 'LookupEvents', '{"StartTime":1767323045.678,"MaxResults":5}'), {
    StartTime: new Date(1767323045678),
    MaxResults: 5,
  })
})

test('null counts as absent, unknown members are ignored, an empty body is an empty input', () => {
  assert.deepEqual(decode('sqs', 'ListQueues', '{"QueueNamePrefix":null,"Colour":{"a":[1]}}'), {})
  assert.deepEqual(decode('sqs', 'ListQueues', ''), {})
})

test('inherited names are no members, and keys named __proto__ stay keys', () => {
  assert.deepEqual(decode('sqs', 'CreateQueue', '{"__proto__":{"QueueName":"x"}}'), {})
  const input = decode('sqs', 'CreateQueue', '{"Attributes":{"__proto__":"x"}}') as { Attributes: object }
  assert.deepEqual(Object.entries(input.Attributes), [['__proto__', 'x']])
})

for (const body of [
  '{',
  '[]',
  '"a"',
  'null',
  '{"QueueName":1}',
  '{"QueueName":{}}',
  '{"Attributes":[]}',
  '{"Attributes":{"a":1}}',
  '{"tags":"x"}',
  Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
]) {
  test(`refuses CreateQueue with ${body}`, () => assert.throws(() => decode('sqs', 'CreateQueue', body), isSerialization))
}
for (const body of ['{"MaxResults":"5"}', '{"StartTime":"2026-01-01"}', '{"StartTime":1e300}', '{"LookupAttributes":{}}']) {
  test(`refuses LookupEvents with ${body}`, () => assert.throws(() => decode('cloudtrail', 'LookupEvents', body), isSerialization))
}
test('refuses a blob that is not base64', () => {
  assert.throws(() => decode('sqs', 'SendMessage', '{"MessageAttributes":{"a":{"BinaryValue":"*"}}}'), isSerialization)
})

test('a body that nests too deep is refused before it is parsed', () => {
  assert.throws(() => decode('sqs', 'ListQueues', '['.repeat(5_000_000)), isSerialization)
  const inString = JSON.stringify({ QueueNamePrefix: '[{"'.repeat(10_000) })
  assert.equal((decode('sqs', 'ListQueues', inString) as { QueueNamePrefix: string }).QueueNamePrefix.length, 30_000)
})

test('depth is counted outside of texts, however long and full of escapes these are', () => {
  const brackets = fc.array(fc.constantFrom('x'.repeat(700), '[{', '"', '\\', '\\"', ']', 'é'.repeat(900)), {
    minLength: 20,
    maxLength: 60,
  })
  fc.assert(
    fc.property(brackets, fc.boolean(), (parts, isDeep) => {
      const text = parts.join('')
      const nested = '['.repeat(isDeep ? 200 : 5) + ']'.repeat(isDeep ? 200 : 5)
      const [first, last] = [JSON.stringify(text), JSON.stringify(`${text}\\`)]
      const body = `{"QueueNamePrefix":${first},"Other":${nested},"Last":${last}}${' '.repeat(20_000)}`
      if (isDeep) assert.throws(() => decode('sqs', 'ListQueues', body), /nests deeper/)
      else assert.deepEqual(decode('sqs', 'ListQueues', body), { QueueNamePrefix: text })
    }),
    { numRuns: 60 },
  )
})

test('outputs hold what the shape knows; an operation without output answers an empty object', () => {
  const trail = { Name: 't', Colour: 'red' }
  assert.equal(
    encodeJson(testOperation('cloudtrail', 'DescribeTrails'), { trailList: [trail], Nothing: undefined }),
    '{"trailList":[{"Name":"t"}]}',
  )
  assert.equal(
    encodeJson(testOperation('cloudtrail', 'GetTrailStatus'), { IsLogging: true, LatestDeliveryTime: new Date(1767323045678) }),
    '{"IsLogging":true,"LatestDeliveryTime":1767323045.678}',
  )
  assert.equal(encodeJson(testOperation('sqs', 'DeleteMessage'), {}), '{}')
})

test('errors name the shape, and for SQS the older code', () => {
  const error = new ServiceError('AWS.SimpleQueueService.NonExistentQueue', 400, 'gone', { shape: 'QueueDoesNotExist' })
  const { body, headers } = encodeJsonError(testModel('sqs'), error)
  assert.deepEqual(JSON.parse(body), { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'gone' })
  assert.equal(headers['x-amzn-query-error'], 'AWS.SimpleQueueService.NonExistentQueue;Sender')
  const trail = encodeJsonError(testModel('cloudtrail'), new ServiceError('TrailNotFoundException', 400, 'no'))
  assert.deepEqual(JSON.parse(trail.body), { __type: 'TrailNotFoundException', message: 'no' })
  assert.equal(trail.headers['x-amzn-query-error'], undefined)
})
