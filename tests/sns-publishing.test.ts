// Publish and PublishBatch through the stock SDK and by hand: what is taken, what is refused, and how requests may be written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MessageAttributeValue, type PublishBatchRequestEntry, SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, ROOT_KEY } from './server.ts'
import { sendSigned } from './sign.ts'

const ACCOUNT = '000000000000'
const { server } = await startFileServer()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))

const arnOf = (name: string): string => `arn:aws:sns:us-east-1:${ACCOUNT}:${name}`
const { TopicArn = '' } = await sns.createTopic({ Name: 'published' })
const badValue = (text: string) => ['InvalidParameterValueException', 400, text]

interface Subscribed {
  readonly topicArn: string
  /** The next message of the subscribed queue. */
  receive(): Promise<{ readonly body: string; readonly attributes: Readonly<Record<string, string>> }>
}

async function subscribedTopic(name: string, raw: boolean): Promise<Subscribed> {
  const topicArn = (await sns.createTopic({ Name: name })).TopicArn ?? ''
  const queueArn = topicArn.replace(':sns:', ':sqs:')
  const Policy = topicsMaySend(queueArn)
  const { QueueUrl } = await sqs.createQueue({ QueueName: name, Attributes: { Policy } })
  await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes: { RawMessageDelivery: String(raw) } })
  return {
    topicArn,
    async receive() {
      const { Messages } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, MessageSystemAttributeNames: ['All'] })
      const [message] = Messages ?? []
      assert.ok(message !== undefined, 'a message arrived')
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle })
      return { body: message.Body ?? '', attributes: message.Attributes ?? {} }
    },
  }
}

test('messages, subjects and sizes', async () => {
  const publish = (more: object) => refusalOf(sns.publish({ TopicArn, Message: 'x', ...more }))
  assert.deepEqual(await publish({ Message: '' }), invalid('Empty message'))
  for (const Subject of ['', 'x'.repeat(101), 'two\nlines', 'a\u0007bell']) assert.deepEqual(await publish({ Subject }), invalid('Subject'))
  await sns.publish({ TopicArn, Message: 'x', Subject: 'x'.repeat(100) })
  assert.deepEqual(await publish({ Message: 'x'.repeat(262_145) }), invalid('Message too long'))
  await sns.publish({ TopicArn, Message: 'x'.repeat(262_144), Subject: 's'.repeat(100) })
  const name = 'n'.repeat(10)
  const MessageAttributes = { [name]: { DataType: 'String', StringValue: 'ä'.repeat(5) } }
  const bytes = 10 + 6 + 10
  await sns.publish({ TopicArn, Message: 'x'.repeat(262_144 - bytes), MessageAttributes })
  assert.deepEqual(await publish({ Message: 'x'.repeat(262_145 - bytes), MessageAttributes }), invalid('Message too long'))
  await sns.publish({ TopicArn, Message: 'x', MessageGroupId: 'of a standard topic'.replaceAll(' ', '-') })
  assert.deepEqual(
    await publish({ MessageDeduplicationId: 'once' }),
    invalid('MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type'),
  )
})

test('where messages may go', async () => {
  const publish = (more: object) => refusalOf(sns.publish({ Message: 'x', ...more }))
  assert.deepEqual(await publish({ TopicArn: arnOf('absent') }), ['NotFoundException', 404, 'Topic does not exist'])
  for (const arn of ['', 'topic', 'arn:topic', `arn:aws:sns:us-east-1:${ACCOUNT}`])
    assert.deepEqual(
      await publish({ TopicArn: arn }),
      invalid(`TopicArn Reason: An ARN must have at least 6 elements, not ${arn.split(':').length}`),
    )
  assert.deepEqual(await publish({ TopicArn: TopicArn.replace('us-east-1', 'eu-west-1') }), invalid('TopicArn'))
  assert.match((await sns.publish({ TargetArn: TopicArn, Message: 'x' })).MessageId ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(await publish({ TargetArn: arnOf('absent') }), ['NotFoundException', 404, 'Topic does not exist'])
  assert.deepEqual(await publish({}), invalid('TopicArn or TargetArn Reason: no value for required parameter'))
})

test('one text for each protocol', async () => {
  const publish = (Message: string, MessageStructure = 'json') => refusalOf(sns.publish({ TopicArn, Message, MessageStructure }))
  for (const Message of ['{', 'plain', '[]', '"text"', '{"default":}'])
    assert.deepEqual(await publish(Message), invalid('Message Structure - JSON message body failed to parse'), Message)
  for (const Message of ['{}', '{"sqs":"x"}', '{"default":{"a":1}}', '{"default":1}', '{"default":null}'])
    assert.deepEqual(await publish(Message), invalid('Message Structure - No default entry in JSON message body'), Message)
  const world = await subscribedTopic('structured', true)
  const send = (texts: string) => sns.publish({ TopicArn: world.topicArn, MessageStructure: 'json', Message: texts })
  for (const [texts, seen] of [
    ['{"default":"d","sqs":"for queues"}', 'for queues'],
    ['{"default":"d","sqs":7}', 'd'],
    ['{"default":"d","http":"h","pigeon":"p"}', 'd'],
    ['{"default":"one","default":"two"}', 'two'],
  ] as const) {
    await send(texts)
    assert.equal((await world.receive()).body, seen)
  }
})

test('attributes: names, types and values, alone and in a batch', async () => {
  const cases: readonly (readonly [name: string, value: MessageAttributeValue, text: string])[] = [
    ['n'.repeat(257), { DataType: 'String', StringValue: 'x' }, 'Length of message attribute name must be less than 256 bytes.'],
    [
      'a b',
      { DataType: 'String', StringValue: 'x' },
      "Invalid non-alphanumeric character '#x20' was found in the message attribute name. " +
        'Can only include alphanumeric characters, hyphens, underscores, or dots.',
    ],
    ['.a', { DataType: 'String', StringValue: 'x' }, "Invalid message attribute name starting with character '.' was found."],
    ['a.', { DataType: 'String', StringValue: 'x' }, "Invalid message attribute name ending with character '.' was found."],
    ['a..b', { DataType: 'String', StringValue: 'x' }, "Message attribute name can not have successive '.' character."],
    ...['Text', 'string', 'String.', 'Numbers', ''].map(
      (DataType) =>
        [
          'attr',
          { DataType, StringValue: 'x' },
          "The message attribute 'attr' has an invalid message attribute type, " +
            'the set of supported type prefixes is Binary, Number, and String.',
        ] as const,
    ),
    [
      'attr',
      { DataType: 'String', StringValue: '' },
      "The message attribute 'attr' must contain non-empty message attribute value for message attribute type 'String'.",
    ],
    [
      'attr',
      { DataType: 'Binary' },
      "The message attribute 'attr' must contain non-empty message attribute value for message attribute type 'Binary'.",
    ],
    [
      'attr',
      { DataType: 'String', BinaryValue: Buffer.from('x') },
      "The message attribute 'attr' with type 'String' must use field 'String'.",
    ],
    ['attr', { DataType: 'Binary', StringValue: 'x' }, "The message attribute 'attr' with type 'Binary' must use field 'Binary'."],
    ['attr', { DataType: 'Number', StringValue: 'seven' }, "Could not cast message attribute 'attr' value to number."],
    ...['AWS.kind', 'aws.sns.sms.SenderID', 'Amazon.kind', 'AWS.SNS.other'].map(
      (name) =>
        [
          name,
          { DataType: 'String', StringValue: 'x' },
          `Message attribute name '${name}' begins with 'AWS.' or 'Amazon.', which are reserved; use another name.`,
        ] as const,
    ),
  ]
  for (const [name, value, text] of cases) {
    const MessageAttributes = { [name]: value }
    assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: 'x', MessageAttributes })), badValue(text))
    const PublishBatchRequestEntries = [
      { Id: 'good', Message: 'x' },
      { Id: 'bad', Message: 'x', MessageAttributes },
    ]
    assert.deepEqual(await refusalOf(sns.publishBatch({ TopicArn, PublishBatchRequestEntries })), badValue(text))
  }
  const untyped = { attr: { DataType: undefined, StringValue: 'x' } }
  const missing = (path: string) => [
    'ValidationError',
    400,
    `1 validation error detected: Value null at '${path}messageAttributes.attr.member.dataType' ` +
      'failed to satisfy constraint: Member must not be null',
  ]
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: 'x', MessageAttributes: untyped })), missing(''))
  const entries = [
    { Id: '1', Message: 'x' },
    { Id: '2', Message: 'x', MessageAttributes: untyped },
  ]
  assert.deepEqual(
    await refusalOf(sns.publishBatch({ TopicArn, PublishBatchRequestEntries: entries })),
    missing('publishBatchRequestEntries.2.member.'),
  )
  const world = await subscribedTopic('attributed', false)
  await sns.publish({
    TopicArn: world.topicArn,
    Message: 'x',
    MessageAttributes: {
      'A.b-C_d': { DataType: 'String', StringValue: 'x' },
      'AWS.SNS.SMS.SenderID': { DataType: 'String', StringValue: 'Sealcast' },
      AWSkind: { DataType: 'String', StringValue: 'x' },
      long: { DataType: 'Number.java.lang.Long', StringValue: '8' },
      bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(2, 3, 4) },
      list: { DataType: 'String.Array', StringValue: '["a",1,null]' },
    },
  })
  assert.deepEqual((JSON.parse((await world.receive()).body) as Record<string, unknown>)['MessageAttributes'], {
    'A.b-C_d': { Type: 'String', Value: 'x' },
    'AWS.SNS.SMS.SenderID': { Type: 'String', Value: 'Sealcast' },
    AWSkind: { Type: 'String', Value: 'x' },
    long: { Type: 'Number.java.lang.Long', Value: '8' },
    bytes: { Type: 'Binary', Value: 'AgME' },
    list: { Type: 'String.Array', Value: '["a",1,null]' },
  })
})

test('batches: the checks in the order of AWS, and a malformed entry refuses the whole', async () => {
  const batch = (PublishBatchRequestEntries: PublishBatchRequestEntry[], arn = TopicArn) =>
    refusalOf(sns.publishBatch({ TopicArn: arn, PublishBatchRequestEntries }))
  const entries = (count: number, Message = 'x') => Array.from({ length: count }, (_, at) => ({ Id: `id-${at}`, Message }))
  const absent = arnOf('absent')
  assert.deepEqual(await batch(entries(11), absent), [
    'TooManyEntriesInBatchRequestException',
    400,
    'The batch request contains more entries than permissible.',
  ])
  assert.deepEqual(await batch([], absent), ['EmptyBatchRequestException', 400, "The batch request doesn't contain any entries."])
  assert.deepEqual(await batch(entries(1), 'x'), invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1'))
  assert.deepEqual(await batch([...entries(1), ...entries(1)], absent), ['NotFoundException', 404, 'Topic does not exist'])
  assert.deepEqual(await batch([...entries(1), ...entries(1)]), [
    'BatchEntryIdsNotDistinctException',
    400,
    'Two or more batch entries in the request have the same Id.',
  ])
  const long = 'x'.repeat(81)
  assert.deepEqual(await batch([{ Id: long, Message: 'x' }]), [
    'InvalidBatchEntryIdException',
    400,
    `The Id of a batch entry in the batch request is too long: ${long}`,
  ])
  for (const Id of ['a b', 'a.b', ''])
    assert.deepEqual(await batch([{ Id, Message: 'x' }]), [
      'InvalidBatchEntryIdException',
      400,
      `The Id of a batch entry in the batch request contains an impermissible character: ${Id}`,
    ])
  for (const tooLong of [entries(10, 'x'.repeat(26_215)), [...entries(1), { Id: 'large', Message: 'x'.repeat(262_144) }]])
    assert.deepEqual(await batch(tooLong), [
      'BatchRequestTooLongException',
      400,
      'The length of all the messages put together is more than the limit.',
    ])
  assert.deepEqual(
    await batch([...entries(1), { Id: 'bad', Message: '{"sqs":"x"}', MessageStructure: 'json' }]),
    invalid('Message Structure - No default entry in JSON message body'),
  )
  const { Successful = [], Failed } = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [
      ...entries(9, 'x'.repeat(26_214)),
      { Id: 'x'.repeat(80), Message: '{"default":"d"}', MessageStructure: 'json' },
    ],
  })
  assert.deepEqual(Failed, [])
  assert.deepEqual(
    Successful.map(({ Id }) => Id),
    [...entries(9).map(({ Id }) => Id), 'x'.repeat(80)],
  )
  assert.equal(new Set(Successful.map(({ MessageId }) => MessageId)).size, 10)
  assert.ok(Successful.every(({ SequenceNumber }) => SequenceNumber === undefined))
})

test('a request may stand in the URL, by POST and by GET, with and without a version; refusals have the form of AWS', async () => {
  const text = (name: string, xml: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  const query = (action: string, more = '') => `Action=${action}&Message=by%20hand&TopicArn=${encodeURIComponent(TopicArn)}${more}`
  for (const method of ['POST', 'GET'])
    for (const version of ['', '&Version=2010-03-31']) {
      const { status, headers, body } = await sendSigned(server.port, { method, query: query('Publish', version), body: '' })
      assert.equal(status, 200, body)
      assert.equal(headers['content-type'], 'text/xml')
      assert.equal(text('RequestId', body), headers['x-amzn-requestid'])
      const [messageId, requestId] = [text('MessageId', body) ?? '', text('RequestId', body) ?? '']
      for (const id of [messageId, requestId]) assert.match(id, /^[0-9a-f-]{36}$/)
      assert.equal(
        body,
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">' +
          `<PublishResult><MessageId>${messageId}</MessageId></PublishResult>` +
          `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></PublishResponse>`,
      )
    }
  const { body, headers } = await sendSigned(server.port, { body: 'Action=Publish&TopicArn=x&Message=y' })
  assert.equal(
    body,
    '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>InvalidParameter</Code>' +
      '<Message>Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1</Message></Error>' +
      `<RequestId>${headers['x-amzn-requestid']}</RequestId></ErrorResponse>`,
  )
  for (const [form, code] of [
    [
      `Action=Publish&TopicArn=${TopicArn}&Message=x&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=X`,
      'ParameterValueInvalid',
    ],
    [`Action=GetTopicAttributes&TopicArn=${arnOf('absent')}`, 'NotFound'],
    [`Action=ListTagsForResource&ResourceArn=${arnOf('absent')}`, 'ResourceNotFound'],
    ['Action=SetEndpointAttributes&EndpointArn=x', 'ValidationError'],
  ] as const)
    assert.equal(text('Code', (await sendSigned(server.port, { body: form })).body), code)
  for (const [form, result] of [
    [`Action=SetTopicAttributes&TopicArn=${TopicArn}&AttributeName=DisplayName&AttributeValue=x`, ''],
    [`Action=TagResource&ResourceArn=${TopicArn}&Tags.member.1.Key=k&Tags.member.1.Value=v`, '<TagResourceResult/>'],
    [`Action=UntagResource&ResourceArn=${TopicArn}&TagKeys.member.1=k`, '<UntagResourceResult/>'],
    ['Action=SetSMSAttributes&attributes.entry.1.key=DefaultSMSType&attributes.entry.1.value=Promotional', '<SetSMSAttributesResult/>'],
    ['Action=OptInPhoneNumber&phoneNumber=%2B15555550100', '<OptInPhoneNumberResult/>'],
  ] as const) {
    const answer = await sendSigned(server.port, { body: form })
    const [, operation = ''] = /^Action=(\w+)/.exec(form) ?? []
    assert.ok(
      answer.body.startsWith(`<${operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${result}<ResponseMetadata>`),
      answer.body,
    )
  }
})

test("a publisher's trace goes on to the queue", async () => {
  const world = await subscribedTopic('traced', true)
  const body = `Action=Publish&TopicArn=${world.topicArn}&Message=x`
  const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
  await sendSigned(server.port, { body, headers: { 'x-amzn-trace-id': trace } })
  assert.equal((await world.receive()).attributes['AWSTraceHeader'], trace)
  await sendSigned(server.port, { body })
  assert.equal((await world.receive()).attributes['AWSTraceHeader'], undefined)
  const setting = (AttributeValue: string) => sns.setTopicAttributes({ TopicArn, AttributeName: 'TracingConfig', AttributeValue })
  await setting('PassThrough')
  assert.equal((await sns.getTopicAttributes({ TopicArn })).Attributes?.['TracingConfig'], 'PassThrough')
  assert.deepEqual(
    await refusalOf(setting('Active')),
    invalid('TracingConfig: Active is not offered by this version of Sealcast, which sends no traces; use PassThrough'),
  )
  assert.deepEqual(await refusalOf(setting('Passive')), invalid('TracingConfig: Invalid value [Passive]. Must be PassThrough or Active.'))
})

test('a stranger and a wrong secret are refused, and change nothing', async () => {
  const stranger = new SNS(clientConfig(server.url, { accessKeyId: 'AKIASTRANGERSTRANGER', secretAccessKey: 'x' }))
  assert.deepEqual(await refusalOf(stranger.createTopic({ Name: 'stranger' })), [
    'InvalidClientTokenId',
    403,
    'The security token included in the request is invalid.',
  ])
  const impostor = new SNS(clientConfig(server.url, { ...ROOT_KEY, secretAccessKey: 'wrong' }))
  const [name, status, message] = await refusalOf(impostor.createTopic({ Name: 'impostor' }))
  assert.deepEqual([name, status], ['SignatureDoesNotMatch', 403])
  assert.match(message, /^The request signature we calculated does not match the signature you provided\./)
  const { Topics = [] } = await sns.listTopics({})
  assert.ok(!Topics.some(({ TopicArn }) => /stranger|impostor/.test(TopicArn ?? '')))
})
