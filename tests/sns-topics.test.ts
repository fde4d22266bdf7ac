// Topics through the stock SDK: names, attributes, policies, permissions, tags and pages, in the words of AWS.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig } from './server.ts'
import { sendSigned } from './sign.ts'

const ACCOUNT = '000000000000'
const OTHER = '111122223333'
const { server } = await startFileServer()
const sns = new SNS(clientConfig(server.url))

const arnOf = (name: string): string => `arn:aws:sns:us-east-1:${ACCOUNT}:${name}`
const topicNamed = async (Name: string): Promise<string> => (await sns.createTopic({ Name })).TopicArn ?? ''
const attributesOf = async (TopicArn: string) => (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {}
const setting = (TopicArn: string, AttributeName: string, AttributeValue?: string) =>
  sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue })
const nullMember = (path: string) =>
  [
    'ValidationError',
    400,
    `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  ] as const

const defaultPolicy = (topicArn: string) =>
  '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",' +
  '"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",' +
  `"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"${topicArn}",` +
  `"Condition":{"StringEquals":{"AWS:SourceOwner":"${ACCOUNT}"}}}]}`

const DEFAULT_DELIVERY =
  '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,' +
  '"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,' +
  '"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}'

test('a fresh topic has the attributes that AWS gives it, and no others', async () => {
  const TopicArn = await topicNamed('fresh')
  assert.deepEqual(await attributesOf(TopicArn), {
    DisplayName: '',
    EffectiveDeliveryPolicy: DEFAULT_DELIVERY,
    Owner: ACCOUNT,
    Policy: defaultPolicy(TopicArn),
    SubscriptionsConfirmed: '0',
    SubscriptionsDeleted: '0',
    SubscriptionsPending: '0',
    TopicArn,
  })
})

test('names: 1 to 256 letters, digits, hyphens and underscores', async () => {
  for (const Name of ['', 'x'.repeat(257), ...':;!@|^% '.split('').map((character) => `a${character}b`), 'orders.fifo', 'ä'])
    assert.deepEqual(await refusalOf(sns.createTopic({ Name })), invalid('Topic Name'), JSON.stringify(Name))
  assert.equal(await topicNamed('x'.repeat(256)), arnOf('x'.repeat(256)))
  assert.equal(await topicNamed('-'), arnOf('-'))
  assert.deepEqual(await refusalOf(sns.createTopic({ Name: 'plain', Attributes: { FifoTopic: 'true' } })), invalid('Topic Name'))
})

test('creating again is idempotent for what the topic has, and refused for anything else', async () => {
  const Attributes = { DisplayName: 'one', SignatureVersion: '2' }
  const TopicArn = arnOf('again')
  assert.equal((await sns.createTopic({ Name: 'again', Attributes })).TopicArn, TopicArn)
  const sames: Record<string, string>[] = [{}, { DisplayName: 'one' }, Attributes, { FifoTopic: 'false' }]
  for (const same of sames) assert.equal((await sns.createTopic({ Name: 'again', Attributes: same })).TopicArn, TopicArn)
  const others: Record<string, string>[] = [{ DisplayName: 'two' }, { DisplayName: 'one', DeliveryPolicy: DEFAULT_DELIVERY }]
  for (const other of others)
    assert.deepEqual(
      await refusalOf(sns.createTopic({ Name: 'again', Attributes: other })),
      invalid('Attributes Reason: Topic already exists with different attributes'),
    )
  const read = await attributesOf(TopicArn)
  assert.deepEqual([read['DisplayName'], read['FifoTopic']], ['one', undefined], 'creating again changes nothing')
  const bare = await topicNamed('bare')
  assert.equal((await sns.createTopic({ Name: 'bare', Attributes: { DisplayName: '' } })).TopicArn, bare)
})

test('what an attribute may be: at CreateTopic with "Attributes Reason:", at SetTopicAttributes without', async () => {
  const TopicArn = await topicNamed('attributes')
  const refused: readonly (readonly [name: string, value: string, text: string])[] = [
    ['DisplayName', 'x'.repeat(101), 'DisplayName: must be at most 100 characters long'],
    ['SignatureVersion', '3', 'SignatureVersion: Invalid value [3]. Must be 1 or 2.'],
    ['MaximumMessageSize', '1023', 'MaximumMessageSize: must be a whole number from 1024 to 1048576'],
    ['MaximumMessageSize', '1048577', 'MaximumMessageSize: must be a whole number from 1024 to 1048576'],
    [
      'DeliveryPolicy',
      '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":10,"maxDelayTarget":20,"numRetries":300}}}',
      'DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100',
    ],
    ['SQSSuccessFeedbackSampleRate', '500', 'SQSSuccessFeedbackSampleRate: 500 value provided is not an integer between 0-100'],
    ['SQSSuccessFeedbackSampleRate', '-1', 'SQSSuccessFeedbackSampleRate: -1 value provided is not an integer between 0-100'],
    ['HTTPFailureFeedbackRoleArn', 'role', 'HTTPFailureFeedbackRoleArn: role is not the ARN of an IAM role'],
    ['Policy', '{}', 'Policy Error: null'],
    ['Policy', 'no json', 'Policy Error: null'],
  ]
  for (const [name, value, text] of refused) {
    assert.deepEqual(await refusalOf(setting(TopicArn, name, value)), invalid(text))
    assert.deepEqual(
      await refusalOf(sns.createTopic({ Name: 'refused', Attributes: { [name]: value } })),
      invalid(`Attributes Reason: ${text}`),
    )
  }
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'refused', Attributes: { Colour: 'red' } })),
    invalid('Attributes Reason: Unknown attribute Colour'),
  )
  for (const name of ['Colour', 'FifoTopic', 'TopicArn', 'Owner', 'EffectiveDeliveryPolicy', ''])
    assert.deepEqual(await refusalOf(setting(TopicArn, name, 'false')), invalid('AttributeName'), name)
  assert.deepEqual(await refusalOf(sns.getTopicAttributes({ TopicArn: arnOf('refused') })), [
    'NotFoundException',
    404,
    'Topic does not exist',
  ])
  for (const [name, value] of [
    ['DisplayName', 'x'.repeat(100)],
    ['MaximumMessageSize', '1024'],
    ['MaximumMessageSize', '1048576'],
    ['SignatureVersion', '2'],
  ] as const) {
    await setting(TopicArn, name, value)
    assert.equal((await attributesOf(TopicArn))[name], value)
  }
})

test('a delivery policy replaces the one before, is shown over the defaults, and goes with an empty value', async () => {
  const TopicArn = await topicNamed('delivery')
  await setting(TopicArn, 'DeliveryPolicy', '{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"defaultThrottlePolicy":null}}')
  await setting(TopicArn, 'DeliveryPolicy', '{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":7},"defaultRequestPolicy":null}}')
  const read = await attributesOf(TopicArn)
  assert.equal(read['DeliveryPolicy'], '{"http":{"disableSubscriptionOverrides":false,"defaultThrottlePolicy":{"maxReceivesPerSecond":7}}}')
  assert.equal(
    read['EffectiveDeliveryPolicy'],
    DEFAULT_DELIVERY.replace('"defaultRequestPolicy"', '"defaultThrottlePolicy":{"maxReceivesPerSecond":7},"defaultRequestPolicy"'),
  )
  await setting(TopicArn, 'DeliveryPolicy', '')
  const cleared = await attributesOf(TopicArn)
  assert.deepEqual([cleared['DeliveryPolicy'], cleared['EffectiveDeliveryPolicy']], [undefined, DEFAULT_DELIVERY])
})

test('a policy of a topic names actions that topics have, and principals that there can be', async () => {
  const TopicArn = await topicNamed('policies')
  const policy = (statement: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 'SNS:Publish', Resource: TopicArn, ...statement }],
    })
  const outOfScope = invalid('Policy statement action out of service scope!')
  for (const Action of [
    'sns:*',
    '*',
    'SNS:Publishx',
    'SNS:CreateTopic',
    'SQS:SendMessage',
    ['SNS:Publish', 'SNS:Unsubscribe'],
    'SNS:*Topic*',
  ])
    assert.deepEqual(await refusalOf(setting(TopicArn, 'Policy', policy({ Action }))), outOfScope, String(Action))
  assert.deepEqual(
    await refusalOf(setting(TopicArn, 'Policy', policy({ Principal: { AWS: 'nobody' } }))),
    invalid('Policy Error: PrincipalNotFound'),
  )
  for (const statement of [{ Principal: undefined }, { Effect: undefined }, { Resource: undefined }, { Efect: 'Allow' }])
    assert.deepEqual(
      await refusalOf(setting(TopicArn, 'Policy', policy(statement))),
      invalid('Policy Error: null'),
      JSON.stringify(statement),
    )
  const principals = Array.from({ length: 201 }, (_, at) => String(100_000_000_000 + at))
  assert.deepEqual(await refusalOf(setting(TopicArn, 'Policy', policy({ Principal: { AWS: principals } }))), invalid('Policy Error: null'))
  for (const accepted of [
    policy({ Principal: { AWS: principals.slice(1) } }),
    policy({ Action: ['sns:publish', 'SNS:ListSubscriptionsByTopic', 'SNS:GetTopic*', 'SNS:Receive'] }),
  ]) {
    await setting(TopicArn, 'Policy', accepted)
    assert.equal((await attributesOf(TopicArn))['Policy'], accepted, 'kept to the letter')
  }
})

test('AddPermission appends a statement, RemovePermission takes it away', async () => {
  const TopicArn = await topicNamed('permissions')
  const statements = async () => (JSON.parse((await attributesOf(TopicArn))['Policy'] ?? '') as { Statement: object[] }).Statement
  const add = (Label: string, AWSAccountId: string[], ActionName: string[], of = TopicArn) =>
    sns.addPermission({ TopicArn: of, Label, AWSAccountId, ActionName })
  await add('one', [OTHER], ['Publish'])
  await add('two', [OTHER, ACCOUNT], ['Publish', 'Subscribe', 'Publish'])
  const [first, second, third] = await statements()
  assert.equal((first as { Sid?: string }).Sid, '__default_statement_ID')
  assert.deepEqual(second, {
    Sid: 'one',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${OTHER}:root` },
    Action: 'SNS:Publish',
    Resource: TopicArn,
  })
  assert.deepEqual(third, {
    Sid: 'two',
    Effect: 'Allow',
    Principal: { AWS: [`arn:aws:iam::${OTHER}:root`, `arn:aws:iam::${ACCOUNT}:root`] },
    Action: ['SNS:Publish', 'SNS:Subscribe', 'SNS:Publish'],
    Resource: TopicArn,
  })
  assert.deepEqual(await refusalOf(add('one', [OTHER], ['Publish'])), invalid('Statement already exists'))
  const outOfScope = invalid('Policy statement action out of service scope!')
  for (const name of ['CreateTopic', 'publish', '*', 'SNS:Publish'])
    assert.deepEqual(await refusalOf(add('three', [OTHER], [name])), outOfScope)
  for (const account of ['InvalidAccountId', '12345', `arn:aws:iam::${OTHER}:root`])
    assert.deepEqual(await refusalOf(add('three', [account], ['Publish'])), invalid('A provided account ID is not valid'))
  assert.deepEqual(await refusalOf(add('three', [], ['Publish'])), nullMember('aWSAccountId'))
  assert.deepEqual(await refusalOf(add('three', [OTHER], [])), nullMember('actionName'))
  for (const label of ['', 'x'.repeat(81), 'a b'])
    assert.deepEqual(
      await refusalOf(add(label, [OTHER], ['Publish'])),
      invalid('Label Reason: must have 1 to 80 alphanumeric characters, hyphens or underscores'),
    )
  const gone = ['NotFoundException', 404, 'Topic does not exist']
  assert.deepEqual(await refusalOf(add('one', [OTHER], ['Publish'], arnOf('absent'))), gone)
  assert.deepEqual(await refusalOf(sns.removePermission({ TopicArn: arnOf('absent'), Label: 'one' })), gone)
  assert.deepEqual(
    await refusalOf(sns.removePermission({ TopicArn: 'absent', Label: 'one' })),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1'),
  )
  for (const Label of ['one', 'never-there', 'two', '__default_statement_ID']) await sns.removePermission({ TopicArn, Label })
  assert.deepEqual(await statements(), [])
  await sns.publish({ TopicArn, Message: 'the owner needs no policy' })
  await add('again', [OTHER], ['Publish'])
  assert.equal((await statements()).length, 1)
})

test('tags: lengths, duplicates, fifty of them, and what becomes of them when the topic goes', async () => {
  const Tag = (Key: string, Value = 'v') => ({ Key, Value })
  const ResourceArn = (await sns.createTopic({ Name: 'tagged', Tags: [Tag('a'), Tag('b')] })).TopicArn ?? ''
  const list = async () => (await sns.listTagsForResource({ ResourceArn })).Tags
  assert.deepEqual(await list(), [Tag('a'), Tag('b')])
  for (const Tags of [[], [Tag('a')], [Tag('b'), Tag('a')]])
    assert.equal((await sns.createTopic({ Name: 'tagged', Tags })).TopicArn, ResourceArn)
  for (const Tags of [[Tag('a', 'other')], [Tag('a'), Tag('b'), Tag('c')]])
    assert.deepEqual(
      await refusalOf(sns.createTopic({ Name: 'tagged', Tags })),
      invalid('Tags Reason: Topic already exists with different tags'),
    )
  await sns.tagResource({ ResourceArn, Tags: [Tag('a', 'new'), Tag('empty', '')] })
  assert.deepEqual(await list(), [Tag('a', 'new'), Tag('b'), Tag('empty', '')])
  await sns.untagResource({ ResourceArn, TagKeys: ['b', 'never-there', 'empty'] })
  assert.deepEqual(await list(), [Tag('a', 'new')])
  const tag = (...Tags: { Key: string; Value: string }[]) => refusalOf(sns.tagResource({ ResourceArn, Tags }))
  const unfit = (value: string, path: string, constraint: string) =>
    [
      'ValidationError',
      400,
      `1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`,
    ] as const
  assert.deepEqual(await tag(Tag('twice'), Tag('twice', 'other')), invalid('Duplicated keys are not allowed.'))
  assert.deepEqual(
    await tag(Tag('k'.repeat(129))),
    unfit('k'.repeat(129), 'tags.1.member.key', 'Member must have length less than or equal to 128'),
  )
  assert.deepEqual(await tag(Tag('ok'), Tag('')), unfit('', 'tags.2.member.key', 'Member must have length greater than or equal to 1'))
  assert.deepEqual(
    await tag(Tag('ok', 'v'.repeat(257))),
    unfit('v'.repeat(257), 'tags.1.member.value', 'Member must have length less than or equal to 256'),
  )
  assert.deepEqual(await tag(), nullMember('tags'))
  const fifty = Array.from({ length: 49 }, (_, at) => Tag(`k${at}`.padEnd(128, 'x'), 'v'.repeat(256)))
  await sns.tagResource({ ResourceArn, Tags: fifty })
  assert.deepEqual(await tag(Tag('one-too-many')), [
    'TagLimitExceededException',
    400,
    'Could not complete request: tag quota of per resource exceeded',
  ])
  for (const call of [
    () => sns.tagResource({ ResourceArn: arnOf('absent'), Tags: [Tag('a')] }),
    () => sns.untagResource({ ResourceArn: arnOf('absent'), TagKeys: ['a'] }),
    () => sns.listTagsForResource({ ResourceArn: arnOf('absent') }),
  ])
    assert.deepEqual(await refusalOf(call()), ['ResourceNotFoundException', 404, 'Resource does not exist'])
  await sns.deleteTopic({ TopicArn: ResourceArn })
  await sns.createTopic({ Name: 'tagged', Tags: [Tag('fresh')] })
  assert.deepEqual(await list(), [Tag('fresh')])
})

test('ARNs: six elements, this region, and deletion that asks nobody', async () => {
  const gone = arnOf('never-there')
  for (const [TopicArn, text] of [
    ['', 'TopicArn Reason: An ARN must have at least 6 elements, not 1'],
    ['a:b:c', 'TopicArn Reason: An ARN must have at least 6 elements, not 3'],
    [gone.replace('us-east-1', 'eu-west-1'), 'TopicArn'],
    [gone.replace('sns', 'sqs'), 'TopicArn'],
  ] as const)
    for (const call of ['getTopicAttributes', 'deleteTopic', 'listSubscriptionsByTopic'] as const)
      assert.deepEqual(await refusalOf(sns[call]({ TopicArn })), invalid(text), TopicArn)
  const { body } = await sendSigned(server.port, { body: 'Action=GetTopicAttributes&Version=2010-03-31' })
  assert.match(body, /<Code>InvalidParameter<\/Code><Message>Invalid parameter: TopicArn Reason: no value for required parameter</)
  await sns.deleteTopic({ TopicArn: gone })
  await sns.deleteTopic({ TopicArn: gone })
  assert.deepEqual(await refusalOf(setting(gone, 'DisplayName', 'x')), ['NotFoundException', 404, 'Topic does not exist'])
})

test('topics come in pages of a hundred behind an opaque token, and a token of somebody else is none', async () => {
  const far = new SNS({ ...clientConfig(server.url), region: 'eu-north-1' })
  await Promise.all(Array.from({ length: 101 }, (_, at) => far.createTopic({ Name: `page-${at}` })))
  const first = await far.listTopics({})
  assert.equal(first.Topics?.length, 100)
  const second = await far.listTopics({ NextToken: first.NextToken })
  assert.deepEqual([second.Topics?.length, second.NextToken], [1, undefined])
  assert.equal(new Set([...(first.Topics ?? []), ...(second.Topics ?? [])].map(({ TopicArn }) => TopicArn)).size, 101)
  for (const NextToken of ['nonsense', first.NextToken ?? ''])
    assert.deepEqual(await refusalOf(sns.listTopics({ NextToken })), invalid('NextToken'))
  await Promise.all((await far.listTopics({})).Topics?.map(({ TopicArn }) => far.deleteTopic({ TopicArn })) ?? [])
})

test('above 256 KiB a topic delivers to queues, and to a hundred subscriptions', async () => {
  const TopicArn = await topicNamed('large')
  const QueueUrl = (await new SQS(clientConfig(server.url)).createQueue({ QueueName: 'large' })).QueueUrl
  assert.ok(QueueUrl)
  const queueArn = (at: number) => `arn:aws:sqs:us-east-1:${ACCOUNT}:large-${at}`
  const subscribe = (at: number) => sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn(at) })
  const web = { TopicArn, Protocol: 'http', Endpoint: 'http://127.0.0.1:9/x', ReturnSubscriptionArn: true }
  const { SubscriptionArn } = await sns.subscribe(web)
  assert.deepEqual(
    await refusalOf(setting(TopicArn, 'MaximumMessageSize', '262145')),
    invalid('MaximumMessageSize: above 262144 bytes a topic delivers to sqs, lambda, firehose, not to http'),
  )
  await setting(TopicArn, 'MaximumMessageSize', '262144')
  await sns.unsubscribe({ SubscriptionArn })
  await setting(TopicArn, 'MaximumMessageSize', '262145')
  assert.deepEqual(
    await refusalOf(sns.subscribe(web)),
    invalid('MaximumMessageSize: above 262144 bytes a topic delivers to sqs, lambda, firehose, not to http'),
  )
  await Promise.all(Array.from({ length: 100 }, (_, at) => subscribe(at)))
  assert.deepEqual(
    await refusalOf(subscribe(100)),
    invalid('MaximumMessageSize: above 262144 bytes a topic can have at most 100 subscriptions'),
  )
  assert.match((await subscribe(7)).SubscriptionArn ?? '', /:large:/, 'what is there already may come again')
  await sns.publish({ TopicArn, Message: 'x'.repeat(262_145) })
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: 'x'.repeat(262_146) })), invalid('Message too long'))
})
