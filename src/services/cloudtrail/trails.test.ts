// Trails through the real call pipeline: names, checks, echoes, selectors, tags; a stand-in takes the notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyOperation, Service } from '../../engine/operation.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import { ACCOUNT, createHarness, type Harness, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { createCreateTrail } from './create-trail.ts'
import { cloudtrail } from './index.ts'
import { checkTrailName } from './trail-name.ts'

const ARN = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/all`
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:notices`

interface World extends Harness {
  readonly published: { readonly TopicArn: string; readonly Message: string }[]
  trail(operation: string, input?: object, region?: string): Promise<Record<string, unknown>>
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const published: { TopicArn: string; Message: string }[] = []
  const publish: AnyOperation = {
    name: 'Publish',
    access: 'write',
    ungated: true,
    record: { parameters: () => null, response: () => null },
    run: (_tx, input) => {
      published.push(input)
      return {}
    },
  }
  const sns: Service = { ...cloudtrail, name: 'sns', eventSource: 'sns.amazonaws.com', operations: { Publish: publish } }
  const limited: Service = { ...cloudtrail, operations: { ...cloudtrail.operations, CreateTrail: createCreateTrail(5) } }
  const server = await createHarness(() => ({ cloudtrail, sns, limited }))
  const { commits } = server.env
  const bucket = { owner: ACCOUNT, region: 'us-east-1', createdAt: 0 }
  await commits.commit((tx) => {
    tx.put(Table.buckets, 'logs', { ...bucket, name: 'logs', policy: bucketPolicy('logs', `AWSLogs/${ACCOUNT}`) })
    const open = {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:*',
      Resource: ['arn:aws:s3:::any', 'arn:aws:s3:::any/*'],
    }
    tx.put(Table.buckets, 'any', { ...bucket, name: 'any', policy: JSON.stringify({ Version: '2012-10-17', Statement: [open] }) })
    tx.put(Table.buckets, 'closed', { ...bucket, name: 'closed' })
  }).done
  try {
    await run({
      ...server,
      published,
      trail: (operation, input, region = 'us-east-1') => server.call('cloudtrail', operation, input, undefined, { region }),
    })
  } finally {
    await server.close()
  }
}

function bucketPolicy(bucket: string, folder: string): string {
  const principal = { Service: 'cloudtrail.amazonaws.com' }
  const arn = `arn:aws:s3:::${bucket}`
  const source = { 'aws:SourceArn': `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/all` }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: principal, Action: 's3:GetBucketAcl', Resource: arn, Condition: { StringEquals: source } },
      {
        Effect: 'Allow',
        Principal: principal,
        Action: 's3:PutObject',
        Resource: `${arn}/${folder}/*`,
        Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', ...source } },
      },
    ],
  })
}

function putTopic({ env }: World, policy?: object): Promise<void> {
  const attributes: Record<string, string> = policy === undefined ? {} : { Policy: JSON.stringify(policy) }
  const topic = { topicArn: TOPIC, owner: ACCOUNT, createdAt: 0, attributes, tags: {}, subscriptionsDeleted: 0 }
  return env.commits.commit((tx) => tx.put(Table.topics, TOPIC, topic)).done
}

function topicPolicy(): object {
  const statement = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 'SNS:Publish', Resource: TOPIC }
  return { Version: '2012-10-17', Statement: [statement] }
}

const BASE = { Name: 'all', S3BucketName: 'logs' }

test('a new trail echoes what it is and logs nothing', () =>
  withWorld(async ({ trail }) => {
    const echo = {
      Name: 'all',
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: ARN,
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
    }
    assert.deepEqual(await trail('CreateTrail', BASE), echo)
    const description = { ...echo, HomeRegion: 'us-east-1', HasCustomEventSelectors: false, HasInsightSelectors: false }
    for (const name of ['all', ARN]) assert.deepEqual(await trail('GetTrail', { Name: name }), { Trail: description })
    assert.deepEqual(await trail('DescribeTrails'), { trailList: [description] })
    assert.deepEqual(await trail('ListTrails'), { Trails: [{ TrailARN: ARN, Name: 'all', HomeRegion: 'us-east-1' }] })
    const status = await trail('GetTrailStatus', { Name: 'all' })
    assert.equal(status['IsLogging'], false)
    assert.equal('StartLoggingTime' in status, false)
    assert.equal(status['TimeLoggingStarted'], '')
    await assert.rejects(trail('CreateTrail', BASE), { code: 'TrailAlreadyExistsException', status: 400 })
  }))

test('names follow the rules of CloudTrail, in its words', () => {
  const refused: [string, RegExp][] = [
    ['ab', /^Trail name too short\. Minimum allowed length: 3 characters\. Specified name length: 2 characters\.$/],
    ['a'.repeat(129), /^Trail name too long\. Maximum allowed length: 128 characters\. Specified name length: 129 characters\.$/],
    ['-abc', /^Trail name must starts with a letter or number\.$/],
    ['abc-', /^Trail name must ends with a letter or number\.$/],
    ['a bc', /^Trail name or ARN can only contain uppercase letters/],
    ['a..b', /adjacent/],
    ['10.0.0.1', /IP address/],
  ]
  for (const [name, text] of refused) {
    assert.throws(
      () => checkTrailName(name),
      (error) => error instanceof ServiceError && error.code === 'InvalidTrailNameException' && text.test(error.message),
      name,
    )
  }
  for (const name of ['abc', 'a-b_c.d', '123', 'a'.repeat(128)]) checkTrailName(name)
})

test('a trail needs a bucket that lets CloudTrail in', () =>
  withWorld(async ({ trail }) => {
    await assert.rejects(trail('CreateTrail', { ...BASE, S3BucketName: 'absent' }), {
      code: 'S3BucketDoesNotExistException',
      message: 'S3 bucket absent does not exist!',
    })
    await assert.rejects(trail('CreateTrail', { ...BASE, S3BucketName: 'closed' }), {
      code: 'InsufficientS3BucketPolicyException',
      message: 'Incorrect S3 bucket policy is detected for bucket: closed',
    })
    // The policy names this trail and this folder, and no others.
    await assert.rejects(trail('CreateTrail', { ...BASE, Name: 'another' }), { code: 'InsufficientS3BucketPolicyException' })
    await assert.rejects(trail('CreateTrail', { ...BASE, S3KeyPrefix: 'elsewhere' }), { code: 'InsufficientS3BucketPolicyException' })
    await trail('CreateTrail', BASE)
  }))

test('a topic is checked and told before the trail exists', () =>
  withWorld(async (world) => {
    const { trail, published } = world
    const create = () => trail('CreateTrail', { ...BASE, SnsTopicName: 'notices' })
    await assert.rejects(create(), {
      code: 'InsufficientSnsTopicPolicyException',
      message: 'SNS Topic does not exist or the topic policy is incorrect!',
    })
    await putTopic(world)
    await assert.rejects(create(), { code: 'InsufficientSnsTopicPolicyException' })
    assert.deepEqual(published, [])
    await putTopic(world, topicPolicy())
    await assert.rejects(trail('CreateTrail', { ...BASE, SnsTopicName: 'orders.fifo' }), { code: 'InvalidSnsTopicNameException' })
    const made = await create()
    assert.deepEqual([made['SnsTopicName'], made['SnsTopicARN']], ['notices', TOPIC])
    assert.deepEqual(published, [{ TopicArn: TOPIC, Message: 'CloudTrail validation message.' }])
    const told = (await world.events()).find(({ record }) => record['eventName'] === 'Publish')?.record
    assert.deepEqual(told?.['userIdentity'], { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' })
    assert.deepEqual(told['additionalEventData'], { causedByTrail: ARN })
  }))

test('what is not offered is refused by name, and nothing is kept', () =>
  withWorld(async ({ trail }) => {
    const refused: [object, string, RegExp][] = [
      [{ CloudWatchLogsLogGroupArn: 'arn:aws:logs:x' }, 'CloudWatchLogsDeliveryUnavailableException', /CloudWatchLogsLogGroupArn/],
      [{ IsOrganizationTrail: true }, 'OrganizationsNotInUseException', /organization/],
      [{ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }, 'InvalidParameterCombinationException', /Multi-Region trail must/],
      [{ S3KeyPrefix: 'p'.repeat(201) }, 'InsufficientS3BucketPolicyException', /logs/],
    ]
    for (const [more, code, message] of refused) await assert.rejects(trail('CreateTrail', { ...BASE, ...more }), { code, message })
    assert.deepEqual(await trail('ListTrails'), { Trails: [] })
    await trail('CreateTrail', { ...BASE, EnableLogFileValidation: false, KmsKeyId: '', IsOrganizationTrail: false })
  }))

test('a key is kept as its ARN, whatever it was named by, and refused as CloudTrail does', () =>
  withWorld(async ({ trail, env }) => {
    const place = { account: ACCOUNT, region: 'us-east-1', alias: 'alias/logs' }
    const { result: key, done } = env.commits.commit((tx) => env.keys.create(tx, place))
    await done
    const other = env.commits.commit((tx) => env.keys.create(tx, { ...place, account: '999999999999' })).result
    const refused: [string, string][] = [
      ['no key', 'KmsKeyNotFoundException'],
      [key.arn.replace('us-east-1', 'eu-west-1'), 'KmsKeyNotFoundException'],
      ['alias/absent', 'InsufficientEncryptionPolicyException'],
      [other.arn, 'InsufficientEncryptionPolicyException'],
    ]
    for (const [KmsKeyId, code] of refused) await assert.rejects(trail('CreateTrail', { ...BASE, KmsKeyId }), { code }, KmsKeyId)
    const aliasArn = key.arn.replace(/key.*/, 'alias/logs')
    assert.equal((await trail('CreateTrail', { ...BASE, KmsKeyId: 'alias/logs' }))['KmsKeyId'], key.arn)
    for (const KmsKeyId of [key.keyId, key.arn, aliasArn])
      assert.equal((await trail('UpdateTrail', { Name: BASE.Name, KmsKeyId }))['KmsKeyId'], key.arn)
    assert.equal((await trail('UpdateTrail', { Name: BASE.Name }))['KmsKeyId'], key.arn, 'what is not given stays')
    await env.commits.commit((tx) => env.keys.setEnabled(tx, key.keyId, false)).done
    await assert.rejects(trail('UpdateTrail', { Name: BASE.Name, KmsKeyId: key.arn }), { code: 'KmsException', message: /disabled/ })
    assert.equal((await trail('UpdateTrail', { Name: BASE.Name, KmsKeyId: '' }))['KmsKeyId'], undefined)
  }))

test('logging starts and stops, and only in the home region', () =>
  withWorld(async ({ trail, clock }) => {
    await trail('CreateTrail', { ...BASE, IsMultiRegionTrail: true })
    await assert.rejects(trail('StartLogging', { Name: 'all' }, 'eu-west-1'), { code: 'InvalidHomeRegionException', message: /us-east-1/ })
    await assert.rejects(trail('StartLogging', { Name: ARN }, 'eu-west-1'), { code: 'InvalidHomeRegionException' })
    await trail('StartLogging', { Name: 'all' })
    const startedAt = clock.now()
    clock.advance(5000)
    await trail('StartLogging', { Name: ARN })
    let status = await trail('GetTrailStatus', { Name: 'all' })
    assert.deepEqual([status['IsLogging'], status['StartLoggingTime']], [true, new Date(startedAt)], 'a second start changes nothing')
    await trail('StopLogging', { Name: 'all' })
    status = await trail('GetTrailStatus', { Name: ARN }, 'eu-west-1')
    assert.deepEqual([status['IsLogging'], status['StopLoggingTime']], [false, new Date(clock.now())])
    assert.equal(status['TimeLoggingStopped'], '2026-01-02T03:04:10Z')
  }))

test('shadows of a multi-Region trail are seen everywhere and can be left out', () =>
  withWorld(async ({ trail }) => {
    await trail('CreateTrail', { ...BASE, IsMultiRegionTrail: true })
    const names = async (input: object, region: string) =>
      ((await trail('DescribeTrails', input, region))['trailList'] as { Name: string }[]).map(({ Name }) => Name)
    assert.deepEqual(await names({}, 'eu-west-1'), ['all'])
    assert.deepEqual(await names({ includeShadowTrails: false }, 'eu-west-1'), [])
    assert.deepEqual(await names({ trailNameList: ['all', 'unknown', ARN] }, 'eu-west-1'), ['all'])
    await trail('UpdateTrail', { Name: 'all', IsMultiRegionTrail: false })
    assert.deepEqual(await names({}, 'eu-west-1'), [])
    assert.deepEqual(await names({ trailNameList: [ARN] }, 'eu-west-1'), ['all'])
  }))

test('an unknown trail is named by its ARN, and by GetTrail as it was given', () =>
  withWorld(async ({ trail }) => {
    const message = `Unknown trail: arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/none for the user: ${ACCOUNT}`
    for (const operation of ['StartLogging', 'StopLogging', 'DeleteTrail', 'GetTrailStatus', 'UpdateTrail'])
      await assert.rejects(trail(operation, { Name: 'none' }), { code: 'TrailNotFoundException', message }, operation)
    await assert.rejects(trail('GetTrail', { Name: 'none' }), { message: `Unknown trail: none for the user: ${ACCOUNT}` })
    await assert.rejects(trail('GetTrail', { Name: 'arn:aws:sns:us-east-1:x' }), { code: 'CloudTrailARNInvalidException' })
  }))

test('another account sees nothing of a trail', () =>
  withWorld(async ({ trail, call }) => {
    await trail('CreateTrail', BASE)
    const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
    await assert.rejects(call('cloudtrail', 'GetTrail', { Name: ARN }, other), {
      code: 'AccessDeniedException',
      recordedCode: 'AccessDenied',
    })
    await assert.rejects(call('cloudtrail', 'DeleteTrail', { Name: ARN }, other), { code: 'AccessDeniedException' })
    assert.deepEqual(await call('cloudtrail', 'DescribeTrails', { trailNameList: [ARN] }, other), { trailList: [] })
    await assert.rejects(call('cloudtrail', 'ListTags', { ResourceIdList: [ARN] }, other), { code: 'TrailNotFoundException' })
  }))

test('an update changes what is given and keeps the rest', () =>
  withWorld(async (world) => {
    const { trail, published } = world
    await putTopic(world, topicPolicy())
    await trail('CreateTrail', { ...BASE, SnsTopicName: TOPIC, TagsList: [{ Key: 'a', Value: '1' }] })
    await trail('StartLogging', { Name: 'all' })
    const changed = await trail('UpdateTrail', { Name: 'all', IsMultiRegionTrail: true })
    assert.deepEqual([changed['IsMultiRegionTrail'], changed['SnsTopicARN'], published.length], [true, TOPIC, 1])
    assert.equal((await trail('GetTrailStatus', { Name: 'all' }))['IsLogging'], true)
    const without = await trail('UpdateTrail', { Name: 'all', SnsTopicName: '' })
    assert.equal('SnsTopicARN' in without, false)
    await assert.rejects(trail('UpdateTrail', { Name: 'all', S3BucketName: 'closed' }), { code: 'InsufficientS3BucketPolicyException' })
    await assert.rejects(trail('UpdateTrail', { Name: 'all', IncludeGlobalServiceEvents: false }), {
      code: 'InvalidParameterCombinationException',
    })
    assert.equal((await trail('UpdateTrail', { Name: 'all', RecursiveLogging: false }))['RecursiveLogging'], false)
  }))

test('selectors of either kind replace what was there, and are checked', () =>
  withWorld(async ({ trail }) => {
    await trail('CreateTrail', BASE)
    const get = () => trail('GetEventSelectors', { TrailName: 'all' })
    const initial = [{ ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] }]
    assert.deepEqual(await get(), { TrailARN: ARN, EventSelectors: initial })
    const advanced = [
      {
        Name: 'topics',
        FieldSelectors: [
          { Field: 'eventCategory', Equals: ['Data'] },
          { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
        ],
      },
    ]
    const put = (input: object) => trail('PutEventSelectors', { TrailName: 'all', ...input })
    assert.deepEqual(await put({ AdvancedEventSelectors: advanced }), { TrailARN: ARN, AdvancedEventSelectors: advanced })
    assert.deepEqual(await get(), { TrailARN: ARN, AdvancedEventSelectors: advanced })
    assert.equal(((await trail('GetTrail', { Name: 'all' }))['Trail'] as Record<string, unknown>)['HasCustomEventSelectors'], true)
    await assert.rejects(put({ EventSelectors: [{}], AdvancedEventSelectors: advanced }), { code: 'InvalidParameterCombinationException' })
    await assert.rejects(put({}), { code: 'InvalidEventSelectorsException' })
    await assert.rejects(put({ EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::*'] }] }] }), {
      code: 'InvalidEventSelectorsException',
      message: 'Value arn:aws:s3:::* for DataResources.Values is invalid.',
    })
    await assert.rejects(put({ AdvancedEventSelectors: [{ FieldSelectors: [] }] }), { code: 'InvalidEventSelectorsException' })
    assert.deepEqual(await get(), { TrailARN: ARN, AdvancedEventSelectors: advanced }, 'a refusal changes nothing')
    await put({ EventSelectors: [{ ReadWriteType: 'WriteOnly' }] })
    assert.deepEqual(await get(), { TrailARN: ARN, EventSelectors: [{ ...initial[0], ReadWriteType: 'WriteOnly' }] })
  }))

test('tags are set, listed and removed', () =>
  withWorld(async ({ trail }) => {
    await trail('CreateTrail', { ...BASE, TagsList: [{ Key: 'team', Value: 'audit' }] })
    await trail('AddTags', { ResourceId: ARN, TagsList: [{ Key: 'stage' }, { Key: 'team', Value: 'sec' }] })
    const list = () => trail('ListTags', { ResourceIdList: [ARN] })
    const tags = [
      { Key: 'team', Value: 'sec' },
      { Key: 'stage', Value: '' },
    ]
    assert.deepEqual(await list(), { ResourceTagList: [{ ResourceId: ARN, TagsList: tags }] })
    await trail('RemoveTags', { ResourceId: ARN, TagsList: [{ Key: 'team' }, { Key: 'unknown' }] })
    assert.deepEqual(await list(), { ResourceTagList: [{ ResourceId: ARN, TagsList: [{ Key: 'stage', Value: '' }] }] })
    const many = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}` }))
    await assert.rejects(trail('AddTags', { ResourceId: ARN, TagsList: many }), { code: 'TagsLimitExceededException' })
    await assert.rejects(trail('AddTags', { ResourceId: ARN, TagsList: [{ Key: 'aws:x' }] }), { code: 'InvalidTagParameterException' })
    await assert.rejects(trail('AddTags', { ResourceId: 'all', TagsList: [] }), { code: 'CloudTrailARNInvalidException' })
  }))

test('trail calls are management events in the form of CloudTrail', () =>
  withWorld(async ({ trail, events }) => {
    await trail('CreateTrail', BASE)
    await trail('StartLogging', { Name: 'all' })
    await assert.rejects(trail('DeleteTrail', { Name: 'none' }))
    const [created, started, refused] = (await events()).map(({ record }) => record)
    assert.deepEqual(created?.['requestParameters'], { name: 'all', s3BucketName: 'logs' })
    assert.deepEqual(created['responseElements'], {
      name: 'all',
      s3BucketName: 'logs',
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: false,
      trailARN: ARN,
      logFileValidationEnabled: false,
      isOrganizationTrail: false,
    })
    assert.deepEqual([started?.['responseElements'], started?.['managementEvent']], [null, true])
    assert.equal(refused?.['errorCode'], 'TrailNotFoundException')
  }))

test('with the limits of AWS an account has five trails in a region, shadows counted', () =>
  withWorld(async ({ call }) => {
    const create = (Name: string, region = 'us-east-1', more: object = {}) =>
      call('limited', 'CreateTrail', { Name, S3BucketName: 'any', ...more }, undefined, { region })
    await create('shadow', 'eu-west-1', { IsMultiRegionTrail: true })
    for (const name of ['one', 'two', 'three', 'four']) await create(name)
    await assert.rejects(create('five'), {
      code: 'MaximumNumberOfTrailsExceededException',
      message: `User: ${ACCOUNT} already has 5 trails in us-east-1.`,
    })
    await create('one', 'eu-west-1')
  }))
