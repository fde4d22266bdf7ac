// Question: does one endpoint that hangs hold up the 99 beside it, and does what waits for it cost memory? Alternating rounds in which
// it answers and in which it hangs, p99 of the others from publish to receiver, and the median of their ratios; then messages for a topic
// whose only endpoint hangs, and the server's memory while they wait.
//   node bin/node26.js bench/bad-subscriber.ts [--rounds 5] [--seconds 10] [--pace 3] [--waiting 1000000] [--json]
import { parseArgs } from 'node:util'
import { startDeliveryBench } from './load/deliveries.ts'
import { medianBy } from './load/pairs.ts'
import { memoryMb, ownMemoryMb, pause } from './load/processes.ts'

const { values } = parseArgs({
  options: {
    ...{ rounds: { type: 'string' }, seconds: { type: 'string' }, pace: { type: 'string' }, waiting: { type: 'string' } },
    json: { type: 'boolean' },
  },
})
const ROUNDS = Number(values.rounds ?? 5)
const SECONDS = Number(values.seconds ?? 10)
const PACE = Number(values.pace ?? 3)
const WAITING = Number(values.waiting ?? 1_000_000)
const PARTS = 5
/** So that nothing is given up while it is looked at. */
const DeliveryPolicy = JSON.stringify({ http: { defaultHealthyRetryPolicy: { numRetries: 100, minDelayTarget: 36, maxDelayTarget: 36 } } })
const bench = await startDeliveryBench()
try {
  const topic = await bench.topic('shared', 100, { attributes: { DeliveryPolicy } })
  const dead = await bench.topic('dead', 1, { attributes: { DeliveryPolicy } })
  // Until the compiler has seen it all.
  for (let warmUp = 0; warmUp < 3; warmUp++) await round(topic, 'answer')
  const rounds: { readonly alone: number; readonly beside: number }[] = []
  for (let at = 0; at < ROUNDS; at++) rounds.push({ alone: await round(topic, 'answer'), beside: await round(topic, 'hang') })
  const ratio = medianBy(
    rounds.map(({ alone, beside }) => beside / alone),
    (value) => value,
  )
  await bench.ask('hang/100')
  const memory = [memoryWith(0)]
  for (let part = 1; part <= PARTS; part++) {
    await bench.flood(dead, WAITING / PARTS)
    await pause(1000)
    memory.push(memoryWith((WAITING / PARTS) * part))
  }
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ p99Ratio: ratio, rounds, memory })}\n`
      : rounds.map(({ alone, beside }) => `p99 ${alone.toFixed(2)} ms, beside a bad one ${beside.toFixed(2)} ms\n`).join('') +
          `median ratio ${ratio?.toFixed(2)}\n` +
          memory
            .map(({ waiting, mb, ownMb }) => `${ownMb.toFixed(0)} MiB, ${mb.toFixed(0)} with pages of files, with ${waiting} waiting\n`)
            .join(''),
  )
} finally {
  await bench.end()
}

function memoryWith(waiting: number): { readonly waiting: number; readonly mb: number; readonly ownMb: number } {
  return { waiting, mb: memoryMb(bench.pid), ownMb: ownMemoryMb(bench.pid) }
}

/** The p99 of the others in ms. */
async function round(topic: string, verb: 'answer' | 'hang'): Promise<number> {
  await bench.ask(`${verb}/99`)
  await bench.report()
  await bench.publish(topic, PACE * SECONDS, PACE)
  await pause(500)
  return (await bench.report()).p99
}
