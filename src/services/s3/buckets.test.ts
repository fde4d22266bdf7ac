// Buckets through the real call pipeline: names, regions, owners, policies.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { rootPrincipal } from '../../model/principal.ts'
import { ACCOUNT, createHarness, type Harness, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { isBucketName } from './create-bucket.ts'
import { s3 } from './index.ts'

const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')

async function withServer(run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }))
  try {
    await run(server)
  } finally {
    await server.close()
  }
}

test('bucket names follow the rules of S3', () => {
  for (const name of ['abc', 'my-logs', 'a.b.c', '1-2', 'a'.repeat(63)]) assert.ok(isBucketName(name), name)
  for (const name of [
    'ab',
    'a'.repeat(64),
    'Logs',
    'a_b',
    '-ab',
    'ab-',
    '.ab',
    'a..b',
    '192.168.5.4',
    'xn--a',
    'sthree-a',
    'x-s3alias',
    'x--ol-s3',
  ])
    assert.ok(!isBucketName(name), name)
})

test('a bucket is found by its owner until it is deleted', () =>
  withServer(async (server) => {
    const made = await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    assert.deepEqual(made, { Location: '/my-logs' })
    assert.equal((await server.call('s3', 'HeadBucket', { Bucket: 'my-logs' }))['BucketRegion'], 'us-east-1')
    assert.deepEqual(names(await server.call('s3', 'ListBuckets')), ['my-logs'])
    assert.deepEqual(names(await server.call('s3', 'ListBuckets', {}, other)), [])
    await server.call('s3', 'DeleteBucket', { Bucket: 'my-logs' })
    await assert.rejects(server.call('s3', 'HeadBucket', { Bucket: 'my-logs' }), { code: 'NotFound', status: 404 })
    await assert.rejects(server.call('s3', 'DeleteBucket', { Bucket: 'my-logs' }), { code: 'NoSuchBucket', status: 404 })
  }))

test('a name belongs to one account in the whole server', () =>
  withServer(async (server) => {
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    await assert.rejects(server.call('s3', 'CreateBucket', { Bucket: 'my-logs' }, other), { code: 'BucketAlreadyExists', status: 409 })
    // In us-east-1 the owner may repeat itself; elsewhere it may not.
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    const europe = { Bucket: 'eu-logs', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }
    await server.call('s3', 'CreateBucket', europe)
    await assert.rejects(server.call('s3', 'CreateBucket', europe), { code: 'BucketAlreadyOwnedByYou', status: 409 })
  }))

test('the location constraint decides the region and must fit the endpoint', () =>
  withServer(async (server) => {
    const create = (name: string, constraint: string | undefined, region: string) =>
      server.call(
        's3',
        'CreateBucket',
        { Bucket: name, ...(constraint !== undefined && { CreateBucketConfiguration: { LocationConstraint: constraint } }) },
        undefined,
        { region },
      )
    await create('eu-logs', 'eu-west-1', 'eu-west-1')
    assert.deepEqual(await server.call('s3', 'GetBucketLocation', { Bucket: 'eu-logs' }), { LocationConstraint: 'eu-west-1' })
    await create('us-logs', undefined, 'us-east-1')
    assert.deepEqual(await server.call('s3', 'GetBucketLocation', { Bucket: 'us-logs' }), {})
    await assert.rejects(create('bad', undefined, 'eu-west-1'), { code: 'IllegalLocationConstraintException' })
    await assert.rejects(create('bad', 'eu-west-2', 'eu-west-1'), { code: 'IllegalLocationConstraintException' })
    await assert.rejects(create('bad', 'us-east-1', 'us-east-1'), { code: 'InvalidLocationConstraint' })
    await assert.rejects(create('bad', 'nowhere', 'us-east-1'), { code: 'InvalidLocationConstraint' })
  }))

test('what a bucket of ours cannot do is refused by name', () =>
  withServer(async (server) => {
    await assert.rejects(server.call('s3', 'CreateBucket', { Bucket: 'my-logs', BucketNamespace: 'account-regional' }), {
      code: 'NotImplemented',
      status: 501,
      message: /BucketNamespace/,
    })
    await assert.rejects(server.call('s3', 'CreateBucket', { Bucket: 'my-logs', ACL: 'public-read' }), {
      code: 'InvalidBucketAclWithObjectOwnership',
    })
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs', ACL: 'private', ObjectOwnership: 'BucketOwnerEnforced' })
  }))

test('a bucket is listed page by page', () =>
  withServer(async (server) => {
    for (const name of ['logs-c', 'logs-a', 'other', 'logs-b']) await server.call('s3', 'CreateBucket', { Bucket: name })
    const first = await server.call('s3', 'ListBuckets', { Prefix: 'logs-', MaxBuckets: 2 })
    assert.deepEqual(names(first), ['logs-a', 'logs-b'])
    const second = await server.call('s3', 'ListBuckets', { Prefix: 'logs-', MaxBuckets: 2, ContinuationToken: first['ContinuationToken'] })
    assert.deepEqual(names(second), ['logs-c'])
    assert.equal(second['ContinuationToken'], undefined)
    await assert.rejects(server.call('s3', 'ListBuckets', { ContinuationToken: 'nonsense' }), { code: 'InvalidArgument' })
  }))

test('a bucket policy opens the bucket to another account, and its deny closes it', () =>
  withServer(async (server) => {
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    const read = () => server.call('s3', 'ListObjects', { Bucket: 'my-logs' }, other)
    await assert.rejects(read(), { code: 'AccessDenied', status: 403 })
    const allow = statement({
      Effect: 'Allow',
      Principal: { AWS: OTHER_ACCOUNT },
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::my-logs',
    })
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'my-logs', Policy: allow })
    assert.deepEqual(await server.call('s3', 'GetBucketPolicy', { Bucket: 'my-logs' }), { Policy: allow })
    await read()
    await server.call('s3', 'DeleteBucketPolicy', { Bucket: 'my-logs' })
    await assert.rejects(read(), { code: 'AccessDenied' })
    await assert.rejects(server.call('s3', 'GetBucketPolicy', { Bucket: 'my-logs' }), { code: 'NoSuchBucketPolicy', status: 404 })
  }))

test('the owner can always mend a policy that denies everybody', () =>
  withServer(async (server) => {
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    const deny = statement({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::my-logs', 'arn:aws:s3:::my-logs/*'] })
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'my-logs', Policy: deny })
    await assert.rejects(server.call('s3', 'ListObjects', { Bucket: 'my-logs' }), { code: 'AccessDenied' })
    await server.call('s3', 'DeleteBucketPolicy', { Bucket: 'my-logs' })
    await server.call('s3', 'ListObjects', { Bucket: 'my-logs' })
  }))

test('a policy must be one, and of this bucket', () =>
  withServer(async (server) => {
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    const put = (policy: string) => server.call('s3', 'PutBucketPolicy', { Bucket: 'my-logs', Policy: policy })
    const base = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::my-logs/*' }
    await assert.rejects(put('{'), { code: 'MalformedPolicy', status: 400 })
    await assert.rejects(put(statement({ ...base, Action: 'sns:Publish' })), { code: 'MalformedPolicy', message: /sns:Publish/ })
    await assert.rejects(put(statement({ ...base, Resource: 'arn:aws:s3:::my-logs-2/*' })), {
      code: 'MalformedPolicy',
      message: /my-logs-2/,
    })
    await put(statement(base))
    const md5 = createHash('md5').update('another text').digest('base64')
    const changed = { Bucket: 'my-logs', Policy: statement(base), ContentMD5: md5 }
    await assert.rejects(server.call('s3', 'PutBucketPolicy', changed), { code: 'BadDigest' })
  }))

test('an unexpected owner is refused', () =>
  withServer(async (server) => {
    await server.call('s3', 'CreateBucket', { Bucket: 'my-logs' })
    await server.call('s3', 'GetBucketLocation', { Bucket: 'my-logs', ExpectedBucketOwner: ACCOUNT })
    await assert.rejects(server.call('s3', 'GetBucketLocation', { Bucket: 'my-logs', ExpectedBucketOwner: OTHER_ACCOUNT }), {
      code: 'AccessDenied',
    })
  }))

function names(output: Readonly<Record<string, unknown>>): string[] {
  return (output['Buckets'] as { Name: string }[]).map(({ Name }) => Name)
}

function statement(content: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [content] })
}
