// Question: what does a publish cost the server, against a bare node:http server that reads the same signed bodies?
// Alternating pairs in one run; CPU of all threads and processes of the server; a round in which the load generator was the bottleneck
// is void.
// Both servers are warm before the first figure: the compiler works until some 100,000 requests have been served.
//   npm run bench [-- --json] [-- --rounds N] [-- --requests N] [-- --warm-up N] [-- --only CASE]
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Job, Result } from './publish/load.ts'
import { type Started, cpuSeconds, memoryMb, startScript, startSealcast } from './publish/processes.ts'
import { batchBody, publishBody, writeRequests } from './publish/requests.ts'

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
const WARM_UP_REQUESTS = Number(values['warm-up'] ?? 100_000)
const GENERATOR_CPU_MAX = 0.95
const KEY = { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all', region: 'us-east-1' }
const TEXT = 'x'.repeat(1024)
const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-'))
const here = (name: string): string => join(import.meta.dirname, 'publish', name)

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

interface Measured extends Result {
  readonly cpuPerRequestUs: number
}

async function main(): Promise<void> {
  const say = (line: string): void => void (values.json === true ? undefined : process.stdout.write(`${line}\n`))
  const start = await startServer()
  const idleMemoryMb = memoryMb(start.server.pid)
  say(`ready after ${start.readyMs.toFixed(0)} ms on an empty directory, ${idleMemoryMb.toFixed(0)} MiB resident when idle`)
  const bare = await startScript(here('bare-server.ts'), [])
  const barePort = Number(bare.first['port'])
  const topics = await createTopics(start)
  say(`warm-up: ${WARM_UP_REQUESTS} publishes to each server, then fewer of the other kinds`)
  await warmUp(start, barePort, topics)
  const results: Record<string, { ratio: number; ours: Measured; bare: Measured }> = {}
  say(`case                  ours us  bare us  ratio    req/s  p50 ms  p99 ms`)
  for (const one of CASES) {
    if (values.only !== undefined && !one.name.startsWith(values.only)) continue
    const file = join(folder, 'requests')
    const topic = one.queue ? topics.withQueue : topics.plain
    const body = (at: number): string =>
      one.kind === 'publish'
        ? publishBody(topic, `${at} ${TEXT}`.slice(0, 1024))
        : batchBody(
            topic,
            Array.from({ length: 10 }, (_, part) => `${at} ${part} ${TEXT}`.slice(0, 1024)),
          )
    writeRequests(file, Math.min(PREPARED, one.requests), { ...KEY, host: start.host }, body)
    const pairs: { ratio: number; ours: Measured; bare: Measured }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const plain = await measure(one, file, barePort, bare.child.pid ?? 0)
      const ours = await measure(one, file, start.port, start.server.pid)
      if (plain === undefined || ours === undefined) continue
      const messages = one.kind === 'batch' ? 10 : 1
      pairs.push({ ratio: plain.cpuPerRequestUs / (ours.cpuPerRequestUs / messages), ours, bare: plain })
    }
    const median = pairs.sort((a, b) => a.ratio - b.ratio)[Math.floor(pairs.length / 2)]
    if (median === undefined) {
      say(`${one.name.padEnd(20)} void: the load generator was the bottleneck in every round`)
      continue
    }
    results[one.name] = median
    const { ours } = median
    say(
      `${one.name.padEnd(20)} ${ours.cpuPerRequestUs.toFixed(1).padStart(8)}` +
        ` ${median.bare.cpuPerRequestUs.toFixed(1).padStart(8)} ${median.ratio.toFixed(3).padStart(6)}` +
        ` ${(ours.requests / ours.seconds).toFixed(0).padStart(8)}` +
        ` ${ours.p50Ms.toFixed(2).padStart(7)} ${ours.p99Ms.toFixed(2).padStart(7)}`,
    )
  }
  const delay = await eventLoopDelay(start.url)
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
        readyMs: start.readyMs,
        node: process.version,
        warmUpRequests: WARM_UP_REQUESTS,
        cases: results,
      })}\n`,
    )
  }
  await Promise.all([ended(start.server.child), ended(bare.child)])
}

/** SIGTERM, and until it is gone. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill()
  })
}

interface BenchServer {
  readonly server: { readonly pid: number; readonly child: ChildProcess }
  readonly port: number
  readonly host: string
  readonly url: string
  readonly readyMs: number
}

/** Our server as it is by default, on an empty directory. */
async function startServer(): Promise<BenchServer> {
  const started = performance.now()
  const { child, first }: Started = await startSealcast(join(folder, 'data'), {
    SEALCAST_ROOT_ACCESS_KEY_ID: KEY.accessKeyId,
    SEALCAST_ROOT_SECRET_ACCESS_KEY: KEY.secretAccessKey,
  })
  const readyMs = performance.now() - started
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const url = String(first['url'])
  return { server: { pid: child.pid ?? 0, child }, port: Number(new URL(url).port), host: new URL(url).host, url, readyMs }
}

interface Topics {
  readonly plain: string
  readonly withQueue: string
}

async function createTopics({ url }: BenchServer): Promise<Topics> {
  const [{ SNS }, { SQS }] = await Promise.all([import('@aws-sdk/client-sns'), import('@aws-sdk/client-sqs')])
  const config = { endpoint: url, region: KEY.region, credentials: KEY }
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
async function warmUp(start: BenchServer, barePort: number, { plain, withQueue }: Topics): Promise<void> {
  const file = join(folder, 'requests')
  const text = (at: number): string => `${at} ${TEXT}`.slice(0, 1024)
  const batch = (at: number): string[] => new Array<string>(10).fill(text(at))
  const kinds = [
    { requests: WARM_UP_REQUESTS, body: (at: number) => publishBody(plain, text(at)) },
    { requests: WARM_UP_REQUESTS / 4, body: (at: number) => publishBody(withQueue, text(at)) },
    { requests: WARM_UP_REQUESTS / 10, body: (at: number) => batchBody(plain, batch(at)) },
    { requests: WARM_UP_REQUESTS / 20, body: (at: number) => batchBody(withQueue, batch(at)) },
  ]
  for (const { requests, body } of kinds) {
    writeRequests(file, PREPARED, { ...KEY, host: start.host }, body)
    for (const port of [barePort, start.port]) {
      const { result } = await startLoad({ port, inFlight: 64, requestsFile: file, warmUp: 64, requests })
      await result
    }
  }
}

/** Undefined: void, since the load generator had no core to spare. */
async function measure(one: Case, requestsFile: string, port: number, pid: number): Promise<Measured | undefined> {
  const job: Job = { port, inFlight: one.inFlight, requestsFile, warmUp: Math.ceil(one.requests / 6), requests: one.requests }
  const load = await startLoad(job)
  const before = cpuSeconds(pid)
  const result = await load.result
  const cpu = cpuSeconds(pid) - before
  if (result.failures > 0) throw new Error(`${one.name}: ${result.failures} of ${result.requests} requests failed`)
  if (result.cpuSeconds / result.seconds > GENERATOR_CPU_MAX) return undefined
  return { ...result, cpuPerRequestUs: (cpu / result.requests) * 1e6 }
}

/** Resolves when the load is warm, with a promise of what it measures from then on. */
async function startLoad(job: Job): Promise<{ readonly result: Promise<Result> }> {
  const child = spawn(process.execPath, [here('load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(job))
  const lines = linesOf(child.stdout)
  await lines.next()
  return { result: lines.next().then(({ value }) => JSON.parse(value ?? '{}') as Result) }
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of stream) {
    text += chunk.toString('utf8')
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      yield text.slice(0, end)
      text = text.slice(end + 1)
    }
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
