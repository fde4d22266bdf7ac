// Proves that trails lose nothing while their deliveries fail and the server is killed:
//   node bin/node26.js scripts/lossless.ts [--calls 100000] [--seed N] [--in-flight 32] [--fault-ms 4000]
// Prints the seed, a line of progress after each fault on standard error, and the figures as one line of JSON.
import { parseArgs } from 'node:util'
import { runLossless } from '../tests/lossless/run.ts'
import { temporaryFolder } from '../tests/server.ts'

const { values } = parseArgs({
  options: { calls: { type: 'string' }, seed: { type: 'string' }, 'in-flight': { type: 'string' }, 'fault-ms': { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
const folder = temporaryFolder()
process.stdout.write(`${JSON.stringify({ seed })}\n`)
try {
  const report = await runLossless({
    folder: folder.path,
    calls: Number(values.calls ?? 100_000),
    seed,
    inFlight: Number(values['in-flight'] ?? 32),
    faultMs: Number(values['fault-ms'] ?? 4000),
    report: (line) => void process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${JSON.stringify(report)}\n1 passed, 0 failed\n`)
} finally {
  folder.remove()
}
