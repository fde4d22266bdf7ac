// sealcast demo: the tour by itself, through the stock JavaScript SDK against the running server. Everything it makes it takes away again.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { http } from '../../base/http.ts'
import type { SqlValue } from '../../model/sql-rows.ts'
import type { ClientEnvironment } from '../../model/environment.ts'
import { type Command, CommandError, DATA_OPTION, type Terminal, dataFolderOf } from '../command.ts'
import { type Connection, callOnce } from '../connect.ts'

const options = { data: DATA_OPTION } as const

/** How long a delivery or a log file may take. */
const PATIENCE_MS = 4000
const POLL_MS = 50

export const demo: Command<typeof options> = {
  summary: 'show what the server does: topic, queue, receiver, trail, a refusal, and the record of it all',
  help: 'Makes things whose names start with sealcast-demo- in the first account, and deletes them at the end.',
  options,
  async run(given, _operands, terminal) {
    const folder = dataFolderOf(given.data, terminal)
    const connection = await terminal.connect(folder)
    const receiver = await openReceiver()
    try {
      const environment = await callOnce<ClientEnvironment>(connection, 'GetEnvironment', {})
      if (environment.Url === '') throw new CommandError(`no server runs on ${folder}; start one with: sealcast serve`)
      await tour(environment, connection, receiver, terminal)
      return 0
    } finally {
      receiver.close()
      await connection.close()
    }
  },
}

async function tour(environment: ClientEnvironment, connection: Connection, receiver: Receiver, terminal: Terminal): Promise<void> {
  const say = (text: string) => terminal.write(`${text}\n`)
  const { sns, sqs, s3, cloudtrail, stranger } = await clients(environment)
  const name = `sealcast-demo-${randomBytes(4).toString('hex')}`
  await say(`Server ${environment.Url}, account ${environment.AccountId}. Everything below goes through the stock AWS SDK.\n`)

  const { TopicArn } = await sns.createTopic({ Name: name })
  const { QueueUrl } = await sqs.createQueue({ QueueName: name })
  if (TopicArn === undefined || QueueUrl === undefined) throw new CommandError('the server made no topic or queue')
  const QueueArn = TopicArn.replace(':sns:', ':sqs:')
  try {
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: sendPolicy(QueueArn, TopicArn) } })
    await say(`1  topic     ${TopicArn}\n   queue     ${QueueUrl}`)
    await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: QueueArn })
    await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: receiver.url })
    const confirmation = await receiver.next('SubscriptionConfirmation')
    await sns.confirmSubscription({ TopicArn, Token: confirmation['Token'] })
    await say(`2  receiver  ${receiver.url} got its token and confirmed`)

    await s3.createBucket({ Bucket: name })
    await s3.putBucketPolicy({ Bucket: name, Policy: bucketPolicy(name, environment.AccountId) })
    await cloudtrail.createTrail({ Name: name, S3BucketName: name })
    await cloudtrail.putEventSelectors({ TrailName: name, AdvancedEventSelectors: SELECTORS })
    await cloudtrail.startLogging({ Name: name })
    await say(`3  trail     ${name} records management events and every Publish`)

    const { MessageId } = await sns.publish({ TopicArn, Subject: 'hello', Message: 'This text is in no event and no log line.' })
    await say(`4  published ${MessageId}`)
    const posted = await receiver.next('Notification')
    await say(`   receiver  got it: ${JSON.stringify(posted['Message'])}, signed with ${posted['SigningCertURL']}`)
    const { Messages } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 2 })
    await say(`   queue     got it: ${JSON.stringify((JSON.parse(Messages?.[0]?.Body ?? '{}') as Record<string, string>)['Message'])}`)

    const refusal = await stranger.publish({ TopicArn, Message: 'let me in' }).then(
      () => 'was let in?!',
      (error: Error) => `${error.name}: ${error.message}`,
    )
    await say(`5  a stranger's publish: ${refusal}`)

    await say('\n6  What the record says (sealcast query):')
    await printRecord(connection, name, terminal)
    await cloudtrail.stopLogging({ Name: name })
    await printLogFile(s3, name, terminal)
  } finally {
    await cleanUp({ sns, sqs, s3, cloudtrail, TopicArn, QueueUrl, name })
  }
  await say('\nAll of it is deleted again; the record stays:  npx sealcast query "SELECT event_time, eventname, errorcode FROM events"')
}

async function clients({ Url, Region, AccessKeyId, SecretAccessKey }: ClientEnvironment) {
  const [{ SNS }, { SQS }, { S3 }, { CloudTrail }] = await Promise.all([
    import('@aws-sdk/client-sns'),
    import('@aws-sdk/client-sqs'),
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/client-cloudtrail'),
  ])
  const config = {
    endpoint: Url,
    region: Region,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey },
    maxAttempts: 1,
  }
  const wrong = { ...config, credentials: { accessKeyId: AccessKeyId, secretAccessKey: 'not the secret' } }
  return {
    sns: new SNS(config),
    sqs: new SQS(config),
    s3: new S3({ ...config, forcePathStyle: true }),
    cloudtrail: new CloudTrail(config),
    stranger: new SNS(wrong),
  }
}

type Clients = Awaited<ReturnType<typeof clients>>

async function printRecord(connection: Connection, name: string, terminal: Terminal): Promise<void> {
  const sql = `SELECT strftime(event_time, '%H:%M:%S'), replace(eventsource, '.amazonaws.com', ''), eventname, coalesce(errorcode, 'ok')
    FROM events WHERE eventjson LIKE '%${name}%' OR event_class = 'own' AND errorcode = 'SignatureDoesNotMatch'
    ORDER BY position DESC LIMIT 14`
  const rows: (readonly SqlValue[])[] = []
  for await (const line of connection.lines('Query', { Sql: sql })) {
    const batch = (line as { readonly rows?: readonly (readonly SqlValue[])[] }).rows
    if (batch !== undefined) rows.push(...batch)
  }
  for (const [time, service, event, outcome] of rows.reverse())
    await terminal.write(`   ${String(time)}  ${String(service).padEnd(11)} ${String(event).padEnd(22)} ${String(outcome)}\n`)
}

/** The trail's log file: a trail that is stopped writes what it has at once. */
async function printLogFile(s3: Clients['s3'], bucket: string, terminal: Terminal): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  do {
    const { Contents } = await s3.listObjectsV2({ Bucket: bucket, Prefix: 'AWSLogs/' })
    const key = Contents?.map(({ Key }) => Key ?? '').find((candidate) => candidate.endsWith('.json.gz'))
    if (key !== undefined) {
      const { Body } = await s3.getObject({ Bucket: bucket, Key: key })
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
      const text = bytes[0] === 0x1f ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8')
      const { Records } = JSON.parse(text) as { Records: readonly unknown[] }
      return terminal.write(`\n7  The trail wrote ${Records.length} records to s3://${bucket}/${key}\n`)
    }
    await pause(POLL_MS * 4)
  } while (performance.now() < until)
  return terminal.write('\n7  The trail has not written its log file yet.\n')
}

async function cleanUp({
  sns,
  sqs,
  s3,
  cloudtrail,
  TopicArn,
  QueueUrl,
  name,
}: Omit<Clients, 'stranger'> & { TopicArn: string; QueueUrl: string; name: string }) {
  const { Subscriptions } = await sns.listSubscriptionsByTopic({ TopicArn })
  for (const { SubscriptionArn } of Subscriptions ?? [])
    if (SubscriptionArn?.startsWith('arn:') === true) await sns.unsubscribe({ SubscriptionArn })
  await sns.deleteTopic({ TopicArn })
  await sqs.deleteQueue({ QueueUrl })
  await cloudtrail.deleteTrail({ Name: name }).catch(() => {})
  const { Contents } = await s3.listObjectsV2({ Bucket: name }).catch(() => ({ Contents: undefined }))
  for (const { Key } of Contents ?? []) await s3.deleteObject({ Bucket: name, Key })
  await s3.deleteBucket({ Bucket: name }).catch(() => {})
}

interface Receiver {
  readonly url: string
  /** The next message of that type; CommandError when none comes in time. */
  next(type: string): Promise<Record<string, string>>
  close(): void
}

async function openReceiver(): Promise<Receiver> {
  const received: Record<string, string>[] = []
  const server: Server = http.createServer((request, response) => {
    readText(request)
      .then((text) => received.push(JSON.parse(text) as Record<string, string>))
      .then(
        () => response.end(),
        () => response.writeHead(400).end(),
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async next(type) {
      const until = performance.now() + PATIENCE_MS
      while (performance.now() < until) {
        const found = received.findIndex((message) => message['Type'] === type)
        if (found !== -1) return received.splice(found, 1)[0] ?? {}
        await pause(POLL_MS)
      }
      throw new CommandError(`no ${type} came to the receiver; sealcast query "SELECT * FROM deliveries" tells why`)
    },
    close: () => server.close().closeAllConnections(),
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function sendPolicy(queueArn: string, topicArn: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
      },
    ],
  })
}

function bucketPolicy(bucket: string, account: string): string {
  const principal = { Service: 'cloudtrail.amazonaws.com' }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${bucket}` },
      {
        Effect: 'Allow',
        Principal: principal,
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${bucket}/AWSLogs/${account}/*`,
        Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
      },
    ],
  })
}

const SELECTORS = [
  { Name: 'management', FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
  {
    Name: 'publishes',
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
      { Field: 'eventName', Equals: ['Publish', 'PublishBatch'] },
    ],
  },
]
