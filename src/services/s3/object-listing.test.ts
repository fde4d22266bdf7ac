// Listings against a plain model of what S3 says they are, and page by page through the call pipeline.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createHarness, type Harness } from '../../../tests/harness.ts'
import { s3 } from './index.ts'
import { encodeKey } from './object-listing.ts'

type Page = Readonly<Record<string, unknown>>

async function withKeys(keys: readonly string[], run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }))
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    await server.call('s3', 'CreateBucket', { Bucket: 'box-2' })
    await server.call('s3', 'PutObject', { Bucket: 'box-2', Key: 'foreign' })
    for (const key of keys) await server.call('s3', 'PutObject', { Bucket: 'box', Key: key })
    await run(server)
  } finally {
    await server.close()
  }
}

const keysOf = (page: Page): string[] => ((page['Contents'] ?? []) as { Key: string }[]).map(({ Key }) => Key)
const prefixesOf = (page: Page): string[] => ((page['CommonPrefixes'] ?? []) as { Prefix: string }[]).map(({ Prefix }) => Prefix)

/** All pages of either version, joined. */
async function listAll(server: Harness, version: 1 | 2, query: object): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
  const keys: string[] = []
  const prefixes: string[] = []
  let position: object = {}
  for (let pages = 1; ; pages++) {
    const page = await server.call('s3', version === 1 ? 'ListObjects' : 'ListObjectsV2', { Bucket: 'box', ...query, ...position })
    keys.push(...keysOf(page))
    prefixes.push(...prefixesOf(page))
    if ((page as Page)['IsTruncated'] !== true) return { keys, prefixes, pages }
    assert.ok(pages < 100, 'a listing comes to an end')
    const marker = (page as Page)['NextMarker'] ?? keysOf(page).at(-1)
    position = version === 1 ? { Marker: marker } : { ContinuationToken: page['NextContinuationToken'] }
  }
}

test('a listing holds each key or its common prefix once, in byte order, however it is paged', async () => {
  const part = fc.constantFrom('a', 'b', '/', 'é', '\u{1F600}', '\uFFFD', 'a/')
  const key = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 12 }),
      fc.record({
        prefix: fc.constantFrom('', 'a', 'a/'),
        delimiter: fc.constantFrom('', '/', 'a/'),
        keysMax: fc.integer({ min: 1, max: 4 }),
      }),
      fc.constantFrom(1 as const, 2 as const),
      (keys, { prefix, delimiter, keysMax }, version) =>
        withKeys(keys, async (server) => {
          const sorted = keys.filter((each) => each.startsWith(prefix)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
          const rolled = (each: string): string | undefined => {
            const at = delimiter === '' ? -1 : each.indexOf(delimiter, prefix.length)
            return at < 0 ? undefined : each.slice(0, at + delimiter.length)
          }
          const listed = await listAll(server, version, { Prefix: prefix, Delimiter: delimiter, MaxKeys: keysMax })
          assert.deepEqual(
            listed.keys,
            sorted.filter((each) => rolled(each) === undefined),
          )
          assert.deepEqual(listed.prefixes, [...new Set(sorted.flatMap((each) => rolled(each) ?? []))])
          assert.equal(listed.pages, Math.max(1, Math.ceil((listed.keys.length + listed.prefixes.length) / keysMax)))
        }),
    ),
    { numRuns: 40 },
  )
})

test('a listing of more than one step lets others in, and a folder of a thousand keys is one look', async () => {
  const keys = Array.from({ length: 700 }, (_, number) => (number < 350 ? `a/${number}` : `k${number}`))
  await withKeys(keys, async (server) => {
    let turns = 0
    let isOver = false
    const turn = (): void => void setImmediate(() => !isOver && (turns++, turn()))
    turn()
    assert.deepEqual(keysOf(await server.call('s3', 'ListObjectsV2', { Bucket: 'box' })).length, 700)
    isOver = true
    assert.ok(turns >= 2, `${turns} turns of others`)
    const rolled = await server.call('s3', 'ListObjectsV2', { Bucket: 'box', Delimiter: '/' })
    assert.deepEqual([keysOf(rolled).length, prefixesOf(rolled)], [350, ['a/']])
  })
})

test('a marker that ends like the delimiter only together with the prefix hides no key', () =>
  withKeys(['a/', 'a/a'], async (server) => {
    const query = { Bucket: 'box', Prefix: 'a', Delimiter: 'a/' }
    assert.deepEqual(keysOf(await server.call('s3', 'ListObjects', { ...query, Marker: 'a/' })), ['a/a'])
    const { Versions: versions = [] }: Page = await server.call('s3', 'ListObjectVersions', { ...query, KeyMarker: 'a/' })
    assert.deepEqual(
      (versions as { Key: string }[]).map(({ Key }) => Key),
      ['a/a'],
    )
  }))

test('version 1 continues behind a marker, and names the next one only with a delimiter', () =>
  withKeys(['a', 'b/1', 'b/2', 'c'], async (server) => {
    const list = (query: object) => server.call('s3', 'ListObjects', { Bucket: 'box', ...query })
    assert.deepEqual(keysOf(await list({ Marker: 'a' })), ['b/1', 'b/2', 'c'])
    assert.equal(((await list({ MaxKeys: 2 })) as Page)['NextMarker'], undefined)
    const first: Page = await list({ MaxKeys: 2, Delimiter: '/' })
    assert.deepEqual([keysOf(first), prefixesOf(first), first['NextMarker']], [['a'], ['b/'], 'b/'])
    const second: Page = await list({ MaxKeys: 2, Delimiter: '/', Marker: 'b/' })
    assert.deepEqual([keysOf(second), prefixesOf(second), second['IsTruncated']], [['c'], [], false])
  }))

test('version 2 counts keys, starts after a key, and tells the owner when asked', () =>
  withKeys(['a', 'b/1', 'b/2', 'c'], async (server) => {
    const list = (query: object): Promise<Page> => server.call('s3', 'ListObjectsV2', { Bucket: 'box', ...query })
    const page = await list({ Delimiter: '/' })
    assert.deepEqual([page['KeyCount'], keysOf(page), prefixesOf(page)], [3, ['a', 'c'], ['b/']])
    assert.deepEqual(keysOf(await list({ StartAfter: 'b/1' })), ['b/2', 'c'])
    const [object] = (await list({ MaxKeys: 1, FetchOwner: true }))['Contents'] as { Owner?: { ID: string } }[]
    assert.match(object?.Owner?.ID ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual([(await list({ MaxKeys: 0 }))['IsTruncated'], (await list({ MaxKeys: 0 }))['KeyCount']], [false, 0])
    await assert.rejects(list({ ContinuationToken: 'x' }), { code: 'InvalidArgument' })
    await assert.rejects(list({ MaxKeys: -1 }), { code: 'InvalidArgument', message: /max-keys/ })
    assert.equal((await list({ MaxKeys: 5000 }))['MaxKeys'], 1000)
  }))

test('keys are encoded on request as S3 encodes them', () =>
  withKeys(["a b/ü+'*~.txt"], async (server) => {
    const page = await server.call('s3', 'ListObjects', { Bucket: 'box', EncodingType: 'url', Prefix: 'a b/' })
    assert.deepEqual(keysOf(page), ['a+b/%C3%BC%2B%27*%7E.txt'])
    assert.equal(page['Prefix'], 'a+b/')
    await assert.rejects(server.call('s3', 'ListObjects', { Bucket: 'box', EncodingType: 'base64' }), { code: 'InvalidArgument' })
  }))

test('an encoded key decodes to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (key) => {
      const encoded = encodeKey(key)
      assert.match(encoded, /^[A-Za-z0-9._*/+%-]*$/)
      assert.equal(decodeURIComponent(encoded.replaceAll('+', ' ')), key)
    }),
  )
})
