// What deduplication costs: 90,000 ids and a million, what they weigh, what a checkpoint writes of them, and how they go.
import { randomFillSync } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, cpuEach, longest, memory, NOW, report } from './tools.ts'

const WINDOW_MS = 300_000
const VALUE = Buffer.alloc(40, 7)

export async function benchMemories(bench: Bench, folder: string): Promise<void> {
  for (const [name, count] of [
    ['ids90k', 90_000],
    ['ids1m', 1_000_000],
  ] as const) {
    const keys = randomFillSync(Buffer.alloc(16 * count * 2))
    const key = (at: number): Buffer => keys.subarray(16 * at, 16 * at + 16)
    const before = memory()
    let queues = await bench.open(name)
    const until = (at: number): number => NOW + WINDOW_MS + Math.floor((at / count) * WINDOW_MS)
    const remember = (at: number): void =>
      queues.apply({ kind: 'remember', queue: 1, key: key(at), until: until(at), value: VALUE }, bench.position)
    process.stdout.write(`${count} ids with ${VALUE.length} bytes each\n`)
    report('remember', cpuEach(count, remember), 'us')
    report(
      '  longest',
      longest(count / 10, (at) => remember(at)),
      'ms',
    )
    const looked = Math.min(count, 200_000)
    report(
      'recall what is there',
      cpuEach(looked, (at) => queues.recall(1, key(at * (count / looked)), NOW)),
      'us',
    )
    report(
      'recall what is not',
      cpuEach(looked, (at) => queues.recall(1, key(count + at), NOW)),
      'us',
    )
    report('memory gained', (memory().heap - before.heap) / 1e6, 'MB')
    report('  of it blocks and tables', queues.bytes().memories / 1e6, 'MB')
    await bench.checkpoint(queues, 'checkpoint of all')
    for (let at = 0; at < 100; at++) remember(at)
    await bench.checkpoint(queues, 'checkpoint of a hundred more')
    report('  on disk', statSync(join(folder, name, 'index', 'data.mdb')).size / 1e6, 'MB')
    await queues.close()
    const started = performance.now()
    queues = await bench.open(name)
    report('restart', performance.now() - started, 'ms')
    report(
      'their time passes: longest step',
      longest(50, (at) => queues.expire(NOW + WINDOW_MS + at * 60_000)),
      'ms',
    )
    report('  memory left', queues.bytes().memories / 1e6, 'MB')
    await queues.close()
  }
}
