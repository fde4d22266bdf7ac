// How soon a long poll answers: from the first byte of the send to the answer of the receive that waited for it. Alone, and beside many
// others that wait at queues of their own; what these cost while nothing comes.
import { Connection } from '../load/connection.ts'
import type { OurServer } from '../load/pairs.ts'
import { cpuSeconds, pause } from '../load/processes.ts'
import { ask, createQueues, signerOf } from './queues.ts'

export interface LongPollFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of those that wait beside it. */
  readonly pollers: number
  readonly crowdedP50Ms: number
  readonly crowdedP99Ms: number
  /** Of one core, all pollers together, while they wait. */
  readonly idleCpuPercent: number
}

const WAIT_SECONDS = 20
/** Until the receive has surely begun to wait. */
const SETTLE_MS = 5
const IDLE_MS_MAX = 3000

export async function measureLongPoll(server: OurServer, times: number, pollers: number): Promise<LongPollFigures> {
  const [queue = '', ...others] = await createQueues(server, 'poll', 1 + pollers)
  const alone = await pollTimes(server, queue, times)
  const waiting = await Promise.all(others.map((url) => startPolling(server, url)))
  await pause(SETTLE_MS * 100)
  const before = cpuSeconds(server.pid)
  const idleMs = Math.min(IDLE_MS_MAX, times * SETTLE_MS)
  await pause(idleMs)
  const idleCpuPercent = ((cpuSeconds(server.pid) - before) / (idleMs / 1000)) * 100
  const crowded = await pollTimes(server, queue, times)
  for (const connection of waiting) connection.cut()
  return {
    p50Ms: percentile(alone, 0.5),
    p99Ms: percentile(alone, 0.99),
    pollers,
    crowdedP50Ms: percentile(crowded, 0.5),
    crowdedP99Ms: percentile(crowded, 0.99),
    idleCpuPercent,
  }
}

/** Polls again and again, as a consumer with nothing to do. */
async function startPolling(server: OurServer, QueueUrl: string): Promise<Connection> {
  const connection = await Connection.open(server.port)
  const poll = (): void =>
    void ask(connection, signerOf(server), 'ReceiveMessage', { QueueUrl, WaitTimeSeconds: WAIT_SECONDS }).then(poll, () => undefined)
  poll()
  return connection
}

async function pollTimes(server: OurServer, QueueUrl: string, times: number): Promise<Float64Array> {
  const signer = signerOf(server)
  const [receiver, sender] = await Promise.all([Connection.open(server.port), Connection.open(server.port)])
  const found = new Float64Array(times)
  for (let at = 0; at < times; at++) {
    const received = ask(receiver, signer, 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: WAIT_SECONDS })
    await pause(SETTLE_MS)
    const since = performance.now()
    const sent = ask(sender, signer, 'SendMessage', { QueueUrl, MessageBody: 'x'.repeat(1024) })
    const { Messages = [] } = JSON.parse(await received) as { Messages?: { ReceiptHandle: string }[] }
    found[at] = performance.now() - since
    if (Messages.length !== 1) throw new Error(`a long poll got ${Messages.length} messages`)
    await sent
    await ask(sender, signer, 'DeleteMessage', { QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle })
  }
  receiver.end()
  sender.end()
  return found.sort()
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? 0
}
