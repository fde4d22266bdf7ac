// What waiting messages cost those that come and go: the same cycles in tens on a server whose queue is almost empty and on one where a
// million wait, in alternating pairs. In a FIFO queue all that wait are of one group, which is blocked by one message in flight.
import { join } from 'node:path'
import { Connection } from '../load/connection.ts'
import { ended, exercise, type JobParts, measure, type Measured, medianBy, type OurServer, startOurs } from '../load/pairs.ts'
import { cpuSeconds, memoryMb, pause } from '../load/processes.ts'
import { ask, createQueues, cycleJob, signerOf } from './queues.ts'

export interface DepthFigures {
  /** CPU with the messages waiting, over that without. */
  readonly cpuRatio: number
  readonly memoryMb: number
}

interface Options {
  readonly isFifo: boolean
  readonly waiting: number
  readonly rounds: number
  readonly requests: number
  readonly say: (line: string) => void
}

const IN_FLIGHT = 32
const MESSAGES = 10
const GROUPS = 1000
const BLOCKED_SECONDS = 43_200

export async function measureDepth(folder: string, { isFifo, waiting, rounds, requests, say }: Options): Promise<DepthFigures> {
  const name = isFifo ? 'fifo' : 'standard'
  const shallow = await openWorld(join(folder, `${name}-shallow`), isFifo)
  const deep = await openWorld(join(folder, `${name}-deep`), isFifo)
  const sends = Math.ceil(waiting / MESSAGES)
  await exercise(deep.server, { ...deep.fill(sends), warmUp: 0 })
  await exercise(shallow.server, { ...shallow.fill(1), warmUp: 0 })
  for (const world of [shallow, deep]) if (isFifo) await block(world)
  // As many as the other's have passed through it: both are equally compiled.
  await exercise(shallow.server, { ...shallow.job(sends + sends / 4), warmUp: 0 })
  await exercise(deep.server, { ...deep.job(sends / 4), warmUp: 0 })
  await Promise.all([settled(shallow.server), settled(deep.server)])
  const pairs: { readonly ratio: number; readonly shallow: Measured; readonly deep: Measured }[] = []
  for (let round = 0; round < rounds; round++) {
    const without = await measure('almost empty', shallow.server, shallow.job(requests))
    const withWaiting = await measure('deep', deep.server, deep.job(requests))
    if (without === undefined || withWaiting === undefined) continue
    pairs.push({ ratio: withWaiting.cpuPerRequestUs / without.cpuPerRequestUs, shallow: without, deep: withWaiting })
  }
  const deepMemoryMb = memoryMb(deep.server.pid)
  await Promise.all([ended(shallow.server), ended(deep.server)])
  const median = medianBy(pairs, ({ ratio }) => ratio)
  if (median === undefined) throw new Error('the load generator was the bottleneck in every round')
  const us = ({ cpuPerRequestUs }: Measured): string => cpuPerRequestUs.toFixed(1)
  const where = isFifo ? ' in one blocked group' : ''
  say(
    `${waiting} waiting${where}: ${us(median.deep)} us a request against ${us(median.shallow)} on an almost empty queue, ` +
      `ratio ${median.ratio.toFixed(2)}; ${deepMemoryMb.toFixed(0)} MiB resident`,
  )
  return { cpuRatio: median.ratio, memoryMb: deepMemoryMb }
}

interface World {
  readonly server: OurServer
  readonly queueUrl: string
  fill(requests: number): JobParts
  job(requests: number): JobParts
}

async function openWorld(data: string, isFifo: boolean): Promise<World> {
  const server = await startOurs(data)
  const queueUrls = await createQueues(server, 'depth', 1, isFifo ? { FifoQueue: 'true' } : {})
  const cycle = { signer: signerOf(server), queueUrls, messages: MESSAGES }
  const groups = (name: string, count: number) => (isFifo ? { groups: { name, count } } : {})
  return {
    server,
    queueUrl: queueUrls[0] ?? '',
    fill: (requests) => ({ ...cycleJob({ ...cycle, only: 'send', ...groups('blocked', 1) }, requests), inFlight: IN_FLIGHT }),
    job: (requests) => ({ ...cycleJob({ ...cycle, ...groups('open', GROUPS) }, requests), inFlight: IN_FLIGHT }),
  }
}

/** Takes one message and keeps it. */
async function block({ server, queueUrl: QueueUrl }: World): Promise<void> {
  const connection = await Connection.open(server.port)
  await ask(connection, signerOf(server), 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: BLOCKED_SECONDS })
  connection.end()
}

const LOOK_EACH_MS = 500
const SETTLED_CPU = 0.05
const SETTLED_AFTER_LOOKS_MAX = 120

/** Until what the filling left to do in the background is done. */
async function settled({ pid }: OurServer): Promise<void> {
  for (let looks = 0, quiet = 0; quiet < 3 && looks < SETTLED_AFTER_LOOKS_MAX; looks++) {
    const before = cpuSeconds(pid)
    await pause(LOOK_EACH_MS)
    quiet = (cpuSeconds(pid) - before) / (LOOK_EACH_MS / 1000) < SETTLED_CPU ? quiet + 1 : 0
  }
}
