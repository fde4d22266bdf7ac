// Object lock: every way in which a version could go, tried against one that is locked; who may change a lock; and what clocks can do.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createHarness, type Harness, OTHER_ACCOUNT } from '../../../../tests/harness.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Bucket, StoredObject } from '../../../model/bucket.ts'
import { rootPrincipal } from '../../../model/principal.ts'
import { Table } from '../../../model/tables.ts'
import { s3 } from '../index.ts'
import { sweepParts } from '../multipart/uploads.ts'
import { isLocked, lockTime, retentionStart } from '../object-lock.ts'
import { deleteKey, findVersion, putVersion, removeVersion } from '../object-versions.ts'
import { sweepBlobs } from '../sweep-blobs.ts'

type Output = Readonly<Record<string, unknown>>
const DAY_MS = 24 * 3600 * 1000
const KEY = { Bucket: 'vault', Key: 'k' }
const TEXT = 'to be kept'

async function withVault(run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'vault', ObjectLockEnabledForBucket: true })
    await run(server)
  } finally {
    await server.close()
  }
}

const put = (server: Harness, more: object = {}, text = TEXT): Promise<Output> =>
  server.call('s3', 'PutObject', { ...KEY, ...more }, undefined, { stream: Readable.from([Buffer.from(text)]) })
const until = (server: Harness, days: number): Date => new Date(server.clock.now() + days * DAY_MS)
const locked = { code: 'AccessDenied', status: 403, message: 'Access Denied because object protected by object lock.' }

async function textOf(server: Harness, versionId: unknown): Promise<string> {
  const { Body: body } = await server.call('s3', 'GetObject', { ...KEY, VersionId: versionId })
  return Buffer.concat((await (body as unknown as Readable).toArray()) as Buffer[]).toString()
}

/** Each is to leave the version where it is: by a refusal, or by making another. */
const PATHS: Readonly<Record<string, (server: Harness, id: string) => Promise<unknown>>> = {
  DeleteObject: (server, id) => assert.rejects(server.call('s3', 'DeleteObject', { ...KEY, VersionId: id }), locked),
  'DeleteObject, bypassing governance': (server, id) =>
    assert.rejects(server.call('s3', 'DeleteObject', { ...KEY, VersionId: id, BypassGovernanceRetention: true }), locked),
  async DeleteObjects(server, id) {
    const Delete = { Objects: [{ Key: 'k', VersionId: id }] }
    const output = (await server.call('s3', 'DeleteObjects', { Bucket: 'vault', Delete, BypassGovernanceRetention: true })) as Output
    assert.deepEqual(output, { Errors: [{ Key: 'k', VersionId: id, Code: 'AccessDenied', Message: locked.message }] })
  },
  'a delete marker': (server) => server.call('s3', 'DeleteObject', KEY),
  'another version': (server) => put(server, {}, 'other'),
  'a copy over it': (server, id) =>
    server.call('s3', 'CopyObject', { ...KEY, CopySource: `vault/k?versionId=${id}`, MetadataDirective: 'REPLACE' }),
  async 'a multipart upload over it'(server) {
    const { UploadId } = await server.call('s3', 'CreateMultipartUpload', KEY)
    const part = { ...KEY, UploadId, PartNumber: 1 }
    const { ETag } = await server.call('s3', 'UploadPart', part, undefined, { stream: Readable.from([Buffer.from('other')]) })
    await server.call('s3', 'CompleteMultipartUpload', { ...KEY, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } })
  },
  DeleteBucket: (server) => assert.rejects(server.call('s3', 'DeleteBucket', { Bucket: 'vault' }), { code: 'BucketNotEmpty' }),
  'CreateBucket again': (server) => server.call('s3', 'CreateBucket', { Bucket: 'vault' }),
  'suspending versioning': (server) =>
    assert.rejects(server.call('s3', 'PutBucketVersioning', { Bucket: 'vault', VersioningConfiguration: { Status: 'Suspended' } }), {
      code: 'InvalidBucketState',
      status: 409,
    }),
  'turning object lock off': (server) =>
    assert.rejects(server.call('s3', 'PutObjectLockConfiguration', { Bucket: 'vault', ObjectLockConfiguration: {} }), {
      code: 'MalformedXML',
    }),
  'an expiry by the server, and the null version written over': async (server, id) => {
    const { env } = server
    const bucket = env.tables.get(Table.buckets, 'vault') as Bucket
    const version = findVersion(env.tables, bucket, 'k', id) as StoredObject
    const commit = (work: (tx: Parameters<Parameters<typeof env.commits.commit>[0]>[0]) => unknown) => () => env.commits.commit(work)
    assert.throws(
      commit((tx) => removeVersion(env, tx, bucket, version)),
      locked,
    )
    if (id !== 'null') return
    // A bucket with locks never gets into this state; the room holds all the same.
    const suspended: Bucket = { ...bucket, versioning: 'Suspended' }
    assert.throws(
      commit((tx) => putVersion(env, tx, suspended, { ...version })),
      locked,
    )
    assert.throws(
      commit((tx) => deleteKey(env, tx, suspended, 'k')),
      locked,
    )
  },
  async sweeps(server) {
    await sweepParts(server.env)
    await sweepBlobs(server.env, server.clock.now() + DAY_MS)
  },
}

for (const mode of ['COMPLIANCE', 'legal hold'] as const) {
  test(`no path deletes a version under ${mode}, root's included`, () =>
    withVault(async (server) => {
      const lock =
        mode === 'COMPLIANCE' ? { ObjectLockMode: mode, ObjectLockRetainUntilDate: until(server, 1) } : { ObjectLockLegalHoldStatus: 'ON' }
      const { VersionId: id } = await put(server, lock)
      for (const [path, attempt] of Object.entries(PATHS)) {
        await attempt(server, String(id))
        server.clock.advance(60_000)
        await new Promise((resolve) => setImmediate(resolve))
        assert.equal(await textOf(server, id), TEXT, path)
      }
      if (mode === 'COMPLIANCE') {
        const { ObjectLockRetainUntilDate: day } = lock
        for (const Retention of [
          {},
          { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Number(day) - 1000) },
          { Mode: 'GOVERNANCE', RetainUntilDate: until(server, 9) },
        ])
          for (const BypassGovernanceRetention of [false, true]) {
            const change = { ...KEY, VersionId: id, Retention, BypassGovernanceRetention }
            await assert.rejects(server.call('s3', 'PutObjectRetention', change), locked)
          }
        const longer = { Mode: 'COMPLIANCE', RetainUntilDate: until(server, 2) }
        await server.call('s3', 'PutObjectRetention', { ...KEY, VersionId: id, Retention: longer })
        server.clock.advance(DAY_MS + 60_000)
        await assert.rejects(server.call('s3', 'DeleteObject', { ...KEY, VersionId: id }), locked)
        server.clock.advance(DAY_MS)
      } else await server.call('s3', 'PutObjectLegalHold', { ...KEY, VersionId: id, LegalHold: { Status: 'OFF' } })
      await server.call('s3', 'DeleteObject', { ...KEY, VersionId: id })
      await assert.rejects(textOf(server, id), { code: 'NoSuchVersion' })
    }))
}

test('the null version of a bucket that got its lock later is held as well', async () => {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'vault' })
    await put(server)
    const configuration = { Bucket: 'vault', ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }
    await assert.rejects(server.call('s3', 'PutObjectLockConfiguration', configuration), { code: 'InvalidBucketState' })
    await assert.rejects(put(server, { ObjectLockLegalHoldStatus: 'ON' }), { code: 'InvalidRequest', message: /missing Object Lock/ })
    const hold = { ...KEY, LegalHold: { Status: 'ON' } }
    await assert.rejects(server.call('s3', 'PutObjectLegalHold', hold), { code: 'InvalidRequest' })
    await server.call('s3', 'PutBucketVersioning', { Bucket: 'vault', VersioningConfiguration: { Status: 'Enabled' } })
    await server.call('s3', 'PutObjectLockConfiguration', configuration)
    await server.call('s3', 'PutObjectLegalHold', hold)
    for (const [path, attempt] of Object.entries(PATHS)) {
      await attempt(server, 'null')
      assert.equal(await textOf(server, 'null'), TEXT, path)
    }
  } finally {
    await server.close()
  }
})

test('governance gives way only to who may bypass it and says so', () =>
  withVault(async (server) => {
    const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
    const { VersionId: id } = await put(server, { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(server, 9) })
    const version = { ...KEY, VersionId: id }
    const Action = ['s3:DeleteObjectVersion', 's3:PutObjectRetention']
    const Statement = { Effect: 'Allow', Principal: '*', Action, Resource: 'arn:aws:s3:::vault/*' }
    const allow = (more: readonly string[]) =>
      server.call('s3', 'PutBucketPolicy', {
        Bucket: 'vault',
        Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ ...Statement, Action: [...Action, ...more] }] }),
      })
    await allow([])
    await assert.rejects(server.call('s3', 'DeleteObject', version), locked)
    const bypass = { ...version, BypassGovernanceRetention: true }
    await assert.rejects(server.call('s3', 'DeleteObject', bypass, other), { code: 'AccessDenied', message: /BypassGovernanceRetention/ })
    const shorter = { Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until(server, 1) } }
    await assert.rejects(server.call('s3', 'PutObjectRetention', { ...version, ...shorter }), locked)
    await assert.rejects(server.call('s3', 'PutObjectRetention', { ...bypass, ...shorter }, other), { message: /BypassGovernance/ })
    await allow(['s3:BypassGovernanceRetention'])
    await server.call('s3', 'PutObjectRetention', { ...bypass, ...shorter }, other)
    await server.call('s3', 'DeleteObject', bypass, other)
    await assert.rejects(textOf(server, id), { code: 'NoSuchVersion' })
  }))

test('a default retention is that of new versions, and limits are held', () =>
  withVault(async (server) => {
    const set = (retention?: object) =>
      server.call('s3', 'PutObjectLockConfiguration', {
        Bucket: 'vault',
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          ...(retention !== undefined && { Rule: { DefaultRetention: retention } }),
        },
      })
    const get = async () => (await server.call('s3', 'GetObjectLockConfiguration', { Bucket: 'vault' }))['ObjectLockConfiguration']
    assert.deepEqual(await get(), { ObjectLockEnabled: 'Enabled' })
    for (const bad of [{ Mode: 'GOVERNANCE' }, { Days: 1 }, { Mode: 'X', Days: 1 }, { Mode: 'COMPLIANCE', Days: 1, Years: 1 }])
      await assert.rejects(set(bad), { code: 'MalformedXML' })
    for (const [member, max] of [
      ['Days', 36_500],
      ['Years', 100],
    ] as const) {
      for (const bad of [0, -1, max + 1]) await assert.rejects(set({ Mode: 'COMPLIANCE', [member]: bad }), { code: 'InvalidArgument' })
      for (const good of [1, max]) await set({ Mode: 'COMPLIANCE', [member]: good })
    }
    await set({ Mode: 'COMPLIANCE', Years: 1 })
    const { VersionId: id } = await put(server)
    const head = await server.call('s3', 'HeadObject', { ...KEY, VersionId: id })
    assert.deepEqual([head['ObjectLockMode'], head['ObjectLockRetainUntilDate']], ['COMPLIANCE', until(server, 365)])
    assert.equal(head['ObjectLockLegalHoldStatus'], undefined)
    const { VersionId: own } = await put(server, { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(server, 1) })
    const retention = await server.call('s3', 'GetObjectRetention', { ...KEY, VersionId: own })
    assert.deepEqual(retention, { Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until(server, 1) } })
    await set()
    await put(server)
    for (const operation of ['GetObjectRetention', 'GetObjectLegalHold'])
      await assert.rejects(server.call('s3', operation, KEY), { code: 'NoSuchObjectLockConfiguration', status: 404 })
    await server.call('s3', 'CreateBucket', { Bucket: 'open' })
    await assert.rejects(server.call('s3', 'GetObjectLockConfiguration', { Bucket: 'open' }), {
      code: 'ObjectLockConfigurationNotFoundError',
    })
    for (const bad of [
      { ObjectLockMode: 'GOVERNANCE' },
      { ObjectLockRetainUntilDate: until(server, 1) },
      { ObjectLockMode: 'FOREVER', ObjectLockRetainUntilDate: until(server, 1) },
      { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until(server, 0) },
      { ObjectLockLegalHoldStatus: 'on' },
    ])
      await assert.rejects(put(server, bad), { code: 'InvalidArgument', status: 400 })
  }))

test('a clock that is set frees nothing', () => {
  let [now, passed] = [1_000_000_000_000, 0]
  const clock: Clock = { now: () => now, monotonic: () => passed, after: () => ({ cancel() {} }) }
  const start = now
  lockTime(clock)
  const version = { retention: { mode: 'COMPLIANCE', until: start + DAY_MS } } as StoredObject
  now += 1000 * DAY_MS
  assert.ok(isLocked(clock, version), 'set forward')
  passed += DAY_MS - 5000
  assert.ok(isLocked(clock, version), 'set forward, and nearly over')
  now = start - 1000 * DAY_MS
  assert.equal(retentionStart(clock), start + DAY_MS - 5000, 'set back: a new retention is not cut short')
  passed += 5000
  assert.ok(isLocked(clock, version), 'set back')
  now = start + DAY_MS
  assert.ok(!isLocked(clock, version), 'the day has come')
})
