// A fuzz target: whole SQS requests in both protocols, from the bytes of their bodies through every operation to the bytes of the answer,
// over queues that hold messages. Whatever is sent, the answer is one that SQS gives, and never a failure of the server's own.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import { startVisibility } from '../src/engine/visibility.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { MessageMoveRuns } from '../src/services/sqs/message-move-runs.ts'
import { sqsModel } from '../src/services/sqs/model.ts'
import type { HttpResponse } from '../src/wire/answer.ts'
import { createDoor } from '../src/wire/door.ts'
import type { FuzzTarget } from '../src/wire/fuzz.ts'
import type { HttpRequest } from '../src/wire/http.ts'
import { ACCOUNT, createHarness, REGION } from './harness.ts'

/** So many inputs to one world; then it begins anew, with the same handles. */
const INPUTS_PER_WORLD = 400
/** Longer than the longest wait of a receive. */
const SECONDS_MAX = 25
const TURNS = 12
const HOST = 'sealcast.test:4566'
const ARN = `arn:aws:sqs:${REGION}:${ACCOUNT}:`

interface FuzzWorld {
  readonly seeds: readonly Buffer[]
  answer(request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

export interface SqsTarget {
  readonly target: FuzzTarget
  /** Which operations and protocols have been served, not refused. */
  readonly served: ReadonlySet<string>
  close(): Promise<void>
}

export async function createSqsTarget(): Promise<SqsTarget> {
  let world = await openWorld()
  let inputs = 0
  const served = new Set<string>()
  return {
    served,
    target: {
      name: 'SQS',
      seeds: world.seeds,
      async run(input) {
        if (++inputs % INPUTS_PER_WORLD === 0) {
          await world.close()
          world = await openWorld()
        }
        const { status, body } = await world.answer(requestOf(input))
        const text = body.toString()
        assert.ok(status >= 200 && status < 500, `status ${status}: ${text}`)
        assert.ok(!text.includes('\n    at '), `a stack trace: ${text}`)
        if (!text.startsWith('<')) JSON.parse(text === '' ? '{}' : text)
        if (status === 200) served.add(input.toString('latin1', 0, 60).replace(/^(json \w+|query\nAction=\w+).*/s, '$1'))
      },
    },
    close: () => world.close(),
  }
}

async function openWorld(): Promise<FuzzWorld> {
  const harness = await createHarness(() => ({ sqs: createSqs({ notifications: () => Promise.resolve('') }) }))
  const visibility = startVisibility(harness.env)
  const moves = new MessageMoveRuns(harness.env, () => undefined)
  const door = createDoor({
    services: { sqs: { model: sqsModel } },
    invoke: (call) => harness.invoke({ ...call, signature: undefined, principal: rootPrincipal(ACCOUNT, 'AKIATEST') }),
    internal: () => ({ status: 404, headers: {}, body: '' }),
    clock: harness.clock,
    random: seededRandom(1),
    log: silentLog,
    fallbackRegion: REGION,
  })
  const handles = await fill((operation, input) => harness.call('sqs', operation, input))
  return {
    seeds: seedsOf(handles),
    async answer(request) {
      const answer = Promise.resolve(door.handler({ ...request, arrivedAt: harness.clock.now() }))
      let isOver = false
      answer.then(
        () => (isOver = true),
        () => (isOver = true),
      )
      for (let seconds = 0; !isOver; seconds++) {
        for (let turns = 0; turns < TURNS && !isOver; turns++) await turn()
        if (isOver) break
        assert.ok(seconds < SECONDS_MAX, 'no answer comes')
        harness.clock.advance(1000)
      }
      return answer
    },
    async close() {
      visibility.stop()
      await moves.stop()
      await harness.close()
    },
  }
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

function requestOf(input: Buffer): HttpRequest {
  const end = input.indexOf('\n')
  const [protocol = '', operation = ''] = input.toString('latin1', 0, end === -1 ? input.length : end).split(' ')
  const headers: Record<string, string> =
    protocol === 'query'
      ? { host: HOST, 'content-type': 'application/x-www-form-urlencoded' }
      : { host: HOST, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}`, 'x-amzn-query-mode': 'true' }
  return {
    method: 'POST',
    path: `/${ACCOUNT}/plain`,
    query: '',
    headers,
    remoteAddress: '127.0.0.1',
    tls: undefined,
    arrivedAt: 0,
    body: input.subarray(end + 1),
    stream: undefined,
  }
}
