// No feeding on itself: a bucket that is connected as one of another S3 and turns out to be this server's own, by whatever name, takes no
// delivery of a trail. Otherwise each log file would be an event of the next one.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCommand, startTestServer, temporaryFolder, ROOT_KEY } from './server.ts'
import { clientsOf } from './clients/topic-trail.ts'
import { untilTrue } from './until.ts'

// The way to the server by a name that it does not know to be its own: a proxy leads there whatever is asked for.
let target: { readonly port: number } | undefined
const proxy = createServer((asked, answer) => {
  const { pathname } = new URL(asked.url ?? '')
  const passed = request({ port: target?.port, method: asked.method, path: pathname, headers: asked.headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers)
    response.pipe(answer)
  })
  passed.on('error', () => answer.destroy())
  asked.pipe(passed)
})
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
proxy.unref()

const folder = temporaryFolder()
const other = await startTestServer({ data: join(folder.path, 'other') })
const data = join(folder.path, 'data')
const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
const words = ['--set', 'trail.deliveryIntervalSeconds=1', '--set', `outbound.proxy=${proxyUrl}`]
const server = await startTestServer({ data, words })
const { s3, sns, cloudtrail } = clientsOf(server.url)
after(async () => {
  await server.kill()
  await other.kill()
  folder.remove()
})

const connectBucket = (name: string, endpoint: string) => {
  const key = ['--region', 'us-east-1', '--access-key-id', ROOT_KEY.accessKeyId]
  const environment = { SEALCAST_BUCKET_SECRET_ACCESS_KEY: ROOT_KEY.secretAccessKey }
  return runCommand(['buckets', 'connect', name, '--endpoint', endpoint, '--path-style', ...key, '--data', data], environment)
}

test('a bucket of this server is not connected, under its name, another one, or by a proxy', async () => {
  target = server
  await s3.createBucket({ Bucket: 'own' })
  const named = await connectBucket('own', server.url)
  assert.match(named.notes, /this server has a bucket own of its own/)
  // `away` would be a folder of the bucket `own`.
  const hosted = await connectBucket('away', `http://own.localhost:${server.port}`)
  assert.equal(hosted.code, 1)
  assert.match(hosted.notes, /is this very server, which would log its own deliveries for ever: give a trail a bucket of this server/)
})

test('an endpoint that becomes this server later is delivered nothing, and nothing is recorded of the tries', async () => {
  target = other
  const there = clientsOf(other.url)
  await there.s3.createBucket({ Bucket: 'away' })
  const connected = await connectBucket('away', `http://localhost:${server.port}`)
  assert.equal(connected.code, 0, connected.notes)
  await cloudtrail.createTrail({ Name: 'away', S3BucketName: 'away' })
  const FieldSelectors = [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
  ]
  const all = { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }
  await cloudtrail.putEventSelectors({ TrailName: 'away', AdvancedEventSelectors: [{ FieldSelectors }, all] })
  target = server
  await s3.createBucket({ Bucket: 'elsewhere' })
  await cloudtrail.startLogging({ Name: 'away' })
  await sns.createTopic({ Name: 'something-to-log' })
  await untilTrue('the refusal in the status', async () => {
    return (await cloudtrail.getTrailStatus({ Name: 'away' })).LatestDeliveryError === 'LoopDetected'
  })
  const sql = "SELECT eventname FROM events WHERE eventname IN ('PutObject', 'GetObject')"
  assert.equal((await runCommand(['query', '--data', data, '--json', sql])).output, '')
})
