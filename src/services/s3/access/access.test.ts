// Access control lists, ownership, public access and what is told of an object, through the real call pipeline.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createHarness, type Harness, OTHER_ACCOUNT } from '../../../../tests/harness.ts'
import { compilePolicy } from '../../../model/access-policy/policy.ts'
import { rootPrincipal } from '../../../model/principal.ts'
import { s3 } from '../index.ts'
import { isPublicPolicy } from './public-policy.ts'

const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
const KEY = { Bucket: 'box', Key: 'k' }

async function withObject(run: (server: Harness) => Promise<void>): Promise<void> {
  const server = await createHarness(() => ({ s3 }), { selected: () => ({ wants: () => true, takes: () => true }) })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'box' })
    const stream = Readable.from([Buffer.from('0123456789')])
    await server.call('s3', 'PutObject', { ...KEY, ChecksumAlgorithm: 'CRC32' }, undefined, { stream })
    await run(server)
  } finally {
    await server.close()
  }
}

test('the owner has full control, and no list says otherwise', () =>
  withObject(async (server) => {
    const acl = await server.call('s3', 'GetBucketAcl', { Bucket: 'box' })
    assert.deepEqual(await server.call('s3', 'GetObjectAcl', KEY), acl)
    const { Owner: owner } = acl as unknown as { Owner: { ID: string } }
    assert.deepEqual(acl['Grants'], [{ Grantee: { Type: 'CanonicalUser', ID: owner.ID }, Permission: 'FULL_CONTROL' }])
    for (const [operation, target, canned] of [
      ['PutBucketAcl', { Bucket: 'box' }, 'private'],
      ['PutObjectAcl', KEY, 'bucket-owner-full-control'],
    ] as const) {
      await server.call('s3', operation, { ...target, ACL: canned })
      await server.call('s3', operation, { ...target, AccessControlPolicy: acl })
      for (const wanted of [
        { ACL: 'public-read' },
        { GrantRead: 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
        { AccessControlPolicy: { Grants: [{ Grantee: { ID: owner.ID }, Permission: 'READ' }] } },
        { AccessControlPolicy: { Grants: [{ Grantee: { ID: 'x' }, Permission: 'FULL_CONTROL' }] } },
      ])
        await assert.rejects(server.call('s3', operation, { ...target, ...wanted }), { code: 'AccessControlListNotSupported', status: 400 })
      await assert.rejects(server.call('s3', operation, target), { code: 'InvalidRequest' })
    }
    const controls = { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }
    assert.deepEqual(await server.call('s3', 'GetBucketOwnershipControls', { Bucket: 'box' }), controls)
    await server.call('s3', 'PutBucketOwnershipControls', { Bucket: 'box', ...controls })
    const writer = { OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } }
    await assert.rejects(server.call('s3', 'PutBucketOwnershipControls', { Bucket: 'box', ...writer }), { code: 'NotImplemented' })
    const none = { OwnershipControls: { Rules: [] } }
    await assert.rejects(server.call('s3', 'PutBucketOwnershipControls', { Bucket: 'box', ...none }), { code: 'MalformedXML' })
    await assert.rejects(server.call('s3', 'DeleteBucketOwnershipControls', { Bucket: 'box' }), { code: 'NotImplemented' })
  }))

test('public policies are refused where they are blocked, and shut out strangers where they are restricted', () =>
  withObject(async (server) => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::box/*' }]
    const policy = { Bucket: 'box', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }
    const block = (more: object) =>
      server.call('s3', 'PutPublicAccessBlock', { Bucket: 'box', PublicAccessBlockConfiguration: { BlockPublicAcls: true, ...more } })
    const status = () => server.call('s3', 'GetBucketPolicyStatus', { Bucket: 'box' })
    const read = () => server.call('s3', 'GetObject', KEY, other)
    await assert.rejects(status(), { code: 'NoSuchBucketPolicy' })
    await assert.rejects(server.call('s3', 'GetPublicAccessBlock', { Bucket: 'box' }), { code: 'NoSuchPublicAccessBlockConfiguration' })
    await block({ BlockPublicPolicy: true })
    await assert.rejects(server.call('s3', 'PutBucketPolicy', policy), { code: 'AccessDenied', message: /BlockPublicPolicy/ })
    await block({})
    await server.call('s3', 'PutBucketPolicy', policy)
    assert.deepEqual(await status(), { PolicyStatus: { IsPublic: true } })
    await read()
    await block({ RestrictPublicBuckets: true })
    assert.deepEqual((await server.call('s3', 'GetPublicAccessBlock', { Bucket: 'box' }))['PublicAccessBlockConfiguration'], {
      BlockPublicAcls: true,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: true,
    })
    await assert.rejects(read(), { code: 'AccessDenied' })
    await server.call('s3', 'GetObject', KEY)
    await server.call('s3', 'DeletePublicAccessBlock', { Bucket: 'box' })
    await read()
  }))

test('a policy is public when it opens to everybody and nothing fixed keeps strangers out', () => {
  const isPublic = (more: object): boolean => {
    const statement = { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::box/*', ...more }
    return isPublicPolicy(compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }), { kind: 'resource' }))
  }
  const condition = (operator: string, key: string, value: string) => ({ Condition: { [operator]: { [key]: value } } })
  assert.ok(isPublic({}))
  assert.ok(isPublic({ Principal: { AWS: '*' } }))
  assert.ok(isPublic(condition('StringLike', 'aws:SourceArn', 'arn:aws:*')))
  assert.ok(isPublic(condition('StringNotEquals', 'aws:PrincipalAccount', '000000000001')))
  assert.ok(isPublic(condition('IpAddress', 'aws:SourceIp', '0.0.0.0/1')))
  assert.ok(isPublic(condition('Bool', 'aws:SecureTransport', 'true')))
  assert.ok(!isPublic({ Effect: 'Deny' }))
  assert.ok(!isPublic({ Principal: { AWS: '000000000001' } }))
  assert.ok(!isPublic({ Principal: { Service: 'cloudtrail.amazonaws.com' } }))
  assert.ok(!isPublic(condition('StringEquals', 'aws:PrincipalAccount', '000000000001')))
  assert.ok(!isPublic(condition('IpAddress', 'aws:SourceIp', '192.0.2.0/24')))
})

test('the attributes of an object are those asked for', () =>
  withObject(async (server) => {
    const get = (attributes: readonly string[], more: object = {}) =>
      server.call('s3', 'GetObjectAttributes', { ...KEY, ObjectAttributes: attributes, ...more })
    const { LastModified: _modified, ...all } = await get(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'])
    assert.deepEqual(all, {
      ETag: '781e5e245d69b566979b86e28d23f2c7',
      Checksum: { ChecksumCRC32: 'poTHxg==', ChecksumType: 'FULL_OBJECT' },
      StorageClass: 'STANDARD',
      ObjectSize: 10,
    })
    assert.deepEqual(Object.keys(await get(['ObjectSize'])), ['LastModified', 'ObjectSize'])
    await assert.rejects(get(['Size']), { code: 'InvalidArgument' })
    await assert.rejects(get([]), { code: 'InvalidArgument' })
    const upload = await server.call('s3', 'CreateMultipartUpload', { ...KEY, ChecksumAlgorithm: 'CRC32' })
    const UploadId = upload['UploadId']
    const Parts: object[] = []
    for (const [at, text] of ['a'.repeat(5 * 1024 * 1024), 'b'].entries()) {
      const stream = Readable.from([Buffer.from(text)])
      const part = await server.call('s3', 'UploadPart', { ...KEY, UploadId, PartNumber: at + 2 }, undefined, { stream })
      Parts.push({ PartNumber: at + 2, ETag: part['ETag'], ChecksumCRC32: part['ChecksumCRC32'] })
    }
    await server.call('s3', 'CompleteMultipartUpload', { ...KEY, UploadId, MultipartUpload: { Parts } })
    const { ObjectParts: parts } = (await get(['ObjectParts'], { MaxParts: 1 })) as unknown as { ObjectParts: Record<string, unknown> }
    assert.deepEqual(
      [parts['TotalPartsCount'], parts['IsTruncated'], parts['NextPartNumberMarker'], (parts['Parts'] as { Size: number }[])[0]?.Size],
      [2, true, '2', 5 * 1024 * 1024],
    )
    const second = await server.call('s3', 'GetObject', { ...KEY, PartNumber: 3 })
    assert.deepEqual([second['ContentLength'], second['ContentRange'], second['PartsCount']], [1, 'bytes 5242880-5242880/5242881', 2])
    await assert.rejects(server.call('s3', 'GetObject', { ...KEY, PartNumber: 1 }), { code: 'InvalidPartNumber', status: 416 })
    for (const bad of [{ PartNumber: 0 }, { PartNumber: 10_001 }])
      await assert.rejects(server.call('s3', 'HeadObject', { ...KEY, ...bad }), { code: 'InvalidArgument' })
    await assert.rejects(server.call('s3', 'GetObject', { ...KEY, PartNumber: 2, Range: 'bytes=0-1' }), { code: 'InvalidRequest' })
  }))
