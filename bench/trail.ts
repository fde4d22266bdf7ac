// Question: what do log files cost, in CPU per event, all threads counted? One process fills a journal in memory with publishes, then
// lets a log-everything trail take them, and nothing else.
//   node bin/node26.js bench/trail.ts [--json] [--rounds 5] [--events 40000]
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { createRootKey } from '../src/engine/accounts.ts'
import { startFollowers } from '../src/engine/follow.ts'
import { TrailFollower } from '../src/followers/trail/follower.ts'
import { openHouse } from '../src/house.ts'
import { readSettings } from '../src/model/config.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import { settings } from '../src/settings.ts'
import { signatureErrors } from '../src/wire/sigv4/errors.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string' }, events: { type: 'string' } } })
const ROUNDS = Number(values.rounds ?? 5)
const EVENTS = Number(values.events ?? 40_000)
const ACCOUNT = '000000000001'
const random = systemRandom()
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
const topicArn = await prepare()
const costs: number[] = []
for (let round = -1; round < ROUNDS; round++) {
  await fill(topicArn)
  const cost = await take()
  // The first round warms the compiler up.
  if (round >= 0) costs.push(cost)
}
const us = costs.toSorted((a, b) => a - b)[Math.floor(costs.length / 2)] ?? NaN
process.stdout.write(
  values.json === true
    ? `${JSON.stringify({ us, costs })}\n`
    : `${costs.map((cost) => cost.toFixed(1)).join(' ')}: ${us.toFixed(1)} us an event\n`,
)
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

async function prepare(): Promise<string> {
  await call('s3', 'CreateBucket', { Bucket: 'logs' })
  const statement = (Action: string, Resource: string): object => ({
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action,
    Resource,
  })
  const Statement = [statement('s3:GetBucketAcl', 'arn:aws:s3:::logs'), statement('s3:PutObject', 'arn:aws:s3:::logs/*')]
  await call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
  await call('cloudtrail', 'CreateTrail', { Name: 'bench', S3BucketName: 'logs' })
  const field = (Field: string, value: string): object => ({ Field, Equals: [value] })
  await call('cloudtrail', 'PutEventSelectors', {
    TrailName: 'bench',
    AdvancedEventSelectors: [
      { FieldSelectors: [field('eventCategory', 'Management')] },
      { FieldSelectors: [field('eventCategory', 'Data'), field('resources.type', 'AWS::SNS::Topic')] },
    ],
  })
  await call('cloudtrail', 'StartLogging', { Name: 'bench' })
  return String((await call('sns', 'CreateTopic', { Name: 'bench' }))['TopicArn'])
}

async function fill(TopicArn: string): Promise<void> {
  for (let at = 0; at < EVENTS; at += 100)
    await Promise.all(Array.from({ length: 100 }, (_, n) => call('sns', 'Publish', { TopicArn, Message: `message ${at + n}` })))
}

/** CPU per event until the last one lies in a log file. */
async function take(): Promise<number> {
  const { journal } = house.env
  const until = journal.durable
  const before = process.cpuUsage()
  const follower = new TrailFollower({ env: house.env, deliveryIntervalSeconds: 1 })
  const follows = startFollowers({ journal, clock: systemClock, log: silentLog, followers: [follower] })
  while (follower.checkpoint < until) await new Promise<void>((resolve) => setTimeout(resolve, 50))
  const { user, system } = process.cpuUsage(before)
  await follows.stop()
  return (user + system) / EVENTS
}
