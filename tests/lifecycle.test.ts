// The life of a server: start, refusals to start, stopping with calls in flight, and commands with and without it.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { STS } from '@aws-sdk/client-sts'
import {
  ROOT_KEY,
  type ServerOptions,
  type TestServer,
  clientConfig,
  runCommand,
  startCommand,
  startTestServer,
  temporaryFolder,
} from './server.ts'
import { untilTrue } from './until.ts'

function folderFor(t: TestContext): string {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  return folder.path
}

async function serverFor(t: TestContext, options: ServerOptions): Promise<TestServer> {
  const server = await startTestServer(options)
  t.after(() => server.kill())
  return server
}

test('SIGTERM answers what is in flight, exits 0, and everything is there after the next start', async (t) => {
  const data = folderFor(t)
  const server = await serverFor(t, { data })
  const sns = new SNS(clientConfig(server.url))
  const { TopicArn = '' } = await sns.createTopic({ Name: 'kept' })
  const sqs = new SQS(clientConfig(server.url))
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'kept' })
  const waiting = sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 2 })
  const calls = Array.from({ length: 50 }, (_, at) => sns.publish({ TopicArn, Message: `in flight ${at}` }))
  await calls[0]
  const exit = server.stop()
  const answers = await Promise.allSettled(calls)
  assert.equal(await exit, 0)
  assert.ok((await waiting).$metadata.httpStatusCode === 200, 'a long poll is answered')
  assert.match(server.log(), /"message":"stopped"/)
  assert.ok(!existsSync(join(data, 'admin.sock')))

  const again = await serverFor(t, { data })
  const { Topics } = await new SNS(clientConfig(again.url)).listTopics({})
  assert.deepEqual(Topics, [{ TopicArn }])
  const { output } = await runCommand(['query', '--data', data, '--json', `SELECT count(*) AS n FROM events WHERE eventname = 'Publish'`])
  const answered = answers.filter(({ status }) => status === 'fulfilled').length
  assert.ok(answered >= 1)
  assert.ok(Number((JSON.parse(output) as { n: unknown }).n) >= answered, 'each answered call is on the record')
})

test('a second server on a data directory is refused; after a SIGKILL the next one gets it', async (t) => {
  const data = folderFor(t)
  const server = await serverFor(t, { data })
  const second = await runCommand(['serve', '--data', data, '--port', '0'])
  assert.equal(second.code, 1)
  assert.match(second.notes, /is locked: another sealcast uses this data directory/)
  await server.kill()
  const third = await serverFor(t, { data })
  assert.equal((await fetch(`${third.url}/_sealcast/ready`)).status, 200)
  await third.stop()
})

test('a port that is in use is refused by its number', async (t) => {
  const server = await serverFor(t, {})
  const { code, notes } = await runCommand(['serve', '--data', folderFor(t), '--port', String(server.port)])
  assert.equal(code, 1)
  assert.equal(notes.trim().split('\n').at(-1), `sealcast: port ${server.port} on 127.0.0.1 is in use; give another with --port`)
})

test('a folder that is something else is left alone', async (t) => {
  const data = folderFor(t)
  writeFileSync(join(data, 'thesis.txt'), 'mine')
  const { code, notes } = await runCommand(['serve', '--data', data, '--port', '0'])
  assert.equal(code, 1)
  assert.match(notes, /is not empty and not a Sealcast data directory; give another with --data/)
  assert.equal(readFileSync(join(data, 'thesis.txt'), 'utf8'), 'mine')
  assert.ok(!existsSync(join(data, 'journal')))
})

test('unknown options, settings and commands are refused with the nearest known one, all problems at once', async (t) => {
  const options = await runCommand(['serve', '--prot', '4566', '--hots', 'x'])
  assert.equal(options.code, 2)
  assert.match(options.notes, /there is no option --prot; did you mean --port\?/)
  assert.match(options.notes, /there is no option --hots; did you mean --host\?/)

  const file = join(folderFor(t), 'sealcast.json')
  writeFileSync(file, JSON.stringify({ server: { prt: 1 }, trail: { deliveryIntervalSeconds: 0 } }))
  const settings = await runCommand([
    'serve',
    '--config',
    file,
    '--set',
    'lake.retentionDay=3',
    '--set',
    'log.format=xml',
    '--port',
    'many',
  ])
  assert.equal(settings.code, 1)
  assert.match(settings.notes, /server\.prt; did you mean server\.port\?/)
  assert.match(settings.notes, /trail\.deliveryIntervalSeconds must be a whole number from 1 to 3600, not 0/)
  assert.match(settings.notes, /lake\.retentionDay; did you mean lake\.retentionDays\?/)
  assert.match(settings.notes, /log\.format must be one of text, json, not "xml"/)
  assert.match(settings.notes, /server\.port must be a whole number from 0 to 65535, not "many"/)
  assert.match(settings.notes, /has 5 problem\(s\)/)

  const command = await runCommand(['sevre'])
  assert.equal(command.code, 2)
  assert.match(command.notes, /there is no command sevre; did you mean serve\?/)
  const half = await runCommand(['serve', '--tls-cert', 'x.pem', '--data', folderFor(t)])
  assert.equal(half.code, 1)
  assert.match(half.notes, /server\.tlsCert and server\.tlsKey go together/)
})

test('the environment gives port, host, folder, account and root key; what is wrong in it is named', async (t) => {
  const data = folderFor(t)
  const server = await serverFor(t, {
    data,
    environment: { SEALCAST_ACCOUNT_ID: '123456789012', SEALCAST_HOST: 'localhost', SEALCAST_DATA: '/nowhere/at/all' },
  })
  assert.equal(new URL(server.url).hostname, 'localhost')
  assert.equal((await new STS(clientConfig(server.url)).getCallerIdentity({})).Account, '123456789012')
  const { output } = await runCommand(['env', '--json'], { SEALCAST_DATA: data })
  assert.deepEqual(JSON.parse(output), {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: ROOT_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROOT_KEY.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
  })
  for (const [environment, text] of [
    [{ SEALCAST_ACCOUNT_ID: '12' }, /SEALCAST_ACCOUNT_ID must have 12 digits/],
    [{ SEALCAST_ROOT_ACCESS_KEY_ID: 'AKIAALONE' }, /go together: give both or none/],
    [{ SEALCAST_PORT: '-1' }, /SEALCAST_PORT: server\.port must be a whole number/],
  ] as const) {
    const { code, notes } = await runCommand(['serve', '--data', folderFor(t)], environment)
    assert.equal(code, 1)
    assert.match(notes, text)
  }
})

test('the root key of the first start stays; the socket and the keys are for their owner alone', async (t) => {
  const data = folderFor(t)
  const first = await serverFor(t, { data })
  assert.equal(statSync(join(data, 'admin.sock')).mode & 0o777, 0o600)
  assert.equal(statSync(join(data, 'root.key')).mode & 0o777, 0o600)
  assert.equal(statSync(data).mode & 0o077, 0)
  await first.stop()
  const other = { SEALCAST_ROOT_ACCESS_KEY_ID: 'AKIAOTHEROTHEROTHER', SEALCAST_ROOT_SECRET_ACCESS_KEY: 'another-secret-entirely' }
  const second = await serverFor(t, { data, environment: other })
  assert.equal((await new STS(clientConfig(second.url)).getCallerIdentity({})).Account, '000000000000')
})

test('commands open the data directory themselves while no server runs, and are recorded', async (t) => {
  const data = folderFor(t)
  const server = await serverFor(t, { data })
  await new SNS(clientConfig(server.url)).createTopic({ Name: 'before' })
  await server.stop()
  const ask = async (sql: string) => (await runCommand(['query', '--data', data, '--json', sql])).output
  assert.deepEqual(JSON.parse(await ask(`SELECT eventname FROM events WHERE eventname = 'CreateTopic'`)), { eventname: 'CreateTopic' })
  const created = await runCommand(['accounts', 'create', '111122223333', '--data', data])
  assert.equal(created.code, 0, created.notes)
  const rows = await ask(
    `SELECT eventname, useridentity.type AS type, sourceipaddress AS source FROM events
       WHERE useridentity.type = 'SealcastOperator' ORDER BY position`,
  )
  const events = rows
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { eventname: string; type: string; source: string })
  assert.deepEqual(
    events.map(({ eventname }) => eventname),
    ['Query', 'CreateAccount', 'Query'],
  )
  for (const { type, source } of events) assert.deepEqual([type, source], ['SealcastOperator', 'sealcast.local'])

  const lonely = await runCommand(['env', '--data', data])
  assert.equal(lonely.code, 1)
  assert.match(lonely.notes, /no server runs on .*; start one with: sealcast serve/)
})

test('tail shows events as they come, and ends when it is told to', async (t) => {
  const data = folderFor(t)
  const server = await serverFor(t, { data })
  const sns = new SNS(clientConfig(server.url))
  const tail = startCommand(['tail', '--data', data, '--json'])
  t.after(() => tail.end())
  let number = 0
  await untilTrue('a line of tail', async () => {
    await sns.createTopic({ Name: `tailed-${number++}` })
    return tail.output().includes('CreateTopic')
  })
  const record = JSON.parse(
    tail
      .output()
      .split('\n')
      .find((line) => line.includes('CreateTopic')) ?? '',
  ) as Record<string, unknown>
  assert.equal(record['eventSource'], 'sns.amazonaws.com')
  assert.equal(await tail.end(), 0)
})

test('health, readiness and metrics', async (t) => {
  const server = await serverFor(t, { data: folderFor(t) })
  const sns = new SNS(clientConfig(server.url))
  await sns.createTopic({ Name: 'counted' })
  await assert.rejects(sns.createTopic({ Name: 'not a name' }))
  const health = (await (await fetch(`${server.url}/_sealcast/health`)).json()) as Record<string, unknown>
  assert.deepEqual([health['status'], health['version']], ['ready', '0.1.0'])
  assert.deepEqual((health['followers'] as { name: string }[]).map(({ name }) => name).toSorted(), [
    'delivery',
    'history',
    'lake',
    'topic-archive',
    'trail',
    'tree',
  ])
  const stores = ['archive', 'blobs', 'history', 'journal', 'lake', 'queues', 'records', 'topicArchives']
  assert.deepEqual(Object.keys(health['bytes'] as object).toSorted(), stores)
  for (const path of ['live', 'ready']) assert.equal((await fetch(`${server.url}/_sealcast/${path}`)).status, 200)
  const metrics = await (await fetch(`${server.url}/_sealcast/metrics`)).text()
  for (const line of [
    /^sealcast_calls_total\{service="sns",operation="CreateTopic",code="OK"\} 1$/m,
    /^sealcast_calls_total\{service="sns",operation="CreateTopic",code="InvalidParameter"\} 1$/m,
    /^sealcast_commit_ms_count(\{\})? [1-9]\d*$/m,
    /^sealcast_follower_lag_bytes\{follower="lake"\} \d+$/m,
    /^sealcast_disk_free_bytes(\{\})? [1-9]\d*$/m,
    /^sealcast_oldest_undelivered_seconds(\{\})? 0$/m,
    /^sealcast_http_in_flight(\{\})? [1-9]\d*$/m,
    /^sealcast_http_body_bytes(\{\})? 0$/m,
  ])
    assert.match(metrics, line)
  assert.equal((await fetch(`${server.url}/_sealcast/nothing`)).status, 404)
  assert.equal((await fetch(`${server.url}/_sealcast/reset`, { method: 'POST' })).status, 403)
  const status = await runCommand(['status', '--data', (JSON.parse(server.log().split('\n')[0] ?? '') as { data: string }).data])
  assert.equal(status.code, 0)
  assert.match(status.output, /^status +ready$/m)
})

test('a server that was told to refuses writes while the disk is nearly full, and says so', async (t) => {
  const server = await serverFor(t, { data: folderFor(t), words: ['--set', `data.freeBytesMin=${Number.MAX_SAFE_INTEGER}`] })
  const ready = await fetch(`${server.url}/_sealcast/ready`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /the disk is nearly full/)
  await assert.rejects(new SNS(clientConfig(server.url)).createTopic({ Name: 'x' }), {
    name: 'ServiceUnavailable',
    message: /the disk is nearly full/,
  })
})

test('a development server says what it gives up, takes test/test, and forgets everything on reset', async (t) => {
  const server = await serverFor(t, {})
  const sns = new SNS(clientConfig(server.url, { accessKeyId: 'test', secretAccessKey: 'test' }))
  await sns.createTopic({ Name: 'forgotten' })
  const reset = await fetch(`${server.url}/_sealcast/reset`, { method: 'POST' })
  assert.equal(reset.status, 200)
  assert.deepEqual((await sns.listTopics({})).Topics, [])
  await sns.createTopic({ Name: 'new' })
  assert.equal((await sns.listTopics({})).Topics?.length, 1)
  const metrics = await (await fetch(`${server.url}/_sealcast/metrics`)).text()
  assert.equal(metrics.match(/^sealcast_http_in_flight(\{\})? [1-9]\d*$/gm)?.length, 1)
  assert.equal(await server.stop(), 0)
})
