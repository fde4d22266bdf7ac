import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createSns } from '../services/sns/index.ts'
import type { Follower } from '../engine/follow.ts'
import { OutboundFailed } from '../engine/outbound-failure.ts'
import type { OutboundRequest } from '../engine/outbound.ts'
import { Table } from '../model/tables.ts'
import { ACCOUNT, createHarness, type Harness, REGION } from '../../tests/harness.ts'
import { type EventCopiesOptions, forgetEventCopies, openEventCopies } from './event-copies.ts'

interface Posted {
  readonly id: string
  readonly source: string
  readonly detail: { readonly eventName: string; readonly requestParameters: { readonly name?: string } | null }
}

interface World extends Harness {
  readonly posts: OutboundRequest[]
  /** What the target answers from now on. */
  answer: (request: OutboundRequest) => number | Error
  readonly names: () => (string | undefined)[]
  start(options?: Partial<EventCopiesOptions>): Promise<Follower>
  topic(name: string): Promise<unknown>
  pass(milliseconds: number): Promise<void>
  dropped(): Promise<readonly Readonly<Record<string, unknown>>[]>
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const harness = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) }))
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  const world: World = {
    ...harness,
    posts: [],
    answer: () => 200,
    names: () =>
      world.posts.map(({ body }) => {
        const { detail } = JSON.parse(String(body)) as Posted
        return detail.requestParameters?.name ?? detail.eventName
      }),
    async start(options = {}) {
      const outbound = {
        request(request: OutboundRequest) {
          const answer = world.answer(request)
          if (answer instanceof Error) return Promise.reject(answer)
          if (answer === 200) world.posts.push(request)
          return Promise.resolve({ status: answer, headers: {}, body: Buffer.alloc(0) })
        },
      }
      const copies = await openEventCopies({
        env: harness.env,
        outbound,
        target: 'https://siem.example.com/in',
        includesReads: false,
        includesData: false,
        backlogBytesMax: 1 << 30,
        ...options,
      })
      harness.follow(copies)
      return copies
    },
    topic: (name) => harness.call('sns', 'CreateTopic', { Name: name }),
    async pass(milliseconds) {
      for (let left = milliseconds; left > 0; left -= 500) {
        harness.clock.advance(Math.min(left, 500))
        await turns()
      }
    },
    dropped: async () =>
      (await harness.events())
        .filter(({ record }) => record['eventName'] === 'EventCopiesDropped')
        .map(({ record }) => record['serviceEventDetails'] as Readonly<Record<string, unknown>>),
  }
  try {
    await run(world)
  } finally {
    await harness.close()
  }
}

suite('copies of events', () => {
  test('have the form of EventBridge, the record in them byte for byte', () =>
    withWorld(async ({ start, topic, pass, posts, events }) => {
      await start({ authorization: 'Bearer secret' })
      await topic('a')
      await pass(1000)
      const [post] = posts
      assert.ok(post !== undefined)
      assert.deepEqual([post.method, post.url], ['POST', 'https://siem.example.com/in'])
      assert.deepEqual(post.headers, { 'content-type': 'application/json', authorization: 'Bearer secret' })
      const [event] = await events()
      const json = event?.json.toString('utf8') ?? ''
      assert.ok(String(post.body).endsWith(`"detail":${json}}`))
      const { detail, ...head } = JSON.parse(String(post.body)) as Posted
      assert.deepEqual(head, {
        version: '0',
        id: event?.record['eventID'],
        'detail-type': 'AWS API Call via CloudTrail',
        source: 'aws.sns',
        account: ACCOUNT,
        time: '2026-01-02T03:04:05Z',
        region: REGION,
        resources: [],
      })
      assert.equal(detail.eventName, 'CreateTopic')
    }))

  test('management events that write, unless more is asked for; never those of our own kind', () =>
    withWorld(async ({ start, topic, pass, names, call, env }) => {
      await start()
      await start({ includesReads: true, includesData: true })
      await topic('a')
      await call('sns', 'ListTopics')
      await call('sns', 'Publish', { TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:a`, Message: 'm' })
      await env.acts.record({ name: 'ServerStarted' })
      await pass(2000)
      assert.deepEqual(new Set(names()), new Set(['ListTopics', 'Publish', 'a']))
      assert.equal(names().length, 4, 'the topic comes to both')
    }))

  test('a target that fails gets everything later, in order, and holds up nobody', () =>
    withWorld(async (world) => {
      const copies = await world.start()
      for (const answer of [500, 429, 401, new OutboundFailed('refused', 'nobody there')]) {
        world.answer = () => answer
        await world.topic(`after-${answer instanceof Error ? 'error' : answer}`)
        await world.pass(3000)
      }
      assert.deepEqual(world.posts, [])
      const before = copies.checkpoint
      world.answer = () => 200
      await world.pass(130_000)
      assert.deepEqual(world.names(), ['after-500', 'after-429', 'after-401', 'after-error'])
      assert.ok(copies.checkpoint > before)
      assert.deepEqual(await world.dropped(), [])
    }))

  test('who was cut off goes on from the record: at least once, and nothing from before the target was set', () =>
    withWorld(async (world) => {
      await world.topic('before')
      await world.start()
      await world.topic('a')
      await world.pass(10_000)
      await world.topic('b')
      world.answer = () => 503
      await world.pass(1000)
      world.answer = () => 200
      const second = await world.start()
      await world.pass(70_000)
      assert.deepEqual(new Set(world.names()), new Set(['a', 'b']))
      assert.ok(!world.names().includes('before'))
      const idle = world.env.journal.durable
      await world.pass(60_000)
      assert.equal(world.env.journal.durable, idle, 'its own checkpoints are nothing to follow')
      await second.stop()
      assert.ok(world.env.tables.get(Table.checkpoints, 'events') !== undefined)
      await forgetEventCopies(world.env)
      assert.equal(world.env.tables.get(Table.checkpoints, 'events'), undefined)
    }))

  test('beyond its backlog the oldest are let go of, counted on the record; the rest arrives', () =>
    withWorld(async (world) => {
      const copies = await world.start({ backlogBytesMax: 8 * 1024 })
      world.answer = () => 500
      for (let number = 0; number < 40; number++) {
        await world.topic(`t-${number}`)
        await world.pass(500)
      }
      await world.pass(120_000)
      assert.ok(world.env.journal.durable - copies.checkpoint < 24 * 1024)
      world.answer = () => 200
      await world.pass(130_000)
      await copies.stop()
      const lost = (await world.dropped()).reduce((sum, { beyondBacklog }) => sum + Number(beyondBacklog), 0)
      assert.ok(lost > 0 && lost < 40, `${lost} let go of`)
      const expected = Array.from({ length: 40 - lost }, (_, at) => `t-${at + lost}`)
      assert.deepEqual(world.names(), expected)
    }))

  test('an event that the target refuses is let go of at once, counted on the record', () =>
    withWorld(async (world) => {
      const copies = await world.start()
      world.answer = ({ body }) => (String(body).includes('"bad"') ? 400 : 200)
      for (const name of ['good', 'bad', 'better']) await world.topic(name)
      await world.pass(2000)
      await copies.stop()
      assert.deepEqual(world.names(), ['good', 'better'])
      const [told] = await world.dropped()
      assert.deepEqual([told?.['refused'], told?.['beyondBacklog']], [1, 0])
    }))
})
