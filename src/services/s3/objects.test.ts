// Objects through the real call pipeline: bodies, checksums, ranges, conditions, and what becomes of blobs.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createHarness, type Harness } from '../../../tests/harness.ts'
import { createChecksum } from './checksums.ts'
import { s3 } from './index.ts'
import { sweepBlobs } from './sweep-blobs.ts'

const TEXT = 'hello, archive'

async function withBucket(run: (server: Harness) => Promise<void>, selected = false): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => selected, takes: () => selected }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    await run(server)
  } finally {
    await server.close()
  }
}

function put(server: Harness, key: string, text: string, more: object = {}): Promise<Record<string, unknown>> {
  return server.call('s3', 'PutObject', { Bucket: 'box', Key: key, ...more }, undefined, { stream: Readable.from([Buffer.from(text)]) })
}

async function bodyOf(output: Readonly<Record<string, unknown>>): Promise<string> {
  const body = output['Body']
  return body instanceof Uint8Array ? Buffer.from(body).toString() : Buffer.concat(await (body as Readable).toArray()).toString()
}

async function blobs(server: Harness): Promise<number> {
  return (await Array.fromAsync(server.env.blobs.list())).length
}

const get = (server: Harness, key: string, more: object = {}) => server.call('s3', 'GetObject', { Bucket: 'box', Key: key, ...more })

test('an object comes back as it was put, with its headers and metadata', () =>
  withBucket(async (server) => {
    const etag = `"${createHash('md5').update(TEXT).digest('hex')}"`
    const expires = new Date(Date.UTC(2030, 0, 1))
    const output = await put(server, 'a/b', TEXT, {
      ContentType: 'text/plain',
      ContentEncoding: 'aws-chunked,gzip',
      CacheControl: 'no-store',
      Expires: expires,
      Metadata: { color: 'blue' },
    })
    assert.deepEqual(output, { ETag: etag, ServerSideEncryption: 'AES256' })
    const { Body, ...got } = await get(server, 'a/b')
    assert.equal(await bodyOf({ Body }), TEXT)
    assert.deepEqual(got, {
      AcceptRanges: 'bytes',
      LastModified: new Date(server.clock.now()),
      ETag: etag,
      ContentType: 'text/plain',
      Metadata: { color: 'blue' },
      CacheControl: 'no-store',
      ContentEncoding: 'gzip',
      Expires: expires,
      ServerSideEncryption: 'AES256',
      ContentLength: TEXT.length,
    })
    assert.deepEqual(await server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'a/b' }), got)
  }))

test('an empty object needs no blob', () =>
  withBucket(async (server) => {
    await put(server, 'empty', '')
    assert.equal(await blobs(server), 0)
    const output = await get(server, 'empty')
    assert.equal(output['ContentLength'], 0)
    assert.equal(await bodyOf(output), '')
  }))

test('a body is held to every checksum that is sent with it', () =>
  withBucket(async (server) => {
    const md5 = createHash('md5').update(TEXT).digest('base64')
    await put(server, 'k', TEXT, { ContentMD5: md5 })
    await assert.rejects(put(server, 'k', TEXT + '!', { ContentMD5: md5 }), { code: 'BadDigest', status: 400 })
    await assert.rejects(put(server, 'k', TEXT, { ContentMD5: 'short' }), { code: 'InvalidDigest' })
    for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
      const checksum = createChecksum(algorithm)
      checksum.update(Buffer.from(TEXT))
      const value = checksum.digest()
      const output = await put(server, 'k', TEXT, { [`Checksum${algorithm}`]: value })
      assert.equal(output[`Checksum${algorithm}`], value)
      assert.equal((await get(server, 'k', { ChecksumMode: 'ENABLED' }))[`Checksum${algorithm}`], value)
      assert.equal((await get(server, 'k'))[`Checksum${algorithm}`], undefined)
      await assert.rejects(put(server, 'k', 'other', { [`Checksum${algorithm}`]: value }), {
        code: 'BadDigest',
        message: new RegExp(algorithm),
      })
    }
    await assert.rejects(put(server, 'k', TEXT, { ChecksumCRC32: 'AAA' }), { code: 'InvalidRequest', message: /x-amz-checksum-crc32 / })
    await assert.rejects(put(server, 'k', TEXT, { ChecksumXXHASH3: 'AAA' }), { code: 'NotImplemented', message: /ChecksumXXHASH3/ })
  }))

test('a checksum that comes only with the trailer is verified, announced or not', () =>
  withBucket(async (server) => {
    for (const announced of [{ ChecksumAlgorithm: 'CRC32' }, {}]) {
      const upload = (value: string) => {
        const input: Record<string, unknown> = { Bucket: 'box', Key: 'k', ...announced }
        const stream = (async function* () {
          yield Buffer.from(TEXT)
          input['ChecksumCRC32'] = value
        })()
        return server.call('s3', 'PutObject', input, undefined, { stream })
      }
      const checksum = createChecksum('CRC32')
      checksum.update(Buffer.from(TEXT))
      const value = checksum.digest()
      assert.equal((await upload(value))['ChecksumCRC32'], value)
      await assert.rejects(upload('AAAAAA=='), { code: 'BadDigest' })
    }
  }))

test('a refused upload leaves nothing behind', () =>
  withBucket(async (server) => {
    await put(server, 'k', TEXT)
    await assert.rejects(put(server, 'k', 'other', { ContentMD5: createHash('md5').update('x').digest('base64') }), { code: 'BadDigest' })
    await assert.rejects(put(server, 'k', 'other', { IfNoneMatch: '*' }), { code: 'PreconditionFailed', status: 412 })
    const broken = (async function* () {
      yield Buffer.from('begin')
      throw new Error('the connection went away')
    })()
    await assert.rejects(server.call('s3', 'PutObject', { Bucket: 'box', Key: 'k' }, undefined, { stream: broken }))
    assert.equal(await blobs(server), 1)
    assert.equal(await bodyOf(await get(server, 'k')), TEXT)
  }))

test('the body of a replaced or deleted object goes, though not under a reader', () =>
  withBucket(async (server) => {
    await put(server, 'k', 'first')
    const reading = await get(server, 'k')
    await put(server, 'k', 'second')
    assert.equal(await bodyOf(reading), 'first')
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'k' })
    server.clock.advance(60_000)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await blobs(server), 0)
    await assert.rejects(get(server, 'k'), { code: 'NoSuchKey', status: 404 })
    await assert.rejects(server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'k' }), { code: 'NotFound' })
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'k' })
  }))

test('a sweep removes blobs that nothing names and no others', () =>
  withBucket(async (server) => {
    await put(server, 'k', TEXT)
    await server.env.blobs.write(Readable.from([Buffer.from('left over')]))
    const { blobs: store, tables } = server.env
    assert.equal(await sweepBlobs({ blobs: store, tables }, server.clock.now()), 0)
    server.clock.advance(1000)
    assert.equal(await sweepBlobs({ blobs: store, tables }, server.clock.now(), () => true), 0)
    assert.equal(await sweepBlobs({ blobs: store, tables }, server.clock.now()), 1)
    assert.equal(await bodyOf(await get(server, 'k')), TEXT)
  }))

test('a range gives its bytes', () =>
  withBucket(async (server) => {
    await put(server, 'k', '0123456789')
    for (const [range, text, contentRange] of [
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=5-500', '56789', 'bytes 5-9/10'],
      ['bytes=-500', '0123456789', 'bytes 0-9/10'],
    ]) {
      const output = await get(server, 'k', { Range: range })
      assert.equal(await bodyOf(output), text)
      assert.equal(output['ContentRange'], contentRange)
      assert.equal(output['ContentLength'], text?.length)
    }
    for (const ignored of ['bytes=4-2', 'bytes=0-1,3-4', 'chapters=1-2', 'bytes=-']) {
      const output = await get(server, 'k', { Range: ignored })
      assert.equal(await bodyOf(output), '0123456789')
      assert.equal(output['ContentRange'], undefined)
    }
    await assert.rejects(get(server, 'k', { Range: 'bytes=10-' }), { code: 'InvalidRange', status: 416 })
    await assert.rejects(get(server, 'k', { Range: 'bytes=-0' }), { code: 'InvalidRange' })
  }))

test('conditions on reads hold as RFC 9110 has them', () =>
  withBucket(async (server) => {
    await put(server, 'k', TEXT)
    const { ETag: etag, LastModified: modified } = await get(server, 'k')
    const earlier = new Date(Number(modified) - 60_000)
    await get(server, 'k', { IfMatch: etag })
    await assert.rejects(get(server, 'k', { IfMatch: '"x"' }), { code: 'PreconditionFailed', status: 412 })
    await get(server, 'k', { IfNoneMatch: '"x"' })
    await assert.rejects(get(server, 'k', { IfNoneMatch: etag }), { code: 'NotModified', status: 304 })
    await get(server, 'k', { IfModifiedSince: earlier })
    await assert.rejects(get(server, 'k', { IfModifiedSince: modified }), { code: 'NotModified' })
    await get(server, 'k', { IfUnmodifiedSince: modified })
    await assert.rejects(get(server, 'k', { IfUnmodifiedSince: earlier }), { code: 'PreconditionFailed' })
    // An ETag condition that holds overrides the date beside it.
    await get(server, 'k', { IfMatch: etag, IfUnmodifiedSince: earlier })
    await get(server, 'k', { IfNoneMatch: '"x"', IfModifiedSince: modified })
  }))

test('conditional writes write only what their condition says', () =>
  withBucket(async (server) => {
    const first = await put(server, 'k', 'first', { IfNoneMatch: '*' })
    await assert.rejects(put(server, 'k', 'again', { IfNoneMatch: '*' }), { code: 'PreconditionFailed' })
    await assert.rejects(put(server, 'absent', 'x', { IfMatch: '"x"' }), { code: 'NoSuchKey' })
    await put(server, 'k', 'second', { IfMatch: first['ETag'] })
    await assert.rejects(put(server, 'k', 'third', { IfMatch: first['ETag'] }), { code: 'PreconditionFailed' })
    assert.equal(await bodyOf(await get(server, 'k')), 'second')
  }))

test('keys are limited to 1024 bytes, and what is not offered is refused by name', () =>
  withBucket(async (server) => {
    await put(server, 'é'.repeat(512), 'x')
    await assert.rejects(put(server, `${'é'.repeat(512)}x`, 'x'), { code: 'KeyTooLongError', status: 400 })
    await assert.rejects(put(server, 'k', 'x', { SSECustomerAlgorithm: 'AES256' }), {
      code: 'NotImplemented',
      message: /SSECustomerAlgorithm/,
    })
    await assert.rejects(put(server, 'k', 'x', { ACL: 'public-read' }), { code: 'AccessControlListNotSupported' })
    await assert.rejects(put(server, 'k', 'x', { Metadata: { a: 'x'.repeat(3000) } }), { code: 'MetadataTooLarge' })
    await assert.rejects(get(server, 'é'.repeat(512), { VersionId: 'abc' }), { code: 'InvalidArgument' })
    await put(server, 'k', 'x', { ACL: 'bucket-owner-full-control' })
  }))

test('a bucket with objects stays', () =>
  withBucket(async (server) => {
    await put(server, 'k', 'x')
    await assert.rejects(server.call('s3', 'DeleteBucket', { Bucket: 'box' }), { code: 'BucketNotEmpty', status: 409 })
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'k' })
    await server.call('s3', 'DeleteBucket', { Bucket: 'box' })
  }))

test('object calls are data events in the form of S3, recorded when selected', () =>
  withBucket(async (server) => {
    await put(server, 'a/b', TEXT)
    const event = (await server.events()).at(-1)?.record
    assert.equal(event?.['eventName'], 'PutObject')
    assert.equal(event['eventCategory'], 'Data')
    assert.equal(event['managementEvent'], false)
    assert.deepEqual(event['responseElements'], { 'x-amz-server-side-encryption': 'AES256' })
    assert.deepEqual(event['requestParameters'], { bucketName: 'box', Host: 'sealcast.test:4566', key: 'a/b' })
    assert.deepEqual(event['resources'], [
      { accountId: '000000000001', type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::box/a/b' },
      { accountId: '000000000001', type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::box' },
    ])
  }, true))

test('object calls leave no event where no trail asks for them', () =>
  withBucket(async (server) => {
    await put(server, 'a/b', TEXT)
    await get(server, 'a/b')
    assert.deepEqual(
      (await server.events()).map(({ record }) => record['eventName']),
      ['CreateBucket'],
    )
  }))
