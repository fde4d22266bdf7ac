// The invariants of docs/ARCHITECTURE.md, each from outside against a server process. Beside these: tests/crash (1),
// tests/canary.test.ts (7), tests/disk-failure.test.ts (9), and the suites of journal, records and lake.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, globSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { open } from 'lmdb'
import { checkLayers } from '../scripts/layers.ts'
import { RECORDS_FORMAT, STATE_KEY, encode } from '../src/storage/lmdb/format.ts'
import { readLogFiles, recordsOf, trailOfEverything } from './log-files.ts'
import { type Clients, mixedRun, queueOf, topicNamed } from './mixed-run.ts'
import { type ReceiverOptions, messageOf, openReceiver } from './receiver.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until, untilTrue } from './until.ts'

const EVERY_SECOND = ['--set', 'trail.deliveryIntervalSeconds=1']

interface World extends Clients {
  readonly data: string
}

async function worldFor(t: TestContext, data = folderFor(t)): Promise<World> {
  const server = await startTestServer({ data, words: EVERY_SECOND })
  t.after(() => server.kill())
  const config = clientConfig(server.url)
  const s3 = new S3({ ...config, forcePathStyle: true })
  return { data, server, sns: new SNS(config), sqs: new SQS(config), s3, cloudtrail: new CloudTrail(config) }
}

function folderFor(t: TestContext): string {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  return join(folder.path, 'data')
}

async function receiverFor(t: TestContext, options: ReceiverOptions = {}) {
  const receiver = await openReceiver(options)
  t.after(() => receiver.close())
  return receiver
}

async function query(data: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.equal(code, 0, notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

test('invariant 1: a message that was answered with 200 survives a SIGKILL right behind the answer', async (t) => {
  const world = await worldFor(t)
  const topicArn = await topicNamed(world, 'survivor')
  const queueUrl = await queueOf(world, topicArn)
  const { MessageId, $metadata } = await world.sns.publish({ TopicArn: topicArn, Message: 'answered' })
  await world.server.kill()
  const again = await worldFor(t, world.data)
  const { Messages } = await again.sqs.receiveMessage({
    QueueUrl: queueUrl.replace(world.server.url, again.server.url),
    WaitTimeSeconds: 5,
  })
  assert.deepEqual(
    Messages?.map(({ Body }) => Body),
    ['answered'],
  )
  const [event] = await query(world.data, `SELECT responseelements FROM events WHERE requestid = '${$metadata.requestId}'`)
  assert.deepEqual(JSON.parse(String(event?.['responseelements'])), { messageId: MessageId })
})

test('invariant 2: each call yields exactly one event, whatever became of it', async (t) => {
  const world = await worldFor(t)
  const eventsPerCall = async (ids: readonly string[]): Promise<readonly number[]> => {
    const rows = await query(world.data, 'SELECT requestid, count(*) AS n FROM events GROUP BY requestid')
    const counts = new Map(rows.map(({ requestid, n }) => [String(requestid), Number(n)]))
    return ids.map((id) => counts.get(id) ?? 0)
  }
  // The exception that is listed: data events of other services than SNS which no trail asks for.
  const { ids, unasked } = await mixedRun(world)
  assert.deepEqual(
    await eventsPerCall(ids),
    ids.map(() => 1),
  )
  assert.deepEqual(
    await eventsPerCall(unasked),
    unasked.map(() => 0),
  )
  await trailOfEverything(world)
  const asked = await mixedRun(world)
  const all = [...asked.ids, ...asked.unasked]
  assert.deepEqual(
    await eventsPerCall(all),
    all.map(() => 1),
  )
})

test('invariant 3: what was committed is never changed; a byte that is changed in the journal is named', async (t) => {
  const world = await worldFor(t)
  await mixedRun(world)
  const read = () => query(world.data, `SELECT position, eventjson FROM events WHERE eventsource <> 'sealcast.local' ORDER BY position`)
  const before = await read()
  await world.server.stop()
  const again = await worldFor(t, world.data)
  await topicNamed(again, 'after')
  assert.deepEqual((await read()).slice(0, before.length), before)
  await again.server.stop()
  const journal = join(world.data, 'journal')
  const segment = readdirSync(journal).find((name) => readFileSync(join(journal, name)).includes('"CreateTopic"')) ?? ''
  const bytes = readFileSync(join(journal, segment))
  const at = bytes.indexOf('"CreateTopic"') + 3
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(join(journal, segment), bytes)
  const check = await runCommand(['fsck', '--data', world.data])
  assert.notEqual(check.code, 0)
  assert.match(check.output + check.notes, new RegExp(segment))
})

test('invariant 4: a repeated delivery comes twice to the outside at most, and once into an own queue', async (t) => {
  const world = await worldFor(t)
  let refusals = 1
  const receiver = await receiverFor(t, {
    answer: (post) => (post.headers['x-amz-sns-message-type'] === 'Notification' && refusals-- > 0 ? 500 : 200),
  })
  const topicArn = await topicNamed(world, 'repeated')
  const queueUrl = await queueOf(world, topicArn)
  const DeliveryPolicy = JSON.stringify({ healthyRetryPolicy: { numRetries: 3, minDelayTarget: 1, maxDelayTarget: 1 } })
  await world.sns.subscribe({ TopicArn: topicArn, Protocol: 'http', Endpoint: receiver.url, Attributes: { DeliveryPolicy } })
  const { Token } = await receiver.next('SubscriptionConfirmation')
  await world.sns.confirmSubscription({ TopicArn: topicArn, Token })
  const { MessageId } = await world.sns.publish({ TopicArn: topicArn, Message: 'once' })
  const [first, second] = [await receiver.next('Notification'), await receiver.next('Notification')]
  assert.deepEqual([first['MessageId'], second['MessageId']], [MessageId, MessageId])
  assert.equal(first['Signature'], second['Signature'])
  const { Messages } = await world.sqs.receiveMessage({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 })
  assert.deepEqual(
    Messages?.map(({ Body }) => Body),
    ['once'],
  )
})

test('invariant 5: a receiver that never answers holds up nothing else; lag is visible for each follower', async (t) => {
  const world = await worldFor(t)
  const isConfirmation = (type: string | string[] | undefined) => type === 'SubscriptionConfirmation'
  const stuck = await receiverFor(t, { answer: ({ headers }) => (isConfirmation(headers['x-amz-sns-message-type']) ? 200 : undefined) })
  const lively = await receiverFor(t)
  const topicArn = await topicNamed(world, 'stuck')
  const queueUrl = await queueOf(world, topicArn)
  for (const receiver of [stuck, lively]) {
    await world.sns.subscribe({ TopicArn: topicArn, Protocol: 'http', Endpoint: receiver.url })
    const { Token } = await receiver.next('SubscriptionConfirmation')
    await world.sns.confirmSubscription({ TopicArn: topicArn, Token })
  }
  await trailOfEverything(world)
  const ids: string[] = []
  for (let number = 0; number < 20; number++) {
    const { $metadata } = await world.sns.publish({ TopicArn: topicArn, Message: `message ${number}` })
    ids.push($metadata.requestId ?? '')
  }
  for (const _ of ids) await lively.next('Notification')
  const rows = await query(world.data, `SELECT requestid FROM events WHERE eventname = 'Publish'`)
  assert.equal(rows.length, 20)
  const { Attributes } = await world.sqs.getQueueAttributes({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
  assert.equal(Attributes?.['ApproximateNumberOfMessages'], '20')
  await untilTrue('the last publish in a log file', async () =>
    recordsOf(await readLogFiles(world)).some((record) => record['requestID'] === ids.at(-1)),
  )
  const health = (await (await fetch(`${world.server.url}/_sealcast/health`)).json()) as { followers: { name: string; lagBytes: number }[] }
  for (const name of ['delivery', 'lake', 'trail'])
    assert.equal(typeof health.followers.find((follower) => follower.name === name)?.lagBytes, 'number')
  assert.ok(stuck.posts.filter((post) => messageOf(post)['Type'] === 'Notification').length >= 1)
})

test('invariant 6: a log file that was written is never edited, through further rounds and a restart', async (t) => {
  const world = await worldFor(t)
  await trailOfEverything(world)
  await topicNamed(world, 'one')
  const first = await until('a log file', async () => {
    const files = await readLogFiles(world)
    return files.size > 0 ? files : undefined
  })
  await topicNamed(world, 'two')
  await untilTrue('a later log file', async () => (await readLogFiles(world)).size > first.size)
  await world.server.stop()
  const again = await worldFor(t, world.data)
  await topicNamed(again, 'three')
  const now = await until('the log file of the restarted server', async () => {
    const files = await readLogFiles(again)
    return recordsOf(files).some(({ responseElements }) => JSON.stringify(responseElements ?? '').endsWith(':three"}')) ? files : undefined
  })
  for (const [key, bytes] of first) assert.ok(now.get(key)?.equals(bytes), key)
})

/** Events of calls; what the server tells of itself is no call. */
const OF_CALLS = "eventtype <> 'SealcastServerEvent'"

test('invariant 8: calls = events = events in the lake, and records in a trail that logs everything = those of AWS kind', async (t) => {
  const world = await worldFor(t)
  await trailOfEverything(world)
  const { ids } = await mixedRun(world)
  await world.s3.putObject({ Bucket: 'mixed', Key: 'object', Body: 'x' })
  await world.s3.getObject({ Bucket: 'mixed', Key: 'object' })
  await world.s3.getObject({ Bucket: 'mixed', Key: 'absent' }).catch(() => {})
  const last = (await world.sns.listTopics({})).$metadata.requestId ?? ''

  await untilTrue('as many events as calls', async () => {
    const metrics = await (await fetch(`${world.server.url}/_sealcast/metrics`)).text()
    const calls = [...metrics.matchAll(/^sealcast_calls_total\{[^}]*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
    const [row] = await query(world.data, `SELECT count(*) AS n, count(DISTINCT eventid) AS ids FROM events WHERE ${OF_CALLS}`)
    assert.equal(Number(row?.['n']), Number(row?.['ids']), 'no event comes twice')
    // The query that counts is a call of its own.
    return Number(row?.['n']) === calls + 1
  })

  const expected = await query(
    world.data,
    `SELECT eventid, eventjson FROM events WHERE event_class = 'aws' AND coalesce(additionaleventdata, '') NOT LIKE '%causedByTrail%'
       AND position >= (SELECT position FROM events WHERE eventname = 'StartLogging')
       AND position <= (SELECT position FROM events WHERE requestid = '${last}')`,
  )
  assert.ok(expected.length > ids.length)
  const records = await until('every event in a log file', async () => {
    const found = recordsOf(await readLogFiles(world))
    const written = new Set(found.map((record) => record['eventID']))
    return expected.every(({ eventid }) => written.has(eventid)) ? found : undefined
  })
  assert.equal(new Set(records.map((record) => record['eventID'])).size, records.length, 'no record comes twice')
  const lake = await query(world.data, `SELECT eventid, event_class, eventjson FROM events`)
  const known = new Map(lake.map((row) => [row['eventid'], row]))
  for (const record of records) {
    const row = known.get(record['eventID'])
    assert.equal(row?.['event_class'], 'aws', 'events of our own kind enter no trail')
    assert.equal(row?.['eventjson'], JSON.stringify(record))
  }
})

test('invariant 8, by the census that the server keeps: it holds over a restart, a command in between, and a crash', async (t) => {
  const world = await worldFor(t)
  const run = await mixedRun(world)
  await world.server.stop()
  await query(world.data, 'SELECT count(*) FROM events')
  const again = await worldFor(t, world.data)
  await topicNamed(again, 'before-the-crash')
  await again.server.kill()
  const third = await worldFor(t, world.data)
  await topicNamed(third, 'behind-the-crash')
  await third.server.stop()

  const acts = await query(
    world.data,
    `SELECT eventname, serviceeventdetails FROM events WHERE eventname IN ('Census', 'ServerCrashed') ORDER BY position`,
  )
  const details = (name: string) =>
    acts.flatMap((row) => (row['eventname'] === name ? [JSON.parse(String(row['serviceeventdetails'])) as CensusDetails] : []))
  const [first, last, ...others] = details('Census')
  assert.ok(first !== undefined && last !== undefined && others.length === 0)
  assert.equal(first.exceptions.unaskedDataEvents, run.unasked.length)
  assert.equal(first.calls.refusedSignature, 1)
  assert.deepEqual(
    details('ServerCrashed').map(({ eventsSinceCensus }) => eventsSinceCensus),
    // The command's call was counted by the command.
    [{ aws: 1, own: 0 }],
  )
  // The query that counts is a call of its own, and behind the last census.
  const [row] = await query(world.data, `SELECT count(*) AS n FROM events WHERE ${OF_CALLS}`)
  assert.equal(Number(row?.['n']), last.total.events + 2)
  assert.equal(last.total.assumedAfterCrash, 1)
  assert.equal(last.events, 2, 'the command and the call behind the crash')
  const { output } = await runCommand(['coverage', '--data', world.data, '--json'])
  const { census } = JSON.parse(output) as { census: { spans: number; events: number; mismatches: readonly unknown[] } }
  assert.deepEqual(census, { spans: 2, events: last.total.events, mismatches: [] })
})

interface CensusDetails {
  readonly calls: { readonly refusedSignature: number }
  readonly exceptions: { readonly unaskedDataEvents: number }
  readonly events: number
  readonly total: { readonly events: number; readonly assumedAfterCrash: number }
  readonly eventsSinceCensus?: unknown
}

test('invariant 10: an older release refuses what a newer one wrote, by name, and changes nothing', async (t) => {
  const world = await worldFor(t)
  await mixedRun(world)
  await world.server.stop()
  // A lake that has written its manifest.
  await query(world.data, 'SELECT count(*) FROM events')
  const newer: Readonly<Record<string, (data: string) => void | Promise<void>>> = {
    'format.json says format 2': (data) => writeFileSync(join(data, 'format.json'), '{"format":2}\n'),
    '.journal is of journal format 2': (data) => {
      for (const path of globSync(join(data, 'journal', '*.journal'))) {
        const bytes = readFileSync(path)
        bytes.writeUInt32LE(2, 8)
        writeFileSync(path, bytes)
      }
    },
    'the records in .* have format 2': async (data) => {
      const form = { keyEncoding: 'binary', encoding: 'binary', noSubdir: false, overlappingSync: false } as const
      const database = open<Buffer, Buffer>(join(data, 'records'), form)
      const state = JSON.stringify({ format: RECORDS_FORMAT + 1, checkpoint: 0, counts: {} })
      await database.put(STATE_KEY, encode(STATE_KEY, Buffer.from(state)))
      await database.close()
    },
    'manifest.json has format 2': (data) => {
      const path = join(data, 'lake', 'manifest.json')
      writeFileSync(path, JSON.stringify({ upTo: 0, imports: 0, files: [], format: 2 }))
    },
  }
  for (const [what, change] of Object.entries(newer)) {
    const data = folderFor(t)
    cpSync(world.data, data, { recursive: true })
    await change(data)
    const before = fingerprint(data)
    const { code, notes } = await runCommand(['serve', '--data', data, '--port', '0'])
    assert.equal(code, 1, what)
    assert.match(notes, new RegExp(what), notes)
    assert.deepEqual(fingerprint(data), before, what)
  }
})

/** What lies in a folder, by path. The lock files are whoever's looks. */
function fingerprint(folder: string): Readonly<Record<string, string>> {
  const paths = globSync('**/*', { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile() && !/(^|\/)lock/.test(path))
  return Object.fromEntries(
    paths.toSorted().map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  )
}

test('invariant 11: lower floors know nothing of higher floors', () => {
  const root = join(import.meta.dirname, '..')
  const sources = globSync('src/**/*.ts', { cwd: root })
  assert.ok(sources.length > 200)
  assert.deepEqual(
    sources.flatMap((path) => checkLayers(path, readFileSync(join(root, path), 'utf8'))),
    [],
  )
  // What is refused is refused by this very check.
  assert.equal(checkLayers('src/model/arn.ts', `import { serve } from '../engine/call.ts'\n`).length, 1)
})
