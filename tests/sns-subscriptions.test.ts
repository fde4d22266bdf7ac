// Subscriptions through the stock SDK: endpoints, attributes, confirmation and its tokens, pages and owners, in the words of AWS.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { openReceiver } from './receiver.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand } from './server.ts'

const ACCOUNT = '000000000000'
const GUEST = '111122223333'
const { server, data } = await startFileServer()
const receiver = await openReceiver()
const sns = new SNS(clientConfig(server.url))
after(() => receiver.close())

const NO_SUBSCRIPTION = ['NotFoundException', 404, 'Subscription does not exist']
const arnOf = (service: string, name: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`
const topicNamed = async (Name: string): Promise<string> => (await sns.createTopic({ Name })).TopicArn ?? ''
const attributesOf = async (SubscriptionArn: string) => (await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes ?? {}
const setting = (SubscriptionArn: string, AttributeName: string, AttributeValue: string) =>
  sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue })
const counts = async (TopicArn: string): Promise<readonly (string | undefined)[]> => {
  const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn })
  return ['SubscriptionsConfirmed', 'SubscriptionsPending', 'SubscriptionsDeleted'].map((name) => Attributes[name])
}

async function subscribed(TopicArn: string, Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true })).SubscriptionArn ?? ''
}

test('a queue is confirmed at once, a receiver is not; both tell what AWS tells', async () => {
  const TopicArn = await topicNamed('told')
  const queue = await subscribed(TopicArn, 'sqs', arnOf('sqs', 'absent-queue'))
  assert.match(queue, new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`))
  const common = { Owner: ACCOUNT, SubscriptionPrincipal: `arn:aws:iam::${ACCOUNT}:root`, TopicArn, RawMessageDelivery: 'false' }
  assert.deepEqual(await attributesOf(queue), {
    ...common,
    ConfirmationWasAuthenticated: 'true',
    Endpoint: arnOf('sqs', 'absent-queue'),
    PendingConfirmation: 'false',
    Protocol: 'sqs',
    SubscriptionArn: queue,
  })
  const Endpoint = `${receiver.url.replace('//', '//user:secret@')}/told`
  const reply = await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint })
  assert.equal(reply.SubscriptionArn, 'pending confirmation')
  const web = await subscribed(TopicArn, 'http', Endpoint)
  const shown = Endpoint.replace('secret', '****')
  const effective =
    '{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,' +
    '"numMinDelayRetries":0,"backoffFunction":"linear"},"sicklyRetryPolicy":null,"throttlePolicy":null,' +
    '"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"guaranteed":false}'
  assert.deepEqual(await attributesOf(web), {
    ...common,
    ConfirmationWasAuthenticated: 'false',
    EffectiveDeliveryPolicy: effective,
    Endpoint: shown,
    PendingConfirmation: 'true',
    Protocol: 'http',
    SubscriptionArn: web,
  })
  const rows = (await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions ?? []
  assert.deepEqual(
    rows.toSorted((a, b) => ((a.Protocol ?? '') < (b.Protocol ?? '') ? -1 : 1)),
    [
      { SubscriptionArn: 'PendingConfirmation', Owner: ACCOUNT, Protocol: 'http', Endpoint: shown, TopicArn },
      { SubscriptionArn: queue, Owner: ACCOUNT, Protocol: 'sqs', Endpoint: arnOf('sqs', 'absent-queue'), TopicArn },
    ],
  )
  assert.deepEqual(await counts(TopicArn), ['1', '1', '0'])
})

test('endpoints and topics that are refused', async () => {
  const TopicArn = await topicNamed('endpoints')
  const subscribe = (Protocol: string, Endpoint: string, arn = TopicArn) => refusalOf(sns.subscribe({ TopicArn: arn, Protocol, Endpoint }))
  assert.deepEqual(await subscribe('pigeon', 'x'), invalid('Amazon SNS does not support this protocol string: pigeon'))
  for (const endpoint of [`${server.url}/${ACCOUNT}/orders`, 'orders', '', arnOf('sns', 'orders')])
    assert.deepEqual(await subscribe('sqs', endpoint), invalid('SQS endpoint ARN'), endpoint)
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'orders.fifo')),
    invalid('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics'),
  )
  for (const [protocol, endpoint] of [
    ['http', 'https://example.com/'],
    ['https', 'http://example.com/'],
    ['http', ''],
  ] as const)
    assert.deepEqual(await subscribe(protocol, endpoint), invalid('Endpoint must match the specified protocol'))
  assert.deepEqual(await subscribe('sqs', arnOf('sqs', 'q'), arnOf('sns', 'absent')), ['NotFoundException', 404, 'Topic does not exist'])
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'q'), 'absent'),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1'),
  )
})

test('attributes: with "Attributes Reason:" at Subscribe, without it later; nothing of a refused one is kept', async () => {
  const TopicArn = await topicNamed('attributes')
  const queue = await subscribed(TopicArn, 'sqs', arnOf('sqs', 'attributes'))
  const web = await subscribed(TopicArn, 'http', `${receiver.url}/attributes`)
  const place = (column: number): string =>
    `\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`
  const word = "Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
  const cases: readonly (readonly [arn: string, name: string, value: string, text: string])[] = [
    [queue, 'RawMessageDelivery', 'maybe', 'RawMessageDelivery: Invalid value [maybe]. Must be true or false.'],
    [queue, 'RawMessageDelivery', '', 'RawMessageDelivery: Invalid value []. Must be true or false.'],
    [queue, 'RedrivePolicy', '{"deadLetterTargetArn":"queue"}', 'RedrivePolicy: deadLetterTargetArn is an invalid arn'],
    [queue, 'RedrivePolicy', '{}', 'RedrivePolicy: deadLetterTargetArn is an invalid arn'],
    [queue, 'RedrivePolicy', `{"deadLetterTargetArn":"${arnOf('sns', 'x')}"}`, 'RedrivePolicy: deadLetterTargetArn is an invalid arn'],
    [
      queue,
      'RedrivePolicy',
      `{"deadLetterTargetArn":"${arnOf('sqs', 'x').replace('us-east-1', 'eu-west-1')}"}`,
      'RedrivePolicy: deadLetterTargetArn must be the ARN of a queue in the region of the subscription',
    ],
    [queue, 'RedrivePolicy', 'invalid', `RedrivePolicy: failed to parse JSON. ${word}${place(8)}`],
    [queue, 'RedrivePolicy', '7', 'RedrivePolicy: must be a JSON object'],
    [queue, 'DeliveryPolicy', '{}', 'Delivery protocol [sqs] does not support delivery policies.'],
    [web, 'DeliveryPolicy', 'invalid', `DeliveryPolicy: failed to parse JSON. ${word}${place(8)}`],
    [
      web,
      'DeliveryPolicy',
      '{"healthyRetryPolicy":{"minDelayTarget":0,"maxDelayTarget":1,"numRetries":1}}',
      'DeliveryPolicy: healthyRetryPolicy.minDelayTarget must be greater than or equal to 1',
    ],
    [
      web,
      'DeliveryPolicy',
      '{"healthyRetryPolicy":{"numRetries":1}}',
      'DeliveryPolicy: healthyRetryPolicy.minDelayTarget must be specified',
    ],
    [
      web,
      'DeliveryPolicy',
      '{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":4,"numRetries":1}}',
      'DeliveryPolicy: healthyRetryPolicy.maxDelayTarget must be greater than or equal to minDelayTarget',
    ],
    [
      web,
      'DeliveryPolicy',
      '{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":3601,"numRetries":1}}',
      'DeliveryPolicy: healthyRetryPolicy.maxDelayTarget must be less than or equal to 3600',
    ],
    [
      web,
      'DeliveryPolicy',
      '{"throttlePolicy":{"maxReceivesPerSecond":0}}',
      'DeliveryPolicy: throttlePolicy.maxReceivesPerSecond must be greater than or equal to 1',
    ],
    [queue, 'SubscriptionRoleArn', 'x', 'SubscriptionRoleArn: Delivery protocol [sqs] does not support a role.'],
  ]
  for (const [arn, name, value, text] of cases) {
    const Protocol = arn === queue ? 'sqs' : 'http'
    const Endpoint = arn === queue ? arnOf('sqs', 'other') : `${receiver.url}/other`
    assert.deepEqual(await refusalOf(setting(arn, name, value)), invalid(text))
    assert.deepEqual(
      await refusalOf(sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes: { [name]: value } })),
      invalid(`Attributes Reason: ${text}`),
    )
  }
  for (const name of ['Colour', 'Endpoint', 'Owner', '', 'PendingConfirmation'])
    assert.deepEqual(await refusalOf(setting(queue, name, 'x')), invalid('AttributeName'), name)
  assert.deepEqual(
    await refusalOf(sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'other'), Attributes: { Colour: 'red' } })),
    invalid('Attributes Reason: Unknown attribute: Colour'),
  )
  assert.deepEqual(await counts(TopicArn), ['1', '1', '0'])
  const before = await attributesOf(queue)
  const RedrivePolicy = `{"deadLetterTargetArn": "${arnOf('sqs', 'dead')}"}`
  await setting(queue, 'RedrivePolicy', RedrivePolicy)
  await setting(queue, 'RawMessageDelivery', 'TRUE')
  assert.deepEqual(await attributesOf(queue), { ...before, RedrivePolicy, RawMessageDelivery: 'true' })
  await setting(queue, 'RedrivePolicy', '')
  await setting(queue, 'RawMessageDelivery', 'False')
  assert.deepEqual(await attributesOf(queue), before)
})

test("a receiver's delivery policy is shown with every section, over its topic's", async () => {
  const TopicArn = await topicNamed('policies')
  const arn = await subscribed(TopicArn, 'http', `${receiver.url}/policies`)
  await setting(arn, 'DeliveryPolicy', '{"throttlePolicy":{"maxReceivesPerSecond":5}}')
  const retry = (numRetries: number) =>
    `{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":${numRetries},"numMaxDelayRetries":0,"numNoDelayRetries":0,` +
    '"numMinDelayRetries":0,"backoffFunction":"linear"}'
  const shown = (healthy: string, throttle: string, request: string) =>
    `{"healthyRetryPolicy":${healthy},"sicklyRetryPolicy":null,"throttlePolicy":${throttle},"requestPolicy":${request},"guaranteed":false}`
  assert.equal((await attributesOf(arn))['DeliveryPolicy'], shown('null', '{"maxReceivesPerSecond":5}', 'null'))
  await sns.setTopicAttributes({
    TopicArn,
    AttributeName: 'DeliveryPolicy',
    AttributeValue:
      '{"http":{"defaultHealthyRetryPolicy":{"numRetries":7},"defaultRequestPolicy":{"headerContentType":"application/json"}}}',
  })
  assert.equal(
    (await attributesOf(arn))['EffectiveDeliveryPolicy'],
    shown(retry(7), '{"maxReceivesPerSecond":5}', '{"headerContentType":"application/json"}'),
  )
})

test('subscribing again: the same ARN for what it has, refused for what it has not, and a fresh token while it waits', async () => {
  const TopicArn = await topicNamed('again')
  const Endpoint = arnOf('sqs', 'again')
  const RedrivePolicy = `{"deadLetterTargetArn":"${arnOf('sqs', 'dead')}"}`
  const arn = await subscribed(TopicArn, 'sqs', Endpoint, { RawMessageDelivery: 'true', RedrivePolicy })
  const sames: Record<string, string>[] = [{}, { RawMessageDelivery: 'true' }, { RawMessageDelivery: 'True', RedrivePolicy }]
  for (const same of sames) assert.equal(await subscribed(TopicArn, 'sqs', Endpoint, same), arn)
  const others: Record<string, string>[] = [
    { RawMessageDelivery: 'false' },
    { RedrivePolicy: RedrivePolicy.replace('dead"', 'other"') },
    { FilterPolicy: '{"a":["b"]}' },
  ]
  for (const other of others)
    assert.deepEqual(
      await refusalOf(subscribed(TopicArn, 'sqs', Endpoint, other)),
      invalid('Attributes Reason: Subscription already exists with different attributes'),
    )
  const plain = await subscribed(TopicArn, 'sqs', `${Endpoint}-plain`)
  const defaults = { RawMessageDelivery: 'false', FilterPolicyScope: 'MessageAttributes' }
  assert.equal(await subscribed(TopicArn, 'sqs', `${Endpoint}-plain`, defaults), plain)
  assert.deepEqual(
    await refusalOf(subscribed(TopicArn, 'sqs', `${Endpoint}-plain`, { RawMessageDelivery: 'true' })),
    invalid('Attributes Reason: Subscription already exists with different attributes'),
  )

  const url = `${receiver.url}/again`
  const ours = ({ TopicArn: of }: Readonly<Record<string, string>>) => of === TopicArn
  const web = await subscribed(TopicArn, 'http', url)
  const first = await receiver.next('SubscriptionConfirmation', ours)
  assert.equal(await subscribed(TopicArn, 'http', url), web)
  const second = await receiver.next('SubscriptionConfirmation', ours)
  assert.notEqual(first['Token'], second['Token'])
  const confirm = async (Token = '') => (await sns.confirmSubscription({ TopicArn, Token })).SubscriptionArn
  assert.equal(await confirm(first['Token']), web)
  assert.equal(await confirm(second['Token']), web, 'both confirm the one subscription')
})

test('confirming: signed, repeated, for another topic of the account, and with what is no token', async () => {
  const TopicArn = await topicNamed('confirmed')
  const web = await subscribed(TopicArn, 'http', `${receiver.url}/confirmed`)
  const { Token = '' } = await receiver.next('SubscriptionConfirmation', ({ TopicArn: of }) => of === TopicArn)
  assert.match(Token, /^[0-9a-f]{288}$/)
  const confirm = (more: { TopicArn?: string; Token?: string } = {}) => sns.confirmSubscription({ TopicArn, Token, ...more })
  assert.deepEqual(await refusalOf(confirm({ Token: 'randomtoken' })), ['InvalidParameterException', 400, 'Invalid token'])
  for (const wrong of [Token.replace(/.{8}$/, '00000000'), '51b2ff3e'])
    assert.deepEqual(await refusalOf(confirm({ Token: wrong })), invalid('Token'))
  for (const topic of ['', 'not-an-arn', TopicArn.replace('us-east-1', 'eu-west-1'), TopicArn.replace(ACCOUNT, GUEST)])
    assert.deepEqual(await refusalOf(confirm({ TopicArn: topic })), invalid('Topic'), topic)
  assert.equal((await confirm({ TopicArn: arnOf('sns', 'another-name') })).SubscriptionArn, web)
  assert.equal((await confirm()).SubscriptionArn, web)
  const read = await attributesOf(web)
  assert.deepEqual([read['PendingConfirmation'], read['ConfirmationWasAuthenticated']], ['false', 'true'])
  assert.deepEqual(await counts(TopicArn), ['1', '0', '0'])
})

test('a subscription that asks for signatures is ended by its owner alone, who is told nothing; others by their link', async () => {
  const TopicArn = await topicNamed('signatures')
  const join = async (path: string, AuthenticateOnUnsubscribe?: string): Promise<string> => {
    const arn = await subscribed(TopicArn, 'http', `${receiver.url}/${path}`)
    const { Token = '' } = await receiver.next('SubscriptionConfirmation', ({ TopicArn: of }) => of === TopicArn)
    await sns.confirmSubscription({ TopicArn, Token, AuthenticateOnUnsubscribe })
    return arn
  }
  const byLink = async (arn: string) => {
    const answer = await fetch(`${server.url}/?Action=Unsubscribe&SubscriptionArn=${arn}`)
    return { status: answer.status, text: await answer.text() }
  }
  const [guarded, open] = [await join('guarded', 'true'), await join('open')]
  const refused = await byLink(guarded)
  assert.equal(refused.status, 403)
  assert.match(refused.text, /<Code>AuthorizationError<\/Code>/)
  await sns.unsubscribe({ SubscriptionArn: guarded })
  assert.equal((await byLink(open)).status, 200)
  const farewell = await receiver.next('UnsubscribeConfirmation', ({ TopicArn: of }) => of === TopicArn)
  assert.equal(
    farewell['Message'],
    `You have chosen to deactivate subscription ${open}.\n` +
      'To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.',
  )
  const farewells = receiver.posts.filter(({ headers }) => headers['x-amz-sns-message-type'] === 'UnsubscribeConfirmation')
  assert.equal(farewells.filter(({ text }) => text.includes(guarded)).length, 0)
  assert.deepEqual(await counts(TopicArn), ['0', '0', '2'])
  assert.equal((await fetch(farewell['SubscribeURL'] ?? '')).status, 200)
  assert.deepEqual(await counts(TopicArn), ['1', '0', '2'])
  assert.equal((await attributesOf(open))['PendingConfirmation'], 'false')
})

test('unsubscribing: by whom, of what, and counted', async () => {
  const TopicArn = await topicNamed('left')
  const arn = await subscribed(TopicArn, 'sqs', arnOf('sqs', 'left'))
  const unsubscribe = (SubscriptionArn: string) => sns.unsubscribe({ SubscriptionArn })
  for (const [value, text] of [
    ['', 'SubscriptionArn Reason: An ARN must have at least 6 elements, not 1'],
    ['a:b', 'SubscriptionArn Reason: An ARN must have at least 6 elements, not 2'],
    ['pending confirmation', 'SubscriptionArn Reason: An ARN must have at least 6 elements, not 1'],
    [TopicArn, 'SubscriptionId'],
  ] as const) {
    assert.deepEqual(await refusalOf(unsubscribe(value)), invalid(text))
    assert.deepEqual(await refusalOf(attributesOf(value)), invalid(text))
  }
  await unsubscribe(`${TopicArn}:00000000-0000-4000-8000-000000000000`)
  await unsubscribe(arn)
  await unsubscribe(arn)
  assert.deepEqual(await refusalOf(attributesOf(arn)), NO_SUBSCRIPTION)
  assert.deepEqual(await refusalOf(setting(arn, 'RawMessageDelivery', 'true')), NO_SUBSCRIPTION)
  assert.deepEqual(await counts(TopicArn), ['0', '0', '1'])
  const kept = await subscribed(TopicArn, 'sqs', arnOf('sqs', 'kept'))
  await sns.deleteTopic({ TopicArn })
  assert.equal((await attributesOf(kept))['SubscriptionArn'], kept, 'subscriptions outlive their topic for a while')
  await topicNamed('left')
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, [])
  assert.deepEqual(await counts(TopicArn), ['0', '0', '0'])
})

test('subscriptions come in pages of a hundred, each account sees its own, and the owner of one may change it', async () => {
  const far = { ...clientConfig(server.url), region: 'eu-north-1' }
  const owner = new SNS(far)
  const { output } = await runCommand(['accounts', 'create', GUEST, '--data', data, '--json'])
  const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(output) as Record<string, string>
  const guest = new SNS({ ...far, credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } })
  const { TopicArn = '' } = await owner.createTopic({ Name: 'shared' })
  await owner.addPermission({ TopicArn, Label: 'guests', AWSAccountId: [GUEST], ActionName: ['Subscribe'] })
  await Promise.all(
    Array.from({ length: 101 }, (_, at) =>
      owner.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:eu-north-1:${ACCOUNT}:q${at}` }),
    ),
  )
  const theirs = await guest.subscribe({
    TopicArn,
    Protocol: 'sqs',
    Endpoint: `arn:aws:sqs:eu-north-1:${GUEST}:q`,
    ReturnSubscriptionArn: true,
  })
  const list = async (client: SNS, by: 'account' | 'topic') => {
    const arns: (string | undefined)[] = []
    for (let NextToken: string | undefined; ;) {
      const page =
        by === 'account' ? await client.listSubscriptions({ NextToken }) : await client.listSubscriptionsByTopic({ TopicArn, NextToken })
      assert.ok((page.Subscriptions?.length ?? 0) <= 100)
      arns.push(...(page.Subscriptions ?? []).map(({ Endpoint }) => Endpoint))
      NextToken = page.NextToken
      if (NextToken === undefined) return arns
    }
  }
  assert.equal(new Set(await list(owner, 'account')).size, 101)
  assert.equal(new Set(await list(owner, 'topic')).size, 102)
  assert.deepEqual(await list(guest, 'account'), [`arn:aws:sqs:eu-north-1:${GUEST}:q`])
  const { SubscriptionArn } = theirs
  await guest.setSubscriptionAttributes({ SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'true' })
  const { Attributes } = await guest.getSubscriptionAttributes({ SubscriptionArn })
  assert.deepEqual(
    [Attributes?.['Owner'], Attributes?.['RawMessageDelivery'], Attributes?.['PendingConfirmation']],
    [GUEST, 'true', 'true'],
  )
  await guest.unsubscribe({ SubscriptionArn })
  const Condition = { StringEquals: { 'sns:Protocol': 'sqs' }, StringLike: { 'sns:Endpoint': `arn:aws:sqs:*:${GUEST}:*` } }
  const Statement = [{ Effect: 'Allow', Principal: { AWS: GUEST }, Action: 'SNS:Subscribe', Resource: TopicArn, Condition }]
  await owner.setTopicAttributes({
    TopicArn,
    AttributeName: 'Policy',
    AttributeValue: JSON.stringify({ Version: '2012-10-17', Statement }),
  })
  await guest.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:eu-north-1:${GUEST}:allowed` })
  for (const [Protocol, Endpoint] of [
    ['http', `${receiver.url}/guest`],
    ['sqs', `arn:aws:sqs:eu-north-1:${ACCOUNT}:theirs`],
  ] as const)
    assert.deepEqual(await refusalOf(guest.subscribe({ TopicArn, Protocol, Endpoint })), [
      'AuthorizationErrorException',
      403,
      `User: arn:aws:iam::${GUEST}:root is not authorized to perform: SNS:Subscribe on resource: ${TopicArn} ` +
        'because no resource-based policy allows the SNS:Subscribe action',
    ])
  const ours = (await owner.listSubscriptionsByTopic({ TopicArn })).Subscriptions?.[0]?.SubscriptionArn ?? ''
  assert.deepEqual(await refusalOf(guest.unsubscribe({ SubscriptionArn: ours })), [
    'AuthorizationErrorException',
    403,
    `User: arn:aws:iam::${GUEST}:root is not authorized to perform: SNS:Unsubscribe on resource: ${ours}`,
  ])
  await owner.deleteTopic({ TopicArn })
})
