// Runs the crash rounds in full: node bin/node26.js scripts/crash.ts [--rounds 200] [--seed N] [--in-flight 64]
// [--only publish|sns|queues|fifo], for FIFO topics [--messages 10000] [--groups 100] [--fifo-queues 5]
import { parseArgs } from 'node:util'
import { runFifoTopic } from '../tests/crash/fifo-topic-run.ts'
import { runQueueCrashRounds } from '../tests/crash/queue-rounds.ts'
import { runCrashRounds } from '../tests/crash/rounds.ts'
import { runSnsCrashRounds } from '../tests/crash/sns-rounds.ts'
import { temporaryFolder } from '../tests/server.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    'in-flight': { type: 'string' },
    only: { type: 'string' },
    messages: { type: 'string' },
    groups: { type: 'string' },
    'fifo-queues': { type: 'string' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
const rounds = Number(values.rounds ?? 200)
const inFlight = Number(values['in-flight'] ?? 64)
const { only } = values
if (only !== undefined && !['publish', 'sns', 'queues', 'fifo'].includes(only)) {
  process.stderr.write('--only is publish, sns, queues or fifo\n')
  process.exit(2)
}
const report = (line: string): void => void process.stdout.write(`${line}\n`)
report(`seed ${seed}`)

async function run(round: (folder: string) => Promise<object>): Promise<void> {
  const folder = temporaryFolder()
  try {
    report(JSON.stringify(await round(folder.path)))
  } finally {
    folder.remove()
  }
}

if (only === undefined || only === 'publish') await run((folder) => runCrashRounds({ folder, rounds, seed, inFlight, report }))
if (only === undefined || only === 'sns') await run((folder) => runSnsCrashRounds({ folder, rounds, seed, report }))
// Eight callers for each client of a queue: a sender and a receiver at each of four queues.
if (only === undefined || only === 'queues') {
  const clients = Math.max(1, Math.round(inFlight / 8))
  await run((folder) => runQueueCrashRounds({ folder, rounds, seed, clients, report }))
}
if (only === undefined || only === 'fifo') {
  const counts = {
    messages: Number(values.messages ?? 10_000),
    groups: Number(values.groups ?? 100),
    queues: Number(values['fifo-queues'] ?? 5),
  }
  await run((folder) => runFifoTopic({ folder, ...counts, seed, report }))
}
report('1 passed, 0 failed')
