import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceError } from '../../model/service-error.ts'
import { testModel, testOperation } from '../test-world.ts'
import { EMPTY_FORM, parseForm } from './form.ts'
import { decodeRest, encodeRest, encodeRestError, type RestRequest } from './rest-xml.ts'

const decode = (operation: string, request: Partial<Omit<RestRequest, 'body'>> & { body?: string }) =>
  decodeRest(testOperation('s3', operation), {
    labels: {},
    query: EMPTY_FORM,
    headers: {},
    ...request,
    body: request.body === undefined ? undefined : Buffer.from(request.body),
  })
const encode = (operation: string, output: Record<string, unknown>) => encodeRest(testModel('s3'), testOperation('s3', operation), output)

test('labels, query, headers and metadata', () => {
  assert.deepEqual(
    decode('PutObject', {
      labels: { Bucket: 'b', Key: 'k' },
      headers: {
        'content-length': '5',
        'x-amz-meta-a': 'x',
        'x-amz-meta-b': Buffer.from('ü').toString('latin1'),
        'x-amz-object-lock-retain-until-date': '2026-01-02T03:04:05Z',
        'if-none-match': '*',
      },
    }),
    {
      Bucket: 'b',
      Key: 'k',
      ContentLength: 5,
      Metadata: { a: 'x', b: 'ü' },
      ObjectLockRetainUntilDate: new Date('2026-01-02T03:04:05Z'),
      IfNoneMatch: '*',
    },
  )
  assert.deepEqual(
    decode('ListObjectsV2', {
      labels: { Bucket: 'b' },
      query: parseForm(Buffer.from('list-type=2&prefix=a%2F&max-keys=5&fetch-owner=true')),
    }),
    {
      Bucket: 'b',
      Prefix: 'a/',
      MaxKeys: 5,
      FetchOwner: true,
    },
  )
  assert.deepEqual(decode('GetObject', { headers: { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:05 GMT' } }), {
    IfModifiedSince: new Date('2026-01-02T03:04:05Z'),
  })
  assert.deepEqual(decode('GetObjectAttributes', { headers: { 'x-amz-object-attributes': 'ETag, ObjectSize' } }), {
    ObjectAttributes: ['ETag', 'ObjectSize'],
  })
})

test('XML bodies and text payloads', () => {
  assert.deepEqual(
    decode('CreateBucket', {
      labels: { Bucket: 'b' },
      body:
        '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-1' +
        '</LocationConstraint></CreateBucketConfiguration>',
    }),
    { Bucket: 'b', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } },
  )
  assert.deepEqual(decode('CreateBucket', { labels: { Bucket: 'b' }, body: '' }), { Bucket: 'b' })
  assert.deepEqual(decode('PutBucketPolicy', { body: '{"Version":"2012-10-17"}' }), { Policy: '{"Version":"2012-10-17"}' })
  assert.deepEqual(
    decode('DeleteObjects', {
      body: '<Delete><Object><Key>a</Key></Object><Object><Key>b &amp; c</Key></Object><Quiet>true</Quiet></Delete>',
    }),
    {
      Delete: { Objects: [{ Key: 'a' }, { Key: 'b & c' }], Quiet: true },
    },
  )
})

test('what cannot be read is refused in words of S3', () => {
  const isMalformedXml = (error: unknown) => error instanceof ServiceError && error.code === 'MalformedXML' && error.status === 400
  assert.throws(() => decode('DeleteObjects', { body: '<Delete>' }), isMalformedXml)
  assert.throws(() => decode('DeleteObjects', { body: '<Delete><Quiet>perhaps</Quiet></Delete>' }), isMalformedXml)
  assert.throws(() => decode('DeleteObjects', { body: '<Delete><Quiet>true</Quiet><Quiet>true</Quiet></Delete>' }), isMalformedXml)
  const isInvalidArgument = (error: unknown) =>
    error instanceof ServiceError && error.code === 'InvalidArgument' && error.details.ArgumentName === 'max-keys'
  assert.throws(() => decode('ListObjectsV2', { query: parseForm(Buffer.from('max-keys=many')) }), isInvalidArgument)
})

test('outputs: headers, XML and the root element that S3 gives it', () => {
  const listed = encode('ListBuckets', { Buckets: [{ Name: 'b', CreationDate: new Date(0) }], Owner: { ID: '1' } })
  assert.equal(
    listed.body,
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets><Bucket>' +
      '<Name>b</Name><CreationDate>1970-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets>' +
      '<Owner><ID>1</ID></Owner></ListAllMyBucketsResult>',
  )
})

test('GetBucketLocation is a single element, empty for us-east-1', () => {
  const xml = (output: Record<string, unknown>) => String(encode('GetBucketLocation', output).body).split('\n')[1]
  assert.equal(
    xml({ LocationConstraint: 'eu-west-1' }),
    '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>',
  )
  assert.equal(xml({}), '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
})

test('payloads and headers of GetObject', () => {
  const body = Buffer.from('x')
  const {
    status,
    headers,
    body: sent,
  } = encode('GetObject', { Body: body, ContentLength: 1, LastModified: new Date(0), Metadata: { Ä: 'ü', a: 'b\r\nc' } })
  assert.equal(status, 200)
  assert.equal(sent, body)
  assert.equal(headers['content-length'], '1')
  assert.equal(headers['last-modified'], 'Thu, 01 Jan 1970 00:00:00 GMT')
  assert.equal(headers['x-amz-meta-a'], 'b  c')
  assert.equal(encode('DeleteBucket', {}).status, 204)
})

test('errors carry resource and ids', () => {
  const error = new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { details: { Key: 'a<b' } })
  assert.equal(
    encodeRestError(error, { resource: '/b/a', requestId: 'R', hostId: 'H' }),
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>' +
      '<Key>a&lt;b</Key><Resource>/b/a</Resource><RequestId>R</RequestId><HostId>H</HostId></Error>',
  )
})
