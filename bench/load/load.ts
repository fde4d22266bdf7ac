// The load: a process of its own that sends requests over kept connections, each with one request in flight, and notes how long each
// answer took. The requests are prepared beforehand, but for what depends on an answer (sqs-cycle.ts).
// Reads one job as JSON from standard input, writes one result to standard output.
import { readFileSync } from 'node:fs'
import { Connection } from './connection.ts'
import { type CycleJob, createCycle } from './sqs-cycle.ts'

export interface Job {
  readonly port: number
  readonly inFlight: number
  /** A file of requests: u32 length, bytes, and so on. */
  readonly requestsFile?: string
  /** In place of a file. */
  readonly cycle?: CycleJob
  readonly warmUp: number
  readonly requests: number
}

export interface Result {
  readonly requests: number
  readonly failures: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of this process, in seconds, while it measured. */
  readonly cpuSeconds: number
}

/** What one connection says: the next request, once it knows the answer to the one before. */
export type Conversation = (answer: Buffer | undefined) => Buffer | string

async function main(): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  const job = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Job
  const converse = conversations(job)
  await run(job, converse, job.warmUp)
  process.stdout.write(`${JSON.stringify({ warm: true })}\n`)
  await new Promise<void>((resolve) => setTimeout(resolve, 100))
  process.stdout.write(`${JSON.stringify(await run(job, converse, job.requests))}\n`)
}

function conversations({ cycle, requestsFile }: Job): () => Conversation {
  if (cycle !== undefined) return createCycle(cycle)
  if (requestsFile === undefined) throw new Error('a job names its requests or a cycle')
  const requests = readRequests(requestsFile)
  let at = 0
  return () => () => requests[at++ % requests.length] as Buffer
}

function readRequests(file: string): Buffer[] {
  const bytes = readFileSync(file)
  const requests: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at)
    requests.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return requests
}

async function run({ port, inFlight }: Job, converse: () => Conversation, total: number): Promise<Result> {
  const times = new Float64Array(total)
  let sent = 0
  let failures = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  const hold = async (): Promise<void> => {
    const connection = await Connection.open(port)
    const next = converse()
    await new Promise<void>((resolve) => {
      const say = (answer: Buffer | undefined): void => {
        if (sent >= total) {
          connection.end()
          resolve()
          return
        }
        const at = sent++
        const request = next(answer)
        const since = performance.now()
        connection.send(request, (body, ok) => {
          times[at] = performance.now() - since
          if (!ok && failures++ === 0) process.stderr.write(`a request failed: ${body.toString('utf8', 0, 500)}\n`)
          say(ok ? body : undefined)
        })
      }
      say(undefined)
    })
  }
  await Promise.all(Array.from({ length: inFlight }, hold))
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  times.sort()
  return {
    requests: total,
    failures,
    seconds,
    p50Ms: times[Math.floor(total * 0.5)] ?? 0,
    p99Ms: times[Math.floor(total * 0.99)] ?? 0,
    cpuSeconds: (used.user + used.system) / 1e6,
  }
}

await main()
