// Versions through the real call pipeline, held against a naive model: whatever is put, deleted and switched, listings, reads and blobs are
// those of a plain list of versions.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { createHarness, type Harness } from '../../../tests/harness.ts'
import { compareKeys } from '../../engine/tables.ts'
import { createVersionId, readVersionId, versionRow, versionsPrefix } from '../../model/object-version.ts'
import { seededRandom } from '../../base/random.ts'
import { s3 } from './index.ts'

type Output = Readonly<Record<string, unknown>>
type Entry = { readonly Key: string; readonly VersionId: string; readonly IsLatest: boolean; readonly Size?: number }

async function withBucket(run: (server: Harness) => Promise<void>, versioning?: string): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    if (versioning !== undefined) await turn(server, versioning)
    await run(server)
  } finally {
    await server.close()
  }
}

const turn = (server: Harness, status: string) =>
  server.call('s3', 'PutBucketVersioning', { Bucket: 'box', VersioningConfiguration: { Status: status } })
const put = (server: Harness, key: string, text: string, more: object = {}): Promise<Output> =>
  server.call('s3', 'PutObject', { Bucket: 'box', Key: key, ...more }, undefined, { stream: Readable.from([Buffer.from(text)]) })
const get = (server: Harness, key: string, more: object = {}): Promise<Output> =>
  server.call('s3', 'GetObject', { Bucket: 'box', Key: key, ...more })
const remove = (server: Harness, key: string, more: object = {}): Promise<Output> =>
  server.call('s3', 'DeleteObject', { Bucket: 'box', Key: key, ...more })

async function textOf({ Body: body }: Output): Promise<string> {
  return body instanceof Uint8Array ? Buffer.from(body).toString() : Buffer.concat(await (body as Readable).toArray()).toString()
}

async function listAll(server: Harness, query: object = {}): Promise<Entry[]> {
  const entries: Entry[] = []
  let markers = {}
  for (;;) {
    const page = (await server.call('s3', 'ListObjectVersions', { Bucket: 'box', ...query, ...markers })) as Output
    entries.push(...mergedOf(page))
    if (page['IsTruncated'] !== true) return entries
    markers = {
      KeyMarker: page['NextKeyMarker'],
      ...(page['NextVersionIdMarker'] !== undefined && { VersionIdMarker: page['NextVersionIdMarker'] }),
    }
  }
}

/** Versions and delete markers of a page; which of a key's two kinds is newer the answer does not say. */
function mergedOf(page: Output): Entry[] {
  return [...((page['Versions'] ?? []) as Entry[]), ...((page['DeleteMarkers'] ?? []) as Entry[])]
}

test('rows sort as keys do, and no key is mistaken for a version of another', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\x01', '/', 'é', '\u{10FFFF}', '\uffff'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(key, key, fc.nat(), fc.nat(), (a, b, x, y) => {
      const [first, second] = [versionRow('box', a, x), versionRow('box', b, y)]
      assert.equal(Math.sign(compareKeys(first, second)), Math.sign(compareKeys(a, b) || y - x))
      assert.equal(first.startsWith(versionsPrefix('box', b)), a === b)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.nat(), (order, seed) => {
      const id = createVersionId(seededRandom(seed), order)
      assert.match(id, /^[\w.]{32}$/)
      assert.equal(readVersionId(id), order)
    }),
  )
})

test('an enabled bucket keeps each version, and a delete marker hides them', () =>
  withBucket(async (server) => {
    assert.deepEqual(await server.call('s3', 'GetBucketVersioning', { Bucket: 'box' }), { Status: 'Enabled' })
    const { VersionId: first } = await put(server, 'k', 'first')
    const { VersionId: second } = await put(server, 'k', 'second')
    assert.notEqual(first, second)
    assert.equal((await get(server, 'k'))['VersionId'], second)
    assert.equal(await textOf(await get(server, 'k', { VersionId: first })), 'first')
    const deleted = await remove(server, 'k')
    assert.equal(deleted['DeleteMarker'], true)
    const hidden = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': deleted['VersionId'] }
    await assert.rejects(get(server, 'k'), { code: 'NoSuchKey', status: 404, headers: hidden })
    await assert.rejects(server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'k' }), { code: 'NotFound', headers: hidden })
    await assert.rejects(get(server, 'k', { VersionId: deleted['VersionId'] }), { code: 'MethodNotAllowed', status: 405 })
    await assert.rejects(server.call('s3', 'DeleteBucket', { Bucket: 'box' }), { code: 'BucketNotEmpty' })
    assert.deepEqual(await remove(server, 'k', { VersionId: deleted['VersionId'] }), {
      DeleteMarker: true,
      VersionId: deleted['VersionId'],
    })
    assert.equal(await textOf(await get(server, 'k')), 'second')
    await remove(server, 'k', { VersionId: second })
    assert.equal(await textOf(await get(server, 'k')), 'first')
    await remove(server, 'k', { VersionId: first })
    await server.call('s3', 'DeleteBucket', { Bucket: 'box' })
  }, 'Enabled'))

test('objects from before versioning are the null version; a suspended bucket writes over it', () =>
  withBucket(async (server) => {
    assert.equal((await put(server, 'k', 'before'))['VersionId'], undefined)
    await turn(server, 'Enabled')
    const { VersionId: kept } = await put(server, 'k', 'kept')
    assert.equal(await textOf(await get(server, 'k', { VersionId: 'null' })), 'before')
    await turn(server, 'Suspended')
    assert.equal((await put(server, 'k', 'over'))['VersionId'], 'null')
    assert.equal(await textOf(await get(server, 'k', { VersionId: 'null' })), 'over')
    assert.deepEqual(await remove(server, 'k'), { DeleteMarker: true, VersionId: 'null' })
    await assert.rejects(get(server, 'k', { VersionId: 'null' }), { code: 'MethodNotAllowed' })
    assert.equal(await textOf(await get(server, 'k', { VersionId: kept })), 'kept')
    await remove(server, 'k', { VersionId: 'null' })
    assert.equal((await get(server, 'k'))['VersionId'], kept)
  }))

test('a version id that is none is refused, one that is gone is not found', () =>
  withBucket(async (server) => {
    const { VersionId: id } = await put(server, 'k', 'x')
    await remove(server, 'k', { VersionId: id })
    assert.deepEqual(await remove(server, 'k', { VersionId: id }), { VersionId: id })
    await assert.rejects(get(server, 'k', { VersionId: id }), { code: 'NoSuchVersion', status: 404 })
    await assert.rejects(get(server, 'k', { VersionId: 'null' }), { code: 'NoSuchVersion' })
    await assert.rejects(get(server, 'k', { VersionId: 'abc' }), { code: 'InvalidArgument', status: 400 })
    await assert.rejects(remove(server, 'k', { VersionId: '' }), { code: 'InvalidArgument' })
    for (const markers of [{ VersionIdMarker: id }, { KeyMarker: 'k', VersionIdMarker: '' }, { KeyMarker: 'k', VersionIdMarker: 'null' }])
      await assert.rejects(server.call('s3', 'ListObjectVersions', { Bucket: 'box', ...markers }), { code: 'InvalidArgument' })
  }, 'Enabled'))

test('versioning has two states, and what we do not do with it is refused by name', () =>
  withBucket(async (server) => {
    assert.deepEqual(await server.call('s3', 'GetBucketVersioning', { Bucket: 'box' }), {})
    const set = (configuration: object) =>
      server.call('s3', 'PutBucketVersioning', { Bucket: 'box', VersioningConfiguration: configuration })
    await assert.rejects(set({}), { code: 'IllegalVersioningConfigurationException', status: 400 })
    await assert.rejects(set({ Status: 'On' }), { code: 'MalformedXML' })
    await assert.rejects(set({ Status: 'Enabled', MFADelete: 'Enabled' }), { code: 'NotImplemented', message: /MFADelete/ })
    await set({ Status: 'Enabled', MFADelete: 'Disabled' })
  }))

interface Version {
  readonly id: string
  readonly text: string | undefined
}

test('any history of a bucket is that of a plain list of versions', async () => {
  const KEYS = ['a', 'a\0', 'a\0b', 'a/b', 'a/c', 'é', '..', '../a']
  const step = fc.record({
    act: fc.constantFrom('put', 'put', 'put', 'delete', 'delete', 'remove', 'remove', 'Enabled', 'Suspended'),
    key: fc.constantFrom(...KEYS),
    pick: fc.nat(10),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), async (steps, page) =>
      withBucket(async (server) => {
        const model = new Map<string, Version[]>(KEYS.map((key) => [key, []]))
        let versioning: string | undefined
        let number = 0
        const add = (key: string, id: string | undefined, text: string | undefined): void => {
          const rest = (model.get(key) ?? []).filter((version) => id !== undefined || version.id !== 'null')
          model.set(key, versioning === undefined && text === undefined ? rest : [{ id: id ?? 'null', text }, ...rest])
        }
        for (const { act, key, pick } of steps) {
          if (pick > 3) server.clock.advance(1)
          const own = model.get(key) ?? []
          if (act === 'put') {
            const text = String(number++)
            const { VersionId: id } = await put(server, key, text)
            add(key, versioning === 'Enabled' ? String(id) : undefined, text)
          } else if (act === 'delete') {
            const { VersionId: id } = await remove(server, key)
            add(key, versioning === 'Enabled' ? String(id) : undefined, undefined)
          } else if (act === 'remove') {
            const version = own[pick % Math.max(1, own.length)]
            if (version === undefined) continue
            await remove(server, key, { VersionId: version.id })
            model.set(
              key,
              own.filter((other) => other !== version),
            )
          } else {
            await turn(server, act)
            versioning = act
          }
        }
        const keys = KEYS.toSorted(compareKeys)
        const expected = keys.flatMap((key) => (model.get(key) ?? []).map(({ id, text }, at) => ({ key, id, isLatest: at === 0, text })))
        const listed = await listAll(server, { MaxKeys: page })
        const sorted = (entries: readonly { key: string; id: string; isLatest: boolean }[]) =>
          entries.map(({ key, id, isLatest }) => `${key} ${id} ${isLatest}`).toSorted()
        assert.deepEqual(
          sorted(listed.map(({ Key, VersionId, IsLatest }) => ({ key: Key, id: VersionId, isLatest: IsLatest }))),
          sorted(expected),
        )
        // Page by page the order shows: one entry at a time has no two kinds to merge.
        const inOrder = await listAll(server, { MaxKeys: 1 })
        assert.deepEqual(
          inOrder.map(({ Key, VersionId }) => `${Key} ${VersionId}`),
          expected.map(({ key, id }) => `${key} ${id}`),
        )
        const rolled = await server.call('s3', 'ListObjectVersions', { Bucket: 'box', Delimiter: '/' })
        assert.deepEqual(
          (rolled['CommonPrefixes'] ?? []) as unknown,
          ['../', 'a/'].filter((prefix) => expected.some(({ key }) => key.startsWith(prefix))).map((Prefix) => ({ Prefix })),
        )
        const current = await server.call('s3', 'ListObjectsV2', { Bucket: 'box' })
        assert.deepEqual(
          ((current['Contents'] ?? []) as { Key: string }[]).map(({ Key }) => Key),
          expected.filter(({ isLatest, text }) => isLatest && text !== undefined).map(({ key }) => key),
        )
        for (const { key, id, text } of expected)
          if (text !== undefined) assert.equal(await textOf(await get(server, key, { VersionId: id })), text)
        server.clock.advance(60_000)
        await new Promise((resolve) => setImmediate(resolve))
        const blobs = await Array.fromAsync(server.env.blobs.list())
        assert.equal(blobs.length, expected.filter(({ text }) => text !== undefined).length)
      }),
    ),
    { numRuns: 40 },
  )
})
