// Is a purge, an expiry or the end of a queue with a million messages done in steps that nobody notices?
import { setImmediate as turn } from 'node:timers/promises'
import type { Queues } from '../../src/storage/queues.ts'
import { type Bench, longest, NOW, report, watchLoop } from './tools.ts'

const MESSAGES = 1_000_000

type Fill = (queues: Queues, queue: number, at: number) => void

export async function benchDrops(bench: Bench): Promise<void> {
  const queues = await bench.open('drops')
  const fills: readonly (readonly [string, Fill])[] = [
    ['without groups', (_, queue) => void bench.send(queues, queue)],
    ['in one ordered group', (_, queue) => void bench.send(queues, queue, { group: 1 })],
    ['in 100,000 ordered groups', (_, queue, at) => void bench.send(queues, queue, { group: 1 + (at % 100_000) })],
    ['in ten fair groups', (_, queue, at) => void bench.send(queues, queue, { group: -1 - (at % 10) })],
    ['delayed', (_, queue, at) => void bench.send(queues, queue, { visibleAt: NOW + 1000 + (at >> 8) })],
  ]
  let queue = 0
  for (const [name, fill] of fills) {
    for (const [what, share] of [
      ['all but a few', 0.999],
      ['all', 1],
      ['the queue', Infinity],
    ] as const) {
      queue++
      for (let at = 0; at < MESSAGES; at++) fill(queues, queue, at)
      const before = share === 1 ? queues.nextSequence(queue) : share * MESSAGES
      const loop = watchLoop()
      const step = longest(1, () => queues.apply({ kind: 'drop', queue, before }, bench.position))
      const others = longest(100, () => {
        queues.counts(queue, NOW)
        queues.take(queue, 10, NOW)
        queues.oldest(queue)
        queues.nextVisibleAt()
      })
      for (let at = 0; at < 300; at++) await turn()
      report(`a million ${name}, ${what} dropped: longest step`, Math.max(step, others), 'ms')
      report('  event loop, longest stop', loop(100), 'ms')
      queues.apply({ kind: 'drop', queue, before: Infinity }, bench.position)
    }
  }
  const delayed = ++queue
  for (let at = 0; at < MESSAGES; at++) bench.send(queues, delayed, { visibleAt: NOW + 1000 + (at >> 8) })
  const now = NOW + 100_000
  let calls = 0
  const step = longest(2000, () => {
    if ((queues.nextVisibleAt() ?? Infinity) > now) return
    queues.expire(now)
    calls++
  })
  report(`a million due at once, in ${calls} steps: longest`, step, 'ms')
  await queues.close()
}
