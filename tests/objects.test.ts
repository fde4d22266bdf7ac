// Buckets and objects from outside: hostile names, presigned links, hosts of buckets, what survives a kill, and what a stock SDK reads in
// our answers.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { clientConfig, ROOT_KEY, runCommand, SERVER_REGION, startTestServer, temporaryFolder, type TestServer } from './server.ts'
import { type Answer, sendBytes, sendSigned, signedHeaders } from './sign.ts'

const folder = temporaryFolder()
const data = join(folder.path, 'data')
writeFileSync(join(folder.path, 'sentinel'), 'untouched')
mkdirSync(data)
let server: TestServer = await startTestServer({ data })
after(async () => {
  await server.kill()
  folder.remove()
})

const client = (): S3Client => new S3Client({ ...clientConfig(server.url), forcePathStyle: true })
const send = (method: string, path: string, query = '', body = ''): Promise<Answer> =>
  sendSigned(server.port, { method, path, query, body, service: 's3' })

/** As RFC 3986 has it, each byte that is no letter, digit, `-`, `.`, `_` or `~` escaped; slashes stay unless asked. */
function encoded(text: string, escapesSlash = false): string {
  const all = encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return escapesSlash ? all : all.replaceAll('%2F', '/')
}

test('an object is only what its key says, whatever its name; nothing on the disk is reached', async () => {
  await send('PUT', '/hostile')
  const piece = fc.constantFrom(
    '..',
    '.',
    '',
    '%2e%2e',
    '%00',
    '\0',
    '\u00e9',
    'e\u0301',
    '\u{1f600}',
    '\\',
    ' ',
    '+',
    '?x=1',
    '#',
    '&',
    '\'"<>',
    '\x7f',
    'sentinel',
    'etc/passwd',
    'CON',
    '~',
    '*',
    '$(x)',
    '\r\n',
  )
  const model = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.boolean(), async (pieces, escapesSlash) => {
      const key = pieces.join('/')
      fc.pre(key !== '')
      const path = `/hostile/${encoded(key, escapesSlash)}`
      const body = `the body of ${JSON.stringify(key)}`
      assert.equal((await send('PUT', path, '', body)).status, 200, path)
      model.set(key, body)
      assert.equal((await send('GET', path)).body, body, path)
    }),
    { numRuns: 30 },
  )
  const listed = await send('GET', '/hostile', 'encoding-type=url&list-type=2')
  const keys = [...listed.body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => decodeURIComponent(key.replaceAll('+', '%20')))
  assert.deepEqual(
    keys,
    [...model.keys()].toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
  )
  for (const [key, body] of model) assert.equal((await send('GET', `/hostile/${encoded(key)}`)).body, body)
  assert.deepEqual(readdirSync(folder.path).toSorted(), ['data', 'sentinel'])
  assert.equal(readFileSync(join(folder.path, 'sentinel'), 'utf8'), 'untouched')
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) assert.match(name, /^[\w./-]+$/)
})

test('names that cannot be are refused, and none is mistaken for another', async () => {
  for (const name of [
    '..',
    '.',
    '%2e%2e',
    '%00',
    'a%2fb',
    '..%2fx',
    '%5c',
    'b%C3%BCcket',
    'UPPER',
    'a',
    `${'a'.repeat(64)}`,
    '-ab',
    '%ff',
  ]) {
    const { status, body } = await send('PUT', `/${name}`)
    assert.ok(status >= 400 && status < 500, `${name}: ${status} ${body}`)
  }
  const [composed, decomposed] = ['\u00e9', 'e\u0301']
  await send('PUT', '/hostile/forms/' + encoded(composed), '', 'composed')
  await send('PUT', '/hostile/forms/' + encoded(decomposed), '', 'decomposed')
  assert.equal((await send('GET', '/hostile/forms/' + encoded(composed))).body, 'composed')
  for (const [key, status] of [
    ['k'.repeat(1024), 200],
    ['k'.repeat(1025), 400],
    ['\u00e9'.repeat(512), 200],
    [`${'\u00e9'.repeat(512)}k`, 400],
    ['\0'.repeat(500), 200],
    ['\0'.repeat(1024), 400],
  ] as const) {
    const answer = await send('PUT', `/hostile/${encoded(key)}`, '', 'x')
    assert.equal(answer.status, status)
    if (status === 400) assert.match(answer.body, /<Code>KeyTooLongError<\/Code>/)
    else assert.equal((await send('DELETE', `/hostile/${encoded(key)}`)).status, 204)
  }
  for (const source of ['/hostile/%2e%2e/x', '../data/root.key', '/../root.key', '%00/x', '/hostile/%ff']) {
    const answer = await sendSigned(server.port, {
      method: 'PUT',
      path: '/hostile/copied',
      service: 's3',
      headers: { 'x-amz-copy-source': source },
    })
    assert.ok([400, 404].includes(answer.status), `${source}: ${answer.status} ${answer.body}`)
  }
})

test('a key that no XML can name is refused in a list of deletions, and one that it can is deleted', async () => {
  await send('PUT', '/hostile/a%26b', '', 'x')
  const remove = (key: string) => {
    const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`
    return sendSigned(server.port, {
      method: 'POST',
      path: '/hostile',
      query: 'delete=',
      body,
      service: 's3',
      headers: { 'content-type': 'text/xml' },
    })
  }
  assert.match((await remove('a&amp;b')).body, /<Deleted><Key>a&amp;b<\/Key><\/Deleted>/)
  assert.equal((await send('GET', '/hostile/a%26b')).status, 404)
  for (const bad of ['&#xD800;', '&#0;', '&nbsp;', '<x/>'])
    assert.match((await remove(bad)).body, /<Code>(MalformedXML|InvalidArgument)<\/Code>/)
  const tooLong = await remove('k'.repeat(1025))
  assert.match(tooLong.body, /<Error><Key>k+<\/Key><Code>KeyTooLongError<\/Code>/)
})

interface Link {
  readonly method?: string
  readonly key?: string
  readonly seconds?: number
  readonly at?: number
}

/** After "Authenticating Requests: Using Query Parameters" (Amazon S3 API Reference). */
function presigned({ method = 'GET', key = 'linked', seconds = 60, at = Date.now() }: Link): string {
  const time = `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const scope = `${time.slice(0, 8)}/${SERVER_REGION}/s3/aws4_request`
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encoded(`${ROOT_KEY.accessKeyId}/${scope}`, true)}`,
    `X-Amz-Date=${time}`,
    `X-Amz-Expires=${seconds}`,
    'X-Amz-SignedHeaders=host',
  ].join('&')
  const host = new URL(server.url).host
  const canonical = [method, `/hostile/${key}`, query, `host:${host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest()
  const signingKey = [time.slice(0, 8), SERVER_REGION, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${ROOT_KEY.secretAccessKey}`,
  )
  return `${server.url}/hostile/${key}?${query}&X-Amz-Signature=${createHmac('sha256', signingKey).update(toSign).digest('hex')}`
}

test('a presigned link does what it was signed for, as long as it lasts', async () => {
  const put = await fetch(presigned({ method: 'PUT' }), { method: 'PUT', body: 'by a link' })
  assert.equal(put.status, 200)
  assert.equal(await (await fetch(presigned({}))).text(), 'by a link')
  const refused = async (link: string, method: string, code: string): Promise<void> => {
    const answer = await fetch(link, { method })
    assert.match(await answer.text(), new RegExp(`<Code>${code}</Code>`))
  }
  await refused(presigned({}), 'DELETE', 'SignatureDoesNotMatch')
  await refused(presigned({}).replace('/linked', '/other'), 'GET', 'SignatureDoesNotMatch')
  await refused(presigned({}).replace('Expires=60', 'Expires=600'), 'GET', 'SignatureDoesNotMatch')
  await refused(presigned({ at: Date.now() - 120_000 }), 'GET', 'AccessDenied')
  await refused(presigned({ at: Date.now() + 3600_000 }), 'GET', 'AccessDenied')
  await refused(presigned({ seconds: 7 * 24 * 3600 + 1 }), 'GET', 'AuthorizationQueryParametersError')
  assert.equal((await fetch(presigned({ seconds: 7 * 24 * 3600 }))).status, 200)
  await refused(`${server.url}/hostile/linked?AWSAccessKeyId=x&Signature=y&Expires=9999999999`, 'GET', 'InvalidRequest')
})

test('a bucket has a host of its own', async () => {
  await send('PUT', '/s3-logs')
  await send('PUT', '/s3-logs/a/b', '', 'at home')
  for (const host of ['s3-logs.localhost', 's3-logs.s3.localhost', 's3-logs.s3.us-east-1.localhost', 's3-logs.s3-us-east-1.localhost']) {
    const headers = signedHeaders(host, { method: 'GET', path: '/a/b', service: 's3' })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    assert.equal((await sendBytes(server.port, `GET /a/b HTTP/1.1\r\n${lines.join('')}connection: close\r\n\r\n`)).body, 'at home', host)
  }
})

const answers = (status: number) => (error: { readonly $metadata?: { readonly httpStatusCode?: number } }) =>
  error.$metadata?.httpStatusCode === status

test('what a stock SDK reads: versions, deletions, access control, attributes, conditions', async () => {
  const s3 = client()
  const box = { Bucket: 'versions' }
  await s3.send(new CreateBucketCommand(box))
  await s3.send(new PutBucketVersioningCommand({ ...box, VersioningConfiguration: { Status: 'Enabled' } }))
  const { VersionId, ETag, ChecksumCRC32 } = await s3.send(new PutObjectCommand({ ...box, Key: 'k', Body: 'one' }))
  await s3.send(new PutObjectCommand({ ...box, Key: 'k', Body: 'two' }))
  const { Deleted } = await s3.send(new DeleteObjectsCommand({ ...box, Delete: { Objects: [{ Key: 'k' }] } }))
  assert.equal(Deleted?.[0]?.DeleteMarker, true)
  const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand(box))
  assert.deepEqual(
    [Versions?.length, DeleteMarkers?.[0]?.IsLatest, DeleteMarkers?.[0]?.VersionId],
    [2, true, Deleted[0].DeleteMarkerVersionId],
  )
  const old = { ...box, Key: 'k', VersionId }
  const { Body, ...got } = await s3.send(new GetObjectCommand({ ...old, ChecksumMode: 'ENABLED' }))
  assert.equal(await Body?.transformToString(), 'one')
  assert.deepEqual([got.VersionId, got.ChecksumCRC32, got.ChecksumType], [VersionId, ChecksumCRC32, 'FULL_OBJECT'])
  await assert.rejects(s3.send(new HeadObjectCommand({ ...old, IfNoneMatch: ETag })), answers(304))
  await assert.rejects(s3.send(new HeadObjectCommand({ ...old, IfMatch: '"x"' })), answers(412))
  await assert.rejects(s3.send(new HeadObjectCommand({ ...box, Key: 'k' })), { name: 'NotFound' })
  const { Grants } = await s3.send(new GetBucketAclCommand(box))
  assert.deepEqual([Grants?.[0]?.Grantee?.Type, Grants?.[0]?.Permission], ['CanonicalUser', 'FULL_CONTROL'])
  const attributes = await s3.send(new GetObjectAttributesCommand({ ...old, ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize'] }))
  assert.deepEqual([`"${attributes.ETag}"`, attributes.Checksum?.ChecksumCRC32, attributes.ObjectSize], [ETag, ChecksumCRC32, 3])
})

test('versions and the parts of an upload survive a kill, and fsck knows them', async () => {
  const box = { Bucket: 'versions', Key: 'big' }
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ ...box, ChecksumAlgorithm: 'CRC32' }))
  const bytes = Buffer.alloc(5 * 1024 * 1024, 'part ')
  const first = await client().send(new UploadPartCommand({ ...box, UploadId, PartNumber: 1, Body: bytes }))
  await server.kill()
  server = await startTestServer({ data })
  const second = await client().send(new UploadPartCommand({ ...box, UploadId, PartNumber: 2, Body: 'end' }))
  const Parts = [first, second].map(({ ETag, ChecksumCRC32 }, at) => ({ PartNumber: at + 1, ETag, ChecksumCRC32 }))
  await client().send(new CompleteMultipartUploadCommand({ ...box, UploadId, MultipartUpload: { Parts } }))
  const { Body } = await client().send(new GetObjectCommand(box))
  assert.equal(Buffer.from((await Body?.transformToByteArray()) ?? []).compare(Buffer.concat([bytes, Buffer.from('end')])), 0)
  const { Versions } = await client().send(new ListObjectVersionsCommand({ Bucket: 'versions', Prefix: 'k' }))
  assert.equal(Versions?.length, 2)
  const left = await client().send(new CreateMultipartUploadCommand(box))
  await client().send(new UploadPartCommand({ ...box, UploadId: left.UploadId, PartNumber: 1, Body: 'left' }))
  await server.kill()
  const { code, output } = await runCommand(['fsck', '--data', data])
  assert.equal(code, 0, output)
})
