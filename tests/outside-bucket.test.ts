// A trail of one server that writes into a bucket of another, which is the outside S3: connected and disconnected by the command, signed
// as S3 checks it, denied and let in again.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { callOnce, connectToServer } from '../src/cli/connect.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { untilTrue } from './until.ts'

const SECRET = 'the-secret-of-the-other-s3'
const OTHER_KEY = { accessKeyId: 'AKIAOTHEROTHEROTHER1', secretAccessKey: SECRET }
const ACCOUNT = '000000000000'
const folder = temporaryFolder()
const other = await startTestServer({
  data: join(folder.path, 'other'),
  environment: { SEALCAST_ROOT_ACCESS_KEY_ID: OTHER_KEY.accessKeyId, SEALCAST_ROOT_SECRET_ACCESS_KEY: OTHER_KEY.secretAccessKey },
})
const data = join(folder.path, 'data')
const server = await startTestServer({ data, words: ['--set', 'trail.deliveryIntervalSeconds=1'] })
const there = new S3({ ...clientConfig(other.url, OTHER_KEY), forcePathStyle: true })
const cloudtrail = new CloudTrail(clientConfig(server.url))
const sns = new SNS(clientConfig(server.url))
after(async () => {
  await server.kill()
  await other.kill()
  folder.remove()
})

const CONNECT = ['connect', 'vault', '--endpoint', other.url, '--region', 'us-east-1', '--access-key-id', OTHER_KEY.accessKeyId]
const buckets = (words: readonly string[], secret = SECRET) =>
  runCommand(['buckets', ...words, '--data', data], secret === '' ? {} : { SEALCAST_BUCKET_SECRET_ACCESS_KEY: secret })

async function eventNamesThere(): Promise<readonly string[]> {
  const { Contents: objects = [] } = await there.listObjectsV2({ Bucket: 'vault' })
  const files = objects.filter(({ Size }) => Size !== 0)
  const texts = await Promise.all(
    files.map(async ({ Key }) => {
      const { Body: body } = await there.getObject({ Bucket: 'vault', Key })
      return gunzipSync((await body?.transformToByteArray()) ?? Buffer.alloc(0)).toString()
    }),
  )
  return texts.flatMap((text) => (JSON.parse(text) as { Records: { eventName: string }[] }).Records.map(({ eventName }) => eventName))
}

test('connecting tells at once what is wrong', async () => {
  const connection = await connectToServer(data, 'tester')
  assert.ok(connection !== undefined)
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = OTHER_KEY
  const good = { BucketName: 'vault', Endpoint: other.url, Region: 'us-east-1', AccessKeyId, SecretAccessKey, PathStyle: true }
  const refused = (changed: object, message: RegExp): Promise<void> =>
    assert.rejects(callOnce(connection, 'ConnectBucket', { ...good, ...changed }), { message })
  await refused({}, /vault cannot be used: .* answered 404 NoSuchBucket/)
  await there.createBucket({ Bucket: 'vault' })
  await refused({ PathStyle: false }, /is an address, before which no bucket name can stand; ask for path-style/)
  await refused({ SecretAccessKey: 'not-the-secret' }, /403 SignatureDoesNotMatch/)
  await refused({ SecretAccessKey: 'not printable \n' }, /SecretAccessKey: give the secret/)
  await refused({ Endpoint: 'http://169.254.169.254' }, /outbound\.allow/)
  await refused({ Endpoint: `${other.url}/path` }, /without a path/)
  await refused({ Endpoint: 'http://a:b@127.0.0.1' }, /no user and password/)
  await refused({ Endpoint: 'ftp://127.0.0.1' }, /http or https URL/)
  await refused({ Accounts: ['12'] }, /Accounts: 1 to 100 account ids/)
  await refused({ BucketName: '../x' }, /BucketName: give/)
  await refused({ Region: 'a b' }, /Region: give/)
  await assert.rejects(callOnce(connection, 'DisconnectBucket', { BucketName: 'vault' }), /no bucket of that name is connected/)
  await connection.close()
  const usage = await buckets([...CONNECT, '--path-style'], '')
  assert.deepEqual([usage.code, /SEALCAST_BUCKET_SECRET_ACCESS_KEY/.test(usage.notes)], [2, true])
})

test('a trail writes there, waits while it is denied, and the command keeps the bucket while it is used', async () => {
  writeFileSync(join(folder.path, 'secret'), `${SECRET}\n`, { mode: 0o600 })
  const words = [...CONNECT, '--path-style', '--secret-file', join(folder.path, 'secret')]
  const connected = await buckets(words, '')
  assert.deepEqual([connected.code, connected.output], [0, 'vault is connected\n'], connected.notes)
  const { TrailARN } = await cloudtrail.createTrail({ Name: 'away', S3BucketName: 'vault', S3KeyPrefix: "it's/(here)*!" })
  await cloudtrail.startLogging({ Name: 'away' })
  await untilTrue('a log file in the other bucket', async () => (await eventNamesThere()).includes('StartLogging'))
  const { Contents: objects = [] } = await there.listObjectsV2({ Bucket: 'vault' })
  assert.ok(objects.every(({ Key = '' }) => Key.startsWith(`it's/(here)*!/AWSLogs/${ACCOUNT}/CloudTrail/`)))

  const deny = { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::vault/*' }
  await there.putBucketPolicy({ Bucket: 'vault', Policy: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }) })
  await sns.createTopic({ Name: 'while-denied' })
  await untilTrue('the denial in the status', async () => {
    return (await cloudtrail.getTrailStatus({ Name: 'away' })).LatestDeliveryError === 'AccessDenied'
  })
  await there.deleteBucketPolicy({ Bucket: 'vault' })
  await untilTrue('what happened while it was denied', async () => (await eventNamesThere()).includes('CreateTopic'))

  const kept = await buckets(['disconnect', 'vault'])
  assert.equal(kept.code, 1)
  assert.match(kept.notes, new RegExp(`trails write to vault: ${TrailARN}`))
  const listed = JSON.parse((await buckets(['list', '--json'])).output) as Record<string, unknown>
  assert.deepEqual([listed['BucketName'], listed['TrailArns'], listed['Accounts']], ['vault', [TrailARN], [ACCOUNT]])
  await cloudtrail.deleteTrail({ Name: 'away' })
  await untilTrue('the bucket is let go', async () => (await buckets(['disconnect', 'vault'])).code === 0)
  assert.match((await buckets(['list'])).output, /^bucket +endpoint/)
})

test('the operator calls are on the record, and the secret is nowhere', async () => {
  const sql = "SELECT eventname, requestparameters FROM events WHERE eventname LIKE '%ConnectBucket' OR eventname = 'DisconnectBucket'"
  const { output, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.match(output, /ConnectBucket/, notes)
  assert.match(output, /DisconnectBucket/)
  await server.stop()
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    const path = join(data, name)
    try {
      assert.ok(!readFileSync(path).includes(SECRET), name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
    }
  }
})
