// Logs that AWS wrote, taken in by the command and asked by SQL. Samples of our own making; real ones where they lie beside the repository.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { clientConfig, runCommand } from './server.ts'

const SAMPLES = join(import.meta.dirname, '..', '..', 'shared', 'data', 'cloudtrail-samples')
const { server, data, folder } = await startFileServer()

interface Imported {
  readonly files: number
  readonly records: number
  readonly imported: number
  readonly duplicates: number
  readonly rejected: number
  readonly skipped: readonly { readonly path: string; readonly reason: string }[]
}

async function importPaths(
  ...paths: readonly string[]
): Promise<{ readonly code: number | null; readonly result: Imported; readonly notes: string }> {
  const { code, output, notes } = await runCommand(['import', '--data', data, '--json', ...paths])
  return { code, result: JSON.parse(output) as Imported, notes }
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.equal(code, 0, notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

function record(number: number, more: object = {}): object {
  return {
    eventVersion: '1.08',
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAEXAMPLE',
      arn: 'arn:aws:iam::111122223333:user/ann',
      accountId: '111122223333',
      userName: 'ann',
    },
    eventTime: '2024-05-06T07:08:09Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'DescribeInstances',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2',
    requestParameters: { instancesSet: {}, number },
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    eventType: 'AwsApiCall',
    recipientAccountId: '111122223333',
    ...more,
  }
}

function write(path: string, content: string | Buffer): string {
  const full = join(folder, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
  return full
}

const LOG_NAME =
  'AWSLogs/111122223333/CloudTrail/eu-west-1/2024/05/06/111122223333_CloudTrail_eu-west-1_20240506T0710Z_AbCdEfGh12345678.json.gz'

test('trees as AWS writes them, arrays and lines are read; broken files are named; a second time changes nothing', async () => {
  await new SNS(clientConfig(server.url)).createTopic({ Name: 'our-own' })
  write(`tree/${LOG_NAME}`, gzipSync(JSON.stringify({ Records: [record(1), record(2)] })))
  write(
    'tree/array.json',
    JSON.stringify([record(3, { eventSource: 's3.amazonaws.com', eventName: 'GetObject', errorCode: 'AccessDenied' })]),
  )
  write('tree/lines.json', `${JSON.stringify(record(4))}\n${JSON.stringify(record(5))}\n`)
  const cut = write('tree/cut.json.gz', gzipSync(JSON.stringify({ Records: [record(6)] })).subarray(0, 60))
  const broken = write('tree/broken.json', '{"Records":[{"eventName":')
  write('tree/notes.txt', 'no log')

  const first = await importPaths(join(folder, 'tree'))
  assert.equal(first.code, 1, 'a broken file is a failure')
  const { imported, duplicates, rejected, records, skipped } = first.result
  assert.deepEqual({ imported, duplicates, rejected, records }, { imported: 5, duplicates: 0, rejected: 0, records: 5 })
  for (const path of [cut, broken])
    assert.ok(
      skipped.some((file) => file.path === path),
      `${path} is named`,
    )

  const rows = await query(
    `SELECT eventsource, count(*) AS n, min(eventtime) AS at, any_value(useridentity.username) AS who
     FROM events WHERE event_class = 'imported' GROUP BY eventsource ORDER BY n DESC`,
  )
  assert.deepEqual(
    rows.map(({ eventsource, n, at, who }) => [eventsource, Number(n), at, who]),
    [
      ['ec2.amazonaws.com', 4, '2024-05-06T07:08:09Z', 'ann'],
      ['s3.amazonaws.com', 1, '2024-05-06T07:08:09Z', 'ann'],
    ],
  )
  const second = await importPaths(join(folder, 'tree'))
  assert.deepEqual([second.result.imported, second.result.duplicates], [0, 5])
  const [{ n } = {}] = await query(`SELECT count(*) AS n FROM events WHERE event_class = 'imported'`)
  assert.equal(Number(n), 5)
  const own = await query(`SELECT eventname FROM events WHERE event_class = 'aws'`)
  assert.deepEqual(own, [{ eventname: 'CreateTopic' }], 'imported events are counted apart')
})

test('an import is recorded with its paths, and one without paths is refused', async () => {
  const told = await query(`SELECT requestparameters FROM events WHERE eventname = 'Import' ORDER BY position LIMIT 1`)
  assert.deepEqual(JSON.parse(String(told[0]?.['requestparameters'])), { paths: [join(folder, 'tree')] })
  const none = await runCommand(['import', '--data', data])
  assert.equal(none.code, 2)
  const absent = await runCommand(['import', '--data', data, join(folder, 'absent')])
  assert.equal(absent.code, 1)
  assert.match(absent.notes, /there is no .*absent/)
})

test(
  'real records of four publishers come in whole',
  { skip: !existsSync(SAMPLES) && 'the samples do not lie beside the repository' },
  async () => {
    const { code, result, notes } = await importPaths(SAMPLES)
    assert.equal(code, 0, notes)
    assert.deepEqual([result.records, result.imported, result.rejected], [3455, 3455, 0])
    const rows = await query(
      `SELECT eventsource, count(*) AS n FROM events
       WHERE event_class = 'imported' AND coalesce(recipientaccountid, '') <> '111122223333' GROUP BY eventsource`,
    )
    const counts = Object.fromEntries(rows.map(({ eventsource, n }) => [String(eventsource), Number(n)]))
    assert.equal(
      Object.values(counts).reduce((sum, n) => sum + n, 0),
      3455,
    )
    assert.equal(counts['sns.amazonaws.com'], 3)
    const again = await importPaths(SAMPLES)
    assert.deepEqual([again.result.imported, again.result.duplicates], [0, 3455])
  },
)
