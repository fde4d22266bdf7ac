// A bucket of a hundred thousand keys, read by the stock SDK's paginators through the real listing and the real front door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ListObjectVersionsCommandOutput, paginateListObjectsV2, S3 } from '@aws-sdk/client-s3'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import { Table } from '../src/model/tables.ts'
import { s3 } from '../src/services/s3/index.ts'
import { createDoor } from '../src/wire/door.ts'
import { createHttpServer } from '../src/wire/http.ts'
import { ACCOUNT, createHarness, type Harness } from './harness.ts'
import { rootPrincipal } from '../src/model/principal.ts'

const KEYS = 100_000
const KEYS_PER_COMMIT = 5000
const PREFIX = `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2026/01/02/`

const keyAt = (number: number): string => `${PREFIX}${String(number).padStart(6, '0')}.json.gz`

/** Rows as PutObject leaves them, without a hundred thousand calls. */
async function fill({ env, call }: Harness): Promise<void> {
  await call('s3', 'CreateBucket', { Bucket: 'logs' })
  await call('s3', 'PutObject', { Bucket: 'logs', Key: keyAt(0) })
  const row = env.tables.get(Table.objects, `logs/${keyAt(0)}`)
  assert.ok(row !== undefined)
  for (let from = 1; from < KEYS; from += KEYS_PER_COMMIT) {
    const { done } = env.commits.commit((tx) => {
      for (let at = from; at < Math.min(KEYS, from + KEYS_PER_COMMIT); at++)
        tx.put(Table.objects, `logs/${keyAt(at)}`, { ...row, key: keyAt(at) })
    })
    await done
  }
}

test('paginators list a hundred thousand keys, each once and in order', async () => {
  const server = await createHarness(() => ({ s3 }))
  const door = createDoor({
    services: { s3 },
    // Signatures are not what this is about.
    invoke: (call) => server.invoke({ ...call, principal: rootPrincipal(ACCOUNT, 'AKIATEST') }),
    internal: () => ({ status: 404, headers: {}, body: '' }),
    clock: systemClock,
    random: seededRandom(2),
    log: silentLog,
    fallbackRegion: 'us-east-1',
  })
  const http = createHttpServer({ ...door, clock: systemClock, log: silentLog })
  const port = await http.listen(0, '127.0.0.1')
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'any' }
  const client = new S3({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, forcePathStyle: true })
  try {
    await fill(server)
    let listed = 0
    for await (const { Contents: page = [] } of paginateListObjectsV2({ client }, { Bucket: 'logs', Prefix: PREFIX }))
      for (const { Key: key } of page) assert.equal(key, keyAt(listed++))
    assert.equal(listed, KEYS)

    let versions = 0
    let marker: string | undefined = keyAt(KEYS - 5000)
    while (marker !== undefined) {
      const page: ListObjectVersionsCommandOutput = await client.listObjectVersions({ Bucket: 'logs', KeyMarker: marker })
      for (const { Key: key } of page.Versions ?? []) assert.equal(key, keyAt(KEYS - 4999 + versions++))
      marker = page.NextKeyMarker
    }
    assert.equal(versions, 4999)

    const folders = await client.listObjectsV2({ Bucket: 'logs', Prefix: 'AWSLogs/', Delimiter: '/' })
    assert.deepEqual(folders.CommonPrefixes, [{ Prefix: `AWSLogs/${ACCOUNT}/` }])
  } finally {
    client.destroy()
    await http.close(0)
    await server.close()
  }
})
