// What the benches of the queues share: queues over lmdb without a journal's disk, and how time, CPU and memory are told.
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Queues } from '../../src/storage/queues.ts'
import { lmdbQueueStore } from '../../src/storage/queues/lmdb-store.ts'
import { openQueues } from '../../src/storage/queues/queues.ts'

export const NOW = 1_700_000_000_000

/** Commits without a disk: what is told is applied at once. */
export class Bench {
  readonly #folder: string
  position = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  open(name: string): Promise<Queues> {
    const journal = { readBytes: (_: number, length: number): Buffer => Buffer.alloc(length) }
    return openQueues({ journal, store: lmdbQueueStore({ folder: join(this.#folder, name) }) })
  }

  send(queues: Queues, queue: number, { group = 0, visibleAt = NOW }: { group?: number; visibleAt?: number } = {}): number {
    const sequence = queues.nextSequence(queue)
    this.position += 1100
    const message = { messageOffset: 8, messageLength: 1024, route: 0, group }
    queues.apply({ kind: 'enqueue', queue, sequence, visibleAt, sentAt: NOW, ...message }, this.position)
    return sequence
  }

  /** Receives as a service does: takes, and hides what was taken. */
  receive(queues: Queues, queue: number, max: number, now = NOW): number[] {
    return queues.take(queue, max, now).map(({ sequence, receives }) => {
      const seen = { receives: receives + 1, firstReceivedAt: now }
      queues.apply({ kind: 'hide', queue, sequence, visibleAt: now + 30_000, ...seen }, this.position)
      return sequence
    })
  }

  remove(queues: Queues, queue: number, sequence: number): void {
    queues.apply({ kind: 'remove', queue, sequence }, this.position)
  }

  /** A checkpoint beside a call on each turn of the event loop; how long the loop stood still for it. */
  async checkpoint(queues: Queues, name: string): Promise<void> {
    queues.applied(++this.position)
    const started = performance.now()
    const loop = watchLoop()
    await queues.checkpoint()
    report(name, performance.now() - started, 'ms')
    report('  event loop meanwhile, longest stop', loop(100), 'ms')
  }
}

export function watchLoop(): (percentile: number) => number {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  return (percentile) => {
    delay.disable()
    return delay.percentile(percentile) / 1e6
  }
}

/** CPU of all threads, in microseconds. */
export function cpuEach(times: number, run: (at: number) => void): number {
  const from = process.cpuUsage()
  for (let at = 0; at < times; at++) run(at)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / times
}

export function memory(): { heap: number; resident: number } {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + arrayBuffers, resident: rss }
}

/** The longest that one run holds this thread, in ms of its CPU, so that what else a machine does is left out. */
export function longest(times: number, run: (at: number) => void): number {
  let most = 0
  for (let at = 0; at < times; at++) {
    const from = process.threadCpuUsage()
    run(at)
    const { user, system } = process.threadCpuUsage(from)
    most = Math.max(most, (user + system) / 1000)
  }
  return most
}

export function report(name: string, value: number, unit: string): void {
  process.stdout.write(`${name.padEnd(60)} ${value.toFixed(2).padStart(10)} ${unit}\n`)
}
