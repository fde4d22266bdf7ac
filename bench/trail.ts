// Question: what do log files, digests and the Merkle tree cost, in CPU per event, all threads counted? One process publishes into a
// journal in memory, a few thousand at a time, and then lets a log-everything trail with digests and the tree take them, and nothing else.
// The tree is in files on disk (in TMPDIR, removed at the end), which are flushed as a server's are; its flushes are in its figure.
// With the flags that bin/sealcast.js starts the server with:
//   node bin/node26.js --heap-growing-percent=400 --no-maglev --max-inlined-bytecode-size-cumulative=1800 \
//     bench/trail.ts [--json] [--rounds 5] [--events 60000] [--only trail|tree] [--topics 1]
// With many topics in turn few records resemble one that is near: then zlib compresses the log file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Clock, systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { createRootKey } from '../src/engine/accounts.ts'
import type { Env } from '../src/engine/env.ts'
import { TrailFollower } from '../src/followers/trail/follower.ts'
import { TreeFollower } from '../src/followers/tree/follower.ts'
import { openHouse } from '../src/house/house.ts'
import { readSettings } from '../src/model/config.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import { settings } from '../src/settings.ts'
import { diskFiles } from '../src/storage/disk/files.ts'
import type { Position } from '../src/storage/journal.ts'
import { openPackedFiles } from '../src/storage/tree/packed-files.ts'
import { signatureErrors } from '../src/wire/sigv4/errors.ts'
import { pause } from './load/processes.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string' },
    events: { type: 'string' },
    only: { type: 'string' },
    topics: { type: 'string' },
  },
})
const ROUNDS = Number(values.rounds ?? 5)
const EVENTS = Number(values.events ?? 60_000)
const TOPICS = Number(values.topics ?? 1)
/** As much as memory holds of the journal: followers read what was written just now. */
const AT_ONCE = 2500
const TEXT = 'x'.repeat(1000)
const TAKING_MS = 40
const ACCOUNT = '000000000001'
const random = systemRandom()
const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const tree = openPackedFiles(diskFiles(), join(folder, 'tree'), { size: 0 })
const house = await openHouse({
  config: configOf(),
  clock: systemClock,
  random,
  log: silentLog,
  data: undefined,
  version: 'bench',
  account: ACCOUNT,
  rootKey: createRootKey(random),
  baseUrl: () => 'http://127.0.0.1',
  allow: [],
  signatureErrors,
  purpose: 'command',
})
const topicArns = await prepare()
const parts = { nothing: beginNothing, trail: beginTrail, tree: beginTree } as const
const costs: Record<keyof typeof parts, number[]> = { nothing: [], trail: [], tree: [] }
const chosen = (['nothing', 'trail', 'tree'] as const).filter(
  (name) => name === 'nothing' || values.only === undefined || name === values.only,
)
// The first round warms the compiler up.
for (let round = -1; round < ROUNDS; round++)
  for (const name of chosen) {
    const cost = await measure(parts[name])
    if (round >= 0) costs[name].push(cost)
  }
const middle = (name: keyof typeof parts): number => costs[name].toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN
const us = Object.fromEntries(chosen.slice(1).map((name) => [name, middle(name) - middle('nothing')]))
for (const name of chosen)
  if (values.json !== true) process.stdout.write(`${name}: ${costs[name].map((cost) => cost.toFixed(1)).join(' ')} us an event\n`)
const sum = Object.values(us).reduce((total, one) => total + one, 0)
process.stdout.write(values.json === true ? `${JSON.stringify({ us, sum, costs })}\n` : `${sum.toFixed(1)} us an event in all (medians)\n`)
process.exit()

function configOf() {
  const read = readSettings(settings, [])
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return read.values
}

async function call(service: string, operation: string, input: object): Promise<Record<string, unknown>> {
  const result = await house.invoke({
    service,
    operation,
    input,
    region: 'us-east-1',
    requestId: random.uuid(),
    arrivedAt: systemClock.now(),
    sourceIp: '192.0.2.1',
    userAgent: 'aws-sdk-js/3.1169.0 os/linux lang/js md/nodejs#26.10.0 api/sns#3.1169.0',
    host: 'sns.us-east-1.amazonaws.com',
    principal: rootPrincipal(ACCOUNT, 'AKIABENCHBENCHBENCHB'),
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
  })
  if ('error' in result) throw result.error
  return result.output as Record<string, unknown>
}

async function prepare(): Promise<string[]> {
  await call('s3', 'CreateBucket', { Bucket: 'logs' })
  const statement = (Action: string, Resource: string): object => ({
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action,
    Resource,
  })
  const Statement = [statement('s3:GetBucketAcl', 'arn:aws:s3:::logs'), statement('s3:PutObject', 'arn:aws:s3:::logs/*')]
  await call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
  await call('cloudtrail', 'CreateTrail', { Name: 'bench', S3BucketName: 'logs', EnableLogFileValidation: true })
  const field = (Field: string, value: string): object => ({ Field, Equals: [value] })
  await call('cloudtrail', 'PutEventSelectors', {
    TrailName: 'bench',
    AdvancedEventSelectors: [
      { FieldSelectors: [field('eventCategory', 'Management')] },
      { FieldSelectors: [field('eventCategory', 'Data'), field('resources.type', 'AWS::SNS::Topic')] },
    ],
  })
  await call('cloudtrail', 'StartLogging', { Name: 'bench' })
  const names = Array.from({ length: TOPICS }, (_, n) => (n === 0 ? 'bench' : `bench-${n}`))
  return Promise.all(names.map(async (Name) => String((await call('sns', 'CreateTopic', { Name }))['TopicArn'])))
}

async function fill(): Promise<void> {
  const publish = (number: number): Promise<unknown> =>
    call('sns', 'Publish', { TopicArn: topicArns[number % TOPICS], Message: `${number} ${TEXT}` })
  for (let at = 0; at < AT_ONCE; at += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => publish(at + n)))
  // The house's own followers are done before anything is measured.
  while (house.status().followers.some(({ lagBytes }) => lagBytes > 0)) await pause(20)
}

/** What takes events, batch by batch. */
interface Taker {
  take(from: Position): Promise<void>
  finish(): Promise<void>
}

/** CPU per event of what a taker does with them. */
async function measure(begin: () => Taker): Promise<number> {
  let microseconds = 0
  const counted = async (work: () => Promise<void>): Promise<void> => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    microseconds += user + system
  }
  // What the others' rounds have left for it does not count.
  const before = begin()
  await before.take(house.env.journal.durable)
  await before.finish()
  const taker = begin()
  for (let events = 0; events < EVENTS; events += AT_ONCE) {
    const from = house.env.journal.durable
    await fill()
    await counted(() => taker.take(from))
  }
  await counted(() => taker.finish())
  return microseconds / EVENTS
}

/** What the house itself has still to do: the same for all, and taken off. */
function beginNothing(): Taker {
  return { take: () => pause(TAKING_MS), finish: () => Promise.resolve() }
}

/** Everything in one log file, which is in its bucket at the end. */
function beginTrail(): Taker {
  const { journal } = house.env
  const due: (() => void)[] = []
  const clock: Clock = {
    ...systemClock,
    after(_milliseconds, run) {
      due.push(run)
      return { cancel() {} }
    },
  }
  const follower = new TrailFollower({ env: { ...house.env, clock }, deliveryIntervalSeconds: 3600 })
  // The last timer that it set closes the round.
  const closeRound = due.at(-1)
  let read = follower.checkpoint
  return {
    async take() {
      for (const until = journal.durable; read < until;) {
        const frames = await journal.read(read, follower.batchBytesMax)
        await follower.handle(frames)
        journal.release(frames)
        read = frames.at(-1)?.end ?? until
      }
    },
    async finish() {
      closeRound?.()
      await follower.settled()
      await follower.stop()
    },
  }
}

/** Every event a leaf, in files that are written out. */
function beginTree(): Taker {
  const { env } = house
  const commits = { commit: () => ({ result: undefined, position: undefined, done: Promise.resolve() }) } as unknown as Env['commits']
  const state = { kind: 'state', origin: 'bench', size: tree.size, root: tree.root().toString('base64') } as const
  let follower: TreeFollower | undefined
  return {
    async take(from) {
      follower ??= new TreeFollower({ ...env, commits }, tree, { ...state, position: from })
      await follower.catchUp()
    },
    async finish() {
      await follower?.stop()
    },
  }
}
