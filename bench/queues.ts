// Does a queue with a million waiting messages stay cheap: memory, take, hide and remove, its checkpoint while calls go on, and a restart?
// And what do ten thousand queues with three messages each weigh? In this process, over lmdb, without HTTP and without a journal's disk.
//
//   node bin/node26.js --expose-gc bench/queues.ts
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Queues } from '../src/storage/queues.ts'
import { lmdbQueueStore } from '../src/storage/queues/lmdb-store.ts'
import { openQueues } from '../src/storage/queues/queues.ts'

const MESSAGES = 1_000_000
const OPERATIONS = 100_000
const NOW = 1_700_000_000_000

const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-queues-'))
const journal = { readBytes: (_: number, length: number): Buffer => Buffer.alloc(length) }
const open = async (name: string): Promise<Queues> => openQueues({ journal, store: lmdbQueueStore({ folder: join(folder, name) }) })

let position = 0
const send = (queues: Queues, queue: number): void => {
  const sequence = queues.nextSequence(queue)
  position += 1100
  const message = { messageOffset: 8, messageLength: 1024, route: 0, group: 0 }
  queues.apply({ kind: 'enqueue', queue, sequence, visibleAt: NOW, sentAt: NOW, ...message }, position)
}

try {
  await benchLarge()
  await benchMany()
} finally {
  rmSync(folder, { recursive: true })
}

async function benchLarge(): Promise<void> {
  let queues = await open('large')
  const before = memory()
  report(
    'enqueue, applied',
    cpuEach(MESSAGES, () => send(queues, 1)),
    'us',
  )
  queues.applied(position)
  const after = memory()
  report('index', queues.bytes().index / 1e6, 'MB')
  report('memory gained: heap and array buffers', (after.heap - before.heap) / 1e6, 'MB')
  report('memory gained: resident', (after.resident - before.resident) / 1e6, 'MB')
  await benchCheckpoint(queues, 'checkpoint of all, calls going on')

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
      queues.apply({ kind: 'hide', queue: 1, sequence, visibleAt, receives: 1, firstReceivedAt: NOW }, position)
    }),
    'us',
  )
  report(
    'remove',
    cpuEach(OPERATIONS, (at) => queues.apply({ kind: 'remove', queue: 1, sequence: taken[at] ?? 0 }, position)),
    'us',
  )
  report('expire of what is left in flight', cpuEach(1, () => queues.expire(NOW + 60_000)) / OPERATIONS, 'us a message')
  queues.applied(++position)
  await benchCheckpoint(queues, 'checkpoint of what changed')
  await benchCheckpoint(queues, 'checkpoint of nothing')
  await queues.close()

  const started = performance.now()
  queues = await open('large')
  report('restart', performance.now() - started, 'ms')
  const first = performance.now()
  const count = queues.take(1, 10, NOW).length
  report(`first take of ${count}`, performance.now() - first, 'ms')
  const copied = performance.now()
  const half = position / 2
  const loop = watchLoop()
  while (!(await queues.release(half))) continue
  report('release of half the journal (400,000 bodies)', performance.now() - copied, 'ms')
  report('  event loop meanwhile, p99', loop(99), 'ms')
  report('  bodies on disk', queues.bytes().coldBodies / 1e6, 'MB')
  await queues.close()
}

async function benchMany(): Promise<void> {
  const before = memory()
  let queues = await open('many')
  for (let queue = 1; queue <= 10_000; queue++) for (let sent = 0; sent < 3; sent++) send(queues, queue)
  queues.applied(position)
  report('10,000 queues of three: memory gained', (memory().heap - before.heap) / 1e6, 'MB')
  await benchCheckpoint(queues, '10,000 queues of three: checkpoint')
  await queues.close()
  const started = performance.now()
  queues = await open('many')
  report('10,000 queues of three: restart', performance.now() - started, 'ms')
  await queues.close()
}

/** A checkpoint beside a call on each turn of the event loop; how long the loop stood still for it. */
async function benchCheckpoint(queues: Queues, name: string): Promise<void> {
  const started = performance.now()
  const loop = watchLoop()
  await queues.checkpoint()
  report(name, performance.now() - started, 'ms')
  report('  event loop meanwhile, longest stop', loop(100), 'ms')
}

function watchLoop(): (percentile: number) => number {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  return (percentile) => {
    delay.disable()
    return delay.percentile(percentile) / 1e6
  }
}

function cpuEach(times: number, run: (at: number) => void): number {
  const from = process.cpuUsage()
  for (let at = 0; at < times; at++) run(at)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / times
}

function memory(): { heap: number; resident: number } {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + arrayBuffers, resident: rss }
}

function report(name: string, value: number, unit: string): void {
  process.stdout.write(`${name.padEnd(52)} ${value.toFixed(2).padStart(10)} ${unit}\n`)
}
