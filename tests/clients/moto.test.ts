// needs: moto
// Topics that deliver to a Lambda, a Firehose and an SQS of somebody else's making: moto's, unchanged.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from '../file-server.ts'
import { clientConfig, runCommand } from '../server.ts'
import { until } from '../until.ts'
import { outputOf, startProgram } from './shell.ts'

const ACCOUNT = '123456789012'
const KEY_ID = 'AKIAEXAMPLE'
const SECRET = 'a-secret'
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const key = (service: string) => ({
  [`SEALCAST_${service}_ACCESS_KEY_ID`]: KEY_ID,
  [`SEALCAST_${service}_SECRET_ACCESS_KEY`]: SECRET,
})
const settings = {
  'lambda.provider': 'endpoint',
  'lambda.endpoint': url,
  'firehose.provider': 'endpoint',
  'firehose.endpoint': url,
  'sqs.remoteEndpoint': url,
  'regions.names': 'us-east-1',
}
const { server, data, folder } = await startFileServer({
  words: Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
  environment: { SEALCAST_ACCOUNT_ID: ACCOUNT, ...key('LAMBDA'), ...key('FIREHOSE'), ...key('SQS_REMOTE') },
})
const moto = startProgram('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { folder })
const sns = new SNS(clientConfig(server.url))
after(() => moto.end())

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port: found } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return found
}

async function peer<Answer>(what: 'make' | 'messages' | 'records'): Promise<Answer> {
  return JSON.parse(await outputOf('python3', [join(import.meta.dirname, 'moto_peer.py'), url, what], { folder })) as Answer
}

async function attemptAt(messageId: string | undefined): Promise<Record<string, unknown>> {
  return until('an attempt', async () => {
    const { output } = await runCommand(['deliveries', messageId ?? '', '--data', data, '--json'])
    return output === '' ? undefined : (JSON.parse(output.split('\n')[0] ?? '') as Record<string, unknown>)
  })
}

await until('moto', async () => {
  // No function is really run: that would want containers.
  const given = { method: 'POST', body: JSON.stringify({ lambda: { use_docker: false } }) }
  const answer = await fetch(`${url}/moto-api/config`, { ...given, headers: { 'content-type': 'application/json' } }).catch(() => undefined)
  return answer?.ok === true ? true : undefined
})
const made = await peer<Record<'function' | 'queue' | 'role' | 'stream', string>>('make')

test('a function is invoked', async () => {
  const { TopicArn } = await sns.createTopic({ Name: 'functions' })
  await sns.subscribe({ TopicArn, Protocol: 'lambda', Endpoint: made.function })
  const { MessageId } = await sns.publish({ TopicArn, Message: 'hi' })
  const { outcome, status, protocol } = await attemptAt(MessageId)
  assert.deepEqual([outcome, status, protocol], ['delivered', 202, 'lambda'])
})

test('streams and queues that are not there are final', async () => {
  for (const [protocol, Endpoint, reason] of [
    ['firehose', `${made.stream}-not`, /^firehose answered 400 ResourceNotFoundException$/],
    ['sqs', made.queue.replace('orders', 'not').replace('.fifo', ''), /^sqs answered 400 (QueueDoesNotExist|[\w.]+NonExistentQueue)$/],
  ] as const) {
    const { TopicArn } = await sns.createTopic({ Name: `no-${protocol}` })
    const Attributes: Record<string, string> = protocol === 'firehose' ? { SubscriptionRoleArn: made.role } : {}
    await sns.subscribe({ TopicArn, Protocol: protocol, Endpoint, Attributes })
    const refused = await attemptAt((await sns.publish({ TopicArn, Message: 'hi' })).MessageId)
    assert.equal(refused['outcome'], 'refused')
    assert.match(String(refused['reason']), reason)
  }
})

test('a delivery stream writes lines into its bucket', async () => {
  const { TopicArn } = await sns.createTopic({ Name: 'streams' })
  const Attributes = { SubscriptionRoleArn: made.role }
  await sns.subscribe({ TopicArn, Protocol: 'firehose', Endpoint: made.stream, Attributes })
  const sent = [await sns.publish({ TopicArn, Message: 'one' }), await sns.publish({ TopicArn, Message: 'two' })]
  const lines = await until('both records', async () => {
    const all = (await peer<string[]>('records')).join('').split('\n').slice(0, -1)
    return all.length === 2 ? all : undefined
  })
  const ids = lines.map((line) => (JSON.parse(line) as { MessageId: string }).MessageId)
  assert.deepEqual(new Set(ids), new Set(sent.map(({ MessageId }) => MessageId)))
})

test('a FIFO queue gets what a FIFO topic has, with group and id, once', async () => {
  const { TopicArn } = await sns.createTopic({ Name: 'orders.fifo', Attributes: { FifoTopic: 'true' } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: made.queue, Attributes: { RawMessageDelivery: 'true' } })
  for (const body of ['a1', 'a2', 'a2', 'a3'])
    await sns.publish({ TopicArn, Message: body, MessageGroupId: 'a', MessageDeduplicationId: `id-${body}` })
  const arrived: string[][] = []
  await until('all three', async () => {
    arrived.push(...(await peer<string[][]>('messages')))
    return arrived.length >= 3 ? true : undefined
  })
  assert.deepEqual(
    arrived,
    ['a1', 'a2', 'a3'].map((body) => ['a', `id-${body}`, body]),
  )
})
