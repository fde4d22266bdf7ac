// Question: what does a log-everything trail cost, in CPU per event and in the latency of the publishes it tells of?
// Two servers, one with a trail that has digests and takes every event and one without; alternating rounds of the same publishes. The
// CPU of all threads and processes counts until every event lies in a log file; the difference of the pair is the trail's.
//   node bin/node26.js bench/trail-beside-publish.ts [--json] [--rounds 5] [--requests 20000] [--interval 5]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import type { Job } from './load/load.ts'
import { BENCH_KEY, ended, medianBy, type OurServer, runLoad, startOurs } from './load/pairs.ts'
import { cpuSeconds, pause } from './load/processes.ts'
import { publishBody, writeRequests } from './load/requests.ts'

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, rounds: { type: 'string' }, requests: { type: 'string' }, interval: { type: 'string' } },
})
const ROUNDS = Number(values.rounds ?? 5)
const REQUESTS = Number(values.requests ?? 20_000)
const INTERVAL_SECONDS = Number(values.interval ?? 5)
const IN_FLIGHT = 32
const WARM_UP = 40_000
const folder = mkdtempSync(join(tmpdir(), 'sealcast-trail-'))
const say = (line: string): void => void (values.json === true ? undefined : process.stdout.write(`${line}\n`))

interface World {
  readonly server: OurServer
  readonly job: Job
}

interface Round {
  readonly p99Ms: number
  readonly cpuUs: number
}

try {
  const worlds = { without: await open('without', false), with: await open('with', true) }
  for (const world of Object.values(worlds)) await runLoad('warm-up', { ...world.job, requests: WARM_UP })
  const rounds: { readonly without: Round; readonly with: Round }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ without: await measure(worlds.without), with: await measure(worlds.with) })
    const last = rounds.at(-1)
    if (last !== undefined)
      say(
        `CPU ${last.without.cpuUs.toFixed(1)} us a publish without, ${last.with.cpuUs.toFixed(1)} with a trail; ` +
          `p99 ${last.without.p99Ms.toFixed(2)} ms, ${last.with.p99Ms.toFixed(2)} ms`,
      )
  }
  const trailUs = median(rounds.map((round) => round.with.cpuUs - round.without.cpuUs))
  const p99Ratio = median(rounds.map((round) => round.with.p99Ms / round.without.p99Ms))
  say(`a trail costs ${trailUs.toFixed(1)} us of CPU an event; p99 ratio ${p99Ratio.toFixed(2)} (medians)`)
  if (values.json === true) process.stdout.write(`${JSON.stringify({ trailUs, p99Ratio, rounds })}\n`)
  for (const world of Object.values(worlds)) await ended(world.server)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function open(name: string, hasTrail: boolean): Promise<World> {
  const server = await startOurs(join(folder, name), ['--set', `trail.deliveryIntervalSeconds=${INTERVAL_SECONDS}`])
  const client = { endpoint: server.url, region: BENCH_KEY.region, credentials: BENCH_KEY }
  const topic = (await new SNS(client).createTopic({ Name: 'bench' })).TopicArn ?? ''
  const requestsFile = join(folder, `${name}.requests`)
  writeRequests(requestsFile, 2000, { ...BENCH_KEY, host: server.host }, (at) =>
    publishBody(topic, `${at} ${'x'.repeat(1024)}`.slice(0, 1024)),
  )
  if (hasTrail) await createTrail(client)
  return { server, job: { port: server.port, inFlight: IN_FLIGHT, requestsFile, warmUp: 0, requests: REQUESTS } }
}

async function createTrail(client: { endpoint: string; region: string; credentials: typeof BENCH_KEY }): Promise<void> {
  const s3 = new S3(client)
  await s3.createBucket({ Bucket: 'logs' })
  const trail = (Sid: string, Action: string, Resource: string): object => ({
    Sid,
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action,
    Resource,
  })
  const statements = [trail('acl', 's3:GetBucketAcl', 'arn:aws:s3:::logs'), trail('put', 's3:PutObject', 'arn:aws:s3:::logs/*')]
  await s3.putBucketPolicy({ Bucket: 'logs', Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) })
  const cloudtrail = new CloudTrail(client)
  await cloudtrail.createTrail({ Name: 'bench', S3BucketName: 'logs' })
  const field = (Field: string, value: string): { Field: string; Equals: string[] } => ({ Field, Equals: [value] })
  await cloudtrail.putEventSelectors({
    TrailName: 'bench',
    AdvancedEventSelectors: [
      { FieldSelectors: [field('eventCategory', 'Management')] },
      { FieldSelectors: [field('eventCategory', 'Data'), field('resources.type', 'AWS::SNS::Topic')] },
    ],
  })
  await cloudtrail.startLogging({ Name: 'bench' })
}

async function measure({ server, job }: World): Promise<Round> {
  await quiet(server)
  const before = cpuSeconds(server.pid)
  const { p99Ms } = await runLoad('publish', job)
  await quiet(server)
  return { p99Ms, cpuUs: ((cpuSeconds(server.pid) - before) / REQUESTS) * 1e6 }
}

/** Until every follower has read all there is, and another interval has passed for the last log file. */
async function quiet({ url }: OurServer): Promise<void> {
  for (let since = performance.now(); performance.now() - since < INTERVAL_SECONDS * 2000;) {
    const health = (await (await fetch(`${url}/_sealcast/health`)).json()) as { followers: readonly { lagBytes: number }[] }
    if (health.followers.some(({ lagBytes }) => lagBytes > 65_536)) since = performance.now()
    await pause(500)
  }
}

function median(numbers: readonly number[]): number {
  return medianBy(numbers, (value) => value) ?? NaN
}
