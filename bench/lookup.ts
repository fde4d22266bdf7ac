// Question: how long does LookupEvents look over millions of events, by each attribute, common and rare, for the first page and deep
// down; and what does an event cost the history in bytes and in CPU?
//   node bin/node26.js bench/lookup.ts [--events 5000000] [--json]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Random, seededRandom } from '../src/base/random.ts'
import { historyEventOf, historyScope, lookupTerm, lookupTerms } from '../src/model/history-event.ts'
import type { History, HistoryQuery } from '../src/storage/history.ts'
import { openHistory } from '../src/storage/history/history.ts'
import { lmdbHistoryStore } from '../src/storage/history/lmdb-store.ts'

const { values } = parseArgs({ options: { events: { type: 'string' }, json: { type: 'boolean' } } })
const events = Number(values.events ?? 5_000_000)
const ACCOUNT = '123456789012'
const REGION = 'eu-central-1'
const SCOPE = historyScope(ACCOUNT, REGION)
const START = Date.UTC(2026, 0, 1)
/** Ninety days, evenly filled. */
const STEP_MS = (90 * 86_400_000) / events
const TRIES = 20
const DEEP_PAGES = 200

const OPERATIONS: readonly (readonly [source: string, name: string, readOnly: boolean, member: string])[] = [
  ['sns', 'GetTopicAttributes', true, 'topicArn'],
  ['sns', 'ListTopics', true, ''],
  ['sns', 'Subscribe', false, 'topicArn'],
  ['sns', 'CreateTopic', false, 'topicArn'],
  ['sqs', 'GetQueueUrl', true, 'queueName'],
  ['sqs', 'CreateQueue', false, 'queueName'],
  ['s3', 'ListBuckets', true, ''],
  ['s3', 'CreateBucket', false, 'bucketName'],
  ['cloudtrail', 'DescribeTrails', true, ''],
  ['sts', 'GetCallerIdentity', true, ''],
]

const folder = mkdtempSync(join(tmpdir(), 'sealcast-lookup-'))
const open = (): History => openHistory({ store: lmdbHistoryStore({ folder }), random: seededRandom(1) })
try {
  let history = open()
  const filled = await fill(history)
  await history.close()
  const opened = performance.now()
  history = open()
  const openMs = performance.now() - opened
  const lookups = Object.entries(queries(filled)).map(([name, query]) => ({ name, ...measure(history, query) }))
  const result = {
    events,
    bytesPerEvent: Math.round(history.bytes() / events),
    rawBytesPerEvent: Math.round(filled.rawBytes / events),
    cpuMicrosecondsPerEvent: Math.round(filled.cpuMicroseconds / events),
    openMs: Math.round(openMs),
    lookups,
  }
  await history.close()
  process.stdout.write(values.json === true ? `${JSON.stringify(result)}\n` : text(result))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Filled {
  readonly rawBytes: number
  /** Of the whole process, without making the records. */
  readonly cpuMicroseconds: number
  readonly eventId: string
  readonly resource: string
}

/** What the follower does, without a journal. */
async function fill(history: History): Promise<Filled> {
  const random = seededRandom(7)
  let rawBytes = 0
  let cpuMicroseconds = 0
  let eventId = ''
  let resource = ''
  for (let at = 0; at < events;) {
    const made = Array.from({ length: Math.min(1024, events - at) }, (_, ordinal) => recordOf(at + ordinal, random))
    const before = process.cpuUsage()
    for (const json of made) {
      const event = historyEventOf(json.toString('utf8'))
      if (event === undefined) throw new Error('the bench made a record that is none')
      history.append([{ scope: SCOPE, terms: lookupTerms(event), time: event.time, json }], ++at)
      rawBytes += json.length
      if (at === Math.floor(events / 3)) eventId = event.eventId
      if (at <= Math.floor(events / 3)) resource = event.resources.at(-1)?.name ?? resource
    }
    if (history.isFull) await history.flush()
    const { user, system } = process.cpuUsage(before)
    cpuMicroseconds += user + system
  }
  return { rawBytes, cpuMicroseconds, eventId, resource }
}

function recordOf(at: number, random: Random): Buffer {
  const [source, name, readOnly, member] = OPERATIONS[random.below(OPERATIONS.length)] ?? ['sns', 'ListTopics', true, '']
  const user = at % Math.floor(events / 5) === 11 ? 'seldom' : `user-${random.below(40)}`
  const thing = `thing-${random.below(events)}`
  const value = member === 'topicArn' ? `arn:aws:sns:${REGION}:${ACCOUNT}:${thing}` : thing
  const record = {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${user}`,
      arn: `arn:aws:iam::${ACCOUNT}:user/${user}`,
      accountId: ACCOUNT,
      accessKeyId: `AKIA${user}`,
      userName: user,
    },
    eventTime: `${new Date(START + at * STEP_MS).toISOString().slice(0, 19)}Z`,
    eventSource: `${source}.amazonaws.com`,
    eventName: name,
    awsRegion: REGION,
    sourceIPAddress: `10.0.${random.below(250)}.${random.below(250)}`,
    userAgent: 'aws-sdk-js/3.1169.0 os/linux lang/js md/nodejs#26.10.0 api/sns#3.1169.0 m/E',
    requestParameters: member === '' ? null : { [member]: value },
    responseElements: null,
    requestID: random.uuid(),
    eventID: random.uuid(),
    readOnly,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: `${source}.${REGION}.example.com`,
    },
  }
  return Buffer.from(JSON.stringify(record))
}

function queries({ eventId, resource }: Filled): Readonly<Record<string, Omit<HistoryQuery, 'scope' | 'limit'>>> {
  const middle = START + 45 * 86_400_000
  return {
    'no attribute': {},
    'EventId, a third from the oldest': { term: lookupTerm('EventId', eventId) },
    'EventId, none such': { term: lookupTerm('EventId', 'none') },
    'EventName, common': { term: lookupTerm('EventName', 'CreateTopic') },
    ReadOnly: { term: lookupTerm('ReadOnly', 'true') },
    EventSource: { term: lookupTerm('EventSource', 's3.amazonaws.com') },
    'Username, one in forty': { term: lookupTerm('Username', 'user-3') },
    'Username, five in all': { term: lookupTerm('Username', 'seldom') },
    'AccessKeyId, five in all': { term: lookupTerm('AccessKeyId', 'AKIAseldom') },
    ResourceType: { term: lookupTerm('ResourceType', 'AWS::SNS::Topic') },
    'ResourceName, rare': { term: lookupTerm('ResourceName', resource) },
    'Username, one hour in the middle': { term: lookupTerm('Username', 'user-3'), from: middle, to: middle + 3_600_000 },
    'five in all, the oldest day': { term: lookupTerm('Username', 'seldom'), to: START + 86_400_000 },
  }
}

interface Measured {
  readonly found: number
  /** Of the first page asked for again and again: the middle one, and the first, which reads cold. */
  readonly firstMs: number
  readonly coldMs: number
  readonly firstCpuMs: number
  /** Of the pages behind it, one after the other, and of one far down at once. */
  readonly deepMs: number
  readonly deepCpuMs: number
}

function measure(history: History, query: Omit<HistoryQuery, 'scope' | 'limit'>): Measured {
  const ask = (before?: number): { readonly ms: number; readonly found: number; readonly next: number | undefined } => {
    const started = performance.now()
    const page = history.find({ ...query, scope: SCOPE, limit: 50, ...(before !== undefined && { before }) })
    const ms = performance.now() - started
    return { ms, found: page.events.length, next: page.hasMore ? page.events.at(-1)?.number : undefined }
  }
  const cold = ask()
  const first = timed(() => Array.from({ length: TRIES }, () => ask().ms))
  const deep = timed(() => {
    const ms: number[] = []
    for (let at = 0, { next } = cold; at < DEEP_PAGES && next !== undefined; at++) {
      const page = ask(next)
      ms.push(page.ms)
      next = page.next
    }
    // Far down at once, as who kept a token does.
    if (cold.next !== undefined) ms.push(ask(Math.floor(events / 10)).ms)
    return ms
  })
  return {
    found: cold.found,
    coldMs: tenths(cold.ms),
    firstMs: first.middleMs,
    firstCpuMs: first.cpuMs,
    deepMs: deep.middleMs,
    deepCpuMs: deep.cpuMs,
  }
}

function timed(run: () => readonly number[]): { readonly middleMs: number; readonly cpuMs: number } {
  const before = process.cpuUsage()
  const ms = run().toSorted((a, b) => a - b)
  const { user, system } = process.cpuUsage(before)
  return { middleMs: tenths(ms[ms.length >> 1] ?? 0), cpuMs: tenths((user + system) / 1000 / Math.max(1, ms.length)) }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}

function text(result: {
  readonly bytesPerEvent: number
  readonly rawBytesPerEvent: number
  readonly cpuMicrosecondsPerEvent: number
  readonly openMs: number
  readonly lookups: readonly ({ readonly name: string } & Measured)[]
}): string {
  const lines = result.lookups.map(
    ({ name, found, coldMs, firstMs, firstCpuMs, deepMs, deepCpuMs }) =>
      `  ${name.padEnd(36)} ${String(found).padStart(3)}   ${coldMs} / ${firstMs} / ${firstCpuMs}   ${deepMs} / ${deepCpuMs}`,
  )
  const { rawBytesPerEvent, bytesPerEvent, cpuMicrosecondsPerEvent, openMs } = result
  return (
    `${events} events of ${rawBytesPerEvent} bytes: ${bytesPerEvent} bytes and ${cpuMicrosecondsPerEvent} us of CPU each (all threads), ` +
    `opened in ${openMs} ms\n` +
    `found on a page of fifty; first page: ms cold / middle / CPU; deeper pages: ms middle / CPU\n${lines.join('\n')}\n`
  )
}
