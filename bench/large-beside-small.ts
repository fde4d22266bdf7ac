// Question: does one publisher of 1 MiB messages hold up publishes of 1 KiB beside it? Alternating rounds without and with it; p99 of the
// small ones, and their ratio.  node bin/node26.js bench/large-beside-small.ts [--rounds 5] [--json]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SNS } from '@aws-sdk/client-sns'
import type { Job } from './load/load.ts'
import { BENCH_KEY, ended, medianBy, runLoad, startOurs } from './load/pairs.ts'
import { publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, json: { type: 'boolean' } } })
const ROUNDS = Number(values.rounds ?? 5)
const SMALL_REQUESTS = 6000
const IN_FLIGHT = 16
const folder = mkdtempSync(join(tmpdir(), 'sealcast-large-'))

try {
  const server = await startOurs(join(folder, 'data'))
  const sns = new SNS({ endpoint: server.url, region: BENCH_KEY.region, credentials: BENCH_KEY })
  const topic = (await sns.createTopic({ Name: 'bench', Attributes: { MaximumMessageSize: String(1024 * 1024) } })).TopicArn ?? ''
  const signer = { ...BENCH_KEY, host: server.host }
  const { port } = server
  writeRequests(join(folder, 'small'), 1000, signer, (at) => publishBody(topic, `${at} ${'x'.repeat(1024)}`.slice(0, 1024)))
  writeRequests(join(folder, 'large'), 8, signer, (at) => publishBody(topic, `${at} ${'x'.repeat(1024 * 1024)}`.slice(0, 1024 * 1024)))
  const small: Job = { port, inFlight: IN_FLIGHT, requestsFile: join(folder, 'small'), warmUp: 1000, requests: SMALL_REQUESTS }
  const rounds: { readonly alone: number; readonly beside: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await runLoad('small', small)
    const noise = startNoise({ port, inFlight: 1, requestsFile: join(folder, 'large'), warmUp: 0, requests: 1_000_000 })
    const beside = await runLoad('small', small)
    noise()
    rounds.push({ alone: alone.p99Ms, beside: beside.p99Ms })
  }
  const median = medianBy(
    rounds.map(({ alone, beside }) => beside / alone),
    (ratio) => ratio,
  )
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ p99Ratio: median, rounds })}\n`
      : `${rounds
          .map(({ alone, beside }) => `p99 ${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside 1 MiB messages\n`)
          .join('')}median ratio ${median?.toFixed(2)}\n`,
  )
  await ended(server)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Keeps publishing until the returned function ends it. */
function startNoise(job: Job): () => void {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load', 'load.ts')], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.end(JSON.stringify(job))
  return () => child.kill('SIGKILL')
}
