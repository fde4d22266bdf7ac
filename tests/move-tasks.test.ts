// A message move task through SIGKILL: a real server dies in the middle and starts again; each message is moved exactly once.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SQS } from '@aws-sdk/client-sqs'
import { clientConfig, startTestServer, temporaryFolder } from './server.ts'
import { untilTrue } from './until.ts'

const MESSAGES = 80
/** So slow that the task is still under way when a busy machine has killed the server and started it again. */
const RATE = 20

const folder = temporaryFolder()
after(() => folder.remove())

test('a move task that a SIGKILL interrupts goes on by itself and moves each message once', async () => {
  const first = await startTestServer({ data: folder.path })
  after(() => first.child.kill('SIGKILL'))
  let sqs = new SQS(clientConfig(first.url))
  const { QueueUrl: dead = '' } = await sqs.createQueue({ QueueName: 'dead' })
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: dead, AttributeNames: ['QueueArn'] })
  const SourceArn = Attributes?.['QueueArn'] ?? ''
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 })
  const { QueueUrl: source = '' } = await sqs.createQueue({ QueueName: 'source', Attributes: { RedrivePolicy } })
  for (let sent = 0; sent < MESSAGES; sent += 10)
    await sqs.sendMessageBatch({
      QueueUrl: source,
      Entries: Array.from({ length: 10 }, (_, at) => ({ Id: String(at), MessageBody: `message ${sent + at}` })),
    })
  const countOf = async (QueueUrl: string): Promise<number> => {
    const read = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
    return Number(read.Attributes?.['ApproximateNumberOfMessages'])
  }
  while ((await countOf(dead)) < MESSAGES) await sqs.receiveMessage({ QueueUrl: source, MaxNumberOfMessages: 10, VisibilityTimeout: 0 })

  await sqs.startMessageMoveTask({ SourceArn, MaxNumberOfMessagesPerSecond: RATE })
  const task = async () => (await sqs.listMessageMoveTasks({ SourceArn })).Results?.[0]
  await untilTrue('some are moved', async () => ((await task())?.ApproximateNumberOfMessagesMoved ?? 0) >= MESSAGES / 8)
  await first.kill()

  const second = await startTestServer({ data: folder.path })
  try {
    sqs = new SQS(clientConfig(second.url))
    assert.equal((await task())?.Status, 'RUNNING')
    await untilTrue('all are moved', async () => (await task())?.Status === 'COMPLETED')
    assert.equal((await task())?.ApproximateNumberOfMessagesMoved, MESSAGES)
    assert.equal(await countOf(dead), 0)
    const bodies: string[] = []
    for (let isEmpty = false; !isEmpty;) {
      const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: source, MaxNumberOfMessages: 10 })
      bodies.push(...Messages.map(({ Body = '' }) => Body))
      isEmpty = Messages.length === 0
    }
    assert.deepEqual(bodies.toSorted(), Array.from({ length: MESSAGES }, (_, at) => `message ${at}`).toSorted())
  } finally {
    await second.kill()
  }
})
