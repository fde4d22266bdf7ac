import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { historyScope, lookupTerm } from '../model/history-event.ts'
import { openHistory } from '../storage/history/history.ts'
import { memoryHistoryStore } from '../storage/history/memory-store.ts'
import { createSns } from '../services/sns/index.ts'
import { ACCOUNT, createHarness, type Harness, REGION } from '../../tests/harness.ts'
import { createHistoryFollower, type HistoryFollower } from './history.ts'

const SCOPE = historyScope(ACCOUNT, REGION)

async function withServer(run: (server: Harness, open: () => Opened) => Promise<void>): Promise<void> {
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) }))
  const store = memoryHistoryStore()
  const open = (): Opened => {
    const history = openHistory({ store, random: server.env.random })
    const follower = createHistoryFollower({ ...server.env, history })
    const names = (term?: string): string[] =>
      history
        .find({ scope: SCOPE, limit: 100, ...(term !== undefined && { term }) })
        .events.map(({ json }) => (JSON.parse(json) as { eventName: string }).eventName)
    return { history, follower, names }
  }
  try {
    await run(server, open)
  } finally {
    await server.close()
  }
}

interface Opened {
  readonly history: ReturnType<typeof openHistory>
  readonly follower: HistoryFollower
  readonly names: (term?: string) => string[]
}

suite('history follower', () => {
  test('who was cut off reads again from the checkpoint: every event once', () =>
    withServer(async ({ call }, open) => {
      const first = open()
      await call('sns', 'CreateTopic', { Name: 'a' })
      await first.follower.catchUp()
      await first.history.flush()
      const flushed = first.follower.checkpoint
      assert.ok(flushed > 0)
      await call('sns', 'CreateTopic', { Name: 'b' })
      await first.follower.catchUp()
      assert.equal(first.names().length, 2)
      assert.equal(first.follower.checkpoint, flushed, 'the journal is kept for what is in memory alone')
      // No stop: what was in memory is gone.
      const second = open()
      assert.equal(second.names().length, 1)
      await second.follower.catchUp()
      assert.deepEqual(second.names(lookupTerm('EventName', 'CreateTopic')), ['CreateTopic', 'CreateTopic'])
      await second.follower.stop()
      assert.equal(open().names().length, 2, 'an orderly stop keeps all')
    }))

  test('many events: groups are written on the way, and each event is there once', () =>
    withServer(async ({ call, env }, open) => {
      const { follower, history, names } = open()
      for (let number = 0; number < 2500; number++) await call('sns', 'ListTopics')
      await follower.catchUp()
      assert.ok(history.checkpoint > 0 && history.checkpoint < env.journal.durable)
      assert.equal(history.count(), 2500)
      assert.equal(names().length, 100)
      await follower.stop()
    }))

  test('events of our own kind and data events are not in it', () =>
    withServer(async ({ call, env }, open) => {
      await call('sns', 'CreateTopic', { Name: 'a' })
      await call('sns', 'Publish', { TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:a`, Message: 'm' })
      await env.acts.record({ name: 'ServerStarted' })
      const { follower, names } = open()
      await follower.catchUp()
      assert.deepEqual(names(), ['CreateTopic'])
      await follower.stop()
    }))

  test('what left the journal before it could be taken in is told on the record', () =>
    withServer(async ({ call, env, events, clock }, open) => {
      await call('sns', 'CreateTopic', { Name: 'a' })
      const { follower, names } = open()
      const behind = createHistoryFollower({
        ...env,
        history: openHistory({ store: memoryHistoryStore(), random: env.random }),
        journal: { ...pass(env.journal), start: env.journal.durable },
      })
      await call('sns', 'CreateTopic', { Name: 'b' })
      await behind.catchUp()
      await follower.catchUp()
      clock.advance(0)
      const told = (await events()).find(({ record }) => record['eventName'] === 'EventHistoryIncomplete')
      assert.ok(told !== undefined)
      assert.equal((told.record['serviceEventDetails'] as { fromPosition: number }).fromPosition, 0)
      assert.equal(names().length, 2)
      await behind.stop()
      await follower.stop()
    }))

  test('a history that is ahead of the journal is refused', () =>
    withServer(async ({ env, call }, open) => {
      await call('sns', 'CreateTopic', { Name: 'a' })
      const { follower } = open()
      await follower.catchUp()
      await follower.stop()
      const history = openHistory({ store: memoryHistoryStore(), random: env.random })
      history.append([], env.journal.durable + 1)
      await history.flush()
      assert.throws(() => createHistoryFollower({ ...env, history }), /they are not of one time/)
    }))
})

function pass(journal: Harness['env']['journal']): Harness['env']['journal'] {
  return {
    ...journal,
    get durable() {
      return journal.durable
    },
    read: (from, max) => journal.read(from, max),
    release: (frames) => journal.release(frames),
  }
}
