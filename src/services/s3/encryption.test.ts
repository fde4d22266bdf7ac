// Server-side encryption through the real call pipeline: what callers and buckets ask for, keys' errors, and what lies in the blob store.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ACCOUNT, createHarness, type Harness, OTHER_ACCOUNT, REGION } from '../../../tests/harness.ts'
import { OBJECTS_KEY } from '../../engine/keys.ts'
import type { BlobSeal } from '../../model/bucket.ts'
import type { StoredKey } from '../../model/key.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import { s3 } from './index.ts'

const TEXT = 'a text that is easy to find '.repeat(10_000)

async function withBucket(run: (server: Harness, key: StoredKey) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    await run(server, await makeKey(server))
  } finally {
    await server.close()
  }
}

async function makeKey({ env }: Harness, account = ACCOUNT, region = REGION): Promise<StoredKey> {
  const { result, done } = env.commits.commit((tx) => env.keys.create(tx, { account, region, alias: 'alias/logs' }))
  await done
  return result
}

function put(server: Harness, more: object = {}, text = TEXT): Promise<Record<string, unknown>> {
  const stream = Readable.from([Buffer.from(text)])
  return server.call('s3', 'PutObject', { Bucket: 'box', Key: 'k', ...more }, undefined, { stream })
}

async function get(server: Harness, more: object = {}): Promise<string> {
  const output: Record<string, unknown> = await server.call('s3', 'GetObject', { Bucket: 'box', Key: 'k', ...more })
  return Buffer.concat(await (output['Body'] as Readable).toArray()).toString()
}

const head = (server: Harness) => server.call('s3', 'HeadObject', { Bucket: 'box', Key: 'k' })
const change = (server: Harness, work: Parameters<Harness['env']['commits']['commit']>[0]) => server.env.commits.commit(work).done

async function blobText({ env }: Harness): Promise<string> {
  const blobs = await Array.fromAsync(env.blobs.list())
  const texts = await Promise.all(blobs.map(async ({ id }) => Buffer.concat(await env.blobs.read(id).toArray()).toString('latin1')))
  return texts.join('')
}

function sealOf(server: Harness, key: string): BlobSeal | undefined {
  const object = server.env.tables.get(Table.objects, `box/${key}`)
  return object === undefined ? undefined : blobsOf(object)[0]?.seal
}

test('every object is sealed, whole and by range', () =>
  withBucket(async (server) => {
    assert.equal((await put(server))['ServerSideEncryption'], 'AES256')
    assert.ok(!(await blobText(server)).includes('easy to find'))
    assert.equal(await get(server), TEXT)
    assert.equal(await get(server, { Range: 'bytes=70000-200009' }), TEXT.slice(70_000, 200_010))
    assert.equal((await put(server, { ServerSideEncryption: 'AES256' }))['ServerSideEncryption'], 'AES256')
  }))

test('a key is named by its id, ARN, alias or the alias ARN, and told of as its ARN', () =>
  withBucket(async (server, key) => {
    const aliasArn = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/logs`
    for (const reference of [key.keyId, key.arn, 'alias/logs', aliasArn]) {
      const told = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.arn }
      const { ETag: _, ...output } = await put(server, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: reference })
      assert.deepEqual(output, told)
      const { ServerSideEncryption, SSEKMSKeyId } = await head(server)
      assert.deepEqual({ ServerSideEncryption, SSEKMSKeyId }, told)
      assert.equal(await get(server), TEXT)
    }
    assert.ok(!(await blobText(server)).includes('easy to find'))
    const records = (await server.events()).map(({ record }) => record).filter(({ eventName }) => eventName === 'PutObject')
    assert.deepEqual(records[0]?.['additionalEventData'], { SSEApplied: 'SSE_KMS' })
  }))

test("without a key id it is the account's own key for S3, made once", () =>
  withBucket(async (server) => {
    const first = await put(server, { ServerSideEncryption: 'aws:kms' })
    const second = await put(server, { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true })
    assert.equal(first['SSEKMSKeyId'], second['SSEKMSKeyId'])
    assert.equal(second['BucketKeyEnabled'], true)
    const { keys, tables } = server.env
    assert.equal(keys.find(tables, 'alias/aws/s3', { account: ACCOUNT, region: REGION })?.arn, first['SSEKMSKeyId'])
    assert.equal(await get(server), TEXT)
  }))

test('what a bucket says holds for whoever says nothing, and not for who does', () =>
  withBucket(async (server, key) => {
    const bucket = server.env.tables.get(Table.buckets, 'box')
    assert.ok(bucket !== undefined)
    const encryption = { algorithm: 'aws:kms', kmsKeyId: 'alias/logs', hasBucketKey: true } as const
    await change(server, (tx) => tx.put(Table.buckets, 'box', { ...bucket, encryption }))
    const { ETag: _, ...output } = await put(server)
    assert.deepEqual(output, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.arn, BucketKeyEnabled: true })
    assert.equal(await get(server), TEXT)
    assert.equal((await put(server, { ServerSideEncryption: 'AES256' }))['SSEKMSKeyId'], undefined)
  }))

test('a rotated key opens what its older versions sealed', () =>
  withBucket(async (server, key) => {
    await put(server, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.keyId })
    const own = server.env.keys.own(server.env.tables, OBJECTS_KEY)
    assert.ok(own !== undefined)
    await put(server, { Key: 'own' })
    for (const { keyId } of [key, own]) await change(server, (tx) => server.env.keys.rotate(tx, keyId))
    assert.equal(await get(server), TEXT)
    assert.equal(await get(server, { Key: 'own' }), TEXT)
    await put(server, { Key: 'new', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.keyId })
    assert.match(sealOf(server, 'new')?.dataKey ?? '', new RegExp(`^k1.${key.keyId}.2.`))
    assert.equal(await get(server, { Key: 'new' }), TEXT)
  }))

test('a disabled key neither seals nor opens until it is enabled again', () =>
  withBucket(async (server, key) => {
    const more = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.arn }
    await put(server, more)
    await change(server, (tx) => server.env.keys.setEnabled(tx, key.keyId, false))
    await assert.rejects(put(server, more), { code: 'KMS.DisabledException', status: 400, message: `${key.arn} is disabled.` })
    await assert.rejects(get(server), { code: 'KMS.DisabledException' })
    await change(server, (tx) => server.env.keys.setEnabled(tx, key.keyId, true))
    assert.equal(await get(server), TEXT)
  }))

test('a key of nobody, of another region or of another account does not serve', () =>
  withBucket(async (server) => {
    const named = (reference: string) => put(server, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: reference })
    await assert.rejects(named('alias/absent'), { code: 'KMS.NotFoundException', message: /alias\/absent/ })
    const far = await makeKey(server, ACCOUNT, 'eu-west-1')
    await assert.rejects(named(far.keyId), { code: 'KMS.NotFoundException' })
    await assert.rejects(named(far.arn), { code: 'KMS.NotFoundException' })
    const theirs = await makeKey(server, OTHER_ACCOUNT)
    await assert.rejects(named(theirs.arn), { code: 'AccessDenied' })
    const own = server.env.keys.own(server.env.tables, OBJECTS_KEY)
    await assert.rejects(named(own?.arn ?? ''), { code: 'KMS.NotFoundException' })
  }))

test('who may read the object but is of another account than its key is refused', () =>
  withBucket(async (server, key) => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::box/*' }],
    })
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'box', Policy })
    const guest = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
    await put(server)
    await server.call('s3', 'GetObject', { Bucket: 'box', Key: 'k' }, guest)
    await put(server, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.arn })
    await assert.rejects(server.call('s3', 'GetObject', { Bucket: 'box', Key: 'k' }, guest), { code: 'AccessDenied' })
  }))

test('a context is bound in, and must be the JSON of names and texts', () =>
  withBucket(async (server, key) => {
    const context = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
    const more = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.arn }
    await put(server, { ...more, SSEKMSEncryptionContext: context({ team: 'audit' }) })
    assert.equal(await get(server), TEXT)
    const seal = sealOf(server, 'k')
    assert.deepEqual(seal?.context, { team: 'audit', 'aws:s3:arn': 'arn:aws:s3:::box/k' })
    assert.throws(() => server.env.keys.open(server.env.tables, seal.dataKey, { team: 'other' }), { name: 'KeyBroken' })
    for (const wrong of ['no json', ['a'], { a: 1 }, 'x'.repeat(9000)])
      await assert.rejects(put(server, { ...more, SSEKMSEncryptionContext: context(wrong) }), {
        code: 'InvalidArgument',
        message: /Base64-encoded UTF-8 string/,
      })
  }))

test('what does not go together, or is not offered, is refused by name', () =>
  withBucket(async (server, key) => {
    await assert.rejects(put(server, { SSEKMSKeyId: key.arn }), { code: 'InvalidArgument', message: /requires HTTP header/ })
    await assert.rejects(put(server, { ServerSideEncryption: 'AES256', SSEKMSKeyId: key.arn }), { code: 'InvalidArgument' })
    await assert.rejects(put(server, { ServerSideEncryption: 'rot13' }), { code: 'InvalidArgument', message: /not supported/ })
    await assert.rejects(put(server, { ServerSideEncryption: 'aws:kms:dsse' }), { code: 'NotImplemented', message: /dsse/ })
    await assert.rejects(put(server, { SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'x' }), { code: 'NotImplemented' })
    assert.equal((await Array.fromAsync(server.env.blobs.list())).length, 0)
  }))

test('a policy may demand how objects are encrypted', () =>
  withBucket(async (server) => {
    const Condition = { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } }
    const deny = { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::box/*', Condition }
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'box', Policy: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }) })
    await assert.rejects(put(server), { code: 'AccessDenied' })
    await put(server, { ServerSideEncryption: 'aws:kms' })
  }))
