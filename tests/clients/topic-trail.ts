// A trail as its readers meet it: a bucket that takes the files, a topic that tells of each, a queue that hears the topic.
import { gunzipSync } from 'node:zlib'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { clientConfig, SERVER_REGION } from '../server.ts'

export const ACCOUNT = '000000000000'

export interface EventRecord {
  readonly eventID: string
  readonly eventName: string
  readonly requestID: string
}

/** Stock clients of a server. */
export function clientsOf(url: string) {
  return {
    s3: new S3({ ...clientConfig(url), forcePathStyle: true }),
    sns: new SNS(clientConfig(url)),
    sqs: new SQS(clientConfig(url)),
    cloudtrail: new CloudTrail(clientConfig(url)),
  }
}

export type Clients = ReturnType<typeof clientsOf>

const allow = (service: string, Action: string, Resource: string) => ({
  Effect: 'Allow',
  Principal: { Service: service },
  Action,
  Resource,
})
const policy = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })

/** The trail `all` into the bucket `logs`; the topic `files` tells the queue `files` of each file. Returns the queue's URL. */
export async function makeTopicTrail({ s3, sns, sqs, cloudtrail }: Clients): Promise<string> {
  const arn = (service: string): string => `arn:aws:${service}:${SERVER_REGION}:${ACCOUNT}:files`
  await sns.createTopic({ Name: 'files', Attributes: { Policy: policy(allow('cloudtrail.amazonaws.com', 'SNS:Publish', arn('sns'))) } })
  const Attributes = { Policy: policy(allow('sns.amazonaws.com', 'sqs:SendMessage', arn('sqs'))) }
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'files', Attributes })
  await sns.subscribe({ TopicArn: arn('sns'), Protocol: 'sqs', Endpoint: arn('sqs') })
  await s3.createBucket({ Bucket: 'logs' })
  const look = allow('cloudtrail.amazonaws.com', 's3:GetBucketAcl', 'arn:aws:s3:::logs')
  const write = allow('cloudtrail.amazonaws.com', 's3:PutObject', `arn:aws:s3:::logs/AWSLogs/${ACCOUNT}/*`)
  await s3.putBucketPolicy({ Bucket: 'logs', Policy: policy(look, write) })
  await cloudtrail.createTrail({ Name: 'all', S3BucketName: 'logs', SnsTopicName: 'files' })
  await cloudtrail.startLogging({ Name: 'all' })
  return QueueUrl ?? ''
}

/** The records of one log file. */
export function recordsIn(bytes: Uint8Array): readonly EventRecord[] {
  return (JSON.parse(gunzipSync(bytes).toString()) as { Records: readonly EventRecord[] }).Records
}

/** The records of the log files with these keys. */
export async function recordsOfKeys({ s3 }: Clients, Bucket: string, keys: readonly string[]): Promise<readonly EventRecord[]> {
  const files = await Promise.all(
    keys.map(async (Key) => {
      const { Body: content } = await s3.getObject({ Bucket, Key })
      return recordsIn((await content?.transformToByteArray()) ?? new Uint8Array())
    }),
  )
  return files.flat()
}
