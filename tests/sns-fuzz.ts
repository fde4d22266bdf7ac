// Whole SNS requests, over topics of both kinds with queues behind filter policies, a data protection policy, applications with endpoints.
import { SNS } from '@aws-sdk/client-sns'
import { createSns } from '../src/services/sns/index.ts'
import { snsModel } from '../src/services/sns/model.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { ACCOUNT, createHarness, type Harness, REGION } from './harness.ts'
import { topicsMaySend } from './queue-policy.ts'
import { type FuzzedService, HOST } from './service-fuzz.ts'

const ARN = `arn:aws:sns:${REGION}:${ACCOUNT}:`
const TopicArn = `${ARN}plain`
const PROTOCOLS = ['application', 'email', 'email-json', 'firehose', 'http', 'https', 'lambda', 'sms', 'sqs']

export const FUZZED_SNS: FuzzedService = {
  name: 'sns',
  model: snsModel,
  async open() {
    const protocols = Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, { validate: () => undefined }]))
    const harness = await createHarness((env) => ({
      sns: createSns({ tables: env.tables, protocols }),
      sqs: createSqs({ notifications: () => Promise.resolve('') }),
    }))
    return { harness, seeds: await seedsOf(await fill(harness)), close: () => harness.close() }
  },
  requestOf: (input) => ({ path: '/', headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded' }, body: input }),
  nameOf: (input) => /^Action=(\w+)/.exec(input.toString('latin1', 0, 60))?.[1] ?? '',
}

interface Filled {
  readonly subscriptionArn: string
  readonly applicationArn: string
  readonly endpointArn: string
}

async function fill(harness: Harness): Promise<Filled> {
  const call = (operation: string, input: object): Promise<Readonly<Record<string, string>>> => harness.call('sns', operation, input)
  await call('CreateTopic', { Name: 'plain' })
  await call('CreateTopic', { Name: 'line.fifo', Attributes: { FifoTopic: 'true' } })
  const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`
  const subscribe = async (name: string, Attributes: Readonly<Record<string, string>>, topicArn = TopicArn): Promise<string> => {
    const isFifo = name.endsWith('.fifo')
    const queue = { Policy: topicsMaySend('*'), ...(isFifo && { FifoQueue: 'true' }) }
    await harness.call('sqs', 'CreateQueue', { QueueName: name, Attributes: queue })
    const { SubscriptionArn = '' } = await call('Subscribe', { TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn(name), Attributes })
    return SubscriptionArn
  }
  await subscribe('bodies', { FilterPolicy: '{"a":{"b":[{"prefix":"x"}]},"n":[{"numeric":[">",1]}]}', FilterPolicyScope: 'MessageBody' })
  const subscriptionArn = await subscribe('attributes', {
    FilterPolicy: '{"kind":["a",{"anything-but":["b"]}]}',
    RawMessageDelivery: 'true',
  })
  await subscribe('line.fifo', {}, `${ARN}line.fifo`)
  await call('PutDataProtectionPolicy', { ResourceArn: TopicArn, DataProtectionPolicy: PROTECTION })
  const application = { Name: 'app', Platform: 'ADM', Attributes: { PlatformPrincipal: 'p', PlatformCredential: 'c' } }
  const { PlatformApplicationArn: applicationArn = '' } = await call('CreatePlatformApplication', application)
  const { EndpointArn: endpointArn = '' } = await call('CreatePlatformEndpoint', { PlatformApplicationArn: applicationArn, Token: 't' })
  return { subscriptionArn, applicationArn, endpointArn }
}

const PROTECTION = JSON.stringify({
  Name: 'p',
  Version: '2021-06-01',
  Configuration: { CustomDataIdentifier: [{ Name: 'Order', Regex: 'O-[0-9]{4,9}' }] },
  Statement: [
    {
      ...{ Sid: 's', DataDirection: 'Inbound', Principal: ['*'] },
      DataIdentifier: ['arn:aws:dataprotection::aws:data-identifier/EmailAddress', 'Order'],
      Operation: { Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } },
    },
  ],
})

/** The forms that the stock client writes for these calls. */
async function seedsOf({ subscriptionArn: SubscriptionArn, applicationArn, endpointArn: EndpointArn }: Filled): Promise<Buffer[]> {
  const forms: Buffer[] = []
  const requestHandler = {
    handle: ({ body }: { readonly body: string }) => {
      forms.push(Buffer.from(body))
      return Promise.reject(new Error('written down'))
    },
  }
  const credentials = { accessKeyId: 'A', secretAccessKey: 's' }
  const sns = new SNS({ endpoint: `http://${HOST}`, region: REGION, credentials, maxAttempts: 1, requestHandler })
  const text = { DataType: 'String', StringValue: 'a' }
  const Attributes = {
    DisplayName: 'd',
    DeliveryPolicy: '{"http":{"defaultHealthyRetryPolicy":{"numRetries":5,"backoffFunction":"geometric"}}}',
  }
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'SNS:Publish', Resource: TopicArn }],
  })
  const [PhoneNumber, phoneNumber] = ['+15555550100', '+15555550100']
  const set = (AttributeName: string, AttributeValue: string) => () =>
    sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue })
  const calls: readonly (() => Promise<unknown>)[] = [
    () => sns.publish({ TopicArn, Message: 'a@example.com O-12345', Subject: 's', MessageAttributes: { kind: text }, MessageGroupId: 'g' }),
    () =>
      sns.publish({
        TargetArn: TopicArn,
        Message: '{"default":"d","sqs":"{\\"a\\":{\\"b\\":\\"xy\\"},\\"n\\":7}"}',
        MessageStructure: 'json',
      }),
    () => sns.publish({ TopicArn: `${ARN}line.fifo`, Message: 'm', MessageGroupId: 'g', MessageDeduplicationId: 'd' }),
    () =>
      sns.publishBatch({
        TopicArn,
        PublishBatchRequestEntries: [
          {
            Id: 'a',
            Message: '{"a":[{"b":"x"}],"n":2}',
            MessageAttributes: { list: { DataType: 'String.Array', StringValue: '["a",1,null]' } },
          },
          { Id: 'b', Message: 'b', MessageAttributes: { kind: text, bytes: { DataType: 'Binary', BinaryValue: Buffer.of(1, 2) } } },
        ],
      }),
    () =>
      sns.publishBatch({
        TopicArn: `${ARN}line.fifo`,
        PublishBatchRequestEntries: ['a', 'b'].map((Id) => ({ Id, Message: Id, MessageGroupId: 'g', MessageDeduplicationId: Id })),
      }),
    () => sns.createTopic({ Name: 'more', Attributes, Tags: [{ Key: 'k', Value: 'v' }], DataProtectionPolicy: PROTECTION }),
    () =>
      sns.createTopic({
        Name: 'more.fifo',
        Attributes: { FifoTopic: 'true', ContentBasedDeduplication: 'true', FifoThroughputScope: 'Topic' },
      }),
    () => sns.setTopicAttributes({ TopicArn, AttributeName: 'DeliveryPolicy', AttributeValue: Attributes.DeliveryPolicy }),
    () => sns.setTopicAttributes({ TopicArn, AttributeName: 'Policy', AttributeValue: Policy }),
    () => sns.setTopicAttributes({ TopicArn, AttributeName: 'HTTPSuccessFeedbackSampleRate', AttributeValue: '50' }),
    () => sns.getTopicAttributes({ TopicArn }),
    () => sns.addPermission({ TopicArn, Label: 'l', AWSAccountId: [ACCOUNT], ActionName: ['Publish'] }),
    () => sns.removePermission({ TopicArn, Label: 'l' }),
    () => sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy: PROTECTION }),
    () => sns.getDataProtectionPolicy({ ResourceArn: TopicArn }),
    () => sns.tagResource({ ResourceArn: TopicArn, Tags: [{ Key: 'k', Value: 'v' }] }),
    () => sns.untagResource({ ResourceArn: TopicArn, TagKeys: ['k'] }),
    () => sns.listTagsForResource({ ResourceArn: TopicArn }),
    () => sns.listTopics({}),
    () => sns.listSubscriptions({}),
    () => sns.listSubscriptionsByTopic({ TopicArn }),
    () =>
      sns.subscribe({
        TopicArn,
        Protocol: 'http',
        Endpoint: 'http://example.com/',
        Attributes: { FilterPolicy: '{"a":[{"cidr":"10.0.0.0/8"}]}' },
      }),
    () => sns.subscribe({ TopicArn, Protocol: 'application', Endpoint: EndpointArn, ReturnSubscriptionArn: true }),
    () => sns.subscribe({ TopicArn, Protocol: 'sms', Endpoint: PhoneNumber }),
    set('FilterPolicy', '{"$or":[{"a":["b"]},{"c":[{"exists":false}]}],"n":[{"numeric":[">=",1,"<",2.5]}]}'),
    set('RedrivePolicy', JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:bodies` })),
    () => sns.getSubscriptionAttributes({ SubscriptionArn }),
    () => sns.confirmSubscription({ TopicArn, Token: '0123456789abcdef' }),
    () => sns.createPlatformApplication({ Name: 'more', Platform: 'GCM', Attributes: { PlatformCredential: 'c' } }),
    () => sns.setPlatformApplicationAttributes({ PlatformApplicationArn: applicationArn, Attributes: { Enabled: 'false' } }),
    () => sns.getPlatformApplicationAttributes({ PlatformApplicationArn: applicationArn }),
    () => sns.listPlatformApplications({}),
    () =>
      sns.createPlatformEndpoint({
        PlatformApplicationArn: applicationArn,
        Token: 'u',
        CustomUserData: 'd',
        Attributes: { Enabled: 'true' },
      }),
    () => sns.setEndpointAttributes({ EndpointArn, Attributes: { Token: 'v', CustomUserData: 'e' } }),
    () => sns.getEndpointAttributes({ EndpointArn }),
    () => sns.listEndpointsByPlatformApplication({ PlatformApplicationArn: applicationArn }),
    () => sns.publish({ PhoneNumber, Message: 'm', MessageAttributes: { 'AWS.SNS.SMS.SenderID': text } }),
    () => sns.publish({ TargetArn: EndpointArn, Message: 'm' }),
    () => sns.setSMSAttributes({ attributes: { DefaultSMSType: 'Promotional', DefaultSenderID: 'abc', MonthlySpendLimit: '1' } }),
    () => sns.getSMSAttributes({ attributes: ['DefaultSMSType'] }),
    () => sns.checkIfPhoneNumberIsOptedOut({ phoneNumber }),
    () => sns.listPhoneNumbersOptedOut({}),
    () => sns.optInPhoneNumber({ phoneNumber }),
    () => sns.getSMSSandboxAccountStatus({}),
    () => sns.createSMSSandboxPhoneNumber({ PhoneNumber, LanguageCode: 'en-US' }),
    () => sns.verifySMSSandboxPhoneNumber({ PhoneNumber, OneTimePassword: '12345' }),
    () => sns.listSMSSandboxPhoneNumbers({ MaxResults: 10 }),
    () => sns.deleteSMSSandboxPhoneNumber({ PhoneNumber }),
    () => sns.listOriginationNumbers({ MaxResults: 10 }),
    () => sns.deleteEndpoint({ EndpointArn }),
    () => sns.deletePlatformApplication({ PlatformApplicationArn: applicationArn }),
    () => sns.unsubscribe({ SubscriptionArn }),
    () => sns.deleteTopic({ TopicArn: `${ARN}more` }),
  ]
  for (const call of calls) await call().catch(() => {})
  return forms
}
