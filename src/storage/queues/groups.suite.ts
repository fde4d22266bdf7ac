// What the queues owe of groups and memories, by hand: what random histories seldom meet, and what only large numbers show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Committer } from './committer.suite.ts'

export type WithQueues = (use: (committer: Committer, reopen: () => Promise<void>) => Promise<void>) => Promise<void>

const QUEUE = 1

export function groupsSuite(backend: string, withQueues: WithQueues): void {
  const take = ({ queues }: Committer, max: number, now = 1000): number[] => queues.take(QUEUE, max, now).map(({ sequence }) => sequence)

  test(`${backend}: an ordered group gives as much as is asked for, in order, then nothing until all of that is settled`, () =>
    withQueues(async (committer, reopen) => {
      const a = committer.send(QUEUE, 1000, { count: 5, group: 1 })
      const b = committer.send(QUEUE, 1000, { count: 2, group: 2 })
      assert.deepEqual(committer.receive(QUEUE, 3, 1000, 30), a.slice(0, 3))
      assert.deepEqual(committer.receive(QUEUE, 10, 1000, 30), b)
      committer.remove(QUEUE, a.slice(0, 2))
      assert.deepEqual(take(committer, 10), [])
      await committer.queues.checkpoint()
      await reopen()
      assert.deepEqual(take(committer, 10), [], 'locked after a restart, too')
      committer.remove(QUEUE, a.slice(2, 3))
      assert.deepEqual(take(committer, 10), a.slice(3))
    }))

  test(`${backend}: what becomes visible again goes before what is behind it`, () =>
    withQueues(async (committer) => {
      const sent = committer.send(QUEUE, 1000, { count: 6, group: 1 })
      committer.receive(QUEUE, 3, 1000, 30)
      committer.remove(QUEUE, sent.slice(1, 2))
      assert.deepEqual(take(committer, 10, 1029), [])
      assert.deepEqual(committer.receive(QUEUE, 10, 1030, 0), [sent[0], ...sent.slice(2)])
      assert.deepEqual(take(committer, 2, 1030), [sent[0], sent[2]])
      for (const sequence of [sent[2] ?? 0, sent[0] ?? 0]) committer.queues.untake(QUEUE, sequence)
      assert.deepEqual(take(committer, 2, 1030), [sent[0], sent[2]])
    }))

  test(`${backend}: a delayed message holds back its group, and no other; removed by its handle, it does no more`, () =>
    withQueues(async (committer) => {
      const [delayed = 0] = committer.send(QUEUE, 1000, { group: 1, delay: 100 })
      const behind = committer.send(QUEUE, 1000, { count: 2, group: 1 })
      const other = committer.send(QUEUE, 1000, { group: 2 })
      assert.deepEqual(committer.receive(QUEUE, 10, 1000, 500), other)
      committer.remove(QUEUE, [delayed])
      assert.deepEqual(committer.receive(QUEUE, 10, 1000, 500), behind)
    }))

  test(`${backend}: who waits is woken when a group is free, and not while it is locked`, () =>
    withQueues(async (committer) => {
      const [first = 0] = committer.send(QUEUE, 1000, { count: 3, group: 1 })
      committer.receive(QUEUE, 1, 1000, 30)
      let wakes = 0
      committer.queues.onceAvailable(QUEUE, 1000, () => wakes++)
      for (let at = 0; at < 20; at++) await turn()
      assert.equal(wakes, 0)
      committer.remove(QUEUE, [first])
      for (let at = 0; at < 5; at++) await turn()
      assert.equal(wakes, 1)
    }))

  test(`${backend}: a quiet tenant is served at once beside one with a backlog and much in flight, who gets what is left`, () =>
    withQueues(async (committer) => {
      committer.send(QUEUE, 1000, { count: 3000, group: -1 })
      for (let at = 0; at < 20; at++) committer.receive(QUEUE, 10, 1000, 1000)
      for (let tenant = 2; tenant < 12; tenant++) {
        const sent = committer.send(QUEUE, 1000, { count: 2, group: -tenant })
        const received = committer.receive(QUEUE, 10, 1000, 1000)
        assert.deepEqual(
          received.filter((sequence) => sent.includes(sequence)),
          sent,
        )
        assert.equal(received.length, 10)
      }
      const alone = committer.send(QUEUE, 1000, { count: 2 })
      assert.equal(
        committer.receive(QUEUE, 10, 1000, 1000).filter((sequence) => alone.includes(sequence)).length,
        2,
        'without a group, too',
      )
    }))

  test(`${backend}: nobody starves, not even the noisiest beside quiet ones that never end, and not who is new beside who comes back`, () =>
    withQueues(async (committer) => {
      const noisy = new Set(committer.send(QUEUE, 1000, { count: 100, group: -1 }))
      for (let at = 0; at < 5; at++) committer.receive(QUEUE, 10, 1000, 100_000)
      let served = 0
      for (let at = 0; at < 400; at++) {
        committer.send(QUEUE, 1000, { count: 2, group: -2 - at })
        for (const sequence of committer.receive(QUEUE, 1, 1000, 100_000)) if (noisy.has(sequence)) served++
      }
      assert.ok(served >= 10, String(served))
      const poison = committer.send(2, 1000, { count: 10, group: -1 })
      const fresh = committer.send(2, 1000, { count: 40, group: -1 })
      const seen = new Set<number>()
      for (let round = 0; round < 13; round++) for (const sequence of committer.receive(2, 10, 1000 + round, 0)) seen.add(sequence)
      assert.equal(seen.size, poison.length + fresh.length)
    }))

  test(`${backend}: a queue that had groups is one without when they are through`, () =>
    withQueues(async (committer, reopen) => {
      const before = committer.send(QUEUE, 1000, { count: 3 })
      const grouped = committer.send(QUEUE, 1000, { count: 2, group: -5 })
      for (const sequence of grouped) committer.remove(QUEUE, [sequence])
      const after = committer.send(QUEUE, 1000, { count: 3 })
      assert.deepEqual(take(committer, 10), [...before, ...after])
      await committer.queues.checkpoint()
      await reopen()
      assert.deepEqual(take(committer, 10), [...before, ...after])
    }))

  test(`${backend}: a drop of most of many grouped messages counts at once, and leaves the rest in order`, () =>
    withQueues(async (committer, reopen) => {
      committer.send(QUEUE, 1000, { count: 20_000, group: 1 })
      const others = committer.send(QUEUE, 1000, { count: 20_000, group: 2 })
      const [locked = 0] = committer.receive(QUEUE, 1, 1000, 30)
      const before = others.at(-100) ?? 0
      committer.commit([{ kind: 'drop', queue: QUEUE, before }])
      assert.deepEqual(committer.queues.counts(QUEUE, 1000), { visible: 100, inFlight: 0, delayed: 0 })
      assert.equal(committer.queues.find(QUEUE, locked), undefined)
      assert.equal(committer.queues.oldest(QUEUE), 1000)
      const late = committer.send(QUEUE, 1000, { count: 2, group: 1 })
      let woken = false
      committer.queues.onceAvailable(QUEUE, 1000, () => (woken = true))
      for (let at = 0; at < 200; at++) await turn()
      assert.ok(woken)
      assert.deepEqual(new Set(take(committer, 200)), new Set([...others.slice(-100), ...late]))
      await committer.queues.checkpoint()
      await reopen()
      assert.deepEqual(new Set(take(committer, 200)), new Set([...others.slice(-100), ...late]))
    }))

  test(`${backend}: a purge of grouped messages leaves nothing locked, and the end of a queue forgets what it remembered`, () =>
    withQueues(async (committer, reopen) => {
      const key = Buffer.alloc(16, 1)
      committer.commit([{ kind: 'remember', queue: QUEUE, key, until: 9000, value: Buffer.from('told') }])
      committer.send(QUEUE, 1000, { count: 10, group: 1 })
      committer.receive(QUEUE, 5, 1000, 30)
      committer.commit([{ kind: 'drop', queue: QUEUE, before: committer.queues.nextSequence(QUEUE) }])
      assert.deepEqual(committer.queues.counts(QUEUE, 1000), { visible: 0, inFlight: 0, delayed: 0 })
      assert.equal(committer.queues.recall(QUEUE, key, 1000)?.toString(), 'told')
      const sent = committer.send(QUEUE, 1000, { count: 2, group: 1 })
      assert.deepEqual(take(committer, 10), sent)
      await committer.queues.checkpoint()
      committer.commit([{ kind: 'drop', queue: QUEUE, before: Infinity }])
      assert.equal(committer.queues.recall(QUEUE, key, 1000), undefined)
      await reopen()
      assert.equal(committer.queues.recall(QUEUE, key, 1000), undefined)
      assert.equal(committer.queues.bytes().memories, 0)
    }))

  test(`${backend}: a hundred thousand memories are found after a restart, weigh what they should, and go with their time`, () =>
    withQueues(async (committer, reopen) => {
      const count = 100_000
      const key = (at: number): Buffer => {
        const bytes = Buffer.alloc(16)
        bytes.writeUInt32LE(Math.imul(at, 0x9e37_79b1) >>> 0, 0)
        bytes.writeUInt32LE(at, 4)
        return bytes
      }
      const until = (at: number): number => 300_000 + at * 3
      for (let at = 0; at < count; at += 1000) {
        const told = Array.from({ length: 1000 }, (_, index) => at + index)
        committer.commit(told.map((n) => ({ kind: 'remember', queue: QUEUE, key: key(n), until: until(n), value: key(n).subarray(0, 8) })))
      }
      const check = (now: number): void => {
        for (let at = 0; at < count; at += 97)
          assert.deepEqual(committer.queues.recall(QUEUE, key(at), now), until(at) > now ? key(at).subarray(0, 8) : undefined)
        assert.equal(committer.queues.recall(QUEUE, key(count + 1), now), undefined)
      }
      check(1000)
      assert.ok(committer.queues.bytes().memories < count * 60, String(committer.queues.bytes().memories))
      await committer.queues.checkpoint()
      await reopen()
      check(450_000)
      committer.queues.expire(450_000)
      check(450_000)
      assert.ok(committer.queues.bytes().memories < count * 40)
      committer.queues.expire(700_000)
      assert.equal(committer.queues.bytes().memories, 0)
      await committer.queues.checkpoint()
      await reopen()
      assert.equal(committer.queues.bytes().memories, 0)
    }))
}
