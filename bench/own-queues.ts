// Question: what does a publish cost with one and with ten queues of this server behind its topic, against none? One server, the topics
// in turn in each round; CPU of all its threads. A round in which the load generator was the bottleneck is void.
//   node bin/node26.js bench/own-queues.ts [--rounds 5] [--requests 12000] [--json]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BENCH_KEY, ended, exercise, measure, medianBy, type OurServer, startOurs } from './load/pairs.ts'
import { publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, requests: { type: 'string' }, json: { type: 'boolean' } } })
const ROUNDS = Number(values.rounds ?? 5)
const REQUESTS = Number(values.requests ?? 12_000)
const WARM_UP_REQUESTS = 30_000
const PREPARED = 2000
const IN_FLIGHT = 32
const COUNTS = [0, 1, 10]
const TEXT = 'x'.repeat(1024)
const folder = mkdtempSync(join(tmpdir(), 'sealcast-own-queues-'))

const server = await startOurs(join(folder, 'data'))
try {
  const files = await Promise.all(COUNTS.map(async (count) => requestsTo(await createTopic(server, count), count)))
  for (const requestsFile of files) await exercise(server, { inFlight: IN_FLIGHT, requestsFile, warmUp: 64, requests: WARM_UP_REQUESTS })
  const rounds: number[][] = []
  for (let round = 0; round < ROUNDS; round++) {
    const costs: number[] = []
    for (const [at, requestsFile] of files.entries()) {
      const job = { inFlight: IN_FLIGHT, requestsFile, warmUp: Math.ceil(REQUESTS / 6), requests: REQUESTS }
      const measured = await measure(`${COUNTS[at] ?? 0} queues`, server, job)
      if (measured !== undefined) costs.push(measured.cpuPerRequestUs)
    }
    if (costs.length === COUNTS.length) rounds.push(costs)
  }
  const [toNone = []] = rounds
  if (toNone.length === 0) throw new Error('void: the load generator was the bottleneck in every round')
  const results = COUNTS.map((queues, at) => ({
    queues,
    cpuUs: medianBy(rounds, (costs) => costs[at] ?? 0)?.[at] ?? 0,
    ratio: ratioOf(medianBy(rounds, (costs) => ratioOf(costs, at)) ?? [], at),
  }))
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify(results)}\n`
      : results.map(({ queues, cpuUs, ratio }) => `${queues} queues: ${cpuUs.toFixed(1)} us, ${ratio.toFixed(2)} times none\n`).join(''),
  )
} finally {
  await ended(server)
  rmSync(folder, { recursive: true, force: true })
}

function ratioOf(costs: readonly number[], at: number): number {
  return (costs[at] ?? 0) / (costs[0] ?? 1)
}

function requestsTo(topicArn: string, count: number): string {
  const file = join(folder, `requests-${count}`)
  writeRequests(file, PREPARED, { ...BENCH_KEY, host: server.host }, (at) => publishBody(topicArn, `${at} ${TEXT}`.slice(0, 1024)))
  return file
}

/** A topic with so many queues behind it. */
async function createTopic({ url }: OurServer, queues: number): Promise<string> {
  const [{ SNS }, { SQS }] = await Promise.all([import('@aws-sdk/client-sns'), import('@aws-sdk/client-sqs')])
  const config = { endpoint: url, region: BENCH_KEY.region, credentials: BENCH_KEY }
  const sns = new SNS(config)
  const sqs = new SQS(config)
  const { TopicArn = '' } = await sns.createTopic({ Name: `with-${queues}` })
  for (let at = 0; at < queues; at++) {
    const QueueName = `of-${queues}-${at}`
    const Endpoint = TopicArn.replace(':sns:', ':sqs:').replace(/[^:]+$/, QueueName)
    const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Endpoint }]
    await sqs.createQueue({ QueueName, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } })
    await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint })
  }
  sns.destroy()
  sqs.destroy()
  return TopicArn
}
