// A bucket that tells of its objects, and holds a trail's log files: what the trail's own deliveries cause opens no further delivery.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BucketEventSender } from '../src/followers/bucket-events.ts'
import { Table } from '../src/model/tables.ts'
import { ACCOUNT } from './harness.ts'
import { files, INTERVAL_SECONDS, makeNotices, makeTrail, NOTICES, withWorld } from './trail-world.ts'

test('a trail whose bucket notifies a topic of log files comes to rest', () =>
  withWorld(async (world) => {
    const { call, pass, server } = world
    const sender = new BucketEventSender(server.env)
    try {
      await makeTrail(world)
      await makeNotices(world)
      const Principal = { Service: 's3.amazonaws.com' }
      const Condition = { StringEquals: { 'aws:SourceArn': 'arn:aws:s3:::logs', 'aws:SourceAccount': ACCOUNT } }
      const Statement = [{ Effect: 'Allow', Principal, Action: 'sns:Publish', Resource: NOTICES, Condition }]
      const AttributeValue = JSON.stringify({ Version: '2012-10-17', Statement })
      await call('sns', 'SetTopicAttributes', { TopicArn: NOTICES, AttributeName: 'Policy', AttributeValue })
      const TopicConfigurations = [{ TopicArn: NOTICES, Events: ['s3:ObjectCreated:*'] }]
      await call('s3', 'PutBucketNotificationConfiguration', { Bucket: 'logs', NotificationConfiguration: { TopicConfigurations } })
      await call('cloudtrail', 'StartLogging', { Name: 'all' })
      await call('cloudtrail', 'PutEventSelectors', {
        TrailName: 'all',
        AdvancedEventSelectors: [
          { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Data'] },
              { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
            ],
          },
        ],
      })
      await pass(2 * INTERVAL_SECONDS)
      await sender.settled()
      const first = (await files(world)).length
      assert.ok(first > 0)
      await pass(3 * INTERVAL_SECONDS)
      await sender.settled()
      assert.equal((await files(world)).length, first, 'no file tells only of the notices of the one before')
      assert.equal(server.env.tables.range(Table.bucketEvents, {}).length, 0)
      const told = (await server.events()).filter(({ record }) => record['eventName'] === 'Publish').map(({ record }) => record)
      const notices = told.filter((record) => (record['additionalEventData'] as { causedByTrail?: string } | undefined)?.causedByTrail)
      assert.equal(notices.length, first, 'each log file was told')
    } finally {
      await sender.stop()
    }
  }))
