// Rules at work, through the real call pipeline and by a clock in the test's hand.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createHarness, type Harness } from '../../../tests/harness.ts'
import { DAY_MS } from '../../model/lifecycle.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { Table } from '../../model/tables.ts'
import { copyToArchive, ownBlobKeys } from './archive.ts'
import { s3 } from './index.ts'
import { LifecycleRuns } from './lifecycle-runs.ts'
import { readBody } from './object-body.ts'
import { sweepBlobs } from './sweep-blobs.ts'

const BOX = { Bucket: 'box' }

interface World {
  readonly server: Harness
  put(key: string, body?: string | Buffer, more?: object): Promise<Record<string, unknown>>
  rules(...rules: object[]): Promise<unknown>
  /** Lets days pass, then the rules act. */
  pass(days: number): Promise<void>
  keys(): Promise<readonly string[]>
  /** `key` or `key (marker)`, newest first. */
  versions(): Promise<readonly string[]>
  acts(name: string): Promise<readonly Record<string, unknown>[]>
}

async function withBucket(run: (world: World) => Promise<void>, versioning?: string): Promise<void> {
  const server = await createHarness(() => ({ s3 }))
  await server.call('s3', 'CreateBucket', { ...BOX })
  if (versioning !== undefined) await server.call('s3', 'PutBucketVersioning', { ...BOX, VersioningConfiguration: { Status: versioning } })
  const acting = new LifecycleRuns({ ...server.env, clock: { ...timerless(server), now: () => server.clock.now() } }, () => undefined)
  const world: World = {
    server,
    put: (key, body = 'text', more = {}) =>
      server.call('s3', 'PutObject', { ...BOX, Key: key, ...more }, undefined, { stream: Readable.from([Buffer.from(body)]) }),
    rules: (...Rules) =>
      server.call('s3', 'PutBucketLifecycleConfiguration', {
        ...BOX,
        LifecycleConfiguration: { Rules: Rules.map((rule, at) => ({ ID: `r${at}`, Status: 'Enabled', Filter: {}, ...rule })) },
      }),
    async pass(days) {
      server.clock.advance(days * DAY_MS)
      await acting.run()
      // What was let go is removed after a while.
      server.clock.advance(20_000)
      await new Promise((resolve) => setImmediate(resolve))
    },
    async keys() {
      const page = (await server.call('s3', 'ListObjectsV2', BOX)) as Record<string, unknown>
      return ((page['Contents'] ?? []) as { Key: string }[]).map(({ Key }) => Key)
    },
    async versions() {
      const page = (await server.call('s3', 'ListObjectVersions', BOX)) as Record<string, unknown>
      const of = (name: string, kind: string) => ((page[name] ?? []) as { Key: string }[]).map(({ Key }) => `${Key}${kind}`)
      return [...of('Versions', ''), ...of('DeleteMarkers', ' (marker)')]
    },
    async acts(name) {
      const told = (await server.events()).filter(({ record }) => record['eventName'] === name)
      return told.map(({ record }) => record['serviceEventDetails'] as Record<string, unknown>)
    },
  }
  try {
    await run(world)
  } finally {
    await server.close()
  }
}

/** Runs are made by hand here. */
function timerless({ clock }: Harness) {
  return {
    monotonic: () => clock.monotonic(),
    after: (ms: number, then: () => void) => (ms > 20_000 ? { cancel() {} } : clock.after(ms, then)),
  }
}

async function bodyOf(server: Harness, key: string, more: object = {}): Promise<Buffer> {
  const { Body } = (await server.call('s3', 'GetObject', { ...BOX, Key: key, ...more })) as Record<string, unknown>
  return Body instanceof Uint8Array ? Buffer.from(Body) : Buffer.concat((await (Body as Readable).toArray()) as Buffer[])
}

test('objects expire by prefix, tag and size, and each is told on the record', () =>
  withBucket(async ({ server, put, rules, pass, keys, acts }) => {
    await rules(
      { Filter: { Prefix: 'tmp/' }, Expiration: { Days: 2 } },
      { Filter: { And: { Prefix: 'log/', Tags: [{ Key: 'keep', Value: 'no' }], ObjectSizeGreaterThan: 3 } }, Expiration: { Days: 1 } },
    )
    const { Expiration: told } = await put('tmp/a')
    assert.equal(told, 'expiry-date="Mon, 05 Jan 2026 00:00:00 GMT", rule-id="r0"')
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'tmp/a' }))['Expiration'], told)
    await put('log/yes', 'long', { Tagging: 'keep=no' })
    await put('log/short', 'abc', { Tagging: 'keep=no' })
    await put('log/kept', 'long', { Tagging: 'keep=yes' })
    await put('other')
    await pass(1)
    assert.deepEqual(await keys(), ['log/kept', 'log/short', 'log/yes', 'other', 'tmp/a'])
    await pass(1)
    assert.deepEqual(await keys(), ['log/kept', 'log/short', 'other', 'tmp/a'])
    await pass(1)
    assert.deepEqual(await keys(), ['log/kept', 'log/short', 'other'])
    assert.deepEqual(await acts('ObjectExpired'), [
      { bucketName: 'box', key: 'log/yes', rule: 'r1' },
      { bucketName: 'box', key: 'tmp/a', rule: 'r0' },
    ])
    const ran = await acts('RetentionRan')
    assert.equal(ran.length, 3)
    const [rule] = (ran[2]?.['rules'] ?? []) as Record<string, unknown>[]
    assert.deepEqual([rule?.['rule'], rule?.['expired']], ['r0', 1])
    assert.equal((await Array.fromAsync(server.env.blobs.list())).length, 3)
  }))

test('many objects go in steps', () =>
  withBucket(async ({ put, rules, pass, keys }) => {
    await rules({ Expiration: { Days: 1 } })
    for (let at = 0; at < 175; at++) await put(`k${at}`)
    await pass(3)
    assert.deepEqual(await keys(), [])
  }))

test('where versions are kept, a delete marker comes first, then old versions go, then the marker', () =>
  withBucket(async ({ put, rules, pass, versions, acts }) => {
    await put('a', 'one')
    await put('a', 'two')
    await rules({ Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 3 } })
    await pass(2)
    assert.deepEqual(await versions(), ['a', 'a', 'a (marker)'])
    await pass(2)
    assert.deepEqual(await versions(), ['a', 'a (marker)'])
    await pass(2)
    await pass(0)
    assert.deepEqual(await versions(), [])
    assert.deepEqual(
      (await acts('ObjectExpired')).map((act) => [act['deleteMarkerCreated'], act['deleteMarkerRemoved']]),
      [
        [true, undefined],
        [undefined, undefined],
        [undefined, undefined],
        [undefined, true],
      ],
    )
  }, 'Enabled'))

test('the newest versions that are not current are kept, over more than one step', () =>
  withBucket(async ({ put, rules, pass, versions, server }) => {
    for (let at = 0; at < 120; at++) {
      await put('a', String(at))
      server.clock.advance(1000)
    }
    await rules({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 3 } })
    await pass(3)
    assert.equal((await versions()).length, 4)
    assert.equal((await bodyOf(server, 'a')).toString(), '119')
  }, 'Enabled'))

test('a marker over nothing goes when a rule asks for it, one that hides something stays', () =>
  withBucket(async ({ put, rules, pass, versions, server }) => {
    await put('hidden')
    await server.call('s3', 'DeleteObject', { ...BOX, Key: 'hidden' })
    await server.call('s3', 'DeleteObject', { ...BOX, Key: 'nothing' })
    await rules({ Expiration: { ExpiredObjectDeleteMarker: true } })
    await pass(1)
    assert.deepEqual(await versions(), ['hidden', 'hidden (marker)'])
  }, 'Enabled'))

test('what is locked or held is neither removed nor hidden nor moved, until the lock ends', () =>
  withBucket(async ({ put, rules, pass, versions, keys, server, acts }) => {
    const { clock, tables } = server.env
    const lock = { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }
    await server.call('s3', 'PutObjectLockConfiguration', { ...BOX, ...lock })
    const until = new Date(clock.now() + 30 * DAY_MS)
    await put('compliance', 'compliance', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until })
    await put('governance', 'governance', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until })
    await put('held', 'held', { ObjectLockLegalHoldStatus: 'ON' })
    await put('free', 'free')
    await put('old', 'locked', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until })
    await put('old', 'new')
    await rules(
      { Filter: { ObjectSizeGreaterThan: 0 }, Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }], Expiration: { Days: 2 } },
      { NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
    )
    for (let day = 0; day < 10; day++) await pass(1)
    assert.deepEqual(await keys(), ['compliance', 'governance', 'held'])
    assert.ok((await versions()).includes('old'))
    for (const key of ['compliance', 'governance', 'held']) {
      assert.equal((await bodyOf(server, key)).toString(), key)
      assert.equal(tables.get(Table.objects, `box/${key}`)?.storageClass, undefined)
    }
    const runs = await acts('RetentionRan')
    assert.equal(runs.at(-1)?.['locked'], 4)
    for (let day = 0; day < 25; day++) await pass(1)
    assert.deepEqual(await keys(), ['held'])
  }, 'Enabled'))

test('an object moves to the archive and is read as before, whole and in part', () =>
  withBucket(async ({ put, rules, pass, server, acts }) => {
    const text = Buffer.from('the same line again and again\n'.repeat(20_000))
    const noise = randomBytes(300_000)
    await put('text', text)
    await put('noise', noise)
    await put('small', 'tiny')
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    const before = server.env.blobs.bytes()
    await pass(2)
    const head = await server.call('s3', 'HeadObject', { ...BOX, Key: 'text' })
    assert.equal(head['StorageClass'], 'GLACIER_IR')
    assert.equal(head['ContentLength'], text.length)
    assert.deepEqual(await bodyOf(server, 'text'), text)
    assert.deepEqual(await bodyOf(server, 'text', { Range: 'bytes=100000-200000' }), text.subarray(100_000, 200_001))
    assert.deepEqual(await bodyOf(server, 'noise', { Range: 'bytes=-70000' }), noise.subarray(-70_000))
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'small' }))['StorageClass'], undefined)
    assert.ok(server.env.blobs.bytes() < before - 800_000, 'the store gave back what moved')
    assert.ok(server.env.archive.bytes() < 320_000, 'text is compressed, noise is not blown up')
    const [rule] = ((await acts('RetentionRan'))[0]?.['rules'] ?? []) as Record<string, number>[]
    assert.deepEqual([rule?.['archived'], rule?.['archivedBytes']], [2, text.length + noise.length])
    await pass(1)
    assert.equal((await acts('RetentionRan')).at(-1)?.['failed'], 0)
  }))

test('an upload may go to the archive at once; what is not offered is refused by name', () =>
  withBucket(async ({ put, server }) => {
    const text = 'again '.repeat(50_000)
    await put('k', text, { StorageClass: 'GLACIER_IR' })
    assert.equal((await bodyOf(server, 'k')).toString(), text)
    assert.deepEqual(
      [(await Array.fromAsync(server.env.blobs.list())).length, (await Array.fromAsync(server.env.archive.list())).length],
      [0, 1],
    )
    const page = (await server.call('s3', 'ListObjectsV2', BOX)) as Record<string, unknown>
    assert.equal((page['Contents'] as Record<string, unknown>[])[0]?.['StorageClass'], 'GLACIER_IR')
    await server.call('s3', 'DeleteObject', { ...BOX, Key: 'k' })
    server.clock.advance(20_000)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(server.env.archive.bytes(), 0)
    await put('empty', '', { StorageClass: 'GLACIER_IR' })
    assert.equal((await bodyOf(server, 'empty')).length, 0)
    await assert.rejects(put('k', 'x', { StorageClass: 'DEEP_ARCHIVE' }), {
      code: 'NotImplemented',
      message: /DEEP_ARCHIVE; use STANDARD or/,
    })
    await assert.rejects(put('k', 'x', { StorageClass: 'SHELF' }), { code: 'InvalidStorageClass' })
  }))

test('a crash in the middle of a move leaves the object whole, and what it had written is swept', () =>
  withBucket(async ({ put, rules, pass, server }) => {
    const text = Buffer.from('line\n'.repeat(100_000))
    await put('k', text)
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    const object = server.env.tables.get(Table.objects, 'box/k')
    assert.ok(object !== undefined)
    // The copy is on stable storage, and the commit that names it never came.
    await copyToArchive(server.env, { name: 'box', region: 'us-east-1' }, object, ownBlobKeys(server.env, blobsOf(object)))
    assert.deepEqual(await bodyOf(server, 'k'), text)
    const { archive, blobs, tables, clock } = server.env
    assert.equal(await sweepBlobs({ blobs: archive, tables }, clock.now() + 1), 1)
    await pass(2)
    assert.deepEqual(await bodyOf(server, 'k'), text)
    assert.equal(await sweepBlobs({ blobs: archive, tables }, clock.now() + 1), 0)
    assert.equal(await sweepBlobs({ blobs, tables }, clock.now() + 1), 0)
  }))

test('an object that changes while it is copied is not moved', () =>
  withBucket(async ({ put, rules, pass, server }) => {
    await put('k', 'line\n'.repeat(100_000))
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    const { write } = server.env.archive
    server.env.archive.write = async (source, options) => {
      const written = await write(source, options)
      await put('k', 'another body')
      return written
    }
    await pass(2)
    assert.equal((await bodyOf(server, 'k')).toString(), 'another body')
    assert.equal(server.env.archive.bytes(), 0)
  }))

test('an archive that cannot be written leaves objects where they are, and the run tells it', () =>
  withBucket(async ({ put, rules, pass, server, acts }) => {
    await put('k', 'line\n'.repeat(100_000))
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    const { write } = server.env.archive
    server.env.archive.write = () => Promise.reject(new Error('ENOSPC: no space left on device'))
    await pass(2)
    assert.equal((await bodyOf(server, 'k')).toString(), 'line\n'.repeat(100_000))
    assert.equal((await acts('RetentionRan')).at(-1)?.['failed'], 1)
    server.env.archive.write = write
    await pass(1)
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'k' }))['StorageClass'], 'GLACIER_IR')
  }))

test('a stop ends a copy under way, and leaves nothing of it', () =>
  withBucket(async ({ put, rules, server }) => {
    await put('k', randomBytes(400_000))
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    server.clock.advance(2 * DAY_MS)
    const runs = new LifecycleRuns({ ...server.env, clock: { ...timerless(server), now: () => server.clock.now() } }, () => undefined)
    const { write } = server.env.archive
    server.env.archive.write = (source, options) => {
      void runs.stop()
      return write(source, options)
    }
    await runs.run()
    assert.equal(server.env.archive.bytes(), 0)
    assert.equal((await bodyOf(server, 'k')).length, 400_000)
  }))

test('a download that is under way outlives the move and the removal of what it reads', () =>
  withBucket(async ({ put, rules, pass, server }) => {
    const body = randomBytes(400_000)
    await put('k', body)
    await rules({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] })
    /** A reader that has its first bytes, and waits. */
    const begin = async () => {
      const { Body } = (await server.call('s3', 'GetObject', { ...BOX, Key: 'k' })) as Record<string, unknown>
      const chunks = (Body as Readable)[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      return { chunks, first: (await chunks.next()).value as Buffer }
    }
    const before = await begin()
    await pass(2)
    const between = await begin()
    await server.call('s3', 'DeleteObject', { ...BOX, Key: 'k' })
    await pass(1)
    for (const { chunks, first } of [before, between]) {
      const read = [first]
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) read.push(next.value)
      assert.deepEqual(Buffer.concat(read), body)
    }
    await pass(1)
    assert.deepEqual([server.env.blobs.bytes(), server.env.archive.bytes()], [0, 0])
  }))

test('large bodies lie in pieces, and a range opens those it needs', () =>
  withBucket(async ({ put, server }) => {
    const body = Buffer.from(Array.from({ length: 40_000 }, (_, at) => `${at}\n`).join(''))
    await put('k', body)
    const { env } = server
    const object = env.tables.get(Table.objects, 'box/k')
    assert.ok(object !== undefined)
    const { blobs } = await copyToArchive(env, { name: 'box', region: 'us-east-1' }, object, ownBlobKeys(env, blobsOf(object)), {
      pieceBytes: 50_000,
    })
    assert.equal(blobs.length, Math.ceil(body.length / 50_000))
    const keys = ownBlobKeys(env, blobs)
    assert.deepEqual(Buffer.concat((await readBody(env, blobs, keys).toArray()) as Buffer[]), body)
    const part = Buffer.concat((await readBody(env, blobs, keys, { start: 49_990, end: 150_010 }).toArray()) as Buffer[])
    assert.deepEqual(part, body.subarray(49_990, 150_010))
  }))

test('an upload in parts that nobody completes is aborted, another stays; parts of the archive class lie there', () =>
  withBucket(async ({ rules, pass, server, acts }) => {
    const begin = async (Key: string, more: object = {}) =>
      ((await server.call('s3', 'CreateMultipartUpload', { ...BOX, Key, ...more })) as Record<string, string>)['UploadId'] ?? ''
    const part = (Key: string, UploadId: string, body: string) =>
      server.call('s3', 'UploadPart', { ...BOX, Key, UploadId, PartNumber: 1 }, undefined, { stream: Readable.from([Buffer.from(body)]) })
    await rules({ Filter: { Prefix: 'a/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } })
    await part('a/x', await begin('a/x'), 'left alone')
    const UploadId = await begin('b/x', { StorageClass: 'GLACIER_IR' })
    const { ETag } = (await part('b/x', UploadId, 'part '.repeat(1000))) as Record<string, unknown>
    await pass(4)
    await pass(0)
    const page = (await server.call('s3', 'ListMultipartUploads', BOX)) as Record<string, unknown>
    assert.deepEqual(
      (page['Uploads'] as { Key: string }[]).map(({ Key }) => Key),
      ['b/x'],
    )
    assert.equal((await Array.fromAsync(server.env.blobs.list())).length, 0)
    const rulesOf = ((await acts('RetentionRan'))[0]?.['rules'] ?? []) as Record<string, unknown>[]
    assert.equal(rulesOf[0]?.['uploadsAborted'], 1)
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
    await server.call('s3', 'CompleteMultipartUpload', { ...BOX, Key: 'b/x', UploadId, MultipartUpload })
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'b/x' }))['StorageClass'], 'GLACIER_IR')
    assert.equal((await bodyOf(server, 'b/x')).toString(), 'part '.repeat(1000))
    await server.call('s3', 'CopyObject', { ...BOX, Key: 'b/x', CopySource: 'box/b/x', StorageClass: 'STANDARD' })
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'b/x' }))['StorageClass'], undefined)
    assert.equal((await bodyOf(server, 'b/x')).toString(), 'part '.repeat(1000))
  }))
