// A server under mixed calls, with two trails of everything: one into its own buckets, one into another S3. Deliveries fail at random
// (denied, bucket gone, disk full, slow, refused, answers lost), and the server is killed. At the end every served call stands in the log
// files of both, by eventID, and nothing else.
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { paginateListObjectsV2, S3 } from '@aws-sdk/client-s3'
import { type Random, seededRandom } from '../../src/base/random.ts'
import { clientConfig, runCommand, startTestServer, type TestServer } from '../server.ts'
import { pause, untilTrue } from '../until.ts'
import { type Load, prepareLoad, startLoad } from './load.ts'
import { type ChainReport, checkChains } from './chains.ts'
import { openOtherS3, type OtherS3 } from './other-s3.ts'

export interface LosslessOptions {
  readonly folder: string
  readonly calls: number
  readonly seed: number
  readonly inFlight: number
  /** Between two faults, about. */
  readonly faultMs: number
  readonly report: (line: string) => void
}

export interface TrailReport {
  readonly files: number
  readonly records: number
  /** Records that came more than once, with the same eventID. */
  readonly duplicates: number
}

export interface LosslessReport {
  readonly seed: number
  readonly calls: number
  readonly served: number
  readonly refused: number
  readonly unanswered: number
  readonly faults: Readonly<Record<string, number>>
  readonly own: TrailReport
  readonly outside: TrailReport
  readonly chain: ChainReport
  readonly seconds: number
}

export interface World {
  readonly options: LosslessOptions
  readonly random: Random
  readonly other: OtherS3
  readonly faults: Record<string, number>
  /** Buckets that the first trail has been sent to. */
  readonly buckets: string[]
  /** Milliseconds since 1970. */
  readonly startedAt: number
  server: TestServer
}

const TRAILS = ['own', 'outside'] as const
const PATIENCE_MS = 240_000
const SECRET = { SEALCAST_BUCKET_SECRET_ACCESS_KEY: 'of-the-other-s3' }

/** Rejects with what is missing or too much. */
export async function runLossless(options: LosslessOptions): Promise<LosslessReport> {
  const startedAt = performance.now()
  const random = seededRandom(options.seed)
  const other = await openOtherS3(seededRandom(options.seed + 1))
  const server = await start(options.folder)
  const world: World = { options, random, other, faults: {}, buckets: [], startedAt: Date.now(), server }
  try {
    await prepareLoad(server.port)
    await makeTrails(world)
    other.faults = 30
    const load = startLoad({ port: server.port, calls: options.calls, inFlight: options.inFlight, random: seededRandom(options.seed + 2) })
    let isOver = false
    const ending = load.done.then(() => (isOver = true))
    while (!isOver) {
      await Promise.race([ending, pause(options.faultMs / 2 + random.below(options.faultMs))])
      if (!isOver) await oneFault(world)
      options.report(progress(world, load, startedAt))
    }
    await mend(world)
    const expected = await settle(world)
    const { served, refused, unanswered } = load
    const files = new Map<string, Buffer>()
    const own = await judge('own buckets', () => ownFiles(world, files), expected.get('own') ?? new Set(), served)
    const taken = (): Files => new Map([...other.files].filter(([key]) => isLogFile(key)).map(([key, { body }]) => [key, body]))
    const outside = await judge('the other S3', taken, expected.get('outside') ?? new Set(), served)
    const chain = await checkChains(clients(world).cloudtrail, world)
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const faults = { ...world.faults, otherS3: other.faulty }
    return { seed: options.seed, calls: options.calls, served: served.size, refused, unanswered, faults, own, outside, chain, seconds }
  } finally {
    await world.server.kill()
    await other.close()
  }
}

function start(folder: string, port = 0, words: readonly string[] = []): Promise<TestServer> {
  return startTestServer({
    data: join(folder, 'data'),
    words: ['--port', String(port), '--set', 'trail.deliveryIntervalSeconds=1', ...words],
  })
}

function clients({ server }: World): { readonly s3: S3; readonly cloudtrail: CloudTrail } {
  const config = { ...clientConfig(server.url), maxAttempts: 10 }
  return { s3: new S3({ ...config, forcePathStyle: true }), cloudtrail: new CloudTrail(config) }
}

async function makeTrails(world: World): Promise<void> {
  const { s3, cloudtrail } = clients(world)
  const { url } = world.other
  const words = [
    '--endpoint',
    url,
    '--path-style',
    '--region',
    'us-east-1',
    '--access-key-id',
    'AKIAAWAY',
    '--data',
    join(world.options.folder, 'data'),
  ]
  const { code, notes } = await runCommand(['buckets', 'connect', 'away', ...words], SECRET)
  if (code !== 0) throw new Error(notes)
  await makeBucket(s3, world, 'logs-0')
  await cloudtrail.createTrail({ Name: 'own', S3BucketName: 'logs-0', EnableLogFileValidation: true })
  await cloudtrail.createTrail({ Name: 'outside', S3BucketName: 'away', EnableLogFileValidation: true })
  const management = { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }
  const data = ['AWS::SNS::Topic', 'AWS::S3::Object'].map((type) => ({
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: [type] },
    ],
  }))
  for (const TrailName of ['own', 'outside']) {
    await cloudtrail.putEventSelectors({ TrailName, AdvancedEventSelectors: [management, ...data] })
    await cloudtrail.startLogging({ Name: TrailName })
  }
}

async function makeBucket(s3: S3, world: World, Bucket: string): Promise<void> {
  await s3.createBucket({ Bucket })
  await letIn(s3, Bucket)
  if (!world.buckets.includes(Bucket)) world.buckets.push(Bucket)
}

function letIn(s3: S3, Bucket: string): Promise<unknown> {
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const Statement = [
    { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${Bucket}` },
    { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/AWSLogs/*` },
  ]
  return s3.putBucketPolicy({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
}

const FAULTS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async denied(world) {
    const { s3 } = clients(world)
    const Bucket = world.buckets.at(-1) ?? ''
    await s3.deleteBucketPolicy({ Bucket })
    await pause(1500)
    await letIn(s3, Bucket)
  },
  async bucketGone(world) {
    const { s3, cloudtrail } = clients(world)
    const Bucket = `logs-${world.buckets.length}`
    await makeBucket(s3, world, Bucket)
    await cloudtrail.updateTrail({ Name: 'own', S3BucketName: Bucket })
    // A file may have come already: then the bucket stays.
    await s3.deleteBucket({ Bucket }).catch(() => {})
    await pause(1500)
    await makeBucket(s3, world, Bucket)
  },
  async diskFull(world) {
    await again(world, ['--set', `data.freeBytesMin=${Number.MAX_SAFE_INTEGER}`])
    await pause(500)
    await again(world)
  },
  async slow({ server }) {
    server.child.kill('SIGSTOP')
    await pause(700)
    server.child.kill('SIGCONT')
  },
  killed: (world) => again(world),
}

async function oneFault(world: World): Promise<void> {
  const names = Object.keys(FAULTS)
  const done = Object.values(world.faults).reduce((sum, count) => sum + count, 0)
  // Each kind in its turn, so that a short run has them all.
  const name = names[(done + world.options.seed) % names.length] ?? 'killed'
  world.faults[name] = (world.faults[name] ?? 0) + 1
  await FAULTS[name]?.(world)
}

/** SIGKILL, and a start on the same port. */
async function again(world: World, words: readonly string[] = []): Promise<void> {
  const { port } = world.server
  await world.server.kill()
  world.server = await start(world.options.folder, port, words)
}

/** Nothing fails any more; a new start tries at once what waits. */
async function mend(world: World): Promise<void> {
  world.other.faults = 0
  await again(world)
  const { s3 } = clients(world)
  for (const Bucket of world.buckets) await letIn(s3, Bucket)
}

type Row = Readonly<Record<string, unknown>>

/** Stops logging and asks the journal's other reader what the files must hold: each trail's eventIDs, what deliveries caused left out. */
async function settle(world: World): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { cloudtrail } = clients(world)
  for (const Name of TRAILS) await cloudtrail.stopLogging({ Name })
  const edges = await query(
    world,
    `SELECT eventname, requestparameters, position FROM events
     WHERE eventname IN ('StartLogging', 'StopLogging') AND errorcode IS NULL ORDER BY position`,
  )
  const expected = new Map<string, ReadonlySet<string>>()
  for (const name of TRAILS) {
    const edge = (event: string): number =>
      Number(
        edges.find((row) => row['eventname'] === event && JSON.stringify(row['requestparameters']).includes(`${name}\\"`))?.['position'],
      )
    const rows = await query(
      world,
      `SELECT eventid FROM events WHERE event_class = 'aws' AND position BETWEEN ${edge('StartLogging')} AND ${edge('StopLogging')}
       AND eventjson NOT LIKE '%"causedByTrail":%'`,
    )
    expected.set(name, new Set(rows.map((row) => String(row['eventid']))))
  }
  return expected
}

async function query({ options }: World, sql: string): Promise<readonly Row[]> {
  const { output, notes, code } = await runCommand(['query', '--data', join(options.folder, 'data'), '--json', sql])
  if (code !== 0) throw new Error(notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]))
}

type Files = ReadonlyMap<string, Buffer>

async function ownFiles(world: World, known: Map<string, Buffer>): Promise<Files> {
  const { s3 } = clients(world)
  for (const Bucket of world.buckets)
    for await (const { Contents: page = [] } of paginateListObjectsV2({ client: s3 }, { Bucket }))
      for (const { Key = '' } of page)
        if (isLogFile(Key) && !known.has(`${Bucket}/${Key}`)) {
          const { Body: body } = await s3.getObject({ Bucket, Key })
          known.set(`${Bucket}/${Key}`, Buffer.from((await body?.transformToByteArray()) ?? []))
        }
  return known
}

function isLogFile(key: string): boolean {
  return /\/CloudTrail\/.*_CloudTrail_.*\.json\.gz$/.test(key)
}

interface Found extends TrailReport {
  readonly eventIds: ReadonlySet<string>
  readonly requestIds: ReadonlySet<string>
}

function find(files: Files): Found {
  const texts = [...files.values()].map((bytes) => gunzipSync(bytes).toString('utf8'))
  const records = texts.flatMap((text) => (JSON.parse(text) as { Records: Row[] }).Records)
  const foreign = records.filter((record) => !JSON.stringify(record['additionalEventData'] ?? '').includes('causedByTrail'))
  const eventIds = new Set(foreign.map((record) => String(record['eventID'])))
  const requestIds = new Set(foreign.map((record) => String(record['requestID'])))
  return { files: files.size, records: eventIds.size, duplicates: foreign.length - eventIds.size, eventIds, requestIds }
}

/** Waits until the last files have come, then compares. */
async function judge(
  name: string,
  read: () => Promise<Files> | Files,
  expected: ReadonlySet<string>,
  served: ReadonlySet<string>,
): Promise<TrailReport> {
  let found = find(await read())
  const isWhole = (): boolean => [...expected].every((id) => found.eventIds.has(id))
  await untilTrue('the last files', async () => isWhole() || ((found = find(await read())), isWhole()), PATIENCE_MS).catch(() => {})
  const missing = [...expected].filter((id) => !found.eventIds.has(id))
  const tooMuch = [...found.eventIds].filter((id) => !expected.has(id))
  const unrecorded = [...served].filter((id) => !found.requestIds.has(id))
  if (missing.length + tooMuch.length + unrecorded.length > 0)
    throw new Error(
      [
        `${name}: ${missing.length} events missing (${missing.slice(0, 3).join(' ')})`,
        `${tooMuch.length} too many (${tooMuch.slice(0, 3).join(' ')})`,
        `${unrecorded.length} served calls on no record (${unrecorded.slice(0, 3).join(' ')})`,
      ].join(', '),
    )
  const { files, records, duplicates } = found
  return { files, records, duplicates }
}

function progress({ options, buckets, faults }: World, { sent, served, unanswered, refused }: Load, startedAt: number): string {
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const told = Object.entries(faults).map(([name, count]) => `${name} ${count}`)
  const answers = `${served.size} served, ${refused} refused, ${unanswered} unanswered`
  return `${seconds} s: ${sent} of ${options.calls} calls, ${answers}; ${told.join(', ')}; ${buckets.length} buckets`
}
