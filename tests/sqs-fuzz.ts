// Whole SQS requests in both protocols, over queues that hold messages.
import { startVisibility } from '../src/engine/visibility.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { MessageMoveRuns } from '../src/services/sqs/message-move-runs.ts'
import { sqsModel } from '../src/services/sqs/model.ts'
import type { HttpRequest } from '../src/wire/http.ts'
import { ACCOUNT, createHarness, REGION } from './harness.ts'
import { type FuzzedService, HOST } from './service-fuzz.ts'

const ARN = `arn:aws:sqs:${REGION}:${ACCOUNT}:`

export const FUZZED_SQS: FuzzedService = {
  name: 'sqs',
  model: sqsModel,
  async open() {
    const harness = await createHarness(() => ({ sqs: createSqs({ notifications: () => Promise.resolve('') }) }))
    const visibility = startVisibility(harness.env)
    const moves = new MessageMoveRuns(harness.env, () => undefined)
    const handles = await fill((operation, input) => harness.call('sqs', operation, input))
    return {
      harness,
      seeds: seedsOf(handles),
      async close() {
        visibility.stop()
        await moves.stop()
        await harness.close()
      },
    }
  },
  requestOf,
  nameOf: (input) => input.toString('latin1', 0, 60).replace(/^(json \w+|query\nAction=\w+).*/s, '$1'),
}

interface Handles {
  readonly plain: string
  readonly fifo: string
  readonly task: string
}

/** Queues of each kind with messages that wait, are in flight and are dead; a move task under way. */
async function fill(call: (operation: string, input: object) => Promise<Record<string, unknown>>): Promise<Handles> {
  const url = (name: string): string => `http://${HOST}/${ACCOUNT}/${name}`
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `${ARN}dead`, maxReceiveCount: 1 })
  await call('CreateQueue', { QueueName: 'dead' })
  await call('CreateQueue', { QueueName: 'plain', Attributes: { RedrivePolicy } })
  await call('CreateQueue', { QueueName: 'line.fifo', Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true' } })
  for (let number = 0; number < 9; number++) {
    await call('SendMessage', { QueueUrl: url('plain'), MessageBody: `message ${number}` })
    await call('SendMessage', { QueueUrl: url('line.fifo'), MessageBody: `message ${number}`, MessageGroupId: `group-${number % 2}` })
  }
  const receive = async (name: string, VisibilityTimeout: number): Promise<string> => {
    const { Messages } = (await call('ReceiveMessage', { QueueUrl: url(name), MaxNumberOfMessages: 3, VisibilityTimeout })) as {
      readonly Messages: readonly { readonly ReceiptHandle: string }[]
    }
    return Messages[0]?.ReceiptHandle ?? ''
  }
  await receive('plain', 0)
  const plain = await receive('plain', 600)
  const fifo = await receive('line.fifo', 600)
  await call('SendMessage', { QueueUrl: url('dead'), MessageBody: 'dead' })
  const task = await call('StartMessageMoveTask', { SourceArn: `${ARN}dead`, MaxNumberOfMessagesPerSecond: 1 })
  return { plain, fifo, task: String(task['TaskHandle']) }
}

/** `json OPERATION` or `query`, a line's end, the body. */
function seedsOf({ plain, fifo, task }: Handles): Buffer[] {
  const QueueUrl = `http://${HOST}/${ACCOUNT}/plain`
  const line = `http://${HOST}/${ACCOUNT}/line.fifo`
  const attribute = { a: { DataType: 'String', StringValue: 'v' }, b: { DataType: 'Binary', BinaryValue: 'AAE=' } }
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: `${ARN}plain` }] }
  const inputs: readonly (readonly [operation: string, input: object])[] = [
    ['SendMessage', { QueueUrl, MessageBody: 'b', DelaySeconds: 1, MessageAttributes: attribute, MessageGroupId: 'fair' }],
    ['SendMessage', { QueueUrl: line, MessageBody: 'b', MessageGroupId: 'g', MessageDeduplicationId: 'd' }],
    ['SendMessageBatch', { QueueUrl: line, Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: Id, MessageGroupId: 'g' })) }],
    ['ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, WaitTimeSeconds: 1, AttributeNames: ['All'] }],
    ['ReceiveMessage', { QueueUrl: line, ReceiveRequestAttemptId: 'again', MessageAttributeNames: ['a.*'], MaxNumberOfMessages: 2 }],
    ['DeleteMessage', { QueueUrl, ReceiptHandle: plain }],
    ['DeleteMessage', { QueueUrl: line, ReceiptHandle: fifo }],
    ['DeleteMessageBatch', { QueueUrl, Entries: [{ Id: 'a', ReceiptHandle: plain }] }],
    ['ChangeMessageVisibility', { QueueUrl, ReceiptHandle: plain, VisibilityTimeout: 9 }],
    ['ChangeMessageVisibilityBatch', { QueueUrl: line, Entries: [{ Id: 'a', ReceiptHandle: fifo, VisibilityTimeout: 0 }] }],
    ['CreateQueue', { QueueName: 'more.fifo', Attributes: { FifoQueue: 'true', DeduplicationScope: 'messageGroup' }, tags: { a: 'b' } }],
    ['SetQueueAttributes', { QueueUrl, Attributes: { VisibilityTimeout: '0', Policy: JSON.stringify(policy), RedriveAllowPolicy: '' } }],
    ['GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] }],
    ['AddPermission', { QueueUrl, Label: 'l', AWSAccountIds: [ACCOUNT], Actions: ['SendMessage'] }],
    ['RemovePermission', { QueueUrl, Label: 'l' }],
    ['StartMessageMoveTask', { SourceArn: `${ARN}dead`, DestinationArn: `${ARN}plain`, MaxNumberOfMessagesPerSecond: 5 }],
    ['ListMessageMoveTasks', { SourceArn: `${ARN}dead`, MaxResults: 10 }],
    ['CancelMessageMoveTask', { TaskHandle: task }],
    ['ListQueues', { QueueNamePrefix: 'p', MaxResults: 1, NextToken: 'bm8=' }],
    ['ListDeadLetterSourceQueues', { QueueUrl: `http://${HOST}/${ACCOUNT}/dead` }],
    ['TagQueue', { QueueUrl, Tags: { a: 'b' } }],
    ['PurgeQueue', { QueueUrl }],
    ['DeleteQueue', { QueueUrl }],
  ]
  return inputs.flatMap(([operation, input]) => [
    Buffer.from(`json ${operation}\n${JSON.stringify(input)}`),
    Buffer.from(`query\nAction=${operation}&Version=2012-11-05${formOf(input)}`),
  ])
}

/** As the query protocol of SQS flattens it: lists are numbered, maps are lists of names and values. */
function formOf(input: object, prefix = ''): string {
  return Object.entries(input)
    .map(([name, value]: [string, unknown]) => {
      if (Array.isArray(value))
        return value.map((item, at) => formOf({ [`${name.replace(/s$/, '')}.${at + 1}`]: item as unknown }, prefix)).join('')
      if (name === 'Attributes' || name === 'MessageAttributes')
        return Object.entries(value as object)
          .map(([key, item]: [string, unknown], at) =>
            formOf({ [`${name.slice(0, -1)}.${at + 1}.Name`]: key, [`${name.slice(0, -1)}.${at + 1}.Value`]: item }, prefix),
          )
          .join('')
      if (typeof value === 'object' && value !== null) return formOf(value, `${prefix}${name}.`)
      return `&${prefix}${name}=${encodeURIComponent(String(value))}`
    })
    .join('')
}

function requestOf(input: Buffer): Pick<HttpRequest, 'path' | 'headers' | 'body'> {
  const end = input.indexOf('\n')
  const [protocol = '', operation = ''] = input.toString('latin1', 0, end === -1 ? input.length : end).split(' ')
  const headers: Record<string, string> =
    protocol === 'query'
      ? { host: HOST, 'content-type': 'application/x-www-form-urlencoded' }
      : { host: HOST, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}`, 'x-amzn-query-mode': 'true' }
  return { path: `/${ACCOUNT}/plain`, headers, body: input.subarray(end + 1) }
}
