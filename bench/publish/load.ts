// The load: a process of its own that sends requests prepared beforehand over kept connections, each with one request in flight, and
// notes how long each answer took. Reads one job as JSON from standard input, writes one result to standard output.
import { readFileSync } from 'node:fs'
import { type Socket, connect } from 'node:net'

export interface Job {
  readonly port: number
  readonly inFlight: number
  /** A file of requests: u32 length, bytes, and so on. */
  readonly requestsFile: string
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

const HEAD_END = Buffer.from('\r\n\r\n')

async function main(): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  const job = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Job
  const requests = readRequests(job.requestsFile)
  await run(job, requests, job.warmUp)
  process.stdout.write(`${JSON.stringify({ warm: true })}\n`)
  await new Promise<void>((resolve) => setTimeout(resolve, 100))
  process.stdout.write(`${JSON.stringify(await run(job, requests, job.requests))}\n`)
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

async function run({ port, inFlight }: Job, requests: readonly Buffer[], total: number): Promise<Result> {
  const times = new Float64Array(total)
  let sent = 0
  let failures = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, () =>
      converse(port, {
        next: () => (sent < total ? { at: sent, request: requests[sent++ % requests.length] } : undefined),
        done(at, milliseconds, ok) {
          times[at] = milliseconds
          if (!ok) failures++
        },
      }),
    ),
  )
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

interface Turn {
  next(): { readonly at: number; readonly request: Buffer | undefined } | undefined
  done(at: number, milliseconds: number, ok: boolean): void
}

/** One connection: a request, its answer, the next. */
function converse(port: number, turn: Turn): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let current: { at: number; since: number } | undefined
    let pending: Buffer | undefined
    const send = (): void => {
      const next = turn.next()
      if (next === undefined || next.request === undefined) {
        socket.end()
        resolve()
        return
      }
      current = { at: next.at, since: performance.now() }
      socket.write(next.request)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      const bytes: Buffer = pending === undefined ? chunk : Buffer.concat([pending, chunk])
      pending = bytes
      const end = bytes.indexOf(HEAD_END)
      if (end === -1) return
      const head = bytes.toString('latin1', 0, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (bytes.length < end + HEAD_END.length + length || current === undefined) return
      turn.done(current.at, performance.now() - current.since, head.startsWith('HTTP/1.1 200'))
      pending = undefined
      send()
    })
  })
}

await main()
