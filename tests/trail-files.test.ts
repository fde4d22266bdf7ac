// A trail from outside: bucket, trail and selectors by the stock SDK, and then the log files, checked as CloudTrail documents them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { ROOT_KEY, clientConfig, runCommand } from './server.ts'
import { until } from './until.ts'

type EventRecord = Readonly<Record<string, unknown>>

const ACCOUNT = '000000000000'
const BUCKET = 'audit-logs'
const ROOT_IDENTITY = {
  type: 'Root',
  principalId: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:root`,
  accountId: ACCOUNT,
  accessKeyId: ROOT_KEY.accessKeyId,
}
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'

const { server, data } = await startFileServer({ words: ['--set', 'trail.deliveryIntervalSeconds=1'] })
const sns = new SNS(clientConfig(server.url))
const s3 = new S3({ ...clientConfig(server.url), forcePathStyle: true })
const cloudtrail = new CloudTrail(clientConfig(server.url))

const cloudtrailMay = (Action: string, Resource: string, more: object = {}) => ({
  Effect: 'Allow',
  Principal: { Service: 'cloudtrail.amazonaws.com' },
  Action,
  Resource,
  ...more,
})

async function makeTrail(): Promise<void> {
  await s3.createBucket({ Bucket: BUCKET })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      cloudtrailMay('s3:GetBucketAcl', `arn:aws:s3:::${BUCKET}`),
      cloudtrailMay('s3:PutObject', `arn:aws:s3:::${BUCKET}/AWSLogs/${ACCOUNT}/*`, {
        Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    ],
  })
  const create = () => cloudtrail.createTrail({ Name: 'publishes', S3BucketName: BUCKET })
  await assert.rejects(create, {
    name: 'InsufficientS3BucketPolicyException',
    message: `Incorrect S3 bucket policy is detected for bucket: ${BUCKET}`,
  })
  await s3.putBucketPolicy({ Bucket: BUCKET, Policy })
  await create()
  await cloudtrail.putEventSelectors({
    TrailName: 'publishes',
    AdvancedEventSelectors: [
      {
        Name: 'publishes',
        FieldSelectors: [
          { Field: 'eventCategory', Equals: ['Data'] },
          { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
          { Field: 'eventName', Equals: ['Publish', 'PublishBatch'] },
        ],
      },
    ],
  })
  await cloudtrail.startLogging({ Name: 'publishes' })
}

interface LogFile {
  readonly key: string
  readonly text: string
  readonly records: readonly EventRecord[]
}

async function readFiles(): Promise<readonly LogFile[]> {
  const { Contents = [] } = await s3.listObjectsV2({ Bucket: BUCKET })
  const files: LogFile[] = []
  for (const { Key: key = '' } of Contents) {
    const { Body, ContentType, ContentEncoding } = await s3.getObject({ Bucket: BUCKET, Key: key })
    assert.deepEqual([ContentType, ContentEncoding], ['application/json', 'gzip'])
    const text = gunzipSync((await Body?.transformToByteArray()) ?? Buffer.alloc(0)).toString('utf8')
    files.push({ key, text, records: (JSON.parse(text) as { Records: readonly EventRecord[] }).Records })
  }
  return files
}

const keyOrder = [
  'eventVersion',
  'userIdentity',
  'eventTime',
  'eventSource',
  'eventName',
  'awsRegion',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'errorMessage',
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'requestID',
  'eventID',
  'readOnly',
  'resources',
  'eventType',
  'apiVersion',
  'managementEvent',
  'recipientAccountId',
  'sharedEventID',
  'eventCategory',
  'tlsDetails',
]

test('selected publishes, the failed ones included, come into log files of the documented name, layout and content', async () => {
  await makeTrail()
  const { TopicArn = '' } = await sns.createTopic({ Name: 'orders' })
  const denied = (await sns.createTopic({ Name: 'closed' })).TopicArn ?? ''
  await sns.setTopicAttributes({
    TopicArn: denied,
    AttributeName: 'Policy',
    AttributeValue: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'SNS:Publish', Resource: denied }],
    }),
  })
  const unknown = TopicArn.replace('orders', 'unknown')
  const before = Math.floor(Date.now() / 1000) * 1000

  const published = await sns.publish({
    TopicArn,
    Subject: 'a subject',
    Message: 'a message',
    MessageAttributes: { kind: { DataType: 'String', StringValue: 'a value' } },
  })
  const batch = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [
      { Id: 'one', Message: 'first' },
      { Id: 'two', Message: 'second', Subject: 'with a subject' },
    ],
  })
  await assert.rejects(sns.publish({ TopicArn: unknown, Message: 'x' }), { name: 'NotFoundException' })
  await assert.rejects(sns.publish({ TopicArn: denied, Message: 'x' }), { name: 'AuthorizationErrorException' })
  const impostor = new SNS(clientConfig(server.url, { ...ROOT_KEY, secretAccessKey: 'wrong' }))
  await assert.rejects(impostor.publish({ TopicArn, Message: 'x' }), { name: 'SignatureDoesNotMatch' })

  const files = await until('four records in log files', async () => {
    const found = await readFiles()
    return found.flatMap(({ records }) => records).length >= 4 ? found : undefined
  })
  const after = Date.now()
  for (const { key, text } of files) {
    const [, path, day, name = ''] =
      new RegExp(`^(AWSLogs/${ACCOUNT}/CloudTrail/us-east-1)/(\\d{4}/\\d\\d/\\d\\d)/([^/]+)$`).exec(key) ?? []
    assert.ok(path !== undefined, key)
    assert.match(name, /^\d{12}_CloudTrail_[a-z0-9-]+_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/)
    assert.ok(name.includes(`_${day?.replaceAll('/', '')}T`), 'the folder is the day of delivery')
    assert.ok(text.startsWith('{"Records":[{') && text.endsWith('}]}') && !text.includes('\n'))
  }
  const records = files.flatMap((file) => file.records)
  assert.equal(records.length, 4, 'no management event and no failed signature is selected')
  for (const record of records) {
    const keys = Object.keys(record)
    assert.deepEqual(
      keys,
      keyOrder.filter((key) => keys.includes(key)),
      'keys in the order of real files',
    )
    assert.equal(record['eventVersion'], '1.11')
    assert.deepEqual(record['userIdentity'], ROOT_IDENTITY)
    assert.match(String(record['eventTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const time = Date.parse(String(record['eventTime']))
    assert.ok(time >= before && time <= after)
    assert.match(String(record['eventID']), /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    assert.match(String(record['userAgent']), /aws-sdk-js/)
    assert.deepEqual(
      [
        'eventSource',
        'awsRegion',
        'sourceIPAddress',
        'readOnly',
        'eventType',
        'managementEvent',
        'recipientAccountId',
        'eventCategory',
      ].map((key) => record[key]),
      ['sns.amazonaws.com', 'us-east-1', '127.0.0.1', false, 'AwsApiCall', false, ACCOUNT, 'Data'],
    )
  }
  assert.equal(new Set(records.map((record) => record['eventID'])).size, 4)

  const told = (matches: (record: EventRecord) => boolean): EventRecord => {
    const found = records.filter(matches)
    assert.equal(found.length, 1)
    return found[0] ?? {}
  }
  const publish = told((record) => record['requestID'] === published.$metadata.requestId)
  assert.equal(publish['eventName'], 'Publish')
  assert.deepEqual(publish['requestParameters'], { topicArn: TopicArn, message: HIDDEN, subject: HIDDEN, messageAttributes: HIDDEN })
  assert.deepEqual(publish['responseElements'], { messageId: published.MessageId })
  assert.deepEqual(publish['resources'], [{ accountId: ACCOUNT, type: 'AWS::SNS::Topic', ARN: TopicArn }])

  const batched = told((record) => record['eventName'] === 'PublishBatch')
  assert.equal(batched['requestID'], batch.$metadata.requestId)
  assert.deepEqual(batched['requestParameters'], {
    topicArn: TopicArn,
    publishBatchRequestEntries: [
      { id: 'one', message: HIDDEN },
      { id: 'two', message: HIDDEN, subject: HIDDEN },
    ],
  })
  assert.deepEqual(batched['responseElements'], {
    successful: batch.Successful?.map(({ Id, MessageId }) => ({ id: Id, messageId: MessageId })),
    failed: [],
  })

  const notFound = told((record) => record['errorCode'] === 'NotFound')
  assert.equal(notFound['errorMessage'], 'Topic does not exist')
  assert.deepEqual(notFound['requestParameters'], { topicArn: unknown, message: HIDDEN })
  assert.equal(notFound['responseElements'], null)

  const refused = told((record) => record['errorCode'] === 'AccessDenied')
  assert.equal(
    refused['errorMessage'],
    `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: SNS:Publish on resource: ${denied} ` +
      'with an explicit deny in a resource-based policy',
  )
  assert.deepEqual([refused['requestParameters'], refused['responseElements']], [null, null])
})

test('a wrong signature is no event of a trail, and found by a query as an event of our own kind', async () => {
  const { code, output } = await runCommand([
    'query',
    '--data',
    data,
    '--json',
    `SELECT event_class, eventname, errorcode, eventtype, eventcategory, requestparameters,
       useridentity.type AS type, useridentity.accesskeyid AS key
     FROM events WHERE errorcode = 'SignatureDoesNotMatch'`,
  ])
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(output), {
    event_class: 'own',
    eventname: 'Publish',
    errorcode: 'SignatureDoesNotMatch',
    eventtype: 'SealcastSignatureFailure',
    eventcategory: 'Sealcast',
    requestparameters: null,
    type: 'Unknown',
    key: ROOT_KEY.accessKeyId,
  })
})

test('the record that SQL shows is the record of the log file, byte for byte', async () => {
  const files = await readFiles()
  const { output } = await runCommand([
    'query',
    '--data',
    data,
    '--json',
    `SELECT eventjson FROM events WHERE eventcategory = 'Data' AND eventsource = 'sns.amazonaws.com'`,
  ])
  const rows = output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { eventjson: string }).eventjson)
  assert.equal(rows.length, 4)
  for (const row of rows)
    assert.ok(
      files.some(({ text }) => text.includes(row)),
      row,
    )
})

test('the trail tells its state, stops, and is deleted', async () => {
  const status = await cloudtrail.getTrailStatus({ Name: 'publishes' })
  assert.equal(status.IsLogging, true)
  assert.equal(status.LatestDeliveryError, undefined)
  assert.ok(status.LatestDeliveryTime instanceof Date)
  const { trailList } = await cloudtrail.describeTrails({})
  assert.deepEqual(
    trailList?.map(({ Name, S3BucketName, HomeRegion }) => [Name, S3BucketName, HomeRegion]),
    [['publishes', BUCKET, 'us-east-1']],
  )
  await cloudtrail.stopLogging({ Name: 'publishes' })
  assert.equal((await cloudtrail.getTrailStatus({ Name: 'publishes' })).IsLogging, false)
  await cloudtrail.deleteTrail({ Name: 'publishes' })
  await assert.rejects(cloudtrail.startLogging({ Name: 'publishes' }), {
    name: 'TrailNotFoundException',
    message: `Unknown trail: arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/publishes for the user: ${ACCOUNT}`,
  })
})
