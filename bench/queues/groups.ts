// Does a million messages in one blocked group make anything dearer than it is on an empty queue? What does a send cost with few and with
// many groups? How long does a quiet tenant of a fair queue wait behind a noisy one, and what does fairness cost?
import { type Bench, cpuEach, memory, NOW, report } from './tools.ts'

const BLOCKED = 1_000_000
const OPERATIONS = 100_000
const ROUNDS = 9

export async function benchBlocked(bench: Bench): Promise<void> {
  const queues = await bench.open('blocked')
  const before = memory()
  report(
    'a million into one ordered group: enqueue, applied',
    cpuEach(BLOCKED, () => bench.send(queues, 1, { group: 1 })),
    'us',
  )
  report('  memory gained', (memory().heap - before.heap) / 1e6, 'MB')
  bench.receive(queues, 1, 1)
  const cycle = (queue: number, at: number): void => {
    bench.send(queues, queue, { group: 2 + (at % 50) })
    const [sequence = 0] = bench.receive(queues, queue, 1)
    queues.counts(queue, NOW)
    queues.oldest(queue)
    queues.nextVisibleAt()
    queues.expire(NOW)
    bench.remove(queues, queue, sequence)
  }
  for (const queue of [1, 2]) cpuEach(OPERATIONS, (at) => cycle(queue, at))
  // By turns, and the least of each, since whatever else runs on a machine can only add.
  let [empty, blocked] = [Infinity, Infinity]
  for (let round = 0; round < ROUNDS; round++) {
    empty = Math.min(
      empty,
      cpuEach(OPERATIONS, (at) => cycle(2, at)),
    )
    blocked = Math.min(
      blocked,
      cpuEach(OPERATIONS, (at) => cycle(1, at)),
    )
  }
  report('send, receive, counts, oldest, expire, remove: empty queue', empty, 'us')
  report('  the same beside a million in a blocked group', blocked, 'us')
  report('  ratio', blocked / empty, 'times')
  await bench.checkpoint(queues, 'checkpoint of a million with groups')
  await queues.close()
  const started = performance.now()
  await (await bench.open('blocked')).close()
  report('restart of a million with groups', performance.now() - started, 'ms')
}

export async function benchGroups(bench: Bench): Promise<void> {
  const queues = await bench.open('groups')
  for (const [queue, groups] of [
    [1, 1],
    [2, 100],
    [3, 100_000],
  ] as const) {
    const send = cpuEach(2 * OPERATIONS, (at) => bench.send(queues, queue, { group: 1 + (at % groups) }))
    report(`${groups} ordered groups: enqueue`, send, 'us')
    const taken = cpuEach(OPERATIONS / 10, () => {
      for (const sequence of bench.receive(queues, queue, 10)) bench.remove(queues, queue, sequence)
    })
    report(`${groups} ordered groups: receive and remove, tens`, taken / 10, 'us a message')
  }
  await queues.close()
}

export async function benchFair(bench: Bench): Promise<void> {
  const queues = await bench.open('fair')
  for (const [queue, name, group] of [
    [1, 'no groups', 0],
    [2, 'one noisy fair group', -1],
  ] as const) {
    report(
      `${name}: enqueue`,
      cpuEach(BLOCKED, () => bench.send(queues, queue, { group })),
      'us',
    )
    const cycle = cpuEach(OPERATIONS, () => {
      const [sequence = 0] = bench.receive(queues, queue, 1)
      bench.remove(queues, queue, sequence)
    })
    report(`${name}: receive and remove beside a million`, cycle, 'us')
  }
  // The noisy one has a thousand in flight; a quiet one sends now and then.
  for (let at = 0; at < 100; at++) bench.receive(queues, 2, 10)
  let waited = 0
  for (let at = 0; at < 1000; at++) {
    const sent = bench.send(queues, 2, { group: -2 - at })
    let takes = 1
    while (!bench.receive(queues, 2, 10).includes(sent)) takes++
    waited = Math.max(waited, takes)
  }
  report('receives of ten until a quiet tenant is served, at most', waited, '')
  await queues.close()
}
