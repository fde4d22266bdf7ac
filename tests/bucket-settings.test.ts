// slow: starts servers of its own
// The settings of buckets, tags, notifications and the archive from outside: with the stock client, over restarts and an archive on a disk
// of its own.
import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListBucketInventoryConfigurationsCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  S3Client,
  type LifecycleRule,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const BOX = { Bucket: 'box' }
const TEXT = 'kept for long, in little room. '.repeat(20_000)

test('the stock client sets and reads what a bucket can be told, and an archived object outlives a restart', async () => {
  const folder = temporaryFolder()
  const data = join(folder.path, 'data')
  const archive = join(folder.path, 'disk', 'archive')
  const words = ['--set', `archive.folder=${archive}`]
  try {
    const server = await startTestServer({ data, words })
    const s3 = new S3Client({ ...clientConfig(server.url), forcePathStyle: true })
    const sqs = new SQSClient(clientConfig(server.url))
    await s3.send(new CreateBucketCommand(BOX))

    const TagSet = [{ Key: 'team', Value: 'audit' }]
    await s3.send(new PutBucketTaggingCommand({ ...BOX, Tagging: { TagSet } }))
    assert.deepEqual((await s3.send(new GetBucketTaggingCommand(BOX))).TagSet, TagSet)

    const encryption = { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const }, BucketKeyEnabled: true }] }
    await s3.send(new PutBucketEncryptionCommand({ ...BOX, ServerSideEncryptionConfiguration: encryption }))
    assert.deepEqual((await s3.send(new GetBucketEncryptionCommand(BOX))).ServerSideEncryptionConfiguration, encryption)

    const Rules: LifecycleRule[] = [
      { ID: 'all', Status: 'Enabled', Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
      {
        ID: 'logs',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'AWSLogs/', Tags: [{ Key: 'a', Value: 'b' }], ObjectSizeGreaterThan: 1 } },
        Expiration: { Days: 2557 },
        Transitions: [{ Days: 90, StorageClass: 'GLACIER_IR' }],
        NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: 2 },
      },
      { ID: 'date', Status: 'Disabled', Filter: { Prefix: 'x' }, Expiration: { Date: new Date(Date.UTC(2030, 0, 1)) } },
    ]
    await s3.send(new PutBucketLifecycleConfigurationCommand({ ...BOX, LifecycleConfiguration: { Rules } }))
    assert.deepEqual((await s3.send(new GetBucketLifecycleConfigurationCommand(BOX))).Rules, Rules)

    assert.equal((await s3.send(new GetBucketLoggingCommand(BOX))).LoggingEnabled, undefined)
    assert.equal((await s3.send(new ListBucketInventoryConfigurationsCommand(BOX))).IsTruncated, false)
    const cors = { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }] }
    await assert.rejects(s3.send(new PutBucketCorsCommand({ ...BOX, CORSConfiguration: cors })), { name: 'NotImplemented' })

    const queue = 'arn:aws:sqs:us-east-1:000000000000:events'
    const Statement = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queue }
    const Attributes = { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'events', Attributes }))
    const QueueConfigurations = [{ Id: 'told', QueueArn: queue, Events: ['s3:ObjectCreated:*' as const] }]
    await s3.send(new PutBucketNotificationConfigurationCommand({ ...BOX, NotificationConfiguration: { QueueConfigurations } }))
    const set = await s3.send(new GetBucketNotificationConfigurationCommand(BOX))
    assert.deepEqual(set.QueueConfigurations, QueueConfigurations)

    await s3.send(new PutObjectCommand({ ...BOX, Key: 'k', Body: TEXT, StorageClass: 'GLACIER_IR', Tagging: 'kind=text' }))
    const events: string[] = []
    for (let tries = 0; events.length < 2 && tries < 5; tries++) {
      const page = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }))
      for (const { Body } of page.Messages ?? []) {
        const event = JSON.parse(Body ?? '') as { Event?: string; Records?: { eventName: string }[] }
        events.push(event.Event ?? event.Records?.[0]?.eventName ?? '')
      }
    }
    assert.deepEqual(events, ['s3:TestEvent', 'ObjectCreated:Put'])
    await server.kill()

    renameSync(archive, `${archive}-away`)
    await assert.rejects(startTestServer({ data, words }), /the archive is not at .*Mount it/)
    const refused = await runCommand(['fsck', '--data', data])
    assert.equal(refused.code, 1)
    assert.match(refused.notes, /Mount it, or move it back/)
    const again = await startTestServer({ data, words: ['--set', `archive.folder=${archive}-away`] })
    const client = new S3Client({ ...clientConfig(again.url), forcePathStyle: true })
    const got = await client.send(new GetObjectCommand({ ...BOX, Key: 'k' }))
    assert.equal(await got.Body?.transformToString(), TEXT)
    assert.deepEqual([got.StorageClass, got.TagCount], ['GLACIER_IR', 1])
    const part = await client.send(new GetObjectCommand({ ...BOX, Key: 'k', Range: 'bytes=31-60' }))
    assert.equal(await part.Body?.transformToString(), TEXT.slice(31, 61))
    assert.deepEqual((await client.send(new GetObjectTaggingCommand({ ...BOX, Key: 'k' }))).TagSet, [{ Key: 'kind', Value: 'text' }])
    await again.stop()
    const sound = await runCommand(['fsck', '--data', data])
    assert.equal(sound.code, 0, sound.output)
    const report = await runCommand(['retention', '--data', data])
    assert.match(report.output, /^there is no trail\n[^]*archive +[\d.]+ \S+ +as the buckets' rules say\n/)
  } finally {
    folder.remove()
  }
})
