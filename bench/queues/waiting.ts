// A queue with a million waiting messages: memory, take, hide and remove, its checkpoint while calls go on, and a restart. And ten thousand
// queues with three messages each.
import { type Bench, cpuEach, memory, NOW, report, watchLoop } from './tools.ts'

const MESSAGES = 1_000_000
const OPERATIONS = 100_000

export async function benchLarge(bench: Bench): Promise<void> {
  let queues = await bench.open('large')
  const before = memory()
  report(
    'enqueue, applied',
    cpuEach(MESSAGES, () => bench.send(queues, 1)),
    'us',
  )
  queues.applied(bench.position)
  const after = memory()
  report('index', queues.bytes().index / 1e6, 'MB')
  report('memory gained: heap and array buffers', (after.heap - before.heap) / 1e6, 'MB')
  report('memory gained: resident', (after.resident - before.resident) / 1e6, 'MB')
  await bench.checkpoint(queues, 'checkpoint of all, calls going on')

  const taken: number[] = []
  const take = (max: number): void => {
    for (const { sequence } of queues.take(1, max, NOW)) taken.push(sequence)
  }
  report(
    'take, one at a time',
    cpuEach(OPERATIONS, () => take(1)),
    'us',
  )
  report('take, tens', cpuEach(OPERATIONS / 10, () => take(10)) / 10, 'us a message')
  report(
    'hide',
    cpuEach(2 * OPERATIONS, (at) => {
      const [sequence = 0, visibleAt] = [taken[at], NOW + 30_000 + (at % 977)]
      queues.apply({ kind: 'hide', queue: 1, sequence, visibleAt, receives: 1, firstReceivedAt: NOW }, bench.position)
    }),
    'us',
  )
  report(
    'remove',
    cpuEach(OPERATIONS, (at) => queues.apply({ kind: 'remove', queue: 1, sequence: taken[at] ?? 0 }, bench.position)),
    'us',
  )
  report('expire of what is left in flight', cpuEach(1, () => queues.expire(NOW + 60_000)) / OPERATIONS, 'us a message')
  queues.applied(++bench.position)
  await bench.checkpoint(queues, 'checkpoint of what changed')
  await bench.checkpoint(queues, 'checkpoint of nothing')
  await queues.close()

  const started = performance.now()
  queues = await bench.open('large')
  report('restart', performance.now() - started, 'ms')
  const first = performance.now()
  const count = queues.take(1, 10, NOW).length
  report(`first take of ${count}`, performance.now() - first, 'ms')
  const copied = performance.now()
  const half = bench.position / 2
  const loop = watchLoop()
  while (!(await queues.release(half))) continue
  report('release of half the journal (400,000 bodies)', performance.now() - copied, 'ms')
  report('  event loop meanwhile, p99', loop(99), 'ms')
  report('  bodies on disk', queues.bytes().coldBodies / 1e6, 'MB')
  await queues.close()
}

export async function benchMany(bench: Bench): Promise<void> {
  const before = memory()
  let queues = await bench.open('many')
  for (let queue = 1; queue <= 10_000; queue++) for (let sent = 0; sent < 3; sent++) bench.send(queues, queue)
  queues.applied(bench.position)
  report('10,000 queues of three: memory gained', (memory().heap - before.heap) / 1e6, 'MB')
  await bench.checkpoint(queues, '10,000 queues of three: checkpoint')
  await queues.close()
  const started = performance.now()
  queues = await bench.open('many')
  report('10,000 queues of three: restart', performance.now() - started, 'ms')
  await queues.close()
}
