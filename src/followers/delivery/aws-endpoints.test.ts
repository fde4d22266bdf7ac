// What functions, delivery streams and queues of other servers get, and what is told of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AwsService, failing } from '../../../tests/aws-service.ts'
import { ACCOUNT, ARNS, delivering, functionArn, MARK, OTHER, remoteArn, subscribeTo } from '../../../tests/aws-world.ts'
import { publish, putTopic, subscribe, told, topicArn } from '../../../tests/delivery-world.ts'
import { Table } from '../../model/tables.ts'

const body = (service: AwsService): Record<string, unknown> => JSON.parse(service.requests.at(-1)?.body ?? '') as Record<string, unknown>

test('a function is invoked with the event, by its name, its account where that is another, and its alias', async (t) => {
  const { here, service, run } = await delivering(t, 'lambda')
  const { subscriptionArn } = await subscribeTo(here, 'lambda')
  await publish(here, 'hi', { subject: 's', attributes: { kind: { type: 'String', value: 'a' } } })
  await run()
  const [request] = service.requests
  assert.equal(request?.path, '/2015-03-31/functions/orders/invocations')
  assert.deepEqual(
    ['x-amz-invocation-type', 'content-type', 'x-sealcast-sender'].map((name) => request.headers[name]),
    ['Event', 'application/json', MARK],
  )
  assert.deepEqual([request.service, request.region], ['lambda', 'eu-west-1'])
  const {
    Records: [record],
  } = JSON.parse(request.body) as { Records: [{ EventSubscriptionArn: string; Sns: Record<string, unknown> }] }
  assert.equal(record.EventSubscriptionArn, subscriptionArn)
  assert.deepEqual(
    [record.Sns['Message'], record.Sns['Subject'], record.Sns['MessageAttributes']],
    ['hi', 's', { kind: { Type: 'String', Value: 'a' } }],
  )
  assert.deepEqual(
    told(here).map(({ outcome, status }) => [outcome, status]),
    [['delivered', 202]],
  )

  const qualified = `arn:aws:lambda:us-east-2:${OTHER}:function:orders:live`
  await subscribeTo(here, 'lambda', {}, qualified)
  await subscribeTo(here, 'lambda', {}, `${functionArn}:$LATEST`)
  await publish(here, 'again')
  await run(4)
  assert.deepEqual(
    new Set(service.requests.slice(1).map(({ path, region }) => `${region} ${path}`)),
    new Set([
      'eu-west-1 /2015-03-31/functions/orders/invocations',
      'eu-west-1 /2015-03-31/functions/orders/invocations?Qualifier=%24LATEST',
      `us-east-2 /2015-03-31/functions/${encodeURIComponent(qualified.replace(':live', ''))}/invocations?Qualifier=live`,
    ]),
  )
})

test('a stream gets a line of JSON without a signature, or the message alone', async (t) => {
  const { here, service, run } = await delivering(t, 'firehose')
  const record = (): string => {
    const { Record } = body(service) as { Record: { Data: string } }
    return Buffer.from(Record.Data, 'base64').toString('utf8')
  }
  const { subscriptionArn } = await subscribeTo(here, 'firehose')
  const messageId = await publish(here, 'hi\nä', { attributes: { kind: { type: 'Number', value: '8' } } })
  await run()
  const [{ headers, path, service: name } = assert.fail()] = service.requests
  assert.deepEqual(
    [path, name, headers['x-amz-target'], headers['content-type']],
    ['/', 'firehose', 'Firehose_20150804.PutRecord', 'application/x-amz-json-1.1'],
  )
  assert.equal(body(service)['DeliveryStreamName'], 'orders')
  const line = record()
  assert.ok(line.endsWith('}\n') && line.indexOf('\n') === line.length - 1)
  const { Timestamp, ...members } = JSON.parse(line) as Record<string, unknown>
  assert.equal(typeof Timestamp, 'string')
  assert.deepEqual(members, {
    ...{ Type: 'Notification', MessageId: messageId, TopicArn: topicArn, Message: 'hi\nä' },
    UnsubscribeURL: `http://sealcast/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`,
    MessageAttributes: { kind: { Type: 'Number', Value: '8' } },
  })
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscriptionArn)).done
  await subscribeTo(here, 'firehose', { RawMessageDelivery: 'true' })
  await publish(here, 'as it is')
  await run(2)
  assert.equal(record(), 'as it is')
})

test('a queue of another server gets the envelope, or the message with its attributes and marks', async (t) => {
  const { here, service, run } = await delivering(t, 'sqs')
  const { subscriptionArn } = await subscribeTo(here, 'sqs')
  const attributes = {
    kind: { type: 'String.Array', value: '["a"]' },
    n: { type: 'Number', value: '8' },
    blob: { type: 'Binary', value: 'AgME' },
  }
  await publish(here, 'hi', { attributes, groupId: 'tenant', traceHeader: 'Root=1-2-3' })
  await run()
  const [{ headers } = assert.fail()] = service.requests
  assert.deepEqual([headers['x-amz-target'], headers['content-type']], ['AmazonSQS.SendMessage', 'application/x-amz-json-1.0'])
  const { MessageBody, ...others } = body(service)
  assert.equal((JSON.parse(String(MessageBody)) as Record<string, unknown>)['Message'], 'hi')
  assert.deepEqual(others, {
    QueueUrl: `${service.url}/${OTHER}/there`,
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } },
    MessageGroupId: 'tenant',
  })
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscriptionArn)).done
  await subscribeTo(here, 'sqs', { RawMessageDelivery: 'true' })
  await publish(here, 'raw', { attributes })
  await run(2)
  assert.deepEqual(body(service), {
    QueueUrl: `${service.url}/${OTHER}/there`,
    MessageBody: 'raw',
    MessageAttributes: {
      kind: { DataType: 'String.Array', StringValue: '["a"]' },
      n: { DataType: 'Number', StringValue: '8' },
      blob: { DataType: 'Binary', BinaryValue: 'AgME' },
    },
  })
})

test('what a FIFO topic sends to a FIFO queue bears group and id, to another queue neither', async (t) => {
  const { here, service, run } = await delivering(t, 'sqs')
  const fifoTopicArn = `${topicArn}.fifo`
  const marks = { topicArn: fifoTopicArn, groupId: 'g', deduplicationId: 'd' }
  for (const endpoint of [`${remoteArn}.fifo`, remoteArn])
    await subscribe(here, endpoint, {}, { protocol: 'sqs', topicArn: fifoTopicArn, subscriptionArn: `${fifoTopicArn}:${endpoint.length}` })
  await publish(here, 'hi', { ...marks, sequence: 1 })
  await run(2)
  const sent = service.requests.map((request) => JSON.parse(request.body) as Record<string, unknown>)
  assert.deepEqual(
    Object.fromEntries(
      sent.map(({ QueueUrl, MessageGroupId, MessageDeduplicationId }) => [
        String(QueueUrl).split('/').at(-1),
        [MessageGroupId, MessageDeduplicationId],
      ]),
    ),
    { there: [undefined, undefined], 'there.fifo': ['g', 'd'] },
  )
})

test('feedback attributes have status logs written with what the service said', async (t) => {
  for (const [protocol, name, response] of [
    ['lambda', 'Lambda', { lambdaRequestId: 'r-1' }],
    ['firehose', 'Firehose', { firehoseRequestId: 'r-1' }],
    ['sqs', 'SQS', { sqsRequestId: 'r-1', sqsMessageId: 'm-there' }],
  ] as const) {
    const { here, service, run } = await delivering(t, protocol)
    const role = `arn:aws:iam::${ACCOUNT}:role/feedback`
    await putTopic(here, { [`${name}SuccessFeedbackRoleArn`]: role, [`${name}FailureFeedbackRoleArn`]: role })
    await subscribeTo(here, protocol)
    await publish(here, 'hi')
    await run()
    service.answer = failing(400, 'InvalidSomething')
    await publish(here, 'hi')
    await run(2)
    const logs = told(here).map(({ statusLog = '{}', logGroup }) => {
      const { delivery, status } = JSON.parse(statusLog) as { delivery: Record<string, unknown>; status: string }
      return [logGroup, status, delivery['destination'], delivery['statusCode'], delivery['providerResponse']]
    })
    const group = `sns/us-east-1/${ACCOUNT}/orders`
    assert.deepEqual(logs, [
      [group, 'SUCCESS', ARNS[protocol], protocol === 'lambda' ? 202 : 200, JSON.stringify(response)],
      [`${group}/Failure`, 'FAILURE', ARNS[protocol], 400, `${protocol} answered 400 InvalidSomething`],
    ])
  }
})
