import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../model/service-error.ts'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { BUCKET_POLICY } from '../../../tests/trail-world.ts'
import { s3 } from '../s3/index.ts'
import { cloudtrail } from './index.ts'

const ARN = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/all`
type Ask = (operation: string, input: object, region?: string) => Promise<Readonly<Record<string, unknown>>>

async function withTrail(run: (ask: Ask, refused: (input: object, shape: string, text?: RegExp) => Promise<void>) => Promise<void>) {
  const server = await createHarness(() => ({ cloudtrail, s3 }))
  const ask: Ask = (operation, input, region = 'us-east-1') => server.call('cloudtrail', operation, input, undefined, { region })
  try {
    await server.call('s3', 'CreateBucket', { Bucket: 'logs' })
    await server.call('s3', 'PutBucketPolicy', { Bucket: 'logs', Policy: BUCKET_POLICY })
    await ask('CreateTrail', { Name: 'all', S3BucketName: 'logs', IsMultiRegionTrail: true })
    await run(ask, (input, shape, text = /./) =>
      assert.rejects(ask('PutInsightSelectors', { TrailName: 'all', ...input }), (error) => {
        assert.ok(error instanceof ServiceError)
        assert.equal(error.shape, shape, error.message)
        assert.match(error.message, text)
        return true
      }),
    )
  } finally {
    await server.close()
  }
}

const INVALID = 'InvalidInsightSelectorsException'
const rate = (...EventCategories: readonly string[]) => [
  { InsightType: 'ApiCallRateInsight', ...(EventCategories.length > 0 && { EventCategories }) },
]
const errorRate = (...EventCategories: readonly string[]) => [
  { InsightType: 'ApiErrorRateInsight', ...(EventCategories.length > 0 && { EventCategories }) },
]
const management = (readOnly?: string) => ({
  FieldSelectors: [
    { Field: 'eventCategory', Equals: ['Management'] },
    ...(readOnly === undefined ? [] : [{ Field: 'readOnly', Equals: [readOnly] }]),
  ],
})
const DATA = {
  FieldSelectors: [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: ['AWS::SNS::Topic'] },
  ],
}

test('selectors are kept with the trail, and an empty list turns insights off', () =>
  withTrail(async (ask) => {
    const off =
      /^Trail all does not have Insights enabled\. Edit the trail settings to enable Insights, and then try the operation again\.$/
    await assert.rejects(ask('GetInsightSelectors', { TrailName: 'all' }), { code: 'InsightNotEnabledException', message: off })
    const InsightSelectors = [...rate(), ...errorRate('Management')]
    assert.deepEqual(await ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors }), { TrailARN: ARN, InsightSelectors })
    assert.deepEqual(await ask('GetInsightSelectors', { TrailName: ARN }), { TrailARN: ARN, InsightSelectors })
    const has = async () => ((await ask('GetTrail', { Name: 'all' }))['Trail'] as { HasInsightSelectors: boolean }).HasInsightSelectors
    assert.equal(await has(), true)
    await ask('UpdateTrail', { Name: 'all', S3KeyPrefix: '' })
    assert.equal(await has(), true, 'another change of the trail keeps them')
    await ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors: [] })
    assert.equal(await has(), false)
    await assert.rejects(ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors }, 'eu-west-1'), {
      code: 'InvalidHomeRegionException',
    })
  }))

test('each insight needs events of its kind to be logged', () =>
  withTrail(async (ask, refused) => {
    const select = (...AdvancedEventSelectors: readonly object[]) => ask('PutEventSelectors', { TrailName: 'all', AdvancedEventSelectors })
    await refused({ InsightSelectors: rate('Data') }, INVALID, /data events/)
    await select(management('true'))
    await refused({ InsightSelectors: rate() }, INVALID, /write management events/)
    await ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors: errorRate() })
    await select(DATA)
    await refused({ InsightSelectors: errorRate() }, INVALID, /management events/)
    await ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors: [...rate('Data'), ...errorRate('Data')] })
    await select(management('false'), DATA)
    await ask('PutInsightSelectors', { TrailName: 'all', InsightSelectors: [...rate('Management', 'Data'), ...errorRate()] })
    await ask('PutEventSelectors', { TrailName: 'all', EventSelectors: [{ ReadWriteType: 'ReadOnly' }] })
    await refused({ InsightSelectors: rate() }, INVALID)
  }))

test('bad input is refused by name', () =>
  withTrail(async (_ask, refused) => {
    await refused({ InsightSelectors: [{ InsightType: 'Other' }] }, INVALID, /InsightType must be one of/)
    await refused({ InsightSelectors: [{}] }, INVALID)
    await refused({ InsightSelectors: [...rate(), ...rate()] }, INVALID, /twice/)
    await refused({ InsightSelectors: rate('Other') }, INVALID, /EventCategories/)
    await refused({ InsightSelectors: [{ InsightType: 'ApiCallRateInsight', EventCategories: [] }] }, INVALID)
    await refused({ InsightSelectors: rate('Management', 'Management') }, INVALID, /twice/)
    await refused({ InsightSelectors: rate(), EventDataStore: 'x' }, 'InvalidParameterCombinationException')
    await refused({ InsightSelectors: rate(), TrailName: undefined }, 'InvalidParameterException')
    await refused({ InsightSelectors: rate(), TrailName: undefined, EventDataStore: 'x' }, 'EventDataStoreARNInvalidException')
    await refused({ InsightSelectors: rate(), TrailName: 'none' }, 'TrailNotFoundException')
  }))
