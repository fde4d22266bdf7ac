// The settings of buckets and the tags of buckets and objects, through the real call pipeline.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { rootPrincipal } from '../../model/principal.ts'
import { createHarness, type Harness, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { s3 } from './index.ts'

const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
const BOX = { Bucket: 'box' }

async function withBucket(run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }))
  try {
    await server.call('s3', 'CreateBucket', BOX)
    await run(server)
  } finally {
    await server.close()
  }
}

const put = (server: Harness, key: string, more: object = {}) =>
  server.call('s3', 'PutObject', { ...BOX, Key: key, ...more }, undefined, { stream: Readable.from([Buffer.from('x')]) })
const tag = (key: string, value: string) => ({ Key: key, Value: value })
const tags = (count: number) => Array.from({ length: count }, (_, at) => tag(`k${at}`, 'v'))

test('tags of a bucket are replaced, read and taken away', () =>
  withBucket(async (server) => {
    await assert.rejects(server.call('s3', 'GetBucketTagging', BOX), { code: 'NoSuchTagSet', status: 404 })
    await server.call('s3', 'PutBucketTagging', { ...BOX, Tagging: { TagSet: [tag('team', 'audit'), tag('größe', '')] } })
    await server.call('s3', 'PutBucketTagging', { ...BOX, Tagging: { TagSet: [tag('team', 'law')] } })
    assert.deepEqual(await server.call('s3', 'GetBucketTagging', BOX), { TagSet: [tag('team', 'law')] })
    await server.call('s3', 'DeleteBucketTagging', BOX)
    await server.call('s3', 'DeleteBucketTagging', BOX)
    await assert.rejects(server.call('s3', 'GetBucketTagging', BOX), { code: 'NoSuchTagSet' })
  }))

test('tags keep the limits of S3', () =>
  withBucket(async (server) => {
    await put(server, 'k')
    const onBucket = (TagSet: object[]) => server.call('s3', 'PutBucketTagging', { ...BOX, Tagging: { TagSet } })
    const onObject = (TagSet: object[]) => server.call('s3', 'PutObjectTagging', { ...BOX, Key: 'k', Tagging: { TagSet } })
    await onBucket(tags(50))
    await assert.rejects(onBucket(tags(51)), { code: 'BadRequest', message: /50/ })
    await onObject(tags(10))
    await assert.rejects(onObject(tags(11)), { code: 'BadRequest', message: 'Object tags cannot be greater than 10' })
    await onObject([tag('a'.repeat(128), 'b'.repeat(256))])
    await assert.rejects(onObject([tag('a'.repeat(129), '')]), { code: 'InvalidTag', message: /TagKey/ })
    await assert.rejects(onObject([tag('', 'x')]), { code: 'InvalidTag', message: /TagKey/ })
    await assert.rejects(onObject([tag('a', 'b'.repeat(257))]), { code: 'InvalidTag', message: /TagValue/ })
    await assert.rejects(onObject([tag('a', '<b>')]), { code: 'InvalidTag', message: /TagValue/ })
    await assert.rejects(onObject([tag('aws:a', 'b')]), { code: 'InvalidTag', message: /System tags/ })
    await assert.rejects(onObject([tag('a', '1'), tag('a', '2')]), { code: 'InvalidTag', message: /same key/ })
  }))

test('an object brings its tags along, and reads count them', () =>
  withBucket(async (server) => {
    await put(server, 'k', { Tagging: 'project=blue+sky&stage=a%3Db&empty' })
    const set = [tag('project', 'blue sky'), tag('stage', 'a=b'), tag('empty', '')]
    assert.deepEqual(await server.call('s3', 'GetObjectTagging', { ...BOX, Key: 'k' }), { TagSet: set })
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'k' }))['TagCount'], 3)
    await server.call('s3', 'DeleteObjectTagging', { ...BOX, Key: 'k' })
    assert.deepEqual(await server.call('s3', 'GetObjectTagging', { ...BOX, Key: 'k' }), { TagSet: [] })
    assert.equal((await server.call('s3', 'HeadObject', { ...BOX, Key: 'k' }))['TagCount'], undefined)
    for (const Tagging of ['a=1&a=2', 'a=%ZZ', '=x', 'a=b=c'])
      await assert.rejects(put(server, 'k', { Tagging }), { code: 'InvalidArgument', message: /x-amz-tagging/ })
    await assert.rejects(server.call('s3', 'GetObjectTagging', { ...BOX, Key: 'none' }), { code: 'NoSuchKey' })
  }))

test('a policy may look at the tags that are there and at those that are brought', () =>
  withBucket(async (server) => {
    const statement = (Action: string | string[], Condition: object) => ({
      Effect: 'Allow',
      Principal: { AWS: OTHER_ACCOUNT },
      Action,
      Resource: 'arn:aws:s3:::box/*',
      Condition,
    })
    const Statement = [
      statement(['s3:GetObject', 's3:GetObjectTagging'], { StringEquals: { 's3:ExistingObjectTag/Open': 'yes' } }),
      statement('s3:PutObjectTagging', { StringEquals: { 's3:RequestObjectTag/open': 'no' } }),
    ]
    await server.call('s3', 'PutBucketPolicy', { ...BOX, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) })
    await put(server, 'open', { Tagging: 'open=yes' })
    await put(server, 'shut', { Tagging: 'open=no' })
    await server.call('s3', 'GetObject', { ...BOX, Key: 'open' }, other)
    await server.call('s3', 'GetObjectTagging', { ...BOX, Key: 'open' }, other)
    await assert.rejects(server.call('s3', 'GetObject', { ...BOX, Key: 'shut' }, other), { code: 'AccessDenied' })
    const retag = (value: string) =>
      server.call('s3', 'PutObjectTagging', { ...BOX, Key: 'open', Tagging: { TagSet: [tag('open', value)] } }, other)
    await assert.rejects(retag('maybe'), { code: 'AccessDenied' })
    await retag('no')
    await assert.rejects(server.call('s3', 'GetObject', { ...BOX, Key: 'open' }, other), { code: 'AccessDenied' })
  }))

test('encryption: what is set, else what S3 does by itself', () =>
  withBucket(async (server) => {
    const get = () => server.call('s3', 'GetBucketEncryption', BOX)
    const set = (...Rules: object[]) => server.call('s3', 'PutBucketEncryption', { ...BOX, ServerSideEncryptionConfiguration: { Rules } })
    const rule = (SSEAlgorithm: string, more: object = {}) => ({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm, ...more } })
    const standard = { ServerSideEncryptionConfiguration: { Rules: [{ ...rule('AES256'), BucketKeyEnabled: false }] } }
    assert.deepEqual(await get(), standard)
    const kms = { ...rule('aws:kms', { KMSMasterKeyID: 'alias/logs' }), BucketKeyEnabled: true }
    await set(kms)
    assert.deepEqual(await get(), { ServerSideEncryptionConfiguration: { Rules: [kms] } })
    await assert.rejects(set(), { code: 'MalformedXML' })
    await assert.rejects(set(kms, kms), { code: 'MalformedXML', message: /exactly one Rule/ })
    await assert.rejects(set({}), { code: 'MalformedXML' })
    await assert.rejects(set(rule('ROT13')), { code: 'MalformedXML', message: /AES256 or aws:kms/ })
    await assert.rejects(set(rule('AES256', { KMSMasterKeyID: 'k' })), { code: 'InvalidArgument' })
    await assert.rejects(set(rule('aws:kms', { KMSMasterKeyID: 'k'.repeat(2049) })), { code: 'InvalidArgument', message: /2048/ })
    await assert.rejects(set(rule('aws:kms:dsse')), { code: 'NotImplemented', status: 501, message: /dsse/ })
    await server.call('s3', 'DeleteBucketEncryption', BOX)
    assert.deepEqual(await get(), standard)
  }))

test('what there is not is read as unset, and refused by name where it is to be set', () =>
  withBucket(async (server) => {
    const call = (operation: string, more: object = {}) => server.call('s3', operation, { ...BOX, ...more })
    assert.deepEqual(await call('GetBucketLogging'), {})
    assert.deepEqual(await call('GetBucketRequestPayment'), { Payer: 'BucketOwner' })
    assert.deepEqual(await call('GetBucketAccelerateConfiguration'), {})
    await assert.rejects(call('GetBucketWebsite'), { code: 'NoSuchWebsiteConfiguration', status: 404 })
    await assert.rejects(call('GetBucketCors'), { code: 'NoSuchCORSConfiguration', status: 404 })
    await assert.rejects(call('GetBucketReplication'), { code: 'ReplicationConfigurationNotFoundError', status: 404 })
    for (const kind of ['Analytics', 'IntelligentTiering', 'Inventory', 'Metrics']) {
      assert.deepEqual(await call(`ListBucket${kind}Configurations`), { IsTruncated: false })
      await assert.rejects(call(`GetBucket${kind}Configuration`, { Id: 'x' }), { code: 'NoSuchConfiguration', status: 404 })
      await assert.rejects(call(`PutBucket${kind}Configuration`, { Id: 'x' }), { code: 'NotImplemented', message: new RegExp(kind) })
    }
    await call('DeleteBucketCors')
    await call('PutBucketLogging', { BucketLoggingStatus: {} })
    for (const [operation, more] of [
      ['PutBucketCors', { CORSConfiguration: { CORSRules: [] } }],
      ['PutBucketLogging', { BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'box', TargetPrefix: '' } } }],
      ['PutBucketReplication', {}],
      ['PutBucketWebsite', {}],
      ['PutBucketAccelerateConfiguration', { AccelerateConfiguration: { Status: 'Enabled' } }],
    ] as const)
      await assert.rejects(call(operation, more), { code: 'NotImplemented', status: 501, message: new RegExp(operation) })
  }))

test('a bucket may be made with tags; every operation of S3 is known, and what is not offered is refused by its name', () =>
  withBucket(async (server) => {
    const Tags = [tag('team', 'audit')]
    await server.call('s3', 'CreateBucket', { Bucket: 'tagged', CreateBucketConfiguration: { Tags } })
    assert.deepEqual(await server.call('s3', 'GetBucketTagging', { Bucket: 'tagged' }), { TagSet: Tags })
    for (const name of Object.keys(s3.model().operations)) assert.ok(Object.hasOwn(s3.operations, name), name)
    for (const name of ['SelectObjectContent', 'CreateSession', 'GetBucketMetadataConfiguration'])
      await assert.rejects(server.call('s3', name, { ...BOX, Key: 'k' }), {
        code: 'NotImplemented',
        status: 501,
        message: new RegExp(name),
      })
    await put(server, 'k')
    await assert.rejects(server.call('s3', 'RestoreObject', { ...BOX, Key: 'k' }), { code: 'InvalidObjectState', status: 403 })
  }))

const rule = (more: object = {}) => ({ ID: 'r', Status: 'Enabled', Filter: { Prefix: '' }, ...more })
const EXPIRES = { Expiration: { Days: 1 } }

test('lifecycle rules come back as they were put', () =>
  withBucket(async (server) => {
    const set = (Rules: object[], more: object = {}) =>
      server.call('s3', 'PutBucketLifecycleConfiguration', { ...BOX, LifecycleConfiguration: { Rules }, ...more })
    await assert.rejects(server.call('s3', 'GetBucketLifecycleConfiguration', BOX), { code: 'NoSuchLifecycleConfiguration', status: 404 })
    const rules = [
      rule({ Expiration: { Date: new Date(Date.UTC(2030, 0, 1)) }, Filter: {} }),
      { ID: 'old', Status: 'Disabled', Prefix: 'logs/', Expiration: { ExpiredObjectDeleteMarker: true } },
      rule({
        ID: 'all',
        Filter: { And: { Prefix: 'a', Tags: [tag('k', 'v')], ObjectSizeGreaterThan: 1, ObjectSizeLessThan: 9 } },
        Expiration: { Days: 31 },
        Transitions: [{ Days: 30, StorageClass: 'GLACIER_IR' }],
        NoncurrentVersionExpiration: { NoncurrentDays: 10, NewerNoncurrentVersions: 100 },
        NoncurrentVersionTransitions: [{ NoncurrentDays: 1, StorageClass: 'GLACIER_IR' }],
      }),
      rule({ ID: 'abort', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }),
    ]
    await set(rules)
    const minimum = { TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K' }
    assert.deepEqual(await server.call('s3', 'GetBucketLifecycleConfiguration', BOX), { Rules: rules, ...minimum })
    const answer = await set([rule(EXPIRES)], { TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' })
    assert.deepEqual(answer, { TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' })
    await server.call('s3', 'DeleteBucketLifecycle', BOX)
    await assert.rejects(server.call('s3', 'GetBucketLifecycleConfiguration', BOX), { code: 'NoSuchLifecycleConfiguration' })
  }))

test('lifecycle rules are held to the rules of S3', () =>
  withBucket(async (server) => {
    const set = (...Rules: object[]) => server.call('s3', 'PutBucketLifecycleConfiguration', { ...BOX, LifecycleConfiguration: { Rules } })
    const many = (count: number) => Array.from({ length: count }, (_, at) => rule({ ID: `r${at}`, ...EXPIRES }))
    await set(...many(1000))
    await set(rule({ ID: 'i'.repeat(255), ...EXPIRES, Filter: { Prefix: 'p'.repeat(1024) } }))
    const noncurrent = (more: object) => rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, ...more } })
    const move = (more: object) => rule({ Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR', ...more }] })
    const filter = (Filter: object) => rule({ ...EXPIRES, Filter })
    const refused: readonly (readonly [object[], string, RegExp])[] = [
      [[], 'MalformedXML', /1 to 1000/],
      [many(1001), 'MalformedXML', /1 to 1000/],
      [[rule(EXPIRES), rule(EXPIRES)], 'InvalidArgument', /must be unique/],
      [[rule({ ID: 'i'.repeat(256), ...EXPIRES })], 'InvalidArgument', /255/],
      [[rule({ Status: 'On', ...EXPIRES })], 'MalformedXML', /Enabled or Disabled/],
      [[rule()], 'InvalidRequest', /At least one action/],
      [[rule({ ...EXPIRES, Prefix: 'a' })], 'MalformedXML', /either a Filter or a Prefix/],
      [[{ ID: 'r', Status: 'Enabled', ...EXPIRES }], 'MalformedXML', /either a Filter or a Prefix/],
      [[filter({ Prefix: 'p'.repeat(1025) })], 'InvalidRequest', /1024/],
      [[filter({ Prefix: 'a', Tag: tag('k', 'v') })], 'MalformedXML', /stand in And/],
      [[filter({ And: { Prefix: 'a' } })], 'MalformedXML', /two conditions/],
      [[filter({ And: { Tags: [tag('k', 'v'), tag('k', 'w')] } })], 'InvalidRequest', /Duplicate Tag Keys/],
      [[filter({ And: { ObjectSizeGreaterThan: 5, ObjectSizeLessThan: 5 } })], 'InvalidRequest', /must be less/],
      [[filter({ ObjectSizeGreaterThan: -1 })], 'InvalidArgument', /whole number/],
      [[rule({ Expiration: { Days: 0 } })], 'InvalidArgument', /positive integer/],
      [[rule({ Expiration: {} })], 'MalformedXML', /one of Days, Date/],
      [[rule({ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } })], 'MalformedXML', /one of Days, Date/],
      [[rule({ Expiration: { Date: new Date(1) } })], 'InvalidArgument', /midnight/],
      [[rule({ Filter: { Tag: tag('k', 'v') }, Expiration: { ExpiredObjectDeleteMarker: true } })], 'InvalidRequest', /with Tags/],
      [[rule({ Filter: { Tag: tag('k', 'v') }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })], 'InvalidRequest', /Tags/],
      [[rule({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } })], 'InvalidArgument', /positive/],
      [[noncurrent({ NoncurrentDays: 0 })], 'InvalidArgument', /positive/],
      [[noncurrent({ NewerNoncurrentVersions: 101 })], 'InvalidArgument', /between 1 and 100/],
      [[move({ Days: -1 })], 'InvalidArgument', /nonnegative/],
      [[move({ StorageClass: 'DEEP_ARCHIVE' })], 'NotImplemented', /DEEP_ARCHIVE; the archive of this server is GLACIER_IR/],
      [[move({ StorageClass: 'SHELF' })], 'MalformedXML', /SHELF/],
      [[{ ...move({ Days: 1 }), ...EXPIRES }], 'InvalidArgument', /must be greater/],
      [[{ ...move({}), Expiration: { Date: new Date(0) } }], 'InvalidRequest', /mixed/],
    ]
    for (const [rules, code, message] of refused) await assert.rejects(set(...rules), { code, message })
  }))
