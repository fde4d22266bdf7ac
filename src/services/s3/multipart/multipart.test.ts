// Multipart uploads, copies and deletions in bulk through the real call pipeline.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { createHarness, type Harness, OTHER_ACCOUNT } from '../../../../tests/harness.ts'
import { rootPrincipal } from '../../../model/principal.ts'
import { Table } from '../../../model/tables.ts'
import { type ChecksumAlgorithm, createChecksum } from '../checksums.ts'
import { s3 } from '../index.ts'
import { sweepBlobs } from '../sweep-blobs.ts'
import { PART_BYTES_MIN } from './complete-multipart-upload.ts'
import { fullChecksum } from './joined-checksum.ts'
import { sweepParts } from './uploads.ts'

type Output = Readonly<Record<string, unknown>>
const KEY = { Bucket: 'box', Key: 'big/one' }
const FIRST = Buffer.alloc(PART_BYTES_MIN, 'first part ')
const LAST = Buffer.from('the end')

async function withBucket(run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    await run(server)
  } finally {
    await server.close()
  }
}

const upload = (server: Harness, operation: string, input: object, bytes: Buffer): Promise<Output> =>
  server.call('s3', operation, input, undefined, { stream: Readable.from([bytes]) })

async function begin(server: Harness, more: object = {}): Promise<string> {
  return String((await server.call('s3', 'CreateMultipartUpload', { ...KEY, ...more }))['UploadId'])
}

const part = (server: Harness, uploadId: string, number: number, bytes: Buffer, more: object = {}): Promise<Output> =>
  upload(server, 'UploadPart', { ...KEY, UploadId: uploadId, PartNumber: number, ...more }, bytes)

const complete = (server: Harness, uploadId: string, parts: readonly object[], more: object = {}): Promise<Output> =>
  server.call('s3', 'CompleteMultipartUpload', { ...KEY, UploadId: uploadId, MultipartUpload: { Parts: parts }, ...more })

async function bytesOf(server: Harness, input: object = {}): Promise<Buffer> {
  const { Body: body } = (await server.call('s3', 'GetObject', { ...KEY, ...input })) as Output
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.concat((await (body as Readable).toArray()) as Buffer[])
}

async function settle(server: Harness): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    server.clock.advance(60_000)
  }
  await new Promise((resolve) => setImmediate(resolve))
  return (await Array.fromAsync(server.env.blobs.list())).length
}

const sumOf = (algorithm: ChecksumAlgorithm, ...all: readonly Uint8Array[]): string => {
  const checksum = createChecksum(algorithm)
  for (const bytes of all) checksum.update(bytes)
  return checksum.digest()
}
const numbered = (parts: readonly Output[]): object[] => parts.map(({ ETag }, at) => ({ ETag, PartNumber: at + 1 }))

test('an object is put together from its parts, with the ETag that S3 gives it', () =>
  withBucket(async (server) => {
    const id = await begin(server, { ContentType: 'text/plain', Metadata: { a: 'b' }, Tagging: 'x=y' })
    const unused = await part(server, id, 7, Buffer.from('unused'))
    assert.ok(unused['ETag'])
    await part(server, id, 2, Buffer.from('replaced'))
    const parts = [await part(server, id, 1, FIRST), await part(server, id, 2, LAST)]
    const listed = await server.call('s3', 'ListParts', { ...KEY, UploadId: id, MaxParts: 2 })
    assert.deepEqual([listed['IsTruncated'], listed['NextPartNumberMarker']], [true, '2'])
    assert.deepEqual(
      ((await server.call('s3', 'ListParts', { ...KEY, UploadId: id, PartNumberMarker: '2' }))['Parts'] as Output[] | undefined)?.map(
        ({ PartNumber }) => PartNumber,
      ),
      [7],
    )
    const done = await complete(server, id, numbered(parts))
    const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
    const etag = `"${createHash('md5').update(md5(FIRST)).update(md5(LAST)).digest('hex')}-2"`
    assert.deepEqual(done, { Location: 'http://sealcast.test:4566/box/big%2Fone', ...KEY, ETag: etag, ServerSideEncryption: 'AES256' })
    assert.ok((await bytesOf(server)).equals(Buffer.concat([FIRST, LAST])))
    assert.equal(String(await bytesOf(server, { Range: `bytes=${FIRST.length - 2}-${FIRST.length + 2}` })), `${FIRST.subarray(-2)}the`)
    const head = await server.call('s3', 'HeadObject', KEY)
    assert.deepEqual([head['ETag'], head['ContentType'], head['Metadata'], head['TagCount']], [etag, 'text/plain', { a: 'b' }, 1])
    assert.equal(await settle(server), 2)
    assert.equal(server.env.tables.range(Table.uploadedParts, {}).length, 0)
    assert.equal(await sweepBlobs(server.env, server.clock.now() + 1), 0)
    assert.ok((await bytesOf(server)).equals(Buffer.concat([FIRST, LAST])), 'a sweep knows the blobs of a joined object')
    await assert.rejects(complete(server, id, numbered(parts)), { code: 'NoSuchUpload', status: 404 })
    await server.call('s3', 'DeleteObject', KEY)
    assert.equal(await settle(server), 0)
  }))

test('a download of several parts ends whatever becomes of the object meanwhile', () =>
  withBucket(async (server) => {
    const id = await begin(server)
    await complete(server, id, numbered([await part(server, id, 1, FIRST), await part(server, id, 2, LAST)]))
    const [whole, left] = await Promise.all([server.call('s3', 'GetObject', KEY), server.call('s3', 'GetObject', KEY)])
    const reader = (whole['Body'] as unknown as Readable)[Symbol.asyncIterator]()
    const chunks = [(await reader.next()).value as Buffer]
    const other = (left['Body'] as unknown as Readable)[Symbol.asyncIterator]()
    await other.next()
    await server.call('s3', 'DeleteObject', KEY)
    assert.equal(await settle(server), 2)
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) chunks.push(next.value as Buffer)
    assert.ok(Buffer.concat(chunks).equals(Buffer.concat([FIRST, LAST])))
    assert.equal(await settle(server), 2)
    await other.return?.()
    assert.equal(await settle(server), 0)
  }))

test('what is said of the parts has to be true', () =>
  withBucket(async (server) => {
    const id = await begin(server)
    const parts = numbered([await part(server, id, 1, FIRST.subarray(1)), await part(server, id, 2, LAST)])
    const [first = {}, second = {}] = parts
    await assert.rejects(complete(server, id, []), { code: 'MalformedXML' })
    await assert.rejects(complete(server, id, [second, first]), { code: 'InvalidPartOrder' })
    await assert.rejects(complete(server, id, [first, first]), { code: 'InvalidPartOrder' })
    await assert.rejects(complete(server, id, [{ ...first, ETag: '"x"' }]), { code: 'InvalidPart' })
    await assert.rejects(complete(server, id, [{ ...first, PartNumber: 3 }]), { code: 'InvalidPart' })
    await assert.rejects(complete(server, id, parts), { code: 'EntityTooSmall', status: 400 })
    await assert.rejects(complete(server, id, [first], { MpuObjectSize: 3 }), { code: 'InvalidRequest' })
    await assert.rejects(complete(server, id, [first], { IfMatch: '"x"' }), { code: 'NoSuchKey' })
    for (const number of [0, 10_001, 1.5]) await assert.rejects(part(server, id, number, LAST), { code: 'InvalidArgument' })
    await part(server, id, 10_000, LAST)
    await assert.rejects(part(server, 'x', 1, LAST), { code: 'NoSuchUpload' })
    await assert.rejects(upload(server, 'UploadPart', { ...KEY, Key: 'other', UploadId: id, PartNumber: 1 }, LAST), {
      code: 'NoSuchUpload',
    })
    await complete(server, id, [first])
    assert.equal((await bytesOf(server)).length, FIRST.length - 1)
  }))

test('checksums of uploads: of the parts in a row, or of the whole object', () =>
  withBucket(async (server) => {
    for (const algorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const) {
      const id = await begin(server, { ChecksumAlgorithm: algorithm })
      const member = `Checksum${algorithm}`
      const parts = [
        await part(server, id, 1, FIRST, { [member]: sumOf(algorithm, FIRST) }),
        await part(server, id, 2, LAST, { ChecksumAlgorithm: algorithm }),
      ]
      await assert.rejects(part(server, id, 3, LAST, { ChecksumMD5: sumOf('MD5', LAST) }), { code: 'InvalidRequest', message: /mismatch/ })
      await assert.rejects(complete(server, id, numbered(parts)), { code: 'InvalidRequest', message: /missing for part 1/ })
      const named = parts.map(({ ETag, [member]: sum }, at) => ({ ETag, PartNumber: at + 1, [member]: sum }))
      await assert.rejects(complete(server, id, [{ ...named[0], [member]: sumOf(algorithm, LAST) }]), { code: 'InvalidPart' })
      const whole = `${sumOf(algorithm, ...named.map(({ [member]: sum }) => Buffer.from(String(sum), 'base64')))}-2`
      await assert.rejects(complete(server, id, named, { [member]: 'AAAA-2' }), { code: 'BadDigest' })
      assert.equal((await complete(server, id, named))[member], whole)
      const head = await server.call('s3', 'HeadObject', { ...KEY, ChecksumMode: 'ENABLED' })
      assert.deepEqual([head[member], head['ChecksumType']], [whole, 'COMPOSITE'])
    }
    for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
      const id = await begin(server, { ChecksumAlgorithm: algorithm, ChecksumType: 'FULL_OBJECT' })
      const parts = [await part(server, id, 1, FIRST), await part(server, id, 2, LAST)]
      const whole = sumOf(algorithm, FIRST, LAST)
      const done = await complete(server, id, numbered(parts), { ChecksumType: 'FULL_OBJECT', [`Checksum${algorithm}`]: whole })
      assert.deepEqual([done[`Checksum${algorithm}`], done['ChecksumType']], [whole, 'FULL_OBJECT'])
    }
    await assert.rejects(begin(server, { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' }), { code: 'InvalidRequest' })
    await assert.rejects(begin(server, { ChecksumType: 'FULL_OBJECT' }), { code: 'InvalidRequest' })
    await assert.rejects(begin(server, { ChecksumAlgorithm: 'SUM' }), { code: 'InvalidRequest', message: /CRC32/ })
  }))

test('the checksum of a whole follows from its parts, however it is cut', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom('CRC32' as const, 'CRC32C' as const, 'CRC64NVME' as const),
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      async (algorithm, parts) => {
        const checked = parts.map((bytes) => ({ bytes: bytes.length, checksum: sumOf(algorithm, bytes) }))
        assert.equal(await fullChecksum(algorithm, checked), sumOf(algorithm, ...parts))
      },
    ),
  ))

test('an aborted upload leaves nothing, neither at once nor after a crash', () =>
  withBucket(async (server) => {
    const [aborted, crashed, kept] = [await begin(server), await begin(server), await begin(server)]
    for (const id of [aborted, crashed, kept]) await part(server, id, 1, LAST)
    await server.call('s3', 'AbortMultipartUpload', { ...KEY, UploadId: aborted })
    await assert.rejects(server.call('s3', 'AbortMultipartUpload', { ...KEY, UploadId: aborted }), { code: 'NoSuchUpload' })
    assert.equal(await settle(server), 2)
    const row = server.env.tables.range(Table.multipartUploads, {}).find(({ value }) => value.uploadId === crashed)
    await server.env.commits.commit((tx) => tx.delete(Table.multipartUploads, row?.key ?? '')).done
    assert.equal(await sweepParts(server.env), 1)
    assert.equal(await sweepBlobs(server.env, server.clock.now()), 1)
    const { Parts: left } = await server.call('s3', 'ListParts', { ...KEY, UploadId: kept })
    assert.equal((left as unknown[] | undefined)?.length, 1)
    await server.call('s3', 'DeleteBucket', { Bucket: 'box' })
    assert.equal(await settle(server), 0)
  }))

test('uploads are listed by key and age, page by page', () =>
  withBucket(async (server) => {
    const made: string[] = []
    for (const key of ['b', 'a/2', 'a/1', 'b', 'a\0']) {
      server.clock.advance(1)
      made.push(`${key} ${String((await server.call('s3', 'CreateMultipartUpload', { Bucket: 'box', Key: key }))['UploadId'])}`)
    }
    const [b1, a2, a1, b2, nul] = made
    const list = async (query: object): Promise<string[]> => {
      const found: string[] = []
      let markers = {}
      for (;;) {
        const page = (await server.call('s3', 'ListMultipartUploads', { Bucket: 'box', ...query, ...markers })) as Output
        found.push(...((page['Uploads'] ?? []) as { Key: string; UploadId: string }[]).map(({ Key, UploadId }) => `${Key} ${UploadId}`))
        found.push(...((page['CommonPrefixes'] ?? []) as { Prefix: string }[]).map(({ Prefix }) => Prefix))
        if (page['IsTruncated'] !== true) return found
        markers = { KeyMarker: page['NextKeyMarker'], UploadIdMarker: page['NextUploadIdMarker'] }
      }
    }
    for (const MaxUploads of [1, 2, 10]) assert.deepEqual(await list({ MaxUploads }), [nul, a1, a2, b1, b2])
    assert.deepEqual(await list({ MaxUploads: 1, Delimiter: '/' }), [nul, 'a/', b1, b2])
    assert.deepEqual(await list({ Prefix: 'a/' }), [a1, a2])
  }))

test('a copy has bytes of its own, and metadata and tags by its directives', () =>
  withBucket(async (server) => {
    const source = {
      Bucket: 'box',
      Key: 'sou rce/ü',
      Metadata: { a: 'b' },
      ContentType: 'text/plain',
      Tagging: 'x=y',
      ChecksumAlgorithm: 'CRC32',
    }
    const { ETag: etag } = await upload(server, 'PutObject', source, LAST)
    const from = `/box/${encodeURIComponent('sou rce/ü')}`
    const copy = (more: object = {}) => server.call('s3', 'CopyObject', { Bucket: 'box', Key: 'copy', CopySource: from, ...more })
    const { CopyObjectResult: result } = (await copy()) as { CopyObjectResult?: Output }
    assert.deepEqual([result?.['ETag'], result?.['ChecksumCRC32']], [etag, sumOf('CRC32', LAST)])
    const head = await server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'copy' })
    assert.deepEqual([head['Metadata'], head['ContentType'], head['TagCount']], [{ a: 'b' }, 'text/plain', 1])
    await copy({ MetadataDirective: 'REPLACE', Metadata: { c: 'd' }, TaggingDirective: 'REPLACE' })
    const other = await server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'copy' })
    assert.deepEqual([other['Metadata'], other['ContentType'], other['TagCount']], [{ c: 'd' }, 'binary/octet-stream', undefined])
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'sou rce/ü' })
    assert.equal(await settle(server), 1)
    assert.ok((await bytesOf(server, { Key: 'copy' })).equals(LAST))
    const itself = { CopySource: 'box/copy' }
    await assert.rejects(copy(itself), { code: 'InvalidRequest', message: /itself/ })
    await copy({ ...itself, MetadataDirective: 'REPLACE' })
    await assert.rejects(copy({ ...itself, MetadataDirective: 'KEEP' }), { code: 'InvalidArgument' })
    await assert.rejects(copy({ CopySource: 'box/gone' }), { code: 'NoSuchKey' })
    await assert.rejects(copy({ CopySource: 'gone/x' }), { code: 'NoSuchBucket' })
    for (const bad of ['box', '/', 'box/', 'box/%zz', 'box/copy?versionId=x'])
      await assert.rejects(copy({ CopySource: bad, MetadataDirective: 'REPLACE' }), { code: 'InvalidArgument' }, bad)
    for (const condition of [
      { CopySourceIfMatch: '"x"' },
      { CopySourceIfNoneMatch: etag },
      { CopySourceIfModifiedSince: new Date(server.clock.now()) },
      { CopySourceIfUnmodifiedSince: new Date(0) },
    ])
      await assert.rejects(copy({ ...itself, Key: 'x', ...condition }), { code: 'PreconditionFailed', status: 412 })
    await copy({ ...itself, Key: 'x', CopySourceIfMatch: etag, IfNoneMatch: '*' })
  }))

test('who may not read the source may not copy it', () =>
  withBucket(async (server) => {
    const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
    await upload(server, 'PutObject', { Bucket: 'box', Key: 'k' }, LAST)
    await server.call('s3', 'CreateBucket', { Bucket: 'theirs' }, other)
    const copy = () => server.call('s3', 'CopyObject', { Bucket: 'theirs', Key: 'k', CopySource: 'box/k' }, other)
    await assert.rejects(copy(), { code: 'AccessDenied', status: 403, message: /s3:GetObject/ })
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::box/*' }]
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'box', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
    await copy()
  }))

test('a part can be copied from an object, or from a range of one', () =>
  withBucket(async (server) => {
    await upload(server, 'PutObject', { Bucket: 'box', Key: 'source' }, FIRST)
    const id = await begin(server, { ChecksumAlgorithm: 'CRC64NVME' })
    const copy = (number: number, range?: string) =>
      server.call('s3', 'UploadPartCopy', {
        ...KEY,
        UploadId: id,
        PartNumber: number,
        CopySource: 'box/source',
        ...(range !== undefined && { CopySourceRange: range }),
      })
    for (const range of ['bytes=0-', 'bytes=5-2', `bytes=0-${FIRST.length}`, 'x'])
      await assert.rejects(copy(1, range), { code: 'InvalidArgument' })
    const parts = [await copy(1), await copy(2, 'bytes=0-4')].map(({ CopyPartResult: result }) => result as unknown as Output)
    const done = await complete(server, id, numbered(parts))
    assert.equal(done['ChecksumCRC64NVME'], sumOf('CRC64NVME', FIRST, FIRST.subarray(0, 5)))
    assert.ok((await bytesOf(server)).equals(Buffer.concat([FIRST, FIRST.subarray(0, 5)])))
    assert.equal(await settle(server), 3)
  }))

test('many keys are deleted in one call, each by its own right', () =>
  withBucket(async (server) => {
    for (const key of ['a', 'b', 'secret']) await upload(server, 'PutObject', { Bucket: 'box', Key: key }, LAST)
    const remove = (keys: readonly object[], more: object = {}) =>
      server.call('s3', 'DeleteObjects', { Bucket: 'box', Delete: { Objects: keys, ...more } })
    const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::box/secret' }]
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'box', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
    const output = (await remove([{ Key: 'a' }, { Key: 'absent' }, { Key: 'secret' }, { Key: 'b', ETag: '"x"' }])) as Output
    assert.deepEqual(output['Deleted'], [{ Key: 'a' }, { Key: 'absent' }])
    assert.deepEqual(
      (output['Errors'] as { Key: string; Code: string }[]).map(({ Key, Code }) => `${Key} ${Code}`),
      ['secret AccessDenied', 'b PreconditionFailed'],
    )
    assert.equal((await remove([{ Key: 'b' }], { Quiet: true }))['Deleted'], undefined)
    assert.equal(await settle(server), 1)
    await assert.rejects(remove([]), { code: 'MalformedXML' })
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `k${at}` }))
    assert.equal(((await remove(many(1000)))['Deleted'] as unknown[] | undefined)?.length, 1000)
    await assert.rejects(remove(many(1001)), { code: 'MalformedXML' })
    await server.call('s3', 'PutBucketVersioning', { Bucket: 'box', VersioningConfiguration: { Status: 'Enabled' } })
    const [marked] = (await remove([{ Key: 'a' }]))['Deleted'] as unknown as { DeleteMarker: boolean; DeleteMarkerVersionId: string }[]
    assert.equal(marked?.DeleteMarker, true)
    assert.deepEqual((await remove([{ Key: 'a', VersionId: marked.DeleteMarkerVersionId }]))['Deleted'], [
      { Key: 'a', VersionId: marked.DeleteMarkerVersionId, DeleteMarker: true, DeleteMarkerVersionId: marked.DeleteMarkerVersionId },
    ])
  }))

test('each call is told as S3 tells it', () =>
  withBucket(async (server) => {
    await upload(server, 'PutObject', { Bucket: 'box', Key: 'k' }, LAST)
    const id = await begin(server)
    const { ETag } = await part(server, id, 1, LAST)
    await server.call('s3', 'UploadPartCopy', { ...KEY, UploadId: id, PartNumber: 2, CopySource: 'box/k', CopySourceRange: 'bytes=0-1' })
    await server.call('s3', 'ListParts', { ...KEY, UploadId: id })
    await server.call('s3', 'ListMultipartUploads', { Bucket: 'box' })
    await complete(server, id, [{ PartNumber: 1, ETag }])
    await server.call('s3', 'AbortMultipartUpload', { ...KEY, UploadId: await begin(server) })
    await server.call('s3', 'CopyObject', { Bucket: 'box', Key: 'c', CopySource: 'box/k' })
    await server.call('s3', 'DeleteObjects', { Bucket: 'box', Delete: { Objects: [{ Key: 'k' }, { Key: 'c' }] } })
    const told = (await server.events())
      .map(({ record }) => record)
      .filter(({ eventCategory }) => eventCategory === 'Data')
      .map(({ eventName, readOnly, requestParameters, responseElements, resources }) => {
        const { bucketName, Host, ...parameters } = requestParameters as Record<string, unknown>
        assert.deepEqual([bucketName, Host], ['box', 'sealcast.test:4566'])
        const arns = (resources as { ARN: string }[]).map(({ ARN }) => ARN.slice('arn:aws:s3:::'.length))
        return { eventName, readOnly, parameters, response: responseElements, arns }
      })
    const SSE = { 'x-amz-server-side-encryption': 'AES256' }
    const [key, arns] = ['big/one', ['box/big/one', 'box']]
    const upload2 = told[8]?.parameters['uploadId']
    assert.deepEqual(told, [
      { eventName: 'PutObject', readOnly: false, parameters: { key: 'k' }, response: SSE, arns: ['box/k', 'box'] },
      { eventName: 'CreateMultipartUpload', readOnly: false, parameters: { uploads: '', key }, response: SSE, arns },
      { eventName: 'UploadPart', readOnly: false, parameters: { partNumber: 1, uploadId: id, key }, response: SSE, arns },
      {
        eventName: 'UploadPartCopy',
        readOnly: false,
        parameters: {
          partNumber: 2,
          uploadId: id,
          key,
          'x-amz-copy-source': 'box/k',
          'x-amz-copy-source-range': 'bytes=0-1',
        },
        response: SSE,
        arns,
      },
      { eventName: 'ListParts', readOnly: true, parameters: { uploadId: id, key }, response: null, arns },
      { eventName: 'ListMultipartUploads', readOnly: true, parameters: { uploads: '' }, response: null, arns: ['box/', 'box'] },
      {
        eventName: 'CompleteMultipartUpload',
        readOnly: false,
        parameters: { uploadId: id, key },
        response: { location: 'http://sealcast.test:4566/box/big%2Fone', bucketName: 'box', key, eTag: `"${md5Of(md5Of(LAST))}-1"` },
        arns,
      },
      { eventName: 'CreateMultipartUpload', readOnly: false, parameters: { uploads: '', key }, response: SSE, arns },
      { eventName: 'AbortMultipartUpload', readOnly: false, parameters: { uploadId: upload2, key }, response: null, arns },
      {
        eventName: 'CopyObject',
        readOnly: false,
        parameters: { key: 'c', 'x-amz-copy-source': 'box/k' },
        response: SSE,
        arns: ['box/c', 'box'],
      },
      { eventName: 'DeleteObjects', readOnly: false, parameters: { delete: '' }, response: null, arns: ['box/k', 'box/c', 'box'] },
    ])
  }))

function md5Of(bytes: Buffer | string): string {
  return createHash('md5')
    .update(typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes)
    .digest('hex')
}
