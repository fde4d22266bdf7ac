// Backups of a running server and what comes of them, from outside.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync, writeFileSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { LEFT_OUT } from '../src/house/backup-parts.ts'
import { KNOWN } from '../src/storage/fsck/survey.ts'
import { trailOfEverything } from './log-files.ts'
import { type Clients, queueOf, topicNamed } from './mixed-run.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const SETTINGS = ['trail.deliveryIntervalSeconds=1', 'journal.segmentBytes=4194368', 'tree.checkpointSeconds=1'].flatMap((setting) => [
  '--set',
  setting,
])

interface World extends Clients {
  readonly data: string
}

function folderFor(t: TestContext): string {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  return folder.path
}

async function serverOn(t: TestContext, data: string, words: readonly string[] = []): Promise<World> {
  const server = await startTestServer({
    data,
    words: [...SETTINGS, ...words],
  })
  t.after(() => server.kill())
  const config = clientConfig(server.url)
  const s3 = new S3({ ...config, forcePathStyle: true })
  return { data, server, sns: new SNS(config), sqs: new SQS(config), s3, cloudtrail: new CloudTrail(config) }
}

interface Result {
  readonly generation: number
  readonly copiedBytes: number
  readonly bytes: number
}

async function backUp({ data }: World, target: string, words: readonly string[] = []): Promise<Result> {
  const { code, output, notes } = await runCommand(['backup', target, '--data', data, '--json', ...words])
  assert.equal(code, 0, notes)
  return JSON.parse(output) as Result
}

async function query(data: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.equal(code, 0, notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

test('a backup under load, a SIGKILL, a restore: all that was answered before is there, and the break is declared', async (t) => {
  const folder = folderFor(t)
  const [data, target, restored] = [join(folder, 'data'), join(folder, 'backups'), join(folder, 'restored')]
  const world = await serverOn(t, data)
  await trailOfEverything(world)
  const topicArn = await topicNamed(world, 'kept')
  const queueUrl = await queueOf(world, topicArn)
  const ArchivePolicy = '{"MessageRetentionPeriod":1}'
  const archived = await world.sns.createTopic({ Name: 'archived.fifo', Attributes: { FifoTopic: 'true', ArchivePolicy } })
  await world.sns.publish({ TopicArn: archived.TopicArn, Message: 'kept', MessageGroupId: 'g', MessageDeduplicationId: 'd' })
  const body = Buffer.alloc(300_000, 'o')
  await world.s3.putObject({ Bucket: 'logs', Key: 'object', Body: body })
  const before: string[] = []
  for (let number = 0; number < 40; number++) {
    const { $metadata } = await world.sns.publish({ TopicArn: topicArn, Message: `before ${number} ${'x'.repeat(20_000)}` })
    before.push($metadata.requestId ?? '')
  }
  const load = { isOver: false }
  const loading = (async () => {
    while (!load.isOver) await world.sns.publish({ TopicArn: topicArn, Message: 'during' })
  })()
  const first = await backUp(world, target)
  load.isOver = true
  await loading
  await world.sns.publish({ TopicArn: topicArn, Message: 'behind' })
  await world.server.kill()

  const refused = await runCommand(['restore', target, '--data', data])
  assert.equal(refused.code, 1)
  assert.match(refused.notes, /is a data directory; restore into an empty folder/)
  const done = await runCommand(['restore', target, '--data', restored])
  assert.equal(done.code, 0, done.notes)
  assert.match(done.output, /put your copy of root.key/)
  const early = await runCommand(['serve', '--data', restored, '--port', '0'])
  assert.match(early.notes, /no root key is at hand/)
  cpSync(join(data, 'root.key'), join(restored, 'root.key'))

  const again = await serverOn(t, restored)
  const { Attributes } = await again.sqs.getQueueAttributes({
    QueueUrl: queueUrl.replace(world.server.url, again.server.url),
    AttributeNames: ['All'],
  })
  assert.ok(Number(Attributes?.['ApproximateNumberOfMessages']) >= before.length)
  const object = await again.s3.getObject({ Bucket: 'logs', Key: 'object' })
  assert.ok(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(body))
  const rows = await query(restored, `SELECT requestid FROM events WHERE eventname = 'Publish'`)
  const found = new Set(rows.map((row) => row['requestid']))
  for (const id of before) assert.ok(found.has(id))
  const acts = await query(
    restored,
    `SELECT eventname, serviceeventdetails FROM events WHERE eventname IN ('Restored', 'ServerCrashed', 'TreeContinued') ORDER BY position`,
  )
  assert.deepEqual(
    acts.map((row) => row['eventname']),
    ['Restored', 'TreeContinued'],
  )
  const details = JSON.parse(String(acts[0]?.['serviceeventdetails'])) as { generation: number; lineage: { number: number } }
  assert.deepEqual([details.generation, details.lineage.number], [first.generation, 2])
  const coverage = JSON.parse((await runCommand(['coverage', '--data', restored, '--json', '--from', '1h'])).output) as {
    server: { spans: { why?: string }[] }
  }
  assert.ok(coverage.server.spans.some(({ why }) => why === 'restored (generation 1)'))
  const manifest = readFileSync(join(target, 'generations', '000001.jsonl'), 'utf8')
  const names = [...manifest.matchAll(/"path":"([^"/]+)/g)].map(([, name]) => name)
  const known = new Set([...names, ...LEFT_OUT])
  for (const name of KNOWN) assert.ok(known.has(name), `${name} is neither backed up nor left out by name (src/house/backup-parts.ts)`)
  // Backups of what was restored go on in the same folder.
  await topicNamed(again, 'after')
  assert.equal((await backUp(again, target)).generation, 2)
  await again.server.stop()
  const clean = await runCommand(['fsck', '--data', restored])
  assert.equal(clean.code, 0, clean.output)
})

test('a further backup writes what changed; old generations go; damage is named', async (t) => {
  const folder = folderFor(t)
  const [data, target] = [join(folder, 'data'), join(folder, 'backups')]
  const world = await serverOn(t, data)
  await world.s3.createBucket({ Bucket: 'logs' })
  await world.s3.putObject({
    Bucket: 'logs',
    Key: 'large',
    Body: Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 2654435761) >>> 24)),
  })
  const first = await backUp(world, target)
  assert.ok(first.copiedBytes > 3_000_000)
  await topicNamed(world, 'new')
  const second = await backUp(world, target)
  assert.equal(second.generation, 2)
  assert.ok(second.copiedBytes < 1_000_000, `${second.copiedBytes} bytes for one topic`)
  const packs = (): number => globSync(join(target, 'packs', '*')).reduce((sum, path) => sum + statSync(path).size, 0)
  assert.equal(packs(), first.copiedBytes + second.copiedBytes)

  const full = await backUp(world, target, ['--full', '--keep', '1', '--with-root-key'])
  assert.ok(full.copiedBytes > 3_000_000)
  assert.equal(packs(), full.copiedBytes, 'what only older generations needed is gone')
  const listed = await runCommand(['backup', target, '--list'])
  assert.match(listed.output, /^generation 3 .*with root\.key\n$/)
  const verified = await runCommand(['backup', target, '--verify'])
  assert.equal(verified.code, 0, verified.notes)

  const [pack = ''] = readdirSync(join(target, 'packs'))
  const bytes = readFileSync(join(target, 'packs', pack))
  bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1
  writeFileSync(join(target, 'packs', pack), bytes)
  for (const words of [
    ['backup', target, '--verify'],
    ['restore', target, '--data', join(folder, 'restored')],
  ]) {
    const { code, notes } = await runCommand(words)
    assert.equal(code, 1)
    assert.match(notes, new RegExp(`${pack} is damaged at byte \\d+, where it holds a part of \\w+`))
  }
  assert.ok(!existsSync(join(folder, 'restored', 'format.json')))

  const other = await serverOn(t, join(folder, 'other'))
  for (const [place, complaint] of [
    [target, /backups of another data directory/],
    [join(data, 'inside'), /lies in the data directory/],
    [folder, /holds the data directory/],
  ] as const) {
    const { code, notes } = await runCommand(['backup', place, '--data', place === target ? other.data : data])
    assert.equal(code, 1)
    assert.match(notes, complaint)
  }
  const told = await query(data, `SELECT eventname, errorcode FROM events WHERE eventname LIKE 'Backup%' AND errorcode IS NOT NULL`)
  assert.equal(told.filter((row) => row['eventname'] === 'Backup').length, 2)
})

test('a sealed backup opens with the root key of its time and nothing else, through a change of that key', async (t) => {
  const folder = folderFor(t)
  const [data, target] = [join(folder, 'data'), join(folder, 'backups')]
  const world = await serverOn(t, data, ['--set', 'seal.stores=journal,records,backup'])
  await world.s3.createBucket({ Bucket: 'logs' })
  const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, at) => (at * 2654435761) >>> 24))
  await world.s3.putObject({ Bucket: 'logs', Key: 'large', Body: body })
  const refused = await runCommand(['backup', target, '--data', data, '--with-root-key'])
  assert.equal(refused.code, 1)
  assert.match(refused.notes, /backups are sealed .*leave --with-root-key out/)
  assert.ok((await backUp(world, target)).copiedBytes > 1_000_000)
  const [older, newer] = [join(folder, 'older.key'), join(folder, 'newer.key')]
  cpSync(join(data, 'root.key'), older)
  assert.equal((await runCommand(['keys', 'rotate', '--root', '--data', data])).code, 0)
  cpSync(join(data, 'root.key'), newer)
  assert.ok((await backUp(world, target)).copiedBytes < 1_000_000)
  assert.deepEqual(
    readdirSync(data, { recursive: true }).filter((name) => /^backup-staging.*\./.test(String(name))),
    [],
  )
  await world.server.kill()

  const { output } = await runCommand(['backup', target, '--list'])
  const ids = [...output.matchAll(/sealed under root key (\w+)/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, 2)
  const refusals = [
    ['backup', target, '--verify', '--data', join(folder, 'none')],
    ['restore', target, '--data', join(folder, 'none'), '--root-key', older],
  ]
  for (const { code, notes } of await Promise.all(refusals.map((words) => runCommand(words)))) {
    assert.equal(code, 1)
    assert.match(notes, new RegExp(`sealed under root key (${ids.join('|')}) \\(file\\), and (no root key is|the root key) at hand`))
  }
  assert.ok(!existsSync(join(folder, 'none')))
  // The key of a start, from the environment; each restore checks what it wrote as fsck does, sealed stores among it.
  const key = readFileSync(newer).toString('base64')
  const looks = await Promise.all([
    runCommand(['backup', target, '--verify', '--root-key', older, '--root-key', newer]),
    runCommand(['backup', target, '--verify', '--at', '2'], { SEALCAST_ROOT_KEY: key }),
    runCommand(['restore', target, '--data', join(folder, 'restored-1'), '--at', '1', '--root-key', older]),
    runCommand(['restore', target, '--data', join(folder, 'restored-2'), '--root-key', newer]),
  ])
  for (const { code, notes } of looks) assert.equal(code, 0, notes)
  const again = await serverOn(t, join(folder, 'restored-2'), ['--set', 'seal.stores=journal,records,backup'])
  const object = await again.s3.getObject({ Bucket: 'logs', Key: 'large' })
  assert.ok(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(body))
  // Its keys came back with it, so that its backups go on where the old ones end.
  assert.ok((await backUp(again, target)).copiedBytes < 2_500_000)
})
