// What the queues owe on every backend: random histories, with restarts at any moment, against a plain model; and by hand what a history
// seldom meets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { MessageGone } from './queues.ts'
import { Committer, FakeJournal } from './queues/committer.suite.ts'
import { groupsSuite } from './queues/groups.suite.ts'
import { command, History } from './queues/history.suite.ts'
import { openQueues } from './queues/queues.ts'
import type { QueueStore } from './queues/store.ts'

export interface QueuesWorld {
  /** A new handle on the same data; the one before is closed. */
  readonly openStore: () => QueueStore
  readonly remove: () => void
}

export function queuesSuite(backend: string, world: () => QueuesWorld, histories: number): void {
  test(`${backend}: ${histories} random histories with checkpoints, failures, releases and restarts agree with a plain model`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const { openStore, remove } = world()
        const history = await History.begin(openStore)
        try {
          for (const each of commands) await history.run(each)
          await history.run({ kind: 'restart' })
          await history.checkBodies()
        } finally {
          await history.close()
          remove()
        }
      }),
      { numRuns: histories },
    )
  })

  type Use = (committer: Committer, reopen: () => Promise<void>, store: () => QueueStore) => Promise<void>
  const withQueues = async (use: Use): Promise<void> => {
    const { openStore, remove } = world()
    const journal = new FakeJournal()
    let store = openStore()
    const committer = new Committer(journal, await openQueues({ journal, store }))
    const reopen = async (): Promise<void> => {
      await committer.queues.close()
      store = openStore()
      committer.queues = await openQueues({ journal, store })
      journal.replay(committer.queues, committer.queues.checkpointed)
    }
    try {
      await use(committer, reopen, () => store)
    } finally {
      await committer.queues.close()
      remove()
    }
  }

  groupsSuite(backend, withQueues)

  test(`${backend}: messages are taken in the order they were sent, across chunks`, () =>
    withQueues(async (committer) => {
      const sent = committer.send(1, 1000, { count: 20_000 })
      const taken: number[] = []
      for (let part = committer.queues.take(1, 10, 1000); part.length > 0; part = committer.queues.take(1, 10, 1000)) {
        taken.push(...part.map(({ sequence }) => sequence))
      }
      assert.deepEqual(taken, sent)
    }))

  test(`${backend}: what came back is taken again first, but never starves what is new`, () =>
    withQueues(async (committer) => {
      const [first, second, third] = committer.send(1, 1000, { count: 3 })
      committer.receive(1, 1, 1000, 30)
      assert.deepEqual(
        committer.queues.take(1, 10, 1030).map(({ sequence }) => sequence),
        [first, second, third],
      )
      const poison = committer.send(2, 1000, { count: 10 })
      const fresh = committer.send(2, 1000, { count: 40 })
      const seen = new Set(committer.receive(2, 10, 1000, 0))
      for (let round = 0; round < 12; round++) {
        for (const sequence of committer.receive(2, 10, 1001 + round, 0)) seen.add(sequence)
      }
      assert.deepEqual(
        [...seen].sort((a, b) => a - b),
        [...poison, ...fresh],
      )
    }))

  test(`${backend}: sequences never repeat, not after a restart from a checkpoint nor after a purge`, () =>
    withQueues(async (committer, reopen) => {
      const given = new Set<number>()
      for (let round = 0; round < 4; round++) {
        for (const sequence of committer.send(1, 1000, { count: 5 })) {
          assert.ok(!given.has(sequence))
          given.add(sequence)
        }
        if (round === 1) committer.commit([{ kind: 'drop', queue: 1, before: committer.queues.nextSequence(1) }])
        await committer.queues.checkpoint()
        if (round === 2) committer.remove(1, [...given])
        await reopen()
      }
    }))

  test(`${backend}: a waiter wakes once, on a later turn, and only as many wake as there are messages`, () =>
    withQueues(async (committer) => {
      const woken: string[] = []
      const { queues } = committer
      for (const name of ['a', 'b', 'c']) {
        queues.onceAvailable(1, 1000, () => {
          woken.push(name)
          committer.receive(1, 1, 1000, 30)
        })
      }
      const stop = queues.onceAvailable(1, 1000, () => woken.push('stopped'))
      stop()
      committer.send(1, 1000)
      assert.deepEqual(woken, [])
      await turns()
      assert.deepEqual(woken, ['a'])
      queues.expire(1029)
      await turns()
      assert.deepEqual(woken, ['a'])
      assert.equal(queues.nextVisibleAt(), 1030)
      queues.expire(1030)
      await turns()
      assert.deepEqual(woken, ['a', 'b'])
      committer.commit([{ kind: 'drop', queue: 1, before: Infinity }])
      await turns()
      assert.deepEqual(woken, ['a', 'b', 'c'])
    }))

  test(`${backend}: a message that a woken waiter leaves wakes the next; one that waits already wakes at once`, () =>
    withQueues(async (committer) => {
      const woken: string[] = []
      committer.queues.onceAvailable(1, 1000, () => woken.push('left it'))
      committer.queues.onceAvailable(1, 1000, () => woken.push('took it'))
      committer.send(1, 1000)
      await turns()
      assert.deepEqual(woken, ['left it', 'took it'])
      committer.queues.onceAvailable(1, 1000, () => woken.push('was there'))
      await turns()
      assert.deepEqual(woken, ['left it', 'took it', 'was there'])
    }))

  test(`${backend}: age and expiry look at the sent time, hidden messages included`, () =>
    withQueues(async (committer) => {
      assert.equal(committer.queues.oldest(1), undefined)
      const [first] = committer.send(1, 1000, { delay: 500 })
      const [second, third] = [...committer.send(1, 2000), ...committer.send(1, 3000)]
      assert.equal(committer.queues.oldest(1), 1000)
      assert.equal(committer.queues.firstSentAt(1, 1500), second)
      committer.commit([{ kind: 'drop', queue: 1, before: committer.queues.firstSentAt(1, 2500) }])
      assert.equal(committer.queues.oldest(1), 3000)
      assert.equal(committer.queues.find(1, first ?? 0), undefined)
      committer.remove(1, [third ?? 0])
      assert.equal(committer.queues.oldest(1), undefined)
      assert.equal(committer.queues.nextVisibleAt(), undefined)
    }))

  test(`${backend}: released bodies are read from their copies, and copies go with their messages`, () =>
    withQueues(async (committer, reopen, store) => {
      const { journal } = committer
      const survivors: number[] = []
      for (let at = 0; at < 40; at++) {
        const sent = committer.send(1, 1000, { count: 100 })
        survivors.push(...sent.slice(0, 5))
        committer.remove(1, sent.slice(5))
      }
      committer.send(2, 1000, { count: 300 })
      const before = journal.tail
      const late = committer.send(1, 1000)
      while (!(await committer.queues.release(before))) continue
      await committer.queues.checkpoint()
      journal.trim(before)
      await reopen()
      for (const sequence of [...survivors, ...late]) assert.equal(String(await committer.queues.body(1, sequence)), `1:${sequence}`)
      committer.remove(1, survivors.slice(10))
      committer.commit([{ kind: 'drop', queue: 2, before: Infinity }])
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 10)
      assert.throws(() => committer.queues.body(1, survivors[10] ?? 0), MessageGone)
      committer.commit([{ kind: 'drop', queue: 1, before: late[0] ?? 0 }])
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 0)
    }))

  test(`${backend}: messages that go while their bodies are being copied leave no copy behind`, () =>
    withQueues(async (committer, _, store) => {
      const sent = committer.send(1, 1000, { count: 200 })
      committer.send(2, 1000, { count: 200 })
      const releasing = committer.queues.release(committer.journal.tail)
      for (let at = 0; at < 200; at += 2) {
        committer.remove(1, [sent[at] ?? 0])
        if (at === 100) committer.commit([{ kind: 'drop', queue: 2, before: Infinity }])
        if (at % 8 === 0) await turn()
      }
      assert.equal(await releasing, true)
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 100)
    }))

  test(`${backend}: what a drop leaves of a chunk whose bodies are being copied is copied, too`, () =>
    withQueues(async (committer, reopen, store) => {
      for (const group of [0, 3]) {
        const queue = 10 + group
        const sent = committer.send(queue, 1000, { count: 3000, group })
        const { tail } = committer.journal
        const releasing = committer.queues.release(tail)
        for (let at = 0; at < 3; at++) await turn()
        committer.commit([{ kind: 'drop', queue, before: sent[1500] ?? 0 }])
        const late = committer.send(queue, 1000, { group })
        for (let isDone = await releasing; !isDone;) isDone = await committer.queues.release(tail)
        await committer.queues.checkpoint()
        committer.journal.trim(tail)
        await reopen()
        for (const sequence of [...sent.slice(1500), ...late])
          assert.equal(String(await committer.queues.body(queue, sequence)), `${queue}:${sequence}`)
        assert.equal(copies(store()), group === 0 ? 1500 : 3001, 'and what came late to the first')
      }
    }))
}

async function turns(): Promise<void> {
  for (let at = 0; at < 5; at++) await turn()
}

/** Copied bodies in the store; their keys have twelve bytes. */
function copies(store: QueueStore): number {
  return store.bodies.entries(Buffer.alloc(1), Buffer.alloc(13, 255)).filter(({ key }) => key.length === 12).length
}
