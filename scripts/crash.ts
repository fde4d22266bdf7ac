// Runs the crash rounds in full: node bin/node26.js scripts/crash.ts [--rounds 200] [--seed N] [--in-flight 64]
import { parseArgs } from 'node:util'
import { runCrashRounds } from '../tests/crash/rounds.ts'
import { temporaryFolder } from '../tests/server.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' }, 'in-flight': { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
const folder = temporaryFolder()
process.stdout.write(`seed ${seed}\n`)
try {
  const report = await runCrashRounds({
    folder: folder.path,
    rounds: Number(values.rounds ?? 200),
    seed,
    inFlight: Number(values['in-flight'] ?? 64),
    report: (line) => void process.stdout.write(`${line}\n`),
  })
  process.stdout.write(`${JSON.stringify(report)}\n1 passed, 0 failed\n`)
} finally {
  folder.remove()
}
