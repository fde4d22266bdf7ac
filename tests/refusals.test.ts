// SNS refuses in the words of AWS: each text is one that was recorded against it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { invalid, refusalOf } from './refusal.ts'
import { ROOT_KEY, clientConfig } from './server.ts'

const ACCOUNT = '000000000000'
const { server } = await startFileServer()
const sns = new SNS(clientConfig(server.url))

const topicNamed = async (name: string): Promise<string> => (await sns.createTopic({ Name: name })).TopicArn ?? ''
const arnOf = (service: string, name: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`

test('refusals of topics in the words of AWS', async () => {
  for (const Name of ['', 'a b', 'a:b', 'x'.repeat(257), 'orders.fifo'])
    assert.deepEqual(await refusalOf(sns.createTopic({ Name })), invalid('Topic Name'), JSON.stringify(Name))
  await sns.createTopic({ Name: 'same', Attributes: { DisplayName: 'one' }, Tags: [{ Key: 'team', Value: 'a' }] })
  assert.equal((await sns.createTopic({ Name: 'same' })).TopicArn, arnOf('sns', 'same'))
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'same', Attributes: { DisplayName: 'two' } })),
    invalid('Attributes Reason: Topic already exists with different attributes'),
  )
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'same', Tags: [{ Key: 'team', Value: 'b' }] })),
    invalid('Tags Reason: Topic already exists with different tags'),
  )
  const gone = arnOf('sns', 'gone')
  assert.deepEqual(await refusalOf(sns.getTopicAttributes({ TopicArn: gone })), ['NotFoundException', 404, 'Topic does not exist'])
  assert.deepEqual(
    await refusalOf(sns.getTopicAttributes({ TopicArn: 'orders' })),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1'),
  )
  assert.deepEqual(
    await refusalOf(sns.publish({ TopicArn: 'arn:aws:sns:us-east-1:000000000000', Message: 'x' })),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 5'),
  )
  assert.deepEqual(await refusalOf(sns.getTopicAttributes({ TopicArn: gone.replace('us-east-1', 'eu-west-1') })), invalid('TopicArn'))
  assert.deepEqual(await refusalOf(sns.listTagsForResource({ ResourceArn: gone })), [
    'ResourceNotFoundException',
    404,
    'Resource does not exist',
  ])
  const twice = [
    { Key: 'team', Value: 'a' },
    { Key: 'team', Value: 'b' },
  ]
  assert.deepEqual(
    await refusalOf(sns.tagResource({ ResourceArn: arnOf('sns', 'same'), Tags: twice })),
    invalid('Duplicated keys are not allowed.'),
  )
})

test('refusals of subscriptions in the words of AWS', async () => {
  const TopicArn = await topicNamed('subscribe-refusals')
  const subscribe = (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
    refusalOf(sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes }))
  assert.deepEqual(await subscribe('pigeon', 'x'), invalid('Amazon SNS does not support this protocol string: pigeon'))
  assert.deepEqual(await subscribe('sqs', `${server.url}/${ACCOUNT}/orders`), invalid('SQS endpoint ARN'))
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'orders.fifo')),
    invalid('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics'),
  )
  assert.deepEqual(await subscribe('http', 'https://localhost/x'), invalid('Endpoint must match the specified protocol'))
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'orders'), { RawMessageDelivery: 'maybe' }),
    invalid('Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false.'),
  )
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'twice') })
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'twice'), { RawMessageDelivery: 'true' }),
    invalid('Attributes Reason: Subscription already exists with different attributes'),
  )
  const unsubscribe = (SubscriptionArn: string) => refusalOf(sns.unsubscribe({ SubscriptionArn }))
  assert.deepEqual(await unsubscribe('short'), invalid('SubscriptionArn Reason: An ARN must have at least 6 elements, not 1'))
  assert.deepEqual(await unsubscribe(TopicArn), invalid('SubscriptionId'))
  await sns.unsubscribe({ SubscriptionArn: `${TopicArn}:00000000-0000-4000-8000-000000000000` })
  assert.deepEqual(await refusalOf(sns.confirmSubscription({ TopicArn, Token: 'not hex' })), [
    'InvalidParameterException',
    400,
    'Invalid token',
  ])
  assert.deepEqual(await refusalOf(sns.confirmSubscription({ TopicArn, Token: '51b2ff3e' })), invalid('Token'))
})

test('refusals of messages in the words of AWS', async () => {
  const TopicArn = await topicNamed('publish-refusals')
  const publish = (input: object) => refusalOf(sns.publish({ TopicArn, Message: 'x', ...input }))
  assert.deepEqual(await publish({ Message: '' }), invalid('Empty message'))
  assert.deepEqual(await publish({ Subject: '' }), invalid('Subject'))
  assert.deepEqual(await publish({ Subject: 's'.repeat(101) }), invalid('Subject'))
  assert.deepEqual(await publish({ Message: 'x'.repeat(262_145) }), invalid('Message too long'))
  assert.deepEqual(await publish({ TopicArn: TopicArn.replace('us-east-1', 'eu-west-1') }), invalid('TopicArn'))
  assert.deepEqual(
    await publish({ MessageStructure: 'json', Message: '{' }),
    invalid('Message Structure - JSON message body failed to parse'),
  )
  assert.deepEqual(
    await publish({ MessageStructure: 'json', Message: '{"sqs":"x"}' }),
    invalid('Message Structure - No default entry in JSON message body'),
  )
  await sns.publish({ TopicArn, Message: 'x'.repeat(262_144), Subject: 's'.repeat(100) })

  const attribute = (name: string, value: { DataType: string | undefined; StringValue?: string; BinaryValue?: Uint8Array }) =>
    publish({ MessageAttributes: { [name]: value } })
  const badValue = (message: string) => ['InvalidParameterValueException', 400, message] as const
  const text = { DataType: 'String', StringValue: 'v' }
  assert.deepEqual(await attribute('n'.repeat(257), text), badValue('Length of message attribute name must be less than 256 bytes.'))
  assert.deepEqual(
    await attribute('a b', text),
    badValue(
      "Invalid non-alphanumeric character '#x20' was found in the message attribute name. " +
        'Can only include alphanumeric characters, hyphens, underscores, or dots.',
    ),
  )
  assert.deepEqual(await attribute('.a', text), badValue("Invalid message attribute name starting with character '.' was found."))
  assert.deepEqual(await attribute('a..b', text), badValue("Message attribute name can not have successive '.' character."))
  assert.deepEqual(
    await attribute('a', { DataType: 'Text', StringValue: 'v' }),
    badValue(
      "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
    ),
  )
  assert.deepEqual(
    await attribute('a', { DataType: 'String', StringValue: '' }),
    badValue("The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'."),
  )
  assert.deepEqual(
    await attribute('a', { DataType: 'String', BinaryValue: Buffer.from('v') }),
    badValue("The message attribute 'a' with type 'String' must use field 'String'."),
  )
  assert.deepEqual(await attribute('a', { DataType: undefined, StringValue: 'v' }), [
    'ValidationError',
    400,
    "1 validation error detected: Value null at 'messageAttributes.a.member.dataType' failed to satisfy constraint: " +
      'Member must not be null',
  ])
})

test('refusals of batches in the words of AWS', async () => {
  const TopicArn = await topicNamed('batch-refusals')
  const batch = (entries: readonly { Id: string; Message: string }[]) =>
    refusalOf(sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [...entries] }))
  const entry = (Id: string) => ({ Id, Message: 'x' })
  assert.deepEqual(await batch(Array.from({ length: 11 }, (_, at) => entry(String(at)))), [
    'TooManyEntriesInBatchRequestException',
    400,
    'The batch request contains more entries than permissible.',
  ])
  assert.deepEqual(await batch([]), ['EmptyBatchRequestException', 400, "The batch request doesn't contain any entries."])
  assert.deepEqual(await batch([entry('a'), entry('a')]), [
    'BatchEntryIdsNotDistinctException',
    400,
    'Two or more batch entries in the request have the same Id.',
  ])
  assert.deepEqual(await batch([entry('a.b')]), [
    'InvalidBatchEntryIdException',
    400,
    'The Id of a batch entry in the batch request contains an impermissible character: a.b',
  ])
  assert.deepEqual(await batch([entry('a'.repeat(81))]), [
    'InvalidBatchEntryIdException',
    400,
    `The Id of a batch entry in the batch request is too long: ${'a'.repeat(81)}`,
  ])
  assert.deepEqual(await batch([entry('a'), { Id: 'b', Message: 'x'.repeat(262_144) }]), [
    'BatchRequestTooLongException',
    400,
    'The length of all the messages put together is more than the limit.',
  ])
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
