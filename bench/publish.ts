// Question: what does a publish cost the server, against a bare node:http server that reads the same signed bodies?
// Alternating pairs in one run; CPU of all threads and processes of the server; a round in which the load generator was the bottleneck
// is void.
// Both servers are warm before the first figure: the compiler works until some 100,000 requests have been served.
//   npm run bench [-- --json] [-- --rounds N] [-- --requests N] [-- --warm-up N] [-- --only CASE]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  BENCH_KEY,
  type BenchServer,
  ended,
  exercise,
  measurePairs,
  type OurServer,
  type Pair,
  PAIR_HEADER,
  pairLine,
  startBare,
  startOurs,
} from './load/pairs.ts'
import { memoryMb, pause } from './load/processes.ts'
import { batchBody, publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string' },
    requests: { type: 'string' },
    'warm-up': { type: 'string' },
    only: { type: 'string' },
  },
})
const ROUNDS = Number(values.rounds ?? 5)
const REQUESTS = Number(values.requests ?? 12_000)
const PREPARED = 2000
/** Memory is that of an idle server. */
const REST_MS = 1500
const WARM_UP_REQUESTS = Number(values['warm-up'] ?? 100_000)
const TEXT = 'x'.repeat(1024)
const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-'))
const requestsFile = join(folder, 'requests')

interface Case {
  readonly name: string
  readonly kind: 'publish' | 'batch'
  readonly queue: boolean
  readonly inFlight: number
  readonly requests: number
}

const CASES: readonly Case[] = [1, 32, 256].flatMap((inFlight) =>
  (['publish', 'batch'] as const).flatMap((kind) =>
    [false, true].map((queue) => ({
      name: `${kind}${queue ? '+queue' : ''}@${inFlight}`,
      kind,
      queue,
      inFlight,
      requests: Math.ceil((inFlight === 1 ? REQUESTS / 3 : REQUESTS) / (kind === 'batch' ? 3 : 1)),
    })),
  ),
)

async function main(): Promise<void> {
  const say = (line: string): void => void (values.json === true ? undefined : process.stdout.write(`${line}\n`))
  const ours = await startOurs(join(folder, 'data'))
  await pause(REST_MS)
  const idleMemoryMb = memoryMb(ours.pid)
  say(`ready after ${ours.readyMs.toFixed(0)} ms on an empty directory, ${idleMemoryMb.toFixed(0)} MiB resident when idle`)
  const bare = await startBare()
  const topics = await createTopics(ours)
  say(`warm-up: ${WARM_UP_REQUESTS} publishes to each server, then fewer of the other kinds`)
  await warmUp(ours, bare, topics)
  const results: Record<string, Pair> = {}
  say(PAIR_HEADER)
  for (const one of CASES) {
    if (values.only !== undefined && !one.name.startsWith(values.only)) continue
    const { kind, inFlight, requests } = one
    const topic = one.queue ? topics.withQueue : topics.plain
    writeRequests(requestsFile, Math.min(PREPARED, requests), { ...BENCH_KEY, host: ours.host }, (at) =>
      kind === 'publish'
        ? publishBody(topic, `${at} ${TEXT}`.slice(0, 1024))
        : batchBody(
            topic,
            Array.from({ length: 10 }, (_, part) => `${at} ${part} ${TEXT}`.slice(0, 1024)),
          ),
    )
    const job = { inFlight, requestsFile, warmUp: Math.ceil(requests / 6), requests }
    const pair = await measurePairs(one.name, { ours, bare }, job, { rounds: ROUNDS, messagesPerRequest: kind === 'batch' ? 10 : 1 })
    if (pair !== undefined) results[one.name] = pair
    say(pairLine(one.name, pair))
  }
  const delay = await eventLoopDelay(ours.url)
  if (delay !== undefined) say(`event-loop delay of the server: p99 ${delay.p99.toFixed(1)} ms, most ${delay.max.toFixed(1)} ms`)
  if (values.json === true) {
    process.stdout.write(
      `${JSON.stringify({
        publishCpuRatio32: results['publish@32']?.ratio,
        publishCpuRatio256: results['publish@256']?.ratio,
        publishQueueCpuRatio32: results['publish+queue@32']?.ratio,
        publishQueueCpuRatio256: results['publish+queue@256']?.ratio,
        batchCpuRatio32: results['batch@32']?.ratio,
        batchQueueCpuRatio32: results['batch+queue@32']?.ratio,
        publishP50Ms1: results['publish@1']?.ours.p50Ms,
        publishP99Ms32: results['publish@32']?.ours.p99Ms,
        eventLoopDelayP99Ms: delay?.p99,
        idleMemoryMb,
        readyMs: ours.readyMs,
        node: process.version,
        warmUpRequests: WARM_UP_REQUESTS,
        cases: results,
      })}\n`,
    )
  }
  await Promise.all([ended(ours), ended(bare)])
}

interface Topics {
  readonly plain: string
  readonly withQueue: string
}

async function createTopics({ url }: OurServer): Promise<Topics> {
  const [{ SNS }, { SQS }] = await Promise.all([import('@aws-sdk/client-sns'), import('@aws-sdk/client-sqs')])
  const config = { endpoint: url, region: BENCH_KEY.region, credentials: BENCH_KEY }
  const sns = new SNS(config)
  const sqs = new SQS(config)
  const plain = (await sns.createTopic({ Name: 'bench' })).TopicArn ?? ''
  const withQueue = (await sns.createTopic({ Name: 'bench-queue' })).TopicArn ?? ''
  const QueueArn = withQueue.replace(':sns:', ':sqs:')
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QueueArn }]
  await sqs.createQueue({ QueueName: 'bench-queue', Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } })
  await sns.subscribe({ TopicArn: withQueue, Protocol: 'sqs', Endpoint: QueueArn })
  sns.destroy()
  sqs.destroy()
  return { plain, withQueue }
}

/** Both servers until their code is compiled: what is compared is how they run, not how they start. */
async function warmUp(ours: OurServer, bare: BenchServer, { plain, withQueue }: Topics): Promise<void> {
  const text = (at: number): string => `${at} ${TEXT}`.slice(0, 1024)
  const batch = (at: number): string[] => new Array<string>(10).fill(text(at))
  const kinds = [
    { requests: WARM_UP_REQUESTS, body: (at: number) => publishBody(plain, text(at)) },
    { requests: WARM_UP_REQUESTS / 4, body: (at: number) => publishBody(withQueue, text(at)) },
    { requests: WARM_UP_REQUESTS / 10, body: (at: number) => batchBody(plain, batch(at)) },
    { requests: WARM_UP_REQUESTS / 20, body: (at: number) => batchBody(withQueue, batch(at)) },
  ]
  for (const { requests, body } of kinds) {
    writeRequests(requestsFile, PREPARED, { ...BENCH_KEY, host: ours.host }, body)
    for (const server of [bare, ours]) await exercise(server, { inFlight: 64, requestsFile, warmUp: 64, requests })
  }
}

async function eventLoopDelay(url: string): Promise<{ readonly p99: number; readonly max: number } | undefined> {
  const text = await (await fetch(`${url}/_sealcast/metrics`)).text()
  const value = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])
  const p99 = value('sealcast_event_loop_delay_p99_ms')
  return Number.isNaN(p99) ? undefined : { p99, max: value('sealcast_event_loop_delay_max_ms') }
}

try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
