// A server that has lived through many hours in seconds, served over HTTP: its clock starts in the past and ends now, so that clients with
// clocks of their own can look at what its trail wrote. Logging is stopped and started on the way, a signing key is rotated, and the
// bucket refuses files for a while.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { SimulatedClock, systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { treeKeys } from '../src/engine/tree-signing.ts'
import { type House, openHouse } from '../src/house/house.ts'
import { readSettings } from '../src/model/config.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import { Table } from '../src/model/tables.ts'
import { settings } from '../src/settings.ts'
import { createDoor } from '../src/wire/door.ts'
import { createHttpServer } from '../src/wire/http.ts'
import { createInternalDoor } from '../src/wire/internal.ts'
import { signatureErrors } from '../src/wire/sigv4/errors.ts'
import type { BucketObject } from './digest-check.ts'
import { ROOT_KEY, SERVER_REGION } from './server.ts'
import { storedBytes } from './stored-bytes.ts'

export const SIMULATED_BUCKET = 'logs'
export const TREE_BUCKET = 'tree'
export const SIMULATED_REGIONS: readonly string[] = [SERVER_REGION, 'eu-west-1']
const ACCOUNT = '111122223333'
export const SIMULATED_TRAIL = `arn:aws:cloudtrail:${SERVER_REGION}:${ACCOUNT}:trail/simulated`
const ROUND_MS = 300_000
const ROUNDS_PER_HOUR = 12
const TURNS_MAX = 3000

export interface SimulatedTrail {
  readonly url: string
  /** When the clock started, and where it stands. */
  readonly from: Date
  readonly until: Date
  /** The bucket as it is. */
  objects(bucket?: string): Promise<readonly BucketObject[]>
  /** As `aws cloudtrail list-public-keys` prints them, for all regions and times. */
  publicKeys(): { readonly PublicKeyList: readonly object[] }
  /** Of the tree's checkpoints, as `sealcast tree keys` prints them. */
  verifierKeys(): readonly string[]
  /** Writes the bucket's objects as files, each with its metadata beside it in `<file>.metadata.json`, and `public-keys.json` apart. */
  writeFolder(folder: string, keysFile: string): Promise<void>
  /** Puts an object in its place, as somebody would who may write to the bucket. */
  put(object: BucketObject): Promise<void>
  remove(key: string): Promise<void>
  close(): Promise<void>
}

/**
 * `hours`: how long the clock runs; 30 at least hold all that happens on the way. `hasTree`: the tree over the events is published to a
 * bucket of its own.
 */
export async function simulateTrail({ hours = 30, hasTree = false } = {}): Promise<SimulatedTrail> {
  const now = Math.floor(systemClock.now() / 1000) * 1000
  const from = now - hours * ROUNDS_PER_HOUR * ROUND_MS
  const clock = new SimulatedClock(from)
  const random = systemRandom()
  // A key lives for a day here, so that one has a successor before the end.
  const given = { 'trail.digestKeyDays': 1, ...(hasTree && { 'tree.bucket': TREE_BUCKET, 'tree.checkpointSeconds': 3600 }) }
  const read = readSettings(
    settings,
    Object.entries(given).map(([key, value]) => ({ key, value, from: 'test' })),
  )
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  const house = await openHouse({
    config: read.values,
    clock,
    random,
    log: silentLog,
    data: undefined,
    version: 'test',
    account: ACCOUNT,
    rootKey: ROOT_KEY,
    baseUrl: () => '',
    allow: [],
    signatureErrors,
    purpose: 'serve',
  })
  const call = callerOf(house)
  const door = createDoor({
    services: house.services,
    invoke: (request) => house.invoke(request),
    internal: createInternalDoor({ house: () => house }),
    clock,
    random,
    log: silentLog,
    fallbackRegion: SERVER_REGION,
  })
  const server = createHttpServer({ ...door, clock: systemClock, log: silentLog })
  if (hasTree) await makeTreeBucket(call)
  await live(house, clock, call, hours)
  const port = await server.listen(0, '127.0.0.1')
  const objects = async (bucket = SIMULATED_BUCKET): Promise<readonly BucketObject[]> => {
    const rows = house.env.tables.range(Table.objects, { prefix: `${bucket}/` })
    return Promise.all(
      rows.map(async ({ value }) => ({ key: value.key, body: await storedBytes(house.env, value), metadata: value.metadata })),
    )
  }
  const publicKeys = () => ({
    PublicKeyList: house.env.tables.range(Table.digestKeys, {}).map(({ value }) => ({
      Value: value.publicKey,
      ValidityStartTime: new Date(value.validFrom).toISOString(),
      ValidityEndTime: new Date(value.validUntil).toISOString(),
      Fingerprint: value.fingerprint,
    })),
  })
  return {
    url: `http://127.0.0.1:${port}`,
    from: new Date(from),
    until: new Date(clock.now()),
    objects,
    publicKeys,
    verifierKeys: () => treeKeys(house.env.tables).map(({ verifierKey }) => verifierKey),
    async writeFolder(folder, keysFile) {
      for (const { key, body, metadata } of await objects()) {
        const path = join(folder, key)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, body)
        writeFileSync(`${path}.metadata.json`, JSON.stringify(metadata))
      }
      writeFileSync(keysFile, JSON.stringify(publicKeys()))
    },
    async put({ key, body, metadata }) {
      const input = { Bucket: SIMULATED_BUCKET, Key: key, Metadata: metadata, ContentType: 'application/json', ContentEncoding: 'gzip' }
      await call('s3', 'PutObject', input, SERVER_REGION, Readable.from([body]))
    },
    async remove(key) {
      await call('s3', 'DeleteObject', { Bucket: SIMULATED_BUCKET, Key: key })
    },
    async close() {
      await server.close(0)
      await house.stop('the test is over')
    },
  }
}

/** Calls of the root user, at the front door's back. */
type Caller = (service: string, operation: string, input?: object, region?: string, stream?: Readable) => Promise<void>

function callerOf(house: House): Caller {
  return async (service, operation, input = {}, region = SERVER_REGION, stream) => {
    const result = await house.invoke({
      service,
      operation,
      input,
      region,
      requestId: house.env.random.uuid(),
      arrivedAt: house.env.clock.now(),
      sourceIp: '192.0.2.1',
      userAgent: 'test',
      host: 'sealcast.test',
      principal: rootPrincipal(ACCOUNT, ROOT_KEY.accessKeyId),
      ...(stream !== undefined && { stream }),
    })
    if ('error' in result) throw result.error
  }
}

async function makeTreeBucket(call: Caller): Promise<void> {
  await call('s3', 'CreateBucket', { Bucket: TREE_BUCKET })
  const statement = { Effect: 'Allow', Principal: { Service: 'sealcast.local' }, Action: 's3:*', Resource: `arn:aws:s3:::${TREE_BUCKET}/*` }
  await call('s3', 'PutBucketPolicy', { Bucket: TREE_BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) })
}

async function live(house: House, clock: SimulatedClock, call: Caller, hours: number): Promise<void> {
  await call('s3', 'CreateBucket', { Bucket: SIMULATED_BUCKET })
  const policy = { Bucket: SIMULATED_BUCKET, Policy: bucketPolicy() }
  await call('s3', 'PutBucketPolicy', policy)
  const trail = { Name: 'simulated', S3BucketName: SIMULATED_BUCKET, IsMultiRegionTrail: true, EnableLogFileValidation: true }
  await call('cloudtrail', 'CreateTrail', trail)
  await call('cloudtrail', 'StartLogging', { Name: 'simulated' })
  const refusing = { from: 5 * ROUNDS_PER_HOUR + 3, to: 6 * ROUNDS_PER_HOUR + 8 }
  const stopped = { from: 12 * ROUNDS_PER_HOUR + 5, to: 15 * ROUNDS_PER_HOUR + 2 }
  for (let round = 0; round < hours * ROUNDS_PER_HOUR; round++) {
    if (round === refusing.from) await call('s3', 'DeleteBucketPolicy', { Bucket: SIMULATED_BUCKET })
    if (round === refusing.to) await call('s3', 'PutBucketPolicy', policy)
    if (round === stopped.from) await call('cloudtrail', 'StopLogging', { Name: 'simulated' })
    if (round === stopped.to) await call('cloudtrail', 'StartLogging', { Name: 'simulated' })
    if (round % 7 === 0) await call('sns', 'CreateTopic', { Name: `topic-${round}` })
    if (round % 20 === 3) await call('sns', 'ListTopics', {}, 'eu-west-1')
    const isRefusing = round >= refusing.from && round < refusing.to
    await passRound(house, clock, isRefusing)
  }
}

/** What falls due in a round comes to its end before the next. */
async function passRound({ env }: House, clock: SimulatedClock, isRefusing: boolean): Promise<void> {
  const end = clock.now() + ROUND_MS
  const boundary = end - (end % ROUND_MS)
  for (const at of [boundary, boundary + 25, boundary + 50, boundary + 1000, boundary + 1025, end]) {
    clock.advance(Math.max(0, at - clock.now()))
    for (let turn = 0; turn < TURNS_MAX && (turn < 12 || (!isRefusing && isUnderWay(env))); turn++)
      await new Promise((resolve) => setImmediate(resolve))
  }
}

function isUnderWay({ tables }: House['env']): boolean {
  return (
    tables.range(Table.trailPlans, {}).some(({ value }) => value.kind === 'file') ||
    tables.range(Table.digests, {}).some(({ value }) => value.kind === 'digest')
  )
}

function bucketPolicy(): string {
  const Principal = { Service: 'cloudtrail.amazonaws.com' }
  const arn = `arn:aws:s3:::${SIMULATED_BUCKET}`
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: arn },
      { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `${arn}/AWSLogs/${ACCOUNT}/*` },
    ],
  })
}
