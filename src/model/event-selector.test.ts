// What selectors take: the examples of the CloudTrail user guide and the corners of each operator.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCustomSelectors, type SelectableEvent, takesEvent, wantsDataEvents } from './event-selector.ts'
import type { AdvancedFieldSelector, EventSelector, TrailSelection } from './trail.ts'

const ACCOUNT = '111122223333'
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:orders-new`

const createTopic: SelectableEvent = {
  eventCategory: 'Management',
  eventSource: 'sns.amazonaws.com',
  eventName: 'CreateTopic',
  eventType: 'AwsApiCall',
  awsRegion: 'us-east-1',
  readOnly: false,
  recipientAccountId: ACCOUNT,
  userIdentity: { arn: `arn:aws:iam::${ACCOUNT}:root` },
}
const listTopics: SelectableEvent = { ...createTopic, eventName: 'ListTopics', readOnly: true }
const decrypt: SelectableEvent = { ...createTopic, eventSource: 'kms.amazonaws.com', eventName: 'Decrypt' }
const publish: SelectableEvent = {
  ...createTopic,
  eventCategory: 'Data',
  eventName: 'Publish',
  resources: [{ type: 'AWS::SNS::Topic', ARN: TOPIC }],
}
const putObject: SelectableEvent = {
  ...createTopic,
  eventCategory: 'Data',
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  resources: [
    { type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::box/a/b' },
    { type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::box' },
  ],
}
const getObject: SelectableEvent = { ...putObject, eventName: 'GetObject', readOnly: true }

function trail(more: Partial<TrailSelection> = {}): TrailSelection {
  return {
    trailArn: `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/all`,
    account: ACCOUNT,
    homeRegion: 'us-east-1',
    bucketName: 'logs',
    keyPrefix: '',
    isMultiRegion: false,
    includeGlobalServiceEvents: true,
    isRecursive: true,
    isLogging: true,
    ...more,
  }
}

const basic = (selector: EventSelector) => trail({ eventSelectors: [selector] })
const advanced = (...fields: AdvancedFieldSelector[]) => trail({ advancedEventSelectors: [{ FieldSelectors: fields }] })
const DATA: AdvancedFieldSelector = { Field: 'eventCategory', Equals: ['Data'] }
const TOPICS: AdvancedFieldSelector = { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] }

function assertTakes(selection: TrailSelection, taken: readonly SelectableEvent[], left: readonly SelectableEvent[]): void {
  for (const event of taken) assert.ok(takesEvent(selection, event), `takes ${event.eventName}`)
  for (const event of left) assert.ok(!takesEvent(selection, event), `leaves ${event.eventName}`)
}

test('a new trail takes all management events and no data events', () => {
  assertTakes(trail(), [createTopic, listTopics, decrypt], [publish, putObject])
  assert.ok(!hasCustomSelectors(trail()))
})

test('account, region and global services decide before any selector', () => {
  const elsewhere = { ...createTopic, awsRegion: 'eu-west-1' }
  const iam = { ...createTopic, eventSource: 'iam.amazonaws.com', eventName: 'CreateUser' }
  assertTakes(trail(), [iam], [{ ...createTopic, recipientAccountId: '999999999999' }, elsewhere])
  assertTakes(trail({ isMultiRegion: true }), [elsewhere], [])
  assertTakes(trail({ includeGlobalServiceEvents: false }), [createTopic], [iam])
})

test('a trail that is not recursive leaves out what its own delivery caused', () => {
  const own = { ...createTopic, additionalEventData: { causedByTrail: trail().trailArn } }
  const others = { ...createTopic, additionalEventData: { causedByTrail: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/other' } }
  assertTakes(trail(), [own, others], [])
  assertTakes(trail({ isRecursive: false }), [others, createTopic], [own])
})

test('basic selectors choose by access, category, source and resource', () => {
  assertTakes(basic({ ReadWriteType: 'WriteOnly' }), [createTopic], [listTopics])
  assertTakes(basic({ ReadWriteType: 'ReadOnly' }), [listTopics], [createTopic])
  assertTakes(basic({ IncludeManagementEvents: false }), [], [createTopic, listTopics])
  assertTakes(basic({ ExcludeManagementEventSources: ['kms.amazonaws.com'] }), [createTopic], [decrypt])
  const objects = (...values: string[]) => basic({ DataResources: [{ Type: 'AWS::S3::Object', Values: values }] })
  for (const value of ['arn:aws:s3', 'arn:aws:s3:::', 'arn:aws:s3:::box/', 'arn:aws:s3:::box/a/'])
    assertTakes(objects(value), [putObject, createTopic], [publish])
  assertTakes(objects('arn:aws:s3:::box/b', 'arn:aws:s3:::other/'), [], [putObject])
  assertTakes(
    basic({ ReadWriteType: 'ReadOnly', DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }),
    [getObject],
    [putObject],
  )
  assert.ok(hasCustomSelectors(objects('arn:aws:s3')))
})

test('one of several selectors is enough', () => {
  assertTakes(trail({ eventSelectors: [{ ReadWriteType: 'ReadOnly' }, { ReadWriteType: 'WriteOnly' }] }), [createTopic, listTopics], [])
})

test('advanced selectors take the data events of SNS that they name', () => {
  const names: AdvancedFieldSelector = { Field: 'eventName', Equals: ['Publish', 'PublishBatch'] }
  const arns: AdvancedFieldSelector = { Field: 'resources.ARN', StartsWith: [`arn:aws:sns:us-east-1:${ACCOUNT}:orders-`] }
  const foreignTopic = { ...publish, resources: [{ type: 'AWS::SNS::Topic', ARN: `${TOPIC.replace('orders', 'bills')}` }] }
  assertTakes(
    advanced(DATA, TOPICS, names, arns),
    [publish, { ...publish, eventName: 'PublishBatch' }],
    [createTopic, putObject, foreignTopic],
  )
  assert.ok(hasCustomSelectors(advanced(DATA, TOPICS)))
})

test('each operator does what its name says', () => {
  const byName = (operators: Omit<AdvancedFieldSelector, 'Field'>) => advanced(DATA, TOPICS, { Field: 'eventName', ...operators })
  const batch = { ...publish, eventName: 'PublishBatch' }
  assertTakes(byName({ Equals: ['Publish'] }), [publish], [batch])
  assertTakes(byName({ NotEquals: ['Publish'] }), [batch], [publish])
  assertTakes(byName({ StartsWith: ['Pub'] }), [publish, batch], [])
  assertTakes(byName({ NotStartsWith: ['Publish'] }), [], [publish, batch])
  assertTakes(byName({ EndsWith: ['Batch', 'x'] }), [batch], [publish])
  assertTakes(byName({ NotEndsWith: ['Batch', 'x'] }), [publish], [batch])
  // Several operators of one field must all hold; a Not list holds when none of it fits.
  assertTakes(byName({ StartsWith: ['Pub'], NotEndsWith: ['Batch'] }), [publish], [batch])
  assertTakes(byName({ NotEquals: ['Publish', 'PublishBatch'] }), [], [publish, batch])
})

test('ARNs count for resources of the selected type alone, and absent members fit no positive condition', () => {
  const objects: AdvancedFieldSelector = { Field: 'resources.type', Equals: ['AWS::S3::Object'] }
  assertTakes(advanced(DATA, objects, { Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::box/'] }), [putObject], [])
  assertTakes(advanced(DATA, objects, { Field: 'resources.ARN', Equals: ['arn:aws:s3:::box'] }), [], [putObject])
  assertTakes(advanced(DATA, objects, { Field: 'readOnly', Equals: ['true'] }), [getObject], [putObject])
  assertTakes(advanced(DATA, objects, { Field: 'errorCode', Equals: ['AccessDenied'] }), [], [putObject])
  assertTakes(
    advanced(DATA, objects, { Field: 'errorCode', NotEquals: ['AccessDenied'] }),
    [putObject],
    [{ ...putObject, errorCode: 'AccessDenied' }],
  )
  assertTakes(
    advanced(DATA, objects, { Field: 'userIdentity.arn', EndsWith: [':root'] }),
    [putObject],
    [{ ...putObject, userIdentity: {} }],
  )
})

test('a refused call names no resource and is taken where no ARN is asked for', () => {
  const { resources: _, ...refusedPublish } = { ...publish, errorCode: 'AccessDenied' }
  const refusedPut = { ...putObject, resources: [], errorCode: 'AccessDenied' }
  assertTakes(advanced(DATA, TOPICS), [refusedPublish], [refusedPut])
  assertTakes(advanced(DATA, TOPICS, { Field: 'resources.ARN', Equals: [TOPIC] }), [publish], [refusedPublish])
  const objects = (value: string) => basic({ DataResources: [{ Type: 'AWS::S3::Object', Values: [value] }] })
  assertTakes(objects('arn:aws:s3'), [refusedPut], [refusedPublish])
  assertTakes(objects('arn:aws:s3:::box/'), [putObject], [refusedPut])
})

test('data events of a service are wanted when a logging trail selects a type of it', () => {
  assert.ok(wantsDataEvents([trail(), advanced(DATA, TOPICS)], 'sns.amazonaws.com'))
  assert.ok(!wantsDataEvents([trail(), advanced(DATA, TOPICS)], 's3.amazonaws.com'))
  assert.ok(wantsDataEvents([basic({ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] })], 's3.amazonaws.com'))
  assert.ok(!wantsDataEvents([basic({ DataResources: [{ Type: 'AWS::S3::Object', Values: [] }] })], 's3.amazonaws.com'))
  assert.ok(!wantsDataEvents([{ ...advanced(DATA, TOPICS), isLogging: false }], 'sns.amazonaws.com'))
})
