// needs: aws, trailscraper, sqs-consumer
// Readers of CloudTrail log files, unchanged, on a trail of this server: the AWS CLI's S3 commands, DuckDB's JSON reader, trailscraper, and
// a consumer that is told of each file by the trail's topic through a queue.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment, SERVER_REGION } from '../server.ts'
import { untilTrue } from '../until.ts'
import { outputOf } from './shell.ts'
import { ACCOUNT, clientsOf, type EventRecord, makeTopicTrail, recordsIn, recordsOfKeys } from './topic-trail.ts'

interface Consumer {
  start(): void
  stop(): void
  on(event: 'error' | 'processing_error', listener: (error: Error) => void): void
}
interface SqsConsumer {
  readonly Consumer: { create(options: object): Consumer }
}
const packages = createRequire(join(process.env['TEST_PACKAGES'] ?? import.meta.dirname, 'package.json'))

const TOPICS = 12
const { server, folder } = await startFileServer({ words: ['--set', 'trail.deliveryIntervalSeconds=1'] })
const clients = clientsOf(server.url)
const { s3, sns, sqs, cloudtrail } = clients

const environment = awsEnvironment(server.url)

const run = (program: string, ...words: string[]): Promise<string> => outputOf(program, words, { folder, environment })

/** What a notice of the trail names, read as consumers do. */
async function recordsOfNotice(body: string): Promise<readonly EventRecord[]> {
  const { Message: text } = JSON.parse(body) as { Message: string }
  if (text === 'CloudTrail validation message.') return []
  const { s3Bucket: Bucket, s3ObjectKey: keys } = JSON.parse(text) as { s3Bucket: string; s3ObjectKey: readonly string[] }
  return recordsOfKeys(clients, Bucket, keys)
}

const made = new Set<string>()

test('a queue consumer is told of each file and finds every call in them', async () => {
  const queueUrl = await makeTopicTrail(clients)
  const consumed = new Map<string, EventRecord>()
  const failures: Error[] = []
  const consumer = (packages('sqs-consumer') as SqsConsumer).Consumer.create({
    queueUrl,
    sqs,
    waitTimeSeconds: 1,
    handleMessage: async (message: { Body?: string }) => {
      for (const record of await recordsOfNotice(message.Body ?? '')) consumed.set(record.requestID, record)
      return message
    },
  })
  consumer.on('error', (error) => failures.push(error))
  consumer.on('processing_error', (error) => failures.push(error))
  consumer.start()
  for (let number = 0; number < TOPICS; number++) {
    const { $metadata } = await sns.createTopic({ Name: `topic-${number}` })
    made.add($metadata.requestId ?? '')
  }
  await untilTrue('every call at the consumer', () => [...made].every((id) => consumed.get(id)?.eventName === 'CreateTopic'))
  // Behind the file that tells of it no other one comes.
  await cloudtrail.stopLogging({ Name: 'all' })
  await untilTrue('the last file', () => [...consumed.values()].some(({ eventName }) => eventName === 'StopLogging'))
  consumer.stop()
  assert.deepEqual(failures, [])
})

test('aws s3 ls, cp and sync bring the files as they are', async () => {
  const lines = (await run('aws', 's3', 'ls', '--recursive', 's3://logs/')).trim().split('\n')
  const files = lines
    .map((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +(\d+) (.+\.json\.gz)$/.exec(line))
    .map((found) => [found?.[2] ?? '', Number(found?.[1])] as const)
  const { Contents: listed = [] } = await s3.listObjectsV2({ Bucket: 'logs' })
  assert.deepEqual(
    files,
    listed.map(({ Key, Size }) => [Key, Size]),
  )
  assert.match(await run('aws', 's3', 'ls', `s3://logs/AWSLogs/${ACCOUNT}/`), /PRE CloudTrail\//)

  const [key, size] = files[0] ?? ['', 0]
  await run('aws', 's3', 'cp', `s3://logs/${key}`, 'one.json.gz')
  assert.equal(readFileSync(join(folder, 'one.json.gz')).length, size)
  await run('aws', 's3', 'sync', 's3://logs/', 'copy')
  const copies = globSync('**/*.json.gz', { cwd: join(folder, 'copy') })
  assert.deepEqual(copies.toSorted(), files.map(([name]) => name).toSorted())
  assert.equal(await run('aws', 's3', 'sync', 's3://logs/', 'copy'), '', 'nothing is fetched twice')
  const found = new Set(copies.flatMap((name) => recordsIn(readFileSync(join(folder, 'copy', name)))).map(({ requestID }) => requestID))
  assert.deepEqual(
    [...made].filter((id) => !found.has(id)),
    [],
  )
})

test("DuckDB's JSON reader reads the downloaded files", async () => {
  const connection = await (await DuckDBInstance.create()).connect()
  const files = join(folder, 'copy', '**', '*.json.gz')
  const sql = `SELECT record.requestID::VARCHAR AS id, record.userIdentity.accountId::VARCHAR AS account
    FROM (SELECT unnest(Records) AS record FROM read_json('${files}', union_by_name = true, maximum_object_size = 100000000))
    WHERE record.eventName = 'CreateTopic' AND record.eventSource = 'sns.amazonaws.com'`
  const rows = (await connection.runAndReadAll(sql)).getRowObjects()
  assert.deepEqual(new Set(rows.map(({ id }) => id)), made)
  assert.ok(rows.every(({ account }) => account === ACCOUNT))
  connection.closeSync()
})

test('trailscraper downloads the trail and says what was called', async () => {
  const words = ['--bucket', 'logs', '--account-id', ACCOUNT, '--region', SERVER_REGION, '--log-dir', 'scraped', '--from', '-1days']
  await run('trailscraper', 'download', ...words)
  const { Records: records } = JSON.parse(await run('trailscraper', 'select', '--log-dir', 'scraped')) as {
    Records: readonly EventRecord[]
  }
  const found = new Set(records.map(({ requestID }) => requestID))
  assert.deepEqual(
    [...made].filter((id) => !found.has(id)),
    [],
  )
})
