// Question: what does a delivery over HTTP cost the server, when one publish goes to a hundred endpoints, and how long does a message
// take to an endpoint at a pace? CPU of all threads and processes of the server, its signer among them; the receiver is another process.
// Beside it, in alternating rounds, what a bare client spends that posts as many bytes over connections that are kept, and what a bare
// node:http server spends on a request: by the latter machines can be compared.
//   node bin/node26.js bench/fan-out.ts [--warm-up 1000] [--publishes 300] [--rounds 5] [--pace 1000] [--seconds 10] [--raw] [--json]
// --raw: the messages at a pace go without envelope and signature.
// Warm before the first figure: the compiler works until some 100,000 deliveries have been made.
import { parseArgs } from 'node:util'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDeliveryBench } from './load/deliveries.ts'
import { BENCH_KEY, ended, exercise, measure, medianBy, startBare } from './load/pairs.ts'
import { cpuSeconds, pause } from './load/processes.ts'
import { publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({
  options: {
    ...{
      'warm-up': { type: 'string' },
      publishes: { type: 'string' },
      rounds: { type: 'string' },
      pace: { type: 'string' },
      seconds: { type: 'string' },
    },
    ...{ raw: { type: 'boolean' }, json: { type: 'boolean' } },
  },
})
const ROUNDS = Number(values.rounds ?? 5)
const PUBLISHES = Math.ceil(Number(values.publishes ?? 300) / ROUNDS)
const WARM_UP = Number(values['warm-up'] ?? 1000)
const PACE = Number(values.pace ?? 1000)
const SECONDS = Number(values.seconds ?? 10)
const ENDPOINTS = 100
const BARE_WARM_UP = 60_000
const BARE_REQUESTS = 12_000
const folder = mkdtempSync(join(tmpdir(), 'sealcast-fan-out-'))
const bareServer = await startBare()
const bench = await startDeliveryBench()
try {
  const wide = await bench.topic('wide', ENDPOINTS)
  const single = await bench.topic('single', 1, { isRaw: values.raw === true })
  await fanOut(WARM_UP)
  await bench.bareRequestUs(10_000)
  const requestsFile = join(folder, 'requests')
  writeRequests(requestsFile, 500, { ...BENCH_KEY, host: 'bare' }, (at) => publishBody(wide, String(at).padEnd(256, 'x')))
  const job = { requestsFile, inFlight: 32, warmUp: 0 }
  await exercise(bareServer, { ...job, requests: BARE_WARM_UP })
  const rounds: { readonly delivery: number; readonly bare: number; readonly served: number }[] = []
  for (let at = 0; at < ROUNDS; at++) {
    const delivery = ((await fanOut(PUBLISHES)) / (PUBLISHES * ENDPOINTS)) * 1e6
    const served = await measure('bare', bareServer, { ...job, requests: BARE_REQUESTS })
    // Void, as in the other benches: the load generator had no core to spare.
    if (served === undefined) continue
    rounds.push({ delivery, bare: await bench.bareRequestUs(PUBLISHES * ENDPOINTS), served: served.cpuPerRequestUs })
  }
  const middle = medianBy(rounds, ({ delivery, served }) => delivery / served) ?? { delivery: 0, bare: 0, served: 0 }
  const measured = { rounds, cpuPerDeliveryUs: middle.delivery, bareRequestUs: middle.bare, bareServerUs: middle.served }
  await bench.publish(single, PACE * 2, PACE)
  await pause(1000)
  await bench.report()
  const begun = performance.now()
  await bench.publish(single, PACE * SECONDS, PACE)
  const pace = Math.round((PACE * SECONDS) / ((performance.now() - begun) / 1000))
  await pause(1000)
  const { count, p50, p99 } = await bench.report()
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ ...measured, pace, received: count, p50Ms: p50, p99Ms: p99 })}\n`
      : `${middle.delivery.toFixed(1)} us of CPU for each of ${PUBLISHES * ENDPOINTS} deliveries, ${ENDPOINTS} to a publish; ` +
          `a bare client: ${middle.bare.toFixed(1)} us a request; ` +
          `a bare node:http server: ${middle.served.toFixed(1)} us, ratio ${(middle.delivery / middle.served).toFixed(2)}\n` +
          `to the receiver at ${pace} publishes a second: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ` +
          `${count} of ${PACE * SECONDS}\n`,
  )

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
