// Calls of all services, good and refused, by the stock SDK against a server process.
import type { CloudTrail } from '@aws-sdk/client-cloudtrail'
import type { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import type { SQS } from '@aws-sdk/client-sqs'
import { STS } from '@aws-sdk/client-sts'
import { topicsMaySend } from './queue-policy.ts'
import { ROOT_KEY, type TestServer, clientConfig } from './server.ts'

const ACCOUNT = '000000000000'

export interface Clients {
  readonly server: TestServer
  readonly sns: SNS
  readonly sqs: SQS
  readonly s3: S3
  readonly cloudtrail: CloudTrail
}

export const topicNamed = async ({ sns }: Clients, name: string): Promise<string> => (await sns.createTopic({ Name: name })).TopicArn ?? ''

/** A queue that is subscribed to the topic and gets its messages raw. */
export async function queueOf({ sns, sqs }: Clients, topicArn: string): Promise<string> {
  const arn = topicArn.replace(':sns:', ':sqs:')
  const Policy = topicsMaySend(arn)
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: arn.split(':').at(-1), Attributes: { Policy } })
  await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: arn, Attributes: { RawMessageDelivery: 'true' } })
  return QueueUrl
}

export interface Run {
  /** Request ids. */
  readonly ids: readonly string[]
  /** Of data events of services other than SNS. */
  readonly unasked: readonly string[]
}

/** Calls of all services, good and refused. */
export async function mixedRun(clients: Clients): Promise<Run> {
  const { server, sns, sqs, s3, cloudtrail } = clients
  const TopicArn = await topicNamed(clients, 'mixed')
  const QueueUrl = await queueOf(clients, TopicArn)
  const impostor = new SNS(clientConfig(server.url, { ...ROOT_KEY, secretAccessKey: 'wrong' }))
  const far = new SNS({ ...clientConfig(server.url), region: 'eu-west-1' })
  const calls = [
    ...Array.from({ length: 10 }, (_, at) => sns.publish({ TopicArn, Message: `${at}` })),
    sns.publishBatch({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: 'a', Message: 'a' },
        { Id: 'b', Message: 'b' },
      ],
    }),
    sns.publish({ TopicArn, Message: '' }),
    sns.publish({ TopicArn: `${TopicArn}-absent`, Message: 'x' }),
    sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [] }),
    sns.createTopic({ Name: 'not a name' }),
    sns.listTopics({}),
    far.createTopic({ Name: 'far' }),
    impostor.publish({ TopicArn, Message: 'x' }),
    sns.getTopicAttributes({ TopicArn: TopicArn.replace(ACCOUNT, '999999999999') }),
    sqs.listQueues({}),
    new STS(clientConfig(server.url)).getCallerIdentity({}),
    cloudtrail.describeTrails({}),
    cloudtrail.getTrail({ Name: 'absent' }),
    s3.listBuckets({}),
    s3.createBucket({ Bucket: 'mixed' }),
    s3.getBucketLocation({ Bucket: 'absent' }),
  ]
  const dataCalls = [
    sqs.sendMessage({ QueueUrl, MessageBody: 'sent' }),
    sqs.sendMessage({ QueueUrl: `${QueueUrl}-absent`, MessageBody: 'x' }),
    sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 1 }),
    s3.putObject({ Bucket: 'absent', Key: 'object', Body: 'x' }),
  ]
  const [ids, unasked] = await Promise.all([requestIds(calls), requestIds(dataCalls)])
  return { ids, unasked }
}

async function requestIds(calls: readonly Promise<{ readonly $metadata: ResponseMetadata }>[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(calls)
  return settled.map((result) => {
    const { $metadata } = (result.status === 'fulfilled' ? result.value : result.reason) as { readonly $metadata: ResponseMetadata }
    return $metadata.requestId ?? 'none'
  })
}

interface ResponseMetadata {
  readonly requestId?: string | undefined
}
