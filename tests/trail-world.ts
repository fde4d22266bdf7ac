// A server with a trail, its clock in the test's hand: time stands still between steps.
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { silentLog } from '../src/base/log.ts'
import type { CallRequest } from '../src/engine/call.ts'
import type { Env } from '../src/engine/env.ts'
import { startFollowers } from '../src/engine/follow.ts'
import { TrailFollower } from '../src/followers/trail/follower.ts'
import { Table } from '../src/model/tables.ts'
import { createDataEventFilter } from '../src/services/cloudtrail/data-event-filter.ts'
import { cloudtrail } from '../src/services/cloudtrail/index.ts'
import { s3 } from '../src/services/s3/index.ts'
import { createSns } from '../src/services/sns/index.ts'
import { ACCOUNT, createHarness, type Harness, type HarnessOptions } from './harness.ts'
import { storedBytes } from './stored-bytes.ts'

export const INTERVAL_SECONDS = 60
export const TRAIL_ARN = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/all`
export const NOTICES = `arn:aws:sns:us-east-1:${ACCOUNT}:notices`

type EventRecord = Readonly<Record<string, unknown>>

export interface World {
  readonly server: Harness
  /** The follower that runs now. */
  follower: TrailFollower
  call(service: string, operation: string, input?: object, more?: Partial<CallRequest>): Promise<Record<string, unknown>>
  /** Lets time pass, and all that falls due come to its end. */
  pass(seconds: number): Promise<void>
  /** The follower is cut off at once; another takes over from what is on record. */
  restart(): void
  files(): Promise<readonly LogFile[]>
  status(): Promise<Record<string, unknown>>
}

interface LogFile {
  readonly key: string
  readonly bytes: Buffer
  readonly records: readonly EventRecord[]
}

export async function withWorld(
  run: (world: World) => Promise<void>,
  cut: (env: Env) => Env = (env) => env,
  limits: { readonly spoolBytesMax?: number; readonly fileBytesMax?: number } = {},
  parts: Pick<HarnessOptions, 'files' | 'blobs' | 'seed' | 'now'> = {},
): Promise<void> {
  const server = await createHarness((env) => ({ s3, cloudtrail, sns: createSns({ tables: env.tables, protocols: {} }) }), {
    ...parts,
    selected: createDataEventFilter,
  })
  const { clock, env } = server
  const begin = (from: Env): TrailFollower => {
    const follower = new TrailFollower({ env: from, deliveryIntervalSeconds: INTERVAL_SECONDS, ...limits })
    // A follower that was cut off never comes to its end: nobody waits for it.
    if (from === env) server.follow(follower)
    else startFollowers({ journal: env.journal, clock, log: silentLog, followers: [follower] })
    return follower
  }
  const world: World = {
    server,
    follower: begin(cut(env)),
    call: (service, operation, input, more) => server.call(service, operation, input, undefined, more),
    async pass(seconds) {
      const { follower } = world
      for (let second = 0; second < seconds && follower === world.follower; second++) {
        // Followers read what is there before the second ends.
        for (let turn = 0; turn < 4; turn++) {
          clock.advance(turn === 0 ? 0 : 25)
          await turns()
        }
        clock.advance(1000 - 75)
        await turns()
        await follower.settled()
      }
    },
    restart() {
      world.follower = begin(env)
    },
    async files() {
      const page = await server.call('s3', 'ListObjectsV2', { Bucket: 'logs' })
      const files: LogFile[] = []
      for (const { Key: key } of ((page as EventRecord)['Contents'] ?? []) as { Key: string }[]) {
        const object = env.tables.get(Table.objects, `logs/${key}`)
        assert.ok(object !== undefined)
        const bytes = gunzipSync(await storedBytes(env, object))
        files.push({ key, bytes, records: (JSON.parse(bytes.toString()) as { Records: EventRecord[] }).Records })
      }
      return files
    },
    status: () => server.call('cloudtrail', 'GetTrailStatus', { Name: 'all' }),
  }
  try {
    await run(world)
  } finally {
    await server.close()
  }
}

export async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function allow(action: string | readonly string[], resource: string | readonly string[], condition: object = {}): string {
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action: action,
    Resource: resource,
    Condition: condition,
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}

export const BUCKET_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 's3:GetBucketAcl', Resource: 'arn:aws:s3:::logs' },
    {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::logs/AWSLogs/${ACCOUNT}/*`,
      Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  ],
})

export const EVERYTHING = ['AWS::S3::Object', 'AWS::SNS::Topic'].map((type) => ({
  FieldSelectors: [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: [type] },
  ],
}))
export const MANAGEMENT = { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }

export async function makeTrail({ call }: World, more: object = {}): Promise<void> {
  await call('s3', 'CreateBucket', { Bucket: 'logs' })
  await call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: BUCKET_POLICY })
  await call('cloudtrail', 'CreateTrail', { Name: 'all', S3BucketName: 'logs', ...more })
}

export async function makeNotices({ call }: World, name = 'notices'): Promise<void> {
  await call('sns', 'CreateTopic', { Name: name, Attributes: { Policy: allow('SNS:Publish', NOTICES.replace('notices', name)) } })
}

export const namesOf = (records: readonly EventRecord[]): unknown[] => records.map((record) => record['eventName'])
export const idsOf = (records: readonly EventRecord[]): string[] => records.map((record) => String(record['eventID']))

/** Without a call of our own, which the trail would log. */
export async function files(world: World): Promise<readonly { readonly records: readonly EventRecord[] }[]> {
  const { env } = world.server
  const found: { records: EventRecord[]; modifiedAt: number }[] = []
  for (const { value } of env.tables.range(Table.objects, { prefix: 'logs/' })) {
    const bytes = await storedBytes(env, value)
    found.push({ records: (JSON.parse(gunzipSync(bytes).toString()) as { Records: EventRecord[] }).Records, modifiedAt: value.modifiedAt })
  }
  return found.sort((a, b) => a.modifiedAt - b.modifiedAt)
}

/** Every event since StartLogging stands in exactly one file; what deliveries themselves caused may still be on its way. */
export async function assertComplete(world: World, categories: readonly string[] = ['Management']): Promise<void> {
  await world.pass(INTERVAL_SECONDS + 1)
  const events = (await world.server.events()).map(({ record }) => record)
  const start = events.findIndex((record) => record['eventName'] === 'StartLogging')
  const expected = events.slice(start).filter((record) => categories.includes(String(record['eventCategory'])) && !isCaused(record))
  const written = (await files(world)).flatMap(({ records }) => records)
  assert.deepEqual(new Set(idsOf(written.filter((record) => !isCaused(record)))), new Set(idsOf(expected)))
  assert.equal(new Set(idsOf(written)).size, written.length, 'none twice')
}

export function isCaused(record: EventRecord): boolean {
  return (record['additionalEventData'] as EventRecord | undefined)?.['causedByTrail'] !== undefined
}
