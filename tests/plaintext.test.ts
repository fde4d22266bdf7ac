// With sealing on, no message, object, header or password stands readable in the data directory: searched as it is, in base64 and in what
// is compressed, after a SIGKILL, and after a restart and commands beside. What is looked for is found where sealing is off.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { readSettings } from '../src/model/config.ts'
import { settings } from '../src/settings.ts'
import { trailOfEverything } from './log-files.ts'
import { searchPlaintext } from './plaintext-search.ts'
import { topicsMaySend } from './queue-policy.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder, type TestServer } from './server.ts'

const WORDS = ['body', 'attribute', 'subject', 'queued', 'object', 'part', 'tag', 'password', 'metadata', 'encrypted'] as const
type Word = (typeof WORDS)[number]
const planted = (word: Word): string => `planted-${word}-Zu7fPq3LmX`
const ALL = WORDS.map(planted)
const SEALED = ['--set', 'seal.stores=journal,records,queues,backup', '--set', 'trail.deliveryIntervalSeconds=1']

async function plant({ url }: TestServer): Promise<void> {
  const [sns, sqs] = [new SNS(clientConfig(url)), new SQS(clientConfig(url))]
  const s3 = new S3({ ...clientConfig(url), forcePathStyle: true })
  const attribute = { DataType: 'String', StringValue: planted('attribute') }
  const { TopicArn = '' } = await sns.createTopic({ Name: 'planted', Tags: [{ Key: 'tag', Value: planted('tag') }] })
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: 'planted' })
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: topicsMaySend(queueArn) } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn })
  await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: `http://user:${planted('password')}@127.0.0.1:9/hook` })
  const message = { Message: planted('body'), Subject: planted('subject'), MessageAttributes: { a: attribute } }
  for (let more = 0; more < 20; more++) await sns.publish({ TopicArn, ...message })
  const archived = await sns.createTopic({
    Name: 'planted.fifo',
    Attributes: { FifoTopic: 'true', ArchivePolicy: '{"MessageRetentionPeriod":1}' },
  })
  await sns.publish({ TopicArn: archived.TopicArn, ...message, MessageGroupId: 'g', MessageDeduplicationId: 'd' })
  await sqs.sendMessage({ QueueUrl, MessageBody: planted('queued'), MessageAttributes: { a: attribute } })
  await s3.createBucket({ Bucket: 'planted' }).catch(() => {})
  await s3.putObject({ Bucket: 'planted', Key: 'k', Body: planted('object').repeat(5000), Metadata: { a: planted('metadata') } })
  const { UploadId } = await s3.createMultipartUpload({ Bucket: 'planted', Key: 'parts' })
  await s3.uploadPart({ Bucket: 'planted', Key: 'parts', UploadId, PartNumber: 1, Body: planted('part').repeat(5000) })
  const { Body } = await s3.getObject({ Bucket: 'planted', Key: 'k', Range: 'bytes=0-16' })
  assert.equal(await Body?.transformToString(), planted('object').slice(0, 17))
}

/** Where which of the planted texts is readable: `text in store`. */
function readable(folder: string): string[] {
  return [...new Set(searchPlaintext(folder, ALL).map(({ text, file }) => `${text.split('-')[1]} in ${file.split('/')[0]}`))].sort()
}

/** Tags are part of events, which hold nothing personal and lie open in the lake and in the history. */
const isNoEvent = (place: string): boolean => !/^tag in (lake|history)$/.test(place)

function withFolder(): string {
  const folder = temporaryFolder()
  after(() => folder.remove())
  return folder.path
}

test('without sealing, what is looked for is found', async () => {
  const data = withFolder()
  const server = await startTestServer({ data })
  await plant(server)
  const backups = withFolder()
  assert.equal((await runCommand(['backup', backups, '--data', data])).code, 0)
  await server.stop()
  const inBackup = readable(backups)
  for (const word of ['body', 'object', 'tag', 'password'] as const)
    assert.equal(inBackup.includes(`${word} in packs`), word !== 'object', `${word} among ${inBackup.join(', ')}`)
  const found = readable(data)
  for (const expected of ['body', 'attribute', 'subject', 'queued', 'tag', 'password', 'metadata'].map((word) => `${word} in journal`))
    assert.ok(found.includes(expected), `${expected} among ${found.join(', ')}`)
  for (const word of ['tag', 'password', 'metadata']) assert.ok(found.includes(`${word} in records`), word)
  for (const word of ['body', 'attribute', 'subject']) assert.ok(found.includes(`${word} in topic-archives`), word)
  assert.ok(!found.some((place) => /^(object|part) /.test(place)), 'objects are sealed in any case')
})

test('with every store sealed nothing is readable, and everything works', async () => {
  const data = withFolder()
  const first = await startTestServer({ data, words: SEALED })
  await trailOfEverything({
    s3: new S3({ ...clientConfig(first.url), forcePathStyle: true }),
    cloudtrail: new CloudTrail(clientConfig(first.url)),
  })
  await plant(first)
  await first.kill()
  assert.deepEqual(readable(data).filter(isNoEvent), [])

  // A command on its own goes on as the server did; its own words are on the record.
  assert.equal((await runCommand(['accounts', 'create', '111122223333', '--data', data])).code, 0)
  const checked = await runCommand(['fsck', '--data', data])
  assert.equal(checked.code, 0, checked.output)
  const again = await startTestServer({ data, words: SEALED })
  const sqs = new SQS(clientConfig(again.url))
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: 'planted' })
  const bodies: string[] = []
  for (let more = 0; more < 5; more++)
    for (const { Body = '' } of (await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })).Messages ?? []) bodies.push(Body)
  assert.equal(bodies.length, 21)
  for (const word of ['queued', 'body'] as const) assert.ok(bodies.some((body) => body.includes(planted(word))))
  const { output } = await runCommand(['status', '--json', '--data', data])
  const { sealing } = JSON.parse(output) as { sealing: { stores: Record<string, { sealed: string; key?: string }> } }
  for (const store of ['journal', 'records', 'queues', 'backup'])
    assert.deepEqual([sealing.stores[store]?.sealed, sealing.stores[store]?.key], ['whole', `key 1 of ${store}`])
  // Tags of events among it, which lie open in the data directory.
  const backups = withFolder()
  const copied = await runCommand(['backup', backups, '--data', data])
  assert.equal(copied.code, 0, copied.notes)
  await again.stop()
  assert.deepEqual(readable(backups), [])
  const names = searchPlaintext(backups, ['records/data.mdb', 'keyring.json', 'lake/manifest.json'])
  assert.deepEqual(names, [])
  assert.deepEqual(readable(data).filter(isNoEvent), [])
  const without = await runCommand(['fsck', '--data', data], { SEALCAST_ROOT_KEY: Buffer.alloc(32).toString('base64') })
  assert.match(without.notes, /sealed under root key/)
})

test('a queue with encryption keeps its messages sealed where nothing else is, and a topic reaches it', async () => {
  const data = withFolder()
  const first = await startTestServer({ data })
  const { output } = await runCommand(['keys', 'create', '--alias', 'queues', '--data', data])
  const keyArn = /arn:\S+/.exec(output)?.[0] ?? ''
  const sns = new SNS(clientConfig(first.url))
  let sqs = new SQS(clientConfig(first.url))
  const { TopicArn = '' } = await sns.createTopic({ Name: 'open' })
  const encryptions: readonly Record<string, string>[] = [{ SqsManagedSseEnabled: 'true' }, { KmsMasterKeyId: keyArn }]
  for (const [at, encryption] of encryptions.entries()) {
    const queueArn = `${TopicArn.replace(':sns:', ':sqs:').replace(/open$/, '')}sealed-${at}`
    const { QueueUrl = '' } = await sqs.createQueue({
      QueueName: `sealed-${at}`,
      Attributes: { ...encryption, Policy: topicsMaySend(queueArn) },
    })
    const MessageAttributes = { a: { DataType: 'String', StringValue: planted('encrypted') } }
    await sqs.sendMessage({ QueueUrl, MessageBody: planted('encrypted'), MessageAttributes })
    await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes: { RawMessageDelivery: 'true' } })
  }
  await sns.publish({ TopicArn, Message: 'from the topic', Subject: 'of the topic' })
  await first.kill()
  assert.deepEqual(readable(data), [])
  const again = await startTestServer({ data })
  sqs = new SQS(clientConfig(again.url))
  for (const at of encryptions.keys()) {
    const { QueueUrl } = await sqs.getQueueUrl({ QueueName: `sealed-${at}` })
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] })
    assert.deepEqual(new Set(Messages.map(({ Body }) => Body)), new Set(['from the topic', planted('encrypted')]))
    const sent = Messages.find(({ Body }) => Body === planted('encrypted'))
    assert.equal(sent?.MessageAttributes?.['a']?.StringValue, planted('encrypted'))
  }
  await again.stop()
  const checked = await runCommand(['fsck', '--data', data])
  assert.equal(checked.code, 0, checked.output)
  assert.deepEqual(readable(data), [])
})

test('a store that cannot be sealed is refused by name', () => {
  for (const [store, message] of [
    ['lake', /seal.stores has .*lake.*cannot be sealed by this release/],
    ['blobs', /always sealed/],
    ['jornal', /none of journal, records, queues, backup/],
  ] as const) {
    const read = readSettings(settings, [{ key: 'seal.stores', value: store, from: '--set' }])
    assert.match('problems' in read ? read.problems.join() : '', message)
  }
})
