// Question: what do messages cost that go through a queue, against a bare node:http server that reads the same signed bodies? And does it
// stay so with a million messages waiting, and with ten thousand queues? How soon does a long poll answer?
// CPU of all threads and processes, in alternating pairs as in publish.ts; bodies of 1 KiB.
//   node bin/node26.js bench/sqs.ts [--json] [--rounds N] [--requests N] [--warm-up N] [--waiting N] [--queues N] [--only CASE]
// Cases: send, batch, tens, singles, queues, poll, deep, fifo.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ended, exercise, type JobParts, measurePairs, type Pair, PAIR_HEADER, pairLine, startOurs } from './load/pairs.ts'
import { CYCLE_REQUESTS } from './load/sqs-cycle.ts'
import { measureDepth } from './sqs/depth.ts'
import { measureLongPoll } from './sqs/long-poll.ts'
import { createQueues, cycleJob, signerOf, startBareSqs, TEXT_BYTES } from './sqs/queues.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string' },
    requests: { type: 'string' },
    'warm-up': { type: 'string' },
    waiting: { type: 'string' },
    queues: { type: 'string' },
    only: { type: 'string' },
  },
})
const ROUNDS = Number(values.rounds ?? 5)
const REQUESTS = Number(values.requests ?? 12_000)
const WARM_UP_REQUESTS = Number(values['warm-up'] ?? 60_000)
const WAITING = Number(values.waiting ?? 1_000_000)
const QUEUES = Number(values.queues ?? 10_000)
const IN_FLIGHT = 32
const POLLERS = 1000
const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-'))

interface Case {
  readonly name: string
  readonly messages: 1 | 10
  readonly only?: 'send'
  readonly queues: number
}

const CASES: readonly Case[] = [
  { name: 'send', messages: 1, only: 'send', queues: 1 },
  { name: 'batch', messages: 10, only: 'send', queues: 1 },
  { name: 'tens', messages: 10, queues: 1 },
  { name: 'singles', messages: 1, queues: 1 },
  { name: 'queues', messages: 10, queues: QUEUES },
]

async function main(): Promise<void> {
  const say = (line: string): void => void (values.json === true ? undefined : process.stdout.write(`${line}\n`))
  const isWanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name)
  const ours = await startOurs(join(folder, 'data'))
  const wanted = CASES.filter(({ name }) => isWanted(name))
  const queueUrls = await createQueues(ours, 'bench', Math.max(1, ...wanted.map(({ queues }) => queues)))
  // What is only sent stays there, and would make the cycles those of a deep queue.
  const filledUrls = await createQueues(ours, 'filled', 1)
  const bareOf = { 1: await startBareSqs(ours, folder, 1), 10: await startBareSqs(ours, folder, 10) }
  const jobOf = ({ messages, only, queues }: Case, requests: number): JobParts => ({
    ...cycleJob(
      {
        signer: signerOf(ours),
        queueUrls: only === 'send' ? filledUrls : queueUrls.slice(0, queues),
        messages,
        ...(only !== undefined && { only }),
      },
      requests,
    ),
    inFlight: IN_FLIGHT,
  })
  const results: Record<string, Pair> = {}
  if (wanted.length > 0) {
    say(`warm-up: ${WARM_UP_REQUESTS} requests of each kind to each server`)
    for (const one of wanted)
      for (const server of [bareOf[one.messages], ours]) await exercise(server, jobOf(one, WARM_UP_REQUESTS / (one.messages === 1 ? 1 : 4)))
    say(`${PAIR_HEADER}   (ratio: a message; a cycle is ${CYCLE_REQUESTS} requests)`)
  }
  for (const one of wanted) {
    const requestsEach = one.only === 'send' ? 1 : CYCLE_REQUESTS
    const job = jobOf(one, REQUESTS / (one.messages === 1 ? 1 : 2))
    const pair = await measurePairs(one.name, { ours, bare: bareOf[one.messages] }, job, {
      rounds: ROUNDS,
      messagesPerRequest: one.messages / requestsEach,
    })
    if (pair !== undefined) results[one.name] = pair
    say(pairLine(one.name, pair))
  }
  const poll = isWanted('poll') ? await measureLongPoll(ours, ROUNDS * 100, POLLERS) : undefined
  if (poll !== undefined)
    say(
      `a long poll answers after ${poll.p50Ms.toFixed(2)} ms (p50), ${poll.p99Ms.toFixed(2)} (p99); beside ${poll.pollers} others after ` +
        `${poll.crowdedP50Ms.toFixed(2)}, ${poll.crowdedP99Ms.toFixed(2)}; these cost ${poll.idleCpuPercent.toFixed(1)} % of a core`,
    )
  await Promise.all([ours, ...Object.values(bareOf)].map(ended))
  const depth = { waiting: WAITING, rounds: ROUNDS, requests: REQUESTS / 2, say }
  const deep = isWanted('deep') ? await measureDepth(folder, { ...depth, isFifo: false }) : undefined
  const fifo = isWanted('fifo') ? await measureDepth(folder, { ...depth, isFifo: true }) : undefined
  if (values.json !== true) return
  process.stdout.write(
    `${JSON.stringify({
      sendCpuRatio: results['send']?.ratio,
      batchMessageCpuRatio: results['batch']?.ratio,
      cycleInTensMessageCpuRatio: results['tens']?.ratio,
      cycleSinglesCpuRatio: results['singles']?.ratio,
      cycleOfManyQueuesMessageCpuRatio: results['queues']?.ratio,
      ...(poll !== undefined && { longPollP50Ms: poll.p50Ms, longPollP99Ms: poll.p99Ms }),
      depthCpuRatio: deep?.cpuRatio,
      depthMemoryMb: deep?.memoryMb,
      blockedGroupCpuRatio: fifo?.cpuRatio,
      bodyBytes: TEXT_BYTES,
      inFlight: IN_FLIGHT,
      waiting: WAITING,
      queues: QUEUES,
      node: process.version,
      cases: results,
    })}\n`,
  )
}

try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
