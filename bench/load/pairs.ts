// What the benches of calls share: our server as a user starts it, the bare one beside it, and the CPU per request of each under the
// same load, in alternating pairs. A round in which the load generator was the bottleneck is void.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Job, Result } from './load.ts'
import { cpuSeconds, startScript, startSealcast } from './processes.ts'

export const BENCH_KEY = { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all', region: 'us-east-1' }
const GENERATOR_CPU_MAX = 0.95

export interface BenchServer {
  readonly pid: number
  readonly port: number
  readonly child: ChildProcess
}

export interface OurServer extends BenchServer {
  readonly host: string
  readonly url: string
  readonly readyMs: number
}

export interface Measured extends Result {
  readonly cpuPerRequestUs: number
}

export interface Pair {
  readonly ratio: number
  readonly ours: Measured
  readonly bare: Measured
}

/** Our server as it is by default but for `words`, on an empty directory. */
export async function startOurs(dataFolder: string, words: readonly string[] = []): Promise<OurServer> {
  const started = performance.now()
  const environment = { SEALCAST_ROOT_ACCESS_KEY_ID: BENCH_KEY.accessKeyId, SEALCAST_ROOT_SECRET_ACCESS_KEY: BENCH_KEY.secretAccessKey }
  const { child, first } = await startSealcast(dataFolder, environment, words)
  const readyMs = performance.now() - started
  const url = String(first['url'])
  return { pid: child.pid ?? 0, child, port: Number(new URL(url).port), host: new URL(url).host, url, readyMs }
}

/** `answersFile` as bare-server.ts reads it. */
export async function startBare(answersFile?: string): Promise<BenchServer> {
  const { child, first } = await startScript(join(import.meta.dirname, 'bare-server.ts'), answersFile === undefined ? [] : [answersFile])
  return { pid: child.pid ?? 0, child, port: Number(first['port']) }
}

/** SIGTERM, and until it is gone. */
export function ended({ child }: BenchServer): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill()
  })
}

export type JobParts = Omit<Job, 'port'>

/** Resolves when all requests are answered. */
export async function exercise({ port }: BenchServer, job: JobParts): Promise<void> {
  await (
    await startLoad({ ...job, port })
  ).result
}

/** Undefined: void, since the load generator had no core to spare. */
export async function measure(name: string, { pid, port }: BenchServer, job: JobParts): Promise<Measured | undefined> {
  const load = await startLoad({ ...job, port })
  const before = cpuSeconds(pid)
  const result = allGood(name, await load.result)
  const cpu = cpuSeconds(pid) - before
  if (result.cpuSeconds / result.seconds > GENERATOR_CPU_MAX) return undefined
  return { ...result, cpuPerRequestUs: (cpu / result.requests) * 1e6 }
}

/**
 * The median pair by its ratio: CPU of a request to the bare server, over that of a message to ours, of which a request brings
 * `messagesPerRequest`. Undefined when every round was void.
 */
export async function measurePairs(
  name: string,
  servers: { readonly ours: BenchServer; readonly bare: BenchServer },
  job: JobParts,
  options: { readonly rounds: number; readonly messagesPerRequest: number },
): Promise<Pair | undefined> {
  const pairs: Pair[] = []
  for (let round = 0; round < options.rounds; round++) {
    const bare = await measure(name, servers.bare, job)
    const ours = await measure(name, servers.ours, job)
    if (bare === undefined || ours === undefined) continue
    pairs.push({ ratio: bare.cpuPerRequestUs / (ours.cpuPerRequestUs / options.messagesPerRequest), ours, bare })
  }
  return medianBy(pairs, ({ ratio }) => ratio)
}

export function medianBy<T>(values: readonly T[], by: (value: T) => number): T | undefined {
  return values.toSorted((a, b) => by(a) - by(b))[Math.floor(values.length / 2)]
}

/** Undefined: every round was void. */
export function pairLine(name: string, pair: Pair | undefined): string {
  if (pair === undefined) return `${name.padEnd(20)} void: the load generator was the bottleneck in every round`
  const { ratio, ours, bare } = pair
  return (
    `${name.padEnd(20)} ${ours.cpuPerRequestUs.toFixed(1).padStart(8)} ${bare.cpuPerRequestUs.toFixed(1).padStart(8)}` +
    ` ${ratio.toFixed(3).padStart(6)} ${(ours.requests / ours.seconds).toFixed(0).padStart(8)}` +
    ` ${ours.p50Ms.toFixed(2).padStart(7)} ${ours.p99Ms.toFixed(2).padStart(7)}`
  )
}

export const PAIR_HEADER = `case                  ours us  bare us  ratio    req/s  p50 ms  p99 ms`

/** What a load measures of which every request has to succeed. */
export async function runLoad(name: string, job: Job): Promise<Result> {
  return allGood(name, await (await startLoad(job)).result)
}

function allGood(name: string, result: Result): Result {
  if (result.failures > 0) throw new Error(`${name}: ${result.failures} of ${result.requests} requests failed`)
  return result
}

/** Resolves when the load is warm, with a promise of what it measures from then on. */
async function startLoad(job: Job): Promise<{ readonly result: Promise<Result> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(job))
  const lines = linesOf(child.stdout)
  await lines.next()
  return {
    result: lines.next().then(({ value }) => {
      if (value === undefined) throw new Error('the load ended before it had a result')
      return JSON.parse(value) as Result
    }),
  }
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
