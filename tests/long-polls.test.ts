// Long polls over sockets: soon answered, cheap while they wait, ended by a client that goes and by a server that stops.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { clientConfig } from './server.ts'

const { server } = await startFileServer()
const sqs = new SQS(clientConfig(server.url))

const create = async (QueueName: string): Promise<string> => (await sqs.createQueue({ QueueName })).QueueUrl ?? ''
/** Until what was sent before has surely arrived. */
const settle = async (QueueUrl: string): Promise<void> => {
  for (let round = 0; round < 10; round++) await sqs.getQueueAttributes({ QueueUrl })
}

test('a message goes to who is there, not to a poll whose client has gone', async () => {
  const QueueUrl = await create('gone')
  const aborting = new AbortController()
  const gone = assert.rejects(sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 }, { abortSignal: aborting.signal }), {
    name: 'AbortError',
  })
  await settle(QueueUrl)
  aborting.abort()
  await gone
  await settle(QueueUrl)
  await sqs.sendMessage({ QueueUrl, MessageBody: 'x' })
  assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages?.[0]?.Body, 'x')
})

test('many polls on many queues each get their own message', async () => {
  const queues = await Promise.all(Array.from({ length: 20 }, (_, at) => create(`many-${at}`)))
  const polls = queues.map((QueueUrl) => sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 }))
  await Promise.all(queues.map(settle))
  await Promise.all(queues.toReversed().map((QueueUrl) => sqs.sendMessage({ QueueUrl, MessageBody: QueueUrl })))
  assert.deepEqual(
    (await Promise.all(polls)).map(({ Messages }) => Messages?.map(({ Body }) => Body)),
    queues.map((url) => [url]),
  )
})

test('a server that stops answers who waits, empty', async () => {
  const QueueUrl = await create('stopped')
  const poll = sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 })
  await settle(QueueUrl)
  const started = performance.now()
  const [answer] = await Promise.all([poll, server.stop()])
  assert.equal(answer.Messages, undefined)
  assert.ok(performance.now() - started < 10_000, 'nobody had to be cut off')
})
