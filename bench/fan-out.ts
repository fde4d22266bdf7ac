// Question: what does a delivery over HTTP cost the server, when one publish goes to a hundred endpoints, and how long does a message
// take to an endpoint at a pace? CPU of all threads and processes of the server, its signer among them; the receiver is another process.
// Beside it, in alternating rounds, what a bare client spends that posts as many bytes over connections that are kept, and what a bare
// node:http server spends on a request: by the latter machines can be compared.
//   node bin/node26.js bench/fan-out.ts [--warm-up 4000] [--publishes 1500] [--pace 1000] [--seconds 4] [--rounds 9] [--raw] [--json]
// --raw: the messages at a pace go without envelope and signature.
// Warm before the first figure: what runs once for a publish is compiled only after some 4,000 of them, and the compiler's threads count.
// A round is disturbed where the hypervisor gave more than a fiftieth of the machine to others; the medians are told with such rounds and
// without.
import { parseArgs } from 'node:util'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDeliveryBench } from './load/deliveries.ts'
import { BENCH_KEY, ended, exercise, measure, medianBy, startBare } from './load/pairs.ts'
import { cpuSeconds, pause, stolenSeconds } from './load/processes.ts'
import { publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({
  options: {
    ...{
      'warm-up': { type: 'string', default: '4000' },
      publishes: { type: 'string', default: '1500' },
      pace: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '9' },
    },
    ...{ raw: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  },
})
const ROUNDS = Number(values.rounds)
const PUBLISHES = Math.ceil(Number(values.publishes) / ROUNDS)
const PACE = Number(values.pace)
const SECONDS = Number(values.seconds)
const PACE_WARM_UP_SECONDS = 20
const ENDPOINTS = 100
const BARE_WARM_UP = 60_000
const BARE_REQUESTS = 12_000
const STOLEN_MAX = 0.02

interface Round {
  /** Of the time of all cores. */
  readonly stolen: number
}

const folder = mkdtempSync(join(tmpdir(), 'sealcast-fan-out-'))
const bareServer = await startBare()
const bench = await startDeliveryBench()
try {
  const wide = await bench.topic('wide', ENDPOINTS)
  const single = await bench.topic('single', 1, { isRaw: values.raw })
  await fanOut(Number(values['warm-up']))
  await bench.bareRequestUs(10_000)
  const requestsFile = join(folder, 'requests')
  writeRequests(requestsFile, 500, { ...BENCH_KEY, host: 'bare' }, (at) => publishBody(wide, String(at).padEnd(256, 'x')))
  const job = { requestsFile, inFlight: 32, warmUp: 0 }
  await exercise(bareServer, { ...job, requests: BARE_WARM_UP })
  const deliveries: (Round & Record<'deliveryUs' | 'bareClientUs' | 'bareServerUs', number>)[] = []
  for (let at = 0; at < ROUNDS; at++) {
    const delivered = await beside(() => fanOut(PUBLISHES))
    const served = await measure('bare', bareServer, { ...job, requests: BARE_REQUESTS })
    // Void, as in the other benches: the load generator had no core to spare.
    if (served === undefined) continue
    const bareClientUs = await bench.bareRequestUs(PUBLISHES * ENDPOINTS)
    const deliveryUs = (delivered.value / (PUBLISHES * ENDPOINTS)) * 1e6
    deliveries.push({ stolen: delivered.stolen, deliveryUs, bareClientUs, bareServerUs: served.cpuPerRequestUs })
  }
  await bench.publish(single, PACE * PACE_WARM_UP_SECONDS, PACE)
  const waits: (Round & Record<'received' | 'p50Ms' | 'p99Ms', number>)[] = []
  for (let at = 0; at < ROUNDS; at++) {
    await pause(1000)
    await bench.report()
    const { stolen } = await beside(() => bench.publish(single, PACE * SECONDS, PACE))
    await pause(1000)
    const { count, p50, p99 } = await bench.report()
    waits.push({ stolen, received: count, p50Ms: p50, p99Ms: p99 })
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ endpoints: ENDPOINTS, pace: PACE, seconds: SECONDS, deliveries, waits })}\n`)
  else {
    process.stdout.write(`${ENDPOINTS} deliveries to a publish, CPU of each, and its ratio to a request to a bare node:http server:\n`)
    tell(deliveries, ({ deliveryUs, bareClientUs, bareServerUs }) => [
      deliveryUs,
      `${deliveryUs.toFixed(1)} us, ${(deliveryUs / bareServerUs).toFixed(2)} times ${bareServerUs.toFixed(1)} us; ` +
        `a bare client: ${bareClientUs.toFixed(1)} us`,
    ])
    process.stdout.write(`from publish to receiver at ${PACE} publishes a second:\n`)
    tell(waits, ({ received, p50Ms, p99Ms }) => [
      p50Ms,
      `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${received} of ${PACE * SECONDS}`,
    ])
  }

  /** Seconds of CPU. */
  async function fanOut(publishes: number): Promise<number> {
    await bench.report()
    const before = cpuSeconds(bench.pid)
    await bench.publish(wide, publishes, Infinity)
    for (let received = 0; received < publishes * ENDPOINTS;) {
      await pause(50)
      received += (await bench.report()).count
    }
    return cpuSeconds(bench.pid) - before
  }
} finally {
  await bench.end()
  await ended(bareServer)
  rmSync(folder, { recursive: true, force: true })
}

async function beside<T>(work: () => Promise<T>): Promise<Round & { readonly value: T }> {
  const [stolen, begun] = [stolenSeconds(), performance.now()]
  const value = await work()
  const machineSeconds = ((performance.now() - begun) / 1000) * availableParallelism()
  return { value, stolen: (stolenSeconds() - stolen) / machineSeconds }
}

/** The median round of all, and of those that were not disturbed. */
function tell<T extends Round>(rounds: readonly T[], told: (round: T) => readonly [by: number, line: string]): void {
  const quiet = rounds.filter(({ stolen }) => stolen <= STOLEN_MAX)
  for (const [name, some] of [
    ['all', rounds],
    ['undisturbed', quiet],
  ] as const) {
    const middle = medianBy(some, (round) => told(round)[0])
    process.stdout.write(`  ${`${some.length} rounds`.padStart(9)}, ${name}: ${middle === undefined ? 'none' : told(middle)[1]}\n`)
  }
}
