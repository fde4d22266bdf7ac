// needs: aws
// The AWS CLI, unchanged, on queues: redrive into a dead-letter queue, and back by a move task, as an operator does it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { untilTrue } from '../until.ts'
import { awsAnswer } from './shell.ts'

const { server, folder } = await startFileServer()

interface Message {
  readonly Body: string
  readonly ReceiptHandle: string
  readonly Attributes?: Readonly<Record<string, string>>
}

/** Quirk: version 1 of the CLI does not look at AWS_ENDPOINT_URL for SQS. */
function sqs<T = Record<string, string>>(...words: string[]): Promise<T> {
  const options = { folder, environment: awsEnvironment(server.url) }
  return awsAnswer(['sqs', '--endpoint-url', server.url, ...words], options) as Promise<T>
}

const receive = (url: string, ...more: string[]): Promise<readonly Message[]> =>
  sqs<{ Messages?: readonly Message[] }>('receive-message', '--queue-url', url, '--max-number-of-messages', '10', ...more).then(
    ({ Messages = [] }) => Messages,
  )

test('the AWS CLI: a FIFO queue, dead letters, and back to where they came from by a move task', async () => {
  const { QueueUrl: dead = '' } = await sqs('create-queue', '--queue-name', 'dead.fifo', '--attributes', 'FifoQueue=true')
  const deadArn = 'arn:aws:sqs:us-east-1:000000000000:dead.fifo'
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 1 })
  const attributes = JSON.stringify({ FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '0', RedrivePolicy })
  const { QueueUrl: url = '' } = await sqs('create-queue', '--queue-name', 'orders.fifo', '--attributes', attributes)
  const entries = ['first', 'second', 'third'].map((MessageBody, at) => ({ Id: String(at), MessageBody, MessageGroupId: 'g' }))
  const sent = await sqs<{ Successful: readonly object[] }>('send-message-batch', '--queue-url', url, '--entries', JSON.stringify(entries))
  assert.equal(sent.Successful.length, 3)

  // Received once and not deleted; the next receive finds them received too often.
  assert.equal((await receive(url)).length, 3)
  assert.deepEqual(await receive(url), [])
  const letters = await receive(dead, '--attribute-names', 'All', '--visibility-timeout', '0')
  assert.deepEqual(
    letters.map(({ Body, Attributes }) => [Body, Attributes?.['DeadLetterQueueSourceArn']]),
    ['first', 'second', 'third'].map((body) => [body, 'arn:aws:sqs:us-east-1:000000000000:orders.fifo']),
  )

  await sqs('start-message-move-task', '--source-arn', deadArn)
  await untilTrue('the end of the move task', async () => {
    const { Results } = await sqs<{ Results: readonly Record<string, unknown>[] }>('list-message-move-tasks', '--source-arn', deadArn)
    return Results[0]?.['Status'] === 'COMPLETED' && Results[0]['ApproximateNumberOfMessagesMoved'] === 3
  })
  await sqs('set-queue-attributes', '--queue-url', url, '--attributes', 'VisibilityTimeout=30')
  const back = await receive(url, '--attribute-names', 'ApproximateReceiveCount')
  assert.deepEqual(
    back.map(({ Body, Attributes }) => [Body, Attributes?.['ApproximateReceiveCount']]),
    ['first', 'second', 'third'].map((body) => [body, '1']),
  )
  const ReceiptHandle = back[0]?.ReceiptHandle ?? ''
  await sqs('change-message-visibility', '--queue-url', url, '--receipt-handle', ReceiptHandle, '--visibility-timeout', '60')
  await sqs('delete-message', '--queue-url', url, '--receipt-handle', ReceiptHandle)
  const counts = await sqs<{ Attributes: object }>(
    'get-queue-attributes',
    '--queue-url',
    url,
    '--attribute-names',
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
  )
  assert.deepEqual(counts.Attributes, { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '2' })
  await sqs('purge-queue', '--queue-url', url)
})
