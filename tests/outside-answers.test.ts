// Trails that write to another S3, which answers as it likes: nothing is lost, the status says S3's own code, and nobody else waits.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { outsideSecretContext } from '../src/model/outside-bucket.ts'
import { Table } from '../src/model/tables.ts'
import { createHash } from 'node:crypto'
import { ACCOUNT } from './harness.ts'
import { idsOf, INTERVAL_SECONDS, isCaused, makeTrail, turns, withWorld, type World } from './trail-world.ts'

type EventRecord = Readonly<Record<string, unknown>>
type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Put {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Another S3 that takes what it is given, until it is told otherwise. */
interface OtherS3 {
  readonly server: Server
  readonly url: string
  readonly taken: Put[]
  answer: Answer | undefined
  asked: number
}

const FOLDER = `/away/AWSLogs/${ACCOUNT}/CloudTrail/`
const xml = (status: number, code: string, more = '', headers: Readonly<Record<string, string>> = {}): Answer => {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message>${more}</Error>`
  return (_request, response) => response.writeHead(status, headers).end(body)
}

async function withOther(run: (world: World, other: OtherS3) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    other.asked++
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (other.answer !== undefined) return other.answer(request, response)
      other.taken.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const other: OtherS3 = { server, url, taken: [], answer: undefined, asked: 0 }
  try {
    await withWorld(async (world) => {
      await connect(world, url)
      await run(world, other)
    })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

async function connect({ server: { env } }: World, endpoint: string, accounts = [ACCOUNT]): Promise<void> {
  const sealedSecret = env.seal.seal('wJalrXUtnFEMI', outsideSecretContext('away'))
  const bucket = { name: 'away', endpoint, region: 'eu-central-1', accessKeyId: 'AKIAAWAY', sealedSecret, isPathStyle: true, accounts }
  await env.commits.commit((tx) => tx.put(Table.outsideBuckets, 'away', { ...bucket, connectedAt: tx.now })).done
}

const start = async ({ call }: World): Promise<void> => {
  await call('cloudtrail', 'CreateTrail', { Name: 'all', S3BucketName: 'away' })
  await call('cloudtrail', 'StartLogging', { Name: 'all' })
}

function recordsIn(taken: readonly Put[]): EventRecord[] {
  const files = taken.filter(({ body }) => body.length > 0)
  return files.flatMap(({ body }) => (JSON.parse(gunzipSync(body).toString()) as { Records: EventRecord[] }).Records)
}

async function assertAllThere(world: World, taken: readonly Put[]): Promise<void> {
  const events = (await world.server.events()).map(({ record }) => record)
  const begin = events.findIndex((record) => record['eventName'] === 'StartLogging')
  const expected = events.slice(begin).filter((record) => record['eventCategory'] === 'Management' && !isCaused(record))
  assert.deepEqual(idsOf(recordsIn(taken)).toSorted(), idsOf(expected).toSorted())
}

test('log files go there as signed puts, with the headers that CloudTrail sends', () =>
  withOther(async (world, other) => {
    await start(world)
    await world.pass(INTERVAL_SECONDS + 1)
    const [probe, file] = other.taken
    assert.equal(probe?.path, FOLDER)
    assert.match(
      file?.path ?? '',
      new RegExp(`^${FOLDER}us-east-1/2026/01/02/${ACCOUNT}_CloudTrail_us-east-1_20260102T0305Z_\\w{16}.json.gz$`),
    )
    assert.ok(file !== undefined)
    const { headers, body } = file
    assert.equal(headers['x-amz-content-sha256'], createHash('sha256').update(body).digest('hex'))
    assert.equal(headers['x-amz-checksum-sha256'], createHash('sha256').update(body).digest('base64'))
    assert.equal(headers['content-length'], String(body.length))
    assert.equal(headers['x-amz-acl'], 'bucket-owner-full-control')
    assert.deepEqual([headers['content-type'], headers['content-encoding']], ['application/json', 'gzip'])
    assert.match(
      headers.authorization ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKIAAWAY\/20260102\/eu-central-1\/s3\/aws4_request, SignedHeaders=content-encoding;/,
    )
    await assertAllThere(world, other.taken)
    const status = await world.status()
    assert.ok(status['LatestDeliveryTime'] instanceof Date)
    assert.equal(status['LatestDeliveryError'], undefined)
  }))

const REDIRECT = xml(301, 'PermanentRedirect', '<Endpoint>away.s3.us-west-2.amazonaws.com</Endpoint>', {
  'x-amz-bucket-region': 'us-west-2',
})
const REFUSALS: readonly (readonly [string, Answer, string | undefined])[] = [
  ['denies', xml(403, 'AccessDenied'), 'AccessDenied'],
  ['knows no such bucket', xml(404, 'NoSuchBucket'), 'NoSuchBucket'],
  ['does not know the key', xml(403, 'InvalidAccessKeyId'), 'InvalidAccessKeyId'],
  ['fails', xml(500, 'InternalError'), 'InternalError'],
  ['asks for patience', xml(503, 'SlowDown'), 'SlowDown'],
  ['lies elsewhere', REDIRECT, 'PermanentRedirect'],
  ['redirects for a time', xml(307, 'TemporaryRedirect', '', { location: 'http://169.254.169.254/' }), 'TemporaryRedirect'],
  ['answers without a body', (_request, response) => response.writeHead(403).end(), 'AccessDenied'],
  ['answers what is not S3', (_request, response) => response.writeHead(418).end('<html>no</html>'), 'Http418'],
  ['resets', (request) => request.socket.destroy(), 'EndpointUnreachable'],
  ['speaks no HTTP', (request) => request.socket.end('hello\r\n\r\n'), 'EndpointUnreachable'],
]

for (const [name, answer, code] of REFUSALS)
  test(`another S3 that ${name}: the status says so, and the files come when it is over`, () =>
    withOther(async (world, other) => {
      await start(world)
      other.answer = answer
      await world.pass(INTERVAL_SECONDS + 1)
      assert.equal((await world.status())['LatestDeliveryError'], code)
      await world.call('sns', 'CreateTopic', { Name: 'meanwhile' })
      await world.pass(INTERVAL_SECONDS)
      other.answer = undefined
      await world.pass(400)
      await assertAllThere(world, other.taken)
      assert.equal((await world.status())['LatestDeliveryError'], undefined)
      const plans = world.server.env.tables.range(Table.trailPlans, {}).filter(({ value }) => value.kind === 'file')
      assert.deepEqual(plans, [])
    }))

test('another S3 that is not there', () =>
  withOther(async (world, other) => {
    await start(world)
    await connect(world, 'http://127.0.0.1:9')
    await world.pass(INTERVAL_SECONDS + 1)
    assert.equal((await world.status())['LatestDeliveryError'], 'EndpointUnreachable')
    await connect(world, other.url)
    await world.pass(400)
    await assertAllThere(world, other.taken)
  }))

test('another S3 that hangs keeps only its own trail waiting, and its time-out is no error of the bucket', () =>
  withOther(async (world, other) => {
    await start(world)
    await makeTrail(world, { Name: 'here' })
    await world.call('cloudtrail', 'StartLogging', { Name: 'here' })
    other.answer = () => {}
    const asked = other.asked
    const { clock } = world.server
    for (let second = 0; second <= INTERVAL_SECONDS; second++) {
      clock.advance(1000)
      await turns()
    }
    while (other.asked === asked || (await world.files()).length === 0) await turns()
    clock.advance(31_000)
    await world.follower.settled()
    const status = await world.status()
    assert.equal(status['LatestDeliveryError'], undefined)
    assert.ok(status['LatestDeliveryAttemptTime'] !== '')
    other.answer = undefined
    await world.pass(400)
    assert.equal(new Set(idsOf(recordsIn(other.taken))).size, recordsIn(other.taken).length)
    assert.ok(recordsIn(other.taken).some(({ eventName }) => eventName === 'StartLogging'))
  }))

test('a server that stops gives up what hangs, and the files wait for the next start', () =>
  withOther(async (world, other) => {
    await start(world)
    other.answer = () => {}
    const asked = other.asked
    for (let second = 0; second <= INTERVAL_SECONDS; second++) {
      world.server.clock.advance(1000)
      await turns()
    }
    while (other.asked === asked) await turns()
    await world.follower.stop()
    other.answer = undefined
    world.restart()
    await world.pass(INTERVAL_SECONDS)
    await assertAllThere(world, other.taken)
  }))

test('a trail is not made for a bucket that does not take its files', () =>
  withOther(async (world, other) => {
    const create = () => world.call('cloudtrail', 'CreateTrail', { Name: 'all', S3BucketName: 'away' })
    other.answer = xml(404, 'NoSuchBucket')
    await assert.rejects(create, { code: 'S3BucketDoesNotExistException', message: /^S3 bucket away does not exist! \(.*NoSuchBucket\)$/ })
    other.answer = xml(403, 'AccessDenied')
    await assert.rejects(create, { code: 'InsufficientS3BucketPolicyException', message: /bucket: away \(.*AccessDenied\)$/ })
    other.answer = REDIRECT
    await assert.rejects(create, { code: 'S3BucketDoesNotExistException', message: /lies in us-west-2: connect it again/ })
    await connect(world, 'http://169.254.169.254')
    await assert.rejects(create, { code: 'S3BucketDoesNotExistException', message: /outbound\.allow/ })
    await connect(world, other.url, ['999999999999'])
    await assert.rejects(create, { code: 'S3BucketDoesNotExistException', message: 'S3 bucket away does not exist!' })
    await connect(world, other.url)
    other.answer = undefined
    await create()
    const update = (more: object) => world.call('cloudtrail', 'UpdateTrail', { Name: 'all', ...more })
    other.answer = xml(403, 'AccessDenied')
    await assert.rejects(update({ S3KeyPrefix: 'other' }), { code: 'InsufficientS3BucketPolicyException' })
    await update({ IncludeGlobalServiceEvents: false })
    await assert.rejects(world.call('s3', 'CreateBucket', { Bucket: 'away' }), { code: 'BucketAlreadyExists' })
  }))
