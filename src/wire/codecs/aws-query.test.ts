import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../model/service-error.ts'
import { testModel, testOperation } from '../test-world.ts'
import { decodeOldQuery, decodeQuery, encodeQuery, encodeQueryError } from './aws-query.ts'
import { parseForm } from './form.ts'

type Service = Parameters<typeof testOperation>[0]
const decode = (service: Service, operation: string, form: string) =>
  decodeQuery(testOperation(service, operation), parseForm(Buffer.from(form)))
const encode = (service: Service, operation: string, output: object) =>
  encodeQuery(testModel(service), testOperation(service, operation), output as Record<string, unknown>, 'R')
const refuses = (code: string) => (error: unknown) => error instanceof ServiceError && error.code === code && error.status === 400

test('lists, maps, nested structures and blobs', () => {
  assert.deepEqual(
    decode(
      'sns',
      'CreateTopic',
      'Name=a&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=d&Tags.member.1.Key=k&Tags.member.1.Value=',
    ),
    {
      Name: 'a',
      Attributes: { DisplayName: 'd' },
      Tags: [{ Key: 'k', Value: '' }],
    },
  )
  const attribute = ['Name=b', 'Value.DataType=Binary', 'Value.BinaryValue=AgME'].map((pair) => `MessageAttributes.entry.1.${pair}`)
  assert.deepEqual(decode('sns', 'Publish', `Message=m&${attribute.join('&')}`), {
    Message: 'm',
    MessageAttributes: { b: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) } },
  })
})

test('the lower-case members of the SMS operations', () => {
  assert.deepEqual(decode('sns', 'SetSMSAttributes', 'attributes.entry.1.key=MonthlySpendLimit&attributes.entry.1.value=1'), {
    attributes: { MonthlySpendLimit: '1' },
  })
  assert.deepEqual(decode('sns', 'CheckIfPhoneNumberIsOptedOut', 'phoneNumber=%2B1&PhoneNumber=x'), { phoneNumber: '+1' })
})

test('the flattened collections of the SQS query protocol', () => {
  assert.deepEqual(
    decode('sqs', 'CreateQueue', 'QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v'),
    {
      QueueName: 'q',
      Attributes: { DelaySeconds: '5' },
      tags: { k: 'v' },
    },
  )
  const form =
    'SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=b&SendMessageBatchRequestEntry.1.DelaySeconds=3'
  const attribute =
    '&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String'
  assert.deepEqual(decode('sqs', 'SendMessageBatch', form + attribute), {
    Entries: [{ Id: 'a', MessageBody: 'b', DelaySeconds: 3, MessageAttributes: { n: { DataType: 'String' } } }],
  })
  assert.deepEqual(
    decode('sqs', 'ReceiveMessage', 'AttributeName.1=All&MessageAttributeName.1=a&MessageAttributeName.2=b&WaitTimeSeconds=20'),
    {
      AttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['a', 'b'],
      WaitTimeSeconds: 20,
    },
  )
})

test('list elements come in the order of their numbers', () => {
  assert.deepEqual(decode('sns', 'UntagResource', 'TagKeys.member.10=c&TagKeys.member.2=b&TagKeys.member.1=a'), {
    TagKeys: ['a', 'b', 'c'],
  })
})

test('an empty value is an empty list or map, and an empty string', () => {
  assert.deepEqual(decode('sns', 'CreateTopic', 'Name=&Tags=&Attributes='), { Name: '', Attributes: {}, Tags: [] })
})

test('unknown parameters are ignored', () => {
  assert.deepEqual(decode('sns', 'CreateTopic', 'Name=a&Colour=red&Tags.member.1.Size=x'), { Name: 'a', Tags: [{}] })
})

test('a parameter that stands twice is taken once if its values agree', () => {
  assert.deepEqual(decode('sns', 'CreateTopic', 'Name=a&Name=a'), { Name: 'a' })
  assert.throws(() => decode('sns', 'CreateTopic', 'Name=a&Name=b'), refuses('MalformedQueryString'))
})

test('attribute names are keys like any other', () => {
  const input = decode('sns', 'CreateTopic', 'Attributes.entry.1.key=__proto__&Attributes.entry.1.value=x') as { Attributes: object }
  assert.deepEqual(Object.entries(input.Attributes), [['__proto__', 'x']])
  assert.equal(Object.getPrototypeOf(input.Attributes), Object.prototype)
  assert.deepEqual(decode('sns', 'CreateTopic', '__proto__.Name=x&constructor=y'), {})
})

for (const [form, operation] of [
  ['Name.member.1=a', 'CreateTopic'],
  ['Tags=a', 'CreateTopic'],
  ['Tags.member.0.Key=a', 'CreateTopic'],
  ['Tags.member.x.Key=a', 'CreateTopic'],
  ['Tags.member.99999999999.Key=a', 'CreateTopic'],
  ['Tags.member.1=a', 'CreateTopic'],
  ['Attributes.entry.1.value=a', 'CreateTopic'],
  ['ReturnSubscriptionArn=perhaps', 'Subscribe'],
  ['MaxResults=many', 'ListSMSSandboxPhoneNumbers'],
  ['MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.BinaryValue=AgM', 'Publish'],
] as const) {
  test(`refuses ${operation} with ${form}`, () => assert.throws(() => decode('sns', operation, form), refuses('MalformedInput')))
}

test('a name of too many parts is refused', () => {
  assert.throws(() => decode('sns', 'CreateTopic', `Name${'.a'.repeat(20)}=x`), refuses('MalformedQueryString'))
})

const SNS = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
const METADATA = '<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata>'

test('results as SNS writes them', () => {
  assert.equal(
    encode('sns', 'Publish', { MessageId: 'U1' }),
    `<PublishResponse ${SNS}><PublishResult><MessageId>U1</MessageId></PublishResult>${METADATA}</PublishResponse>`,
  )
  assert.equal(encode('sns', 'Unsubscribe', {}), `<UnsubscribeResponse ${SNS}>${METADATA}</UnsubscribeResponse>`)
  assert.equal(encode('sns', 'TagResource', {}), `<TagResourceResponse ${SNS}><TagResourceResult/>${METADATA}</TagResourceResponse>`)
  assert.equal(
    encode('sns', 'ListTopics', { Topics: [{ TopicArn: 'a&b' }] }),
    `<ListTopicsResponse ${SNS}><ListTopicsResult><Topics><member><TopicArn>a&amp;b</TopicArn></member></Topics></ListTopicsResult>` +
      `${METADATA}</ListTopicsResponse>`,
  )
  assert.equal(
    encode('sns', 'ListTagsForResource', { Tags: [] }),
    `<ListTagsForResourceResponse ${SNS}><ListTagsForResourceResult><Tags/></ListTagsForResourceResult>` +
      `${METADATA}</ListTagsForResourceResponse>`,
  )
  assert.equal(
    encode('sns', 'GetTopicAttributes', { Attributes: { DisplayName: '', Owner: '1' } }),
    `<GetTopicAttributesResponse ${SNS}><GetTopicAttributesResult><Attributes><entry><key>DisplayName</key><value/></entry>` +
      `<entry><key>Owner</key><value>1</value></entry></Attributes></GetTopicAttributesResult>${METADATA}</GetTopicAttributesResponse>`,
  )
})

test('every operation of SNS without output has no Result element, and no other has none', () => {
  const without = Object.values(testModel('sns').operations).flatMap((operation) =>
    operation !== undefined && !encode('sns', operation.name, {}).includes('Result') ? [operation.name] : [],
  )
  assert.deepEqual(without.toSorted(), [
    'AddPermission',
    'DeleteEndpoint',
    'DeletePlatformApplication',
    'DeleteTopic',
    'PutDataProtectionPolicy',
    'RemovePermission',
    'SetEndpointAttributes',
    'SetPlatformApplicationAttributes',
    'SetSubscriptionAttributes',
    'SetTopicAttributes',
    'Unsubscribe',
  ])
})

test('results as SQS writes them in its query protocol', () => {
  assert.match(
    encode('sqs', 'ListQueues', { QueueUrls: ['u1', 'u2'] }),
    /<ListQueuesResult><QueueUrl>u1<\/QueueUrl><QueueUrl>u2<\/QueueUrl><\/ListQueuesResult>/,
  )
  assert.match(
    encode('sqs', 'GetQueueAttributes', { Attributes: { DelaySeconds: '0' } }),
    /<GetQueueAttributesResult><Attribute><Name>DelaySeconds<\/Name><Value>0<\/Value><\/Attribute><\/GetQueueAttributesResult>/,
  )
  const message = { MessageId: 'm', Body: 'a\rb\u0001', MessageAttributes: { n: { DataType: 'Binary', BinaryValue: Buffer.from('x') } } }
  const received = encode('sqs', 'ReceiveMessage', { Messages: [message] })
  const attribute = '<Name>n</Name><Value><DataType>Binary</DataType><BinaryValue>eA==</BinaryValue></Value>'
  assert.ok(
    received.includes(
      `<Message><MessageId>m</MessageId><Body>a&#xD;b&#x1;</Body><MessageAttribute>${attribute}</MessageAttribute></Message>`,
    ),
  )
})

test('errors: the sender at fault below 500, the receiver from there on', () => {
  const namespace = testModel('sns').xmlNamespace
  assert.equal(
    encodeQueryError(namespace, new ServiceError('NotFound', 404, 'Topic <x> does not exist'), 'R'),
    `<ErrorResponse ${SNS}><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic &lt;x&gt; does not exist</Message></Error>` +
      '<RequestId>R</RequestId></ErrorResponse>',
  )
  assert.match(encodeQueryError(namespace, new ServiceError('InternalError', 500, ''), 'R'), /<Type>Receiver<\/Type>/)
})

test('what has its numbers reads the same for the oldest clients, and a list of one reads the same without', () => {
  const words = fc.stringMatching(/^[A-Za-z0-9.]{1,12}$/)
  const read = (decodeForm: typeof decodeQuery, operation: string, form: string) =>
    decodeForm(testOperation('sqs', operation), parseForm(Buffer.from(form)))
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 12 }), words, (names, value) => {
      const numbered = names.map(
        (name, at) => `AttributeName.${at + 1}=${name}&Attribute.${at + 1}.Name=${name}&Attribute.${at + 1}.Value=${value}`,
      )
      for (const operation of ['GetQueueAttributes', 'SetQueueAttributes', 'CreateQueue', 'ReceiveMessage']) {
        const form = `QueueUrl=u&QueueName=n&${numbered.join('&')}`
        assert.deepEqual(read(decodeOldQuery, operation, form), read(decodeQuery, operation, form))
      }
      const [name = ''] = names
      assert.deepEqual(read(decodeOldQuery, 'SetQueueAttributes', `QueueUrl=u&Attribute.Name=${name}&Attribute.Value=${value}`), {
        QueueUrl: 'u',
        Attributes: Object.fromEntries([[name, value]]),
      })
      assert.deepEqual(read(decodeOldQuery, 'GetQueueAttributes', `QueueUrl=u&AttributeName=${name}`), {
        QueueUrl: 'u',
        AttributeNames: [name],
      })
    }),
    { numRuns: 100 },
  )
})
