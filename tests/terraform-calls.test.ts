// The calls of the newest AWS provider of Terraform for a stack of topics, queues, subscriptions and policies, by the stock SDK: it cannot
// be fetched where this suite runs, and an older one that can takes minutes to build (scripts/terraform.ts drives that one). After each
// step it reads back until it finds what it set, policies compared as documents; a plan is empty when every read-back equals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { type QueueAttributeName, SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { refusalOf } from './refusal.ts'
import { clientConfig } from './server.ts'

const ACCOUNT = '000000000000'
const { server } = await startFileServer()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))

type Attributes = Record<string, string>
/** Compared as JSON documents, not as texts. */
const DOCUMENTS: ReadonlySet<string> = new Set(['Policy', 'DeliveryPolicy', 'FilterPolicy', 'RedrivePolicy', 'RedriveAllowPolicy'])
const tagList = (tags: Attributes) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

/** What was set must be found, each as it was set; an empty value means that it is gone, or the default. */
function assertFound(found: Attributes | undefined, set: Attributes): void {
  for (const [name, value] of Object.entries(set)) {
    const read = found?.[name] ?? ''
    if (DOCUMENTS.has(name) && value !== '') assert.deepEqual(JSON.parse(read), JSON.parse(value), name)
    else assert.equal(read, value, name)
  }
}

/** Each attribute by a call of its own, as the provider updates. */
async function setTopic(TopicArn: string, set: Attributes): Promise<void> {
  for (const [AttributeName, AttributeValue] of Object.entries(set))
    await sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue })
  assertFound((await sns.getTopicAttributes({ TopicArn })).Attributes, set)
}

async function setSubscription(SubscriptionArn: string, set: Attributes): Promise<void> {
  for (const [AttributeName, AttributeValue] of Object.entries(set))
    await sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue })
  assertFound((await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes, set)
}

async function queueAttributes(QueueUrl: string): Promise<Attributes | undefined> {
  return (await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })).Attributes
}

/** The provider waits until the attributes it set are there. */
async function setQueue(QueueUrl: string, set: Partial<Record<QueueAttributeName, string>>): Promise<void> {
  await sqs.setQueueAttributes({ QueueUrl, Attributes: set })
  assertFound(await queueAttributes(QueueUrl), set)
}

const statement = (Service: string, Action: string, Resource: string, SourceArn: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service }, Action, Resource, Condition: { ArnLike: { 'aws:SourceArn': SourceArn } } }],
  })

test('a stack is created, read back, changed, found unchanged by a second plan, and destroyed', async () => {
  const role = `arn:aws:iam::${ACCOUNT}:role/feedback`
  const tags = { team: 'a', 'cost-center': '7' }

  // aws_sqs_queue: created with attributes and tags, read back by URL.
  const queueNames = ['tf-dead', 'tf-orders', 'tf-orders.fifo']
  const urls: string[] = []
  for (const QueueName of queueNames) {
    const Attributes = {
      ...{ DelaySeconds: '0', MaximumMessageSize: '262144', MessageRetentionPeriod: '345600', ReceiveMessageWaitTimeSeconds: '0' },
      ...{ VisibilityTimeout: '30', SqsManagedSseEnabled: 'true' },
      ...(QueueName.endsWith('.fifo') && { FifoQueue: 'true', ContentBasedDeduplication: 'true', DeduplicationScope: 'messageGroup' }),
    }
    const { QueueUrl = '' } = await sqs.createQueue({ QueueName, Attributes, tags })
    assertFound(await queueAttributes(QueueUrl), Attributes)
    assert.deepEqual((await sqs.listQueueTags({ QueueUrl })).Tags, tags)
    urls.push(QueueUrl)
  }
  const [deadUrl = '', ordersUrl = '', fifoUrl = ''] = urls
  const [deadArn = '', ordersArn = '', fifoArn = ''] = queueNames.map((name) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`)

  // aws_sns_topic: the settings go with CreateTopic; what is not given is not sent. Policies follow by a call of their own.
  const given = {
    ...{ DisplayName: 'Shop', SignatureVersion: '2', TracingConfig: 'PassThrough', KmsMasterKeyId: 'alias/aws/sns' },
    ...{ SQSSuccessFeedbackRoleArn: role, SQSSuccessFeedbackSampleRate: '50', SQSFailureFeedbackRoleArn: role },
    DeliveryPolicy: JSON.stringify({
      http: {
        defaultHealthyRetryPolicy: { minDelayTarget: 20, maxDelayTarget: 20, numRetries: 3, backoffFunction: 'linear' },
        disableSubscriptionOverrides: false,
        defaultThrottlePolicy: { maxReceivesPerSecond: 1 },
      },
    }),
  }
  const { TopicArn = '' } = await sns.createTopic({ Name: 'tf-orders', Attributes: given, Tags: tagList(tags) })
  assertFound((await sns.getTopicAttributes({ TopicArn })).Attributes, given)
  assert.deepEqual((await sns.listTagsForResource({ ResourceArn: TopicArn })).Tags, tagList(tags))
  const { TopicArn: fifoTopic = '' } = await sns.createTopic({ Name: 'tf-orders.fifo', Attributes: { FifoTopic: 'true' } })
  assertFound((await sns.getTopicAttributes({ TopicArn: fifoTopic })).Attributes, { FifoTopic: 'true', ContentBasedDeduplication: 'false' })

  // aws_sns_topic_policy, aws_sqs_queue_policy, aws_sqs_queue_redrive_policy, aws_sqs_queue_redrive_allow_policy.
  await setTopic(TopicArn, { Policy: statement('events.amazonaws.com', 'SNS:Publish', TopicArn, 'arn:aws:events:*:*:rule/*') })
  const RedrivePolicy = JSON.stringify({ maxReceiveCount: 4, deadLetterTargetArn: deadArn })
  await setQueue(ordersUrl, { Policy: statement('sns.amazonaws.com', 'sqs:SendMessage', ordersArn, TopicArn) })
  await setQueue(ordersUrl, { RedrivePolicy })
  await setQueue(deadUrl, { RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [ordersArn] }) })
  await setQueue(fifoUrl, { Policy: statement('sns.amazonaws.com', 'sqs:SendMessage', fifoArn, fifoTopic) })

  // aws_sns_topic_subscription: created with all it has, then read until it is confirmed.
  const wanted = {
    ...{
      RawMessageDelivery: 'true',
      FilterPolicyScope: 'MessageBody',
      FilterPolicy: '{"kind":[{"prefix":"b"}],"n":[{"numeric":[">",1]}]}',
    },
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn }),
  }
  const subscribe = async (topicArn: string, Endpoint: string, attributes: Attributes): Promise<string> => {
    const input = { TopicArn: topicArn, Protocol: 'sqs', Endpoint, Attributes: attributes, ReturnSubscriptionArn: true }
    const { SubscriptionArn = '' } = await sns.subscribe(input)
    const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn })
    assertFound(Attributes, { ...attributes, PendingConfirmation: 'false', Endpoint, Protocol: 'sqs', TopicArn: topicArn, Owner: ACCOUNT })
    return SubscriptionArn
  }
  const filtered = await subscribe(TopicArn, ordersArn, wanted)
  const ordered = await subscribe(fifoTopic, fifoArn, { RawMessageDelivery: 'false' })

  // aws_sns_topic_data_protection_policy.
  const protection = {
    ...{ Name: 'p', Version: '2021-06-01' },
    Statement: [
      {
        ...{ Sid: 's', DataDirection: 'Inbound', Principal: ['*'], Operation: { Deny: {} } },
        DataIdentifier: ['arn:aws:dataprotection::aws:data-identifier/EmailAddress'],
      },
    ],
  }
  const protect = async (DataProtectionPolicy: string): Promise<string | undefined> => {
    await sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy })
    return (await sns.getDataProtectionPolicy({ ResourceArn: TopicArn })).DataProtectionPolicy
  }
  assert.deepEqual(JSON.parse((await protect(JSON.stringify(protection))) ?? ''), protection)

  // A second plan reads everything again, and finds it.
  const plan = async () => [
    ...(await Promise.all([TopicArn, fifoTopic].map(async (arn) => (await sns.getTopicAttributes({ TopicArn: arn })).Attributes))),
    ...(await Promise.all(urls.map(queueAttributes))),
    ...(await Promise.all(
      [filtered, ordered].map(async (arn) => (await sns.getSubscriptionAttributes({ SubscriptionArn: arn })).Attributes),
    )),
  ]
  assert.deepEqual(await plan(), await plan())

  // Changes: the scope before the policy that needs it, what is taken out as an empty value, tags by what came and what went.
  await setTopic(TopicArn, { DisplayName: 'Store', SQSSuccessFeedbackSampleRate: '0', KmsMasterKeyId: '', DeliveryPolicy: '' })
  await setTopic(fifoTopic, { ContentBasedDeduplication: 'true', FifoThroughputScope: 'MessageGroup' })
  await sns.untagResource({ ResourceArn: TopicArn, TagKeys: ['cost-center'] })
  await sns.tagResource({ ResourceArn: TopicArn, Tags: [{ Key: 'team', Value: 'b' }] })
  assert.deepEqual((await sns.listTagsForResource({ ResourceArn: TopicArn })).Tags, tagList({ team: 'b' }))
  await setSubscription(filtered, { FilterPolicy: '', RedrivePolicy: '', RawMessageDelivery: 'false' })
  await setSubscription(filtered, { FilterPolicyScope: 'MessageAttributes', FilterPolicy: '{"kind":["c"]}' })
  await setQueue(ordersUrl, { VisibilityTimeout: '60', KmsMasterKeyId: '', RedrivePolicy: '' })
  await setQueue(deadUrl, { RedriveAllowPolicy: '' })
  await sqs.untagQueue({ QueueUrl: ordersUrl, TagKeys: ['cost-center'] })
  assert.deepEqual((await sqs.listQueueTags({ QueueUrl: ordersUrl })).Tags, { team: 'a' })
  assert.deepEqual(await plan(), await plan())

  // aws_sns_topic_policy ends in the default policy; everything else is deleted, and read until it is gone.
  const { Attributes } = await sns.getTopicAttributes({ TopicArn: fifoTopic })
  await setTopic(TopicArn, { Policy: Attributes?.['Policy']?.replaceAll(fifoTopic, TopicArn) ?? '' })
  assert.equal((await protect('')) ?? '', '')
  for (const SubscriptionArn of [filtered, ordered]) {
    await sns.unsubscribe({ SubscriptionArn })
    assert.equal((await refusalOf(sns.getSubscriptionAttributes({ SubscriptionArn })))[0], 'NotFoundException')
  }
  await setQueue(ordersUrl, { Policy: '' })
  for (const arn of [TopicArn, fifoTopic]) {
    await sns.deleteTopic({ TopicArn: arn })
    assert.equal((await refusalOf(sns.getTopicAttributes({ TopicArn: arn })))[0], 'NotFoundException')
  }
  for (const QueueUrl of urls) {
    await sqs.deleteQueue({ QueueUrl })
    assert.equal((await refusalOf(queueAttributes(QueueUrl)))[0], 'QueueDoesNotExist')
  }
})
