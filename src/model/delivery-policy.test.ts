import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AWS_MANAGED,
  CUSTOMER_MANAGED,
  DEFAULT_RETRY,
  DeliveryPolicyError,
  type RetryPolicy,
  effectivePolicy,
  effectiveSubscriptionPolicy,
  effectiveTopicPolicy,
  httpRetryDelayMs,
  parseSubscriptionPolicy,
  parseTopicPolicy,
  retryDelayMs,
} from './delivery-policy.ts'

test('the default is what AWS shows, key by key', () => {
  assert.equal(
    effectiveTopicPolicy(undefined),
    '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,' +
      '"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,' +
      '"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}',
  )
  assert.deepEqual(
    [1, 2, 3, 4].map((retry) => httpRetryDelayMs(DEFAULT_RETRY, retry)),
    [20_000, 20_000, 20_000, undefined],
  )
})

test('a topic policy is kept without nulls and lies over the defaults leaf by leaf', () => {
  const kept = parseTopicPolicy(
    '{"http":{"defaultHealthyRetryPolicy":{"numRetries":5,"minDelayTarget":null},"defaultThrottlePolicy":null}}',
  )
  assert.equal(kept, '{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"disableSubscriptionOverrides":false}}')
  assert.equal(parseTopicPolicy(kept), kept)
  const effective = JSON.parse(effectiveTopicPolicy(kept)) as { http: { defaultHealthyRetryPolicy: RetryPolicy } }
  assert.deepEqual(effective.http.defaultHealthyRetryPolicy, { ...DEFAULT_RETRY, numRetries: 5 })
})

test('a subscription policy is shown with every section', () => {
  assert.equal(
    parseSubscriptionPolicy('{"requestPolicy":{"headerContentType":"application/json"}}'),
    '{"healthyRetryPolicy":null,"sicklyRetryPolicy":null,"throttlePolicy":null,' +
      '"requestPolicy":{"headerContentType":"application/json"},"guaranteed":false}',
  )
  const kept = parseSubscriptionPolicy(
    '{"healthyRetryPolicy":{"numRetries":1,"minDelayTarget":2,"maxDelayTarget":"3"},"throttlePolicy":{"maxReceivesPerSecond":7}}',
  )
  assert.equal(
    kept,
    '{"healthyRetryPolicy":{"minDelayTarget":2,"maxDelayTarget":3,"numRetries":1,"numMaxDelayRetries":0,' +
      '"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"sicklyRetryPolicy":null,' +
      '"throttlePolicy":{"maxReceivesPerSecond":7},"requestPolicy":null,"guaranteed":false}',
  )
  assert.equal(parseSubscriptionPolicy(kept), kept)
})

test('the subscription wins over the topic, unless the topic forbids it', () => {
  const own = parseSubscriptionPolicy(
    '{"healthyRetryPolicy":{"numRetries":0,"minDelayTarget":1,"maxDelayTarget":1},"requestPolicy":{"headerContentType":"text/csv"}}',
  )
  const topic = (disable: boolean) =>
    parseTopicPolicy(
      JSON.stringify({
        http: {
          defaultHealthyRetryPolicy: { numRetries: 9 },
          disableSubscriptionOverrides: disable,
          defaultThrottlePolicy: { maxReceivesPerSecond: 5 },
        },
      }),
    )
  const open = effectivePolicy(own, topic(false))
  assert.deepEqual([open.retry.numRetries, open.maxReceivesPerSecond, open.contentType], [0, 5, 'text/csv'])
  const closed = effectivePolicy(own, topic(true))
  assert.deepEqual([closed.retry.numRetries, closed.maxReceivesPerSecond, closed.contentType], [9, 5, undefined])
  assert.deepEqual(effectivePolicy(undefined, undefined).retry, DEFAULT_RETRY)
  const shown = JSON.parse(effectiveSubscriptionPolicy(undefined, topic(false))) as Record<string, unknown>
  assert.deepEqual(shown['requestPolicy'], { headerContentType: 'text/plain; charset=UTF-8' })
  assert.deepEqual(shown['throttlePolicy'], { maxReceivesPerSecond: 5 })
})

test('what is wrong is named in the words of AWS', () => {
  const healthy = (fields: object) =>
    JSON.stringify({ healthyRetryPolicy: { numRetries: 3, minDelayTarget: 20, maxDelayTarget: 20, ...fields } })
  const cases: [string, string][] = [
    [healthy({ minDelayTarget: 0 }), 'healthyRetryPolicy.minDelayTarget must be greater than or equal to 1'],
    [healthy({ maxDelayTarget: 3601 }), 'healthyRetryPolicy.maxDelayTarget must be less than or equal to 3600'],
    [healthy({ maxDelayTarget: 19 }), 'healthyRetryPolicy.maxDelayTarget must be greater than or equal to minDelayTarget'],
    [healthy({ numRetries: 101 }), 'healthyRetryPolicy.numRetries must be less than or equal to 100'],
    [healthy({ numNoDelayRetries: -1 }), 'healthyRetryPolicy.numNoDelayRetries must be greater than or equal to 0'],
    [
      healthy({ numNoDelayRetries: 2, numMaxDelayRetries: 2 }),
      'healthyRetryPolicy.numRetries must be greater than or equal to total of ' +
        'numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries',
    ],
    [healthy({ backoffFunction: 'fast' }), 'healthyRetryPolicy.backoffFunction: the value [fast] is not a valid backoff function'],
    [healthy({ numRetries: 1.5 }), 'healthyRetryPolicy.numRetries must be an integer'],
    [healthy({ maxDelayTarget: null }), 'healthyRetryPolicy.maxDelayTarget must be specified'],
    ['{"throttlePolicy":{"maxReceivesPerSecond":0}}', 'throttlePolicy.maxReceivesPerSecond must be greater than or equal to 1'],
    ['{"retryPolicy":{}}', 'Unexpected JSON member: retryPolicy'],
    ['[]', 'the policy must be a JSON object'],
  ]
  for (const [text, message] of cases) assert.throws(() => parseSubscriptionPolicy(text), { name: 'DeliveryPolicyError', message })
  assert.throws(() => parseTopicPolicy('{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'), {
    message: 'http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100',
  })
  assert.throws(() => parseTopicPolicy('{"http":{"throttlePolicy":{}}}'), { message: 'Unexpected JSON member: throttlePolicy' })
  assert.throws(() => parseTopicPolicy('{'), /^DeliveryPolicyError: failed to parse JSON\. /)
  for (const type of [
    'text/x-evil',
    'text/plain\r\nx: y',
    'text/plain; charset=a\r\n',
    'text/plain\n',
    'text/plain; charset=',
    'text/plain;',
    7,
  ])
    assert.throws(
      () => parseSubscriptionPolicy(JSON.stringify({ requestPolicy: { headerContentType: type } })),
      DeliveryPolicyError,
      String(type),
    )
  for (const type of ['application/json', 'text/plain; charset=UTF-8', 'Text/XML;charset="utf-8"'])
    parseSubscriptionPolicy(JSON.stringify({ requestPolicy: { headerContentType: type } }))
})

const retryPolicies = fc
  .record({
    phases: fc.tuple(fc.nat(25), fc.nat(25), fc.nat(25), fc.nat(25)),
    delays: fc.tuple(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: 1, max: 3600 })),
    backoffFunction: fc.constantFrom('linear', 'arithmetic', 'geometric', 'exponential'),
  })
  .map(({ phases: [none, min, backoff, max], delays, backoffFunction }) => ({
    minDelayTarget: Math.min(...delays),
    maxDelayTarget: Math.max(...delays),
    numRetries: none + min + backoff + max,
    numMaxDelayRetries: max,
    numNoDelayRetries: none,
    numMinDelayRetries: min,
    backoffFunction,
  })) as fc.Arbitrary<RetryPolicy>

test('each phase has its number of retries, delays stay in bounds and never shrink, and they end', () => {
  fc.assert(
    fc.property(retryPolicies, (policy) => {
      const delays = Array.from({ length: policy.numRetries }, (_, at) => retryDelayMs(policy, at + 1))
      assert.equal(retryDelayMs(policy, policy.numRetries + 1), undefined)
      const [min, max] = [policy.minDelayTarget * 1000, policy.maxDelayTarget * 1000]
      assert.ok(delays.slice(0, policy.numNoDelayRetries).every((delay) => delay === 0))
      const waiting = delays.slice(policy.numNoDelayRetries)
      assert.ok(waiting.every((delay) => delay !== undefined && delay >= min && delay <= max))
      assert.ok(waiting.slice(0, policy.numMinDelayRetries).every((delay) => delay === min))
      assert.ok(policy.numMaxDelayRetries === 0 || waiting.slice(-policy.numMaxDelayRetries).every((delay) => delay === max))
      assert.ok(waiting.every((delay, at) => at === 0 || (delay ?? 0) >= (waiting[at - 1] ?? 0)))
      const backoff = waiting.slice(policy.numMinDelayRetries, waiting.length - policy.numMaxDelayRetries)
      if (backoff.length > 1) assert.deepEqual([backoff[0], backoff.at(-1)], [min, max])
    }),
  )
})

test('every valid policy survives its text, and HTTP retries end within the hour', () => {
  fc.assert(
    fc.property(retryPolicies, (policy) => {
      const kept = parseSubscriptionPolicy(JSON.stringify({ healthyRetryPolicy: policy }))
      assert.deepEqual(effectivePolicy(kept, undefined).retry, policy)
      let total = 0
      for (let retry = 1, delay = httpRetryDelayMs(policy, 1); delay !== undefined; delay = httpRetryDelayMs(policy, ++retry))
        total += delay
      assert.ok(total <= 3_600_000)
    }),
  )
})

test('the four curves differ in the middle: exponential below geometric below arithmetic below linear', () => {
  const policy = { ...DEFAULT_RETRY, minDelayTarget: 10, maxDelayTarget: 100, numRetries: 9 }
  const middle = (['exponential', 'geometric', 'arithmetic', 'linear'] as const).map(
    (backoffFunction) => retryDelayMs({ ...policy, backoffFunction }, 5) ?? 0,
  )
  assert.deepEqual(
    middle,
    [...new Set(middle)].sort((a, b) => a - b),
  )
  assert.equal(middle[3], 55_000)
})

test('the fixed schedules are as documented', () => {
  assert.equal(AWS_MANAGED.retry.numRetries, 100_015)
  assert.deepEqual(
    [1, 3, 4, 5, 6, 15, 16, 100_015, 100_016].map((retry) => retryDelayMs(AWS_MANAGED.retry, retry)),
    [0, 0, 1000, 1000, 1000, 20_000, 20_000, 20_000, undefined],
  )
  assert.equal(CUSTOMER_MANAGED.retry.numRetries, 50)
  assert.deepEqual(
    [1, 2, 3, 12, 13, 50, 51].map((retry) => retryDelayMs(CUSTOMER_MANAGED.retry, retry)),
    [10_000, 10_000, 10_000, 600_000, 600_000, 600_000, undefined],
  )
})
