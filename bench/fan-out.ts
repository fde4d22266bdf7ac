// Question: what does a delivery over HTTP cost the server, when one publish goes to a hundred endpoints, and how long does a message
// take to an endpoint at a pace? CPU of all threads and processes of the server, its signer among them; the receiver is another process.
//   node bin/node26.js bench/fan-out.ts [--publishes 300] [--pace 1000] [--seconds 10] [--json]
import { parseArgs } from 'node:util'
import { startDeliveryBench } from './load/deliveries.ts'
import { cpuSeconds, pause } from './load/processes.ts'

const { values } = parseArgs({
  options: { publishes: { type: 'string' }, pace: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'boolean' } },
})
const PUBLISHES = Number(values.publishes ?? 300)
const PACE = Number(values.pace ?? 1000)
const SECONDS = Number(values.seconds ?? 10)
const ENDPOINTS = 100
const bench = await startDeliveryBench()
try {
  const wide = await bench.topic('wide', ENDPOINTS)
  const single = await bench.topic('single', 1)
  await fanOut(100)
  const cpuUs = ((await fanOut(PUBLISHES)) / (PUBLISHES * ENDPOINTS)) * 1e6
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
      ? `${JSON.stringify({ cpuPerDeliveryUs: cpuUs, pace, received: count, p50Ms: p50, p99Ms: p99 })}\n`
      : `${cpuUs.toFixed(1)} us of CPU for each of ${PUBLISHES * ENDPOINTS} deliveries, ${ENDPOINTS} to a publish\n` +
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
}
