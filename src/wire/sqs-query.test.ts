// SQS by its older protocol, byte for byte as AWS writes it (SQS API Reference before November 2023, "Making Query API requests").
import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceError } from '../model/service-error.ts'
import type { WireResult } from './door.ts'
import { only, recordingInvoke, testDoor, testRequest } from './test-world.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', host: 'queues.test:4566' }
const SCOPED = `AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`
const NAMESPACE = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"'

async function ask(body: string, result: WireResult = { output: {} }, more: Partial<Parameters<typeof testRequest>[0]> = {}) {
  const operation = /Action=(\w+)/.exec(`${body}&${more.query ?? ''}`)?.[1] ?? ''
  const { calls, invoke } = recordingInvoke({ [operation]: result })
  const answer = await testDoor(invoke).handler(testRequest({ headers: FORM, path: '/', body, ...more }))
  const id = String(answer.headers['x-amzn-RequestId'])
  return { ...answer, text: String(answer.body).replace(id, 'ID'), calls }
}

test('answers are declared, namespaced, and name their elements as AWS does', async () => {
  const sent = await ask('Action=SendMessage&Version=2012-11-05&QueueUrl=u&MessageBody=b', {
    output: { MessageId: 'm', MD5OfMessageBody: 'x', MD5OfMessageAttributes: 'y' },
  })
  assert.equal(sent.headers['content-type'], 'text/xml')
  assert.equal(
    sent.text,
    `<?xml version="1.0"?><SendMessageResponse ${NAMESPACE}><SendMessageResult><MD5OfMessageBody>x</MD5OfMessageBody>` +
      '<MD5OfMessageAttributes>y</MD5OfMessageAttributes><MessageId>m</MessageId></SendMessageResult>' +
      '<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></SendMessageResponse>',
  )
  const message = {
    MessageId: 'm',
    ReceiptHandle: 'h',
    MD5OfBody: 'x',
    Body: '<&>\u0001\r',
    Attributes: { SenderId: 's', SentTimestamp: '1' },
    MD5OfMessageAttributes: 'y',
    MessageAttributes: { a: { DataType: 'String', StringValue: 't' }, b: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) } },
  }
  const received = await ask('Action=ReceiveMessage&QueueUrl=u', { output: { Messages: [message] } })
  assert.equal(
    received.text,
    `<?xml version="1.0"?><ReceiveMessageResponse ${NAMESPACE}><ReceiveMessageResult><Message><MessageId>m</MessageId>` +
      '<ReceiptHandle>h</ReceiptHandle><MD5OfBody>x</MD5OfBody><Body>&lt;&amp;&gt;&#x1;&#xD;</Body>' +
      '<Attribute><Name>SenderId</Name><Value>s</Value></Attribute><Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute>' +
      '<MD5OfMessageAttributes>y</MD5OfMessageAttributes>' +
      '<MessageAttribute><Name>a</Name><Value><DataType>String</DataType><StringValue>t</StringValue></Value></MessageAttribute>' +
      '<MessageAttribute><Name>b</Name><Value><DataType>Binary</DataType><BinaryValue>AP8=</BinaryValue></Value></MessageAttribute>' +
      '</Message></ReceiveMessageResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></ReceiveMessageResponse>',
  )
  for (const [action, output, inner] of [
    ['ReceiveMessage', {}, '<ReceiveMessageResult/>'],
    ['DeleteMessage', undefined, ''],
    ['ListQueueTags', { Tags: { k: 'v' } }, '<ListQueueTagsResult><Tag><Key>k</Key><Value>v</Value></Tag></ListQueueTagsResult>'],
    ['ListQueues', { QueueUrls: ['a', 'b'] }, '<ListQueuesResult><QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl></ListQueuesResult>'],
    [
      'DeleteMessageBatch',
      { Successful: [{ Id: '1' }], Failed: [{ Id: '2', SenderFault: true, Code: 'c', Message: 'm' }] },
      '<DeleteMessageBatchResult><DeleteMessageBatchResultEntry><Id>1</Id></DeleteMessageBatchResultEntry>' +
        '' +
        '<BatchResultErrorEntry><Id>2</Id><SenderFault>true</SenderFault><Code>c</Code><Message>m</Message>' +
        '</BatchResultErrorEntry></DeleteMessageBatchResult>',
    ],
  ] as const)
    assert.equal(
      (await ask(`Action=${action}&QueueUrl=u&ReceiptHandle=h`, { output })).text,
      `<?xml version="1.0"?><${action}Response ${NAMESPACE}>${inner}` +
        `<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></${action}Response>`,
    )
})

test('errors have a type, the code of this protocol, a message and an empty detail', async () => {
  const gone = new ServiceError('AWS.SimpleQueueService.NonExistentQueue', 400, 'The specified queue does not exist.', {
    shape: 'QueueDoesNotExist',
  })
  const refused = await ask('Action=GetQueueUrl&Version=2012-11-05&QueueName=q', { error: gone })
  assert.equal(refused.status, 400)
  assert.equal(
    refused.text,
    `<?xml version="1.0"?><ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>` +
      '<Message>The specified queue does not exist.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>',
  )
  const unknown = await ask('Action=Fly&Version=2012-11-05', undefined, {
    headers: { ...FORM, authorization: SCOPED, 'x-amz-date': '20260102T030405Z' },
  })
  assert.match(unknown.text, /<Code>InvalidAction<\/Code><Message>The action Fly is not valid for this endpoint.<\/Message><Detail\/>/)
  const { invoke } = recordingInvoke({ GetQueueUrl: { error: gone } })
  const headers = { host: 'h', 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.GetQueueUrl' }
  const json = await testDoor(invoke).handler(testRequest({ headers, body: '{"QueueName":"q"}' }))
  assert.equal(json.status, 400)
  assert.equal(json.headers['content-type'], 'application/x-amz-json-1.0')
  assert.equal(json.headers['x-amzn-query-error'], 'AWS.SimpleQueueService.NonExistentQueue;Sender')
  assert.deepEqual(JSON.parse(String(json.body)), {
    __type: 'com.amazonaws.sqs#QueueDoesNotExist',
    message: 'The specified queue does not exist.',
  })
})

test('the queue may be named by the address that the form goes to, by GET as well', async () => {
  for (const [method, query, body] of [
    ['POST', '', 'Action=SendMessage&Version=2012-11-05&MessageBody=a+b%26'],
    ['GET', 'Action=SendMessage&Version=2012-11-05&MessageBody=a+b%26', ''],
    ['POST', 'Action=SendMessage', 'Version=2012-11-05&MessageBody=a+b%26'],
  ] as const) {
    const { calls } = await ask(body, undefined, { method, query, path: '/000000000000/q' })
    assert.deepEqual({ ...only(calls).input }, { QueueUrl: 'http://queues.test:4566/000000000000/q', MessageBody: 'a b&' })
  }
  const { calls } = await ask('Action=DeleteQueue&QueueUrl=http%3A%2F%2Fother%2F000000000000%2Fp', undefined, { path: '/000000000000/q' })
  assert.deepEqual({ ...only(calls).input }, { QueueUrl: 'http://other/000000000000/p' })
})

test('lists and maps are numbered, or stand alone without a number', async () => {
  const inputOf = async (form: string) => ({ ...only((await ask(form)).calls).input })
  assert.deepEqual(await inputOf('Action=GetQueueAttributes&QueueUrl=u&AttributeName.2=b&AttributeName.1=a'), {
    QueueUrl: 'u',
    AttributeNames: ['a', 'b'],
  })
  assert.deepEqual(await inputOf('Action=GetQueueAttributes&QueueUrl=u&AttributeName=All'), { QueueUrl: 'u', AttributeNames: ['All'] })
  for (const form of ['Attribute.1.Name=DelaySeconds&Attribute.1.Value=3', 'Attribute.Name=DelaySeconds&Attribute.Value=3'])
    assert.deepEqual(await inputOf(`Action=SetQueueAttributes&QueueUrl=u&${form}`), { QueueUrl: 'u', Attributes: { DelaySeconds: '3' } })
  assert.deepEqual(await inputOf('Action=AddPermission&Version=2012-11-05&QueueUrl=u&Label=l&AWSAccountId=1&ActionName=*'), {
    QueueUrl: 'u',
    Label: 'l',
    AWSAccountIds: ['1'],
    Actions: ['*'],
  })
  assert.deepEqual(
    await inputOf(
      'Action=SendMessageBatch&QueueUrl=u&SendMessageBatchRequestEntry.1.Id=i' +
        '&SendMessageBatchRequestEntry.1.MessageBody=b&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n' +
        '&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String' +
        '&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=s',
    ),
    { QueueUrl: 'u', Entries: [{ Id: 'i', MessageBody: 'b', MessageAttributes: { n: { DataType: 'String', StringValue: 's' } } }] },
  )
  assert.deepEqual(await inputOf('Action=TagQueue&QueueUrl=u&Tag.1.Key=k&Tag.1.Value=v&Tag.2.Key=l&Tag.2.Value='), {
    QueueUrl: 'u',
    Tags: { k: 'v', l: '' },
  })
})
