// Functions, delivery streams and queues of other servers that fail in every way there is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, type AwsService, failing } from '../../../tests/aws-service.ts'
import { delivering, hangs, type Protocol, subscribeTo, well } from '../../../tests/aws-world.ts'
import { letters, outcomes, publish, putQueue, REDRIVE, told } from '../../../tests/delivery-world.ts'

interface Fault {
  readonly name: string
  readonly answer: AwsService['answer']
  /** All three, where it is not said. */
  readonly of?: readonly Protocol[]
}

const ALL: readonly Protocol[] = ['lambda', 'firehose', 'sqs']

/** AWS-managed endpoints: three at once, two after a second, ten ever later, then every 20 s. */
const MANAGED_MS = [0, 0, 0, 1000, 1000, 1000]
/** Customers' endpoints, and streams that throttle. */
const CUSTOMER_MS = [10_000, 10_000, 10_000]

const TRANSIENT: readonly (Fault & { readonly reason: RegExp; readonly pausesMs?: readonly number[] })[] = [
  { name: 'fails', answer: failing(500, 'ServiceException'), reason: /^\w+ answered 500 ServiceException$/ },
  { name: 'is overloaded', answer: failing(503, 'ServiceUnavailable'), reason: /answered 503/, of: ['lambda', 'sqs'] },
  {
    name: 'throttles',
    answer: failing(429, 'TooManyRequestsException'),
    reason: /answered 429 TooManyRequestsException/,
    of: ['lambda', 'sqs'],
  },
  { name: 'throttles with a status of its own', answer: failing(400, 'RequestThrottled'), reason: /400 RequestThrottled/, of: ['sqs'] },
  {
    name: 'throttles',
    answer: failing(400, 'ThrottlingException'),
    reason: /400 ThrottlingException/,
    pausesMs: CUSTOMER_MS,
    of: ['firehose'],
  },
  {
    name: 'is overloaded',
    answer: failing(503, 'ServiceUnavailableException'),
    reason: /503 Serv/,
    pausesMs: CUSTOMER_MS,
    of: ['firehose'],
  },
  {
    name: 'asks for a pause',
    answer: failing(503, 'SlowDown', { 'retry-after': '7' }),
    reason: /503 SlowDown/,
    pausesMs: [7000, 7000],
    of: ['sqs'],
  },
  { name: 'is under change', answer: failing(409, 'ResourceConflictException'), reason: /409 ResourceConflictException/, of: ['lambda'] },
  {
    name: 'does not take the key any more',
    answer: failing(403, 'ExpiredTokenException'),
    reason: /403 ExpiredTokenException: look at the credentials/,
  },
  {
    name: 'resets',
    answer: (_request, { socket }) => void socket?.resetAndDestroy(),
    reason: /^\w+: the connection was closed before the answer$/,
  },
  { name: 'hangs', answer: hangs, reason: /^\w+: no complete answer in time$/ },
]

for (const { name, answer, reason, pausesMs = MANAGED_MS, of = ALL } of TRANSIENT)
  for (const protocol of of)
    test(`${protocol} that ${name} is tried again by its schedule`, async (t) => {
      const { here, service, run } = await delivering(t, protocol)
      service.answer = answer
      await subscribeTo(here, protocol, REDRIVE)
      await publish(here, 'hi')
      await run(pausesMs.length + 1)
      const records = told(here)
      assert.deepEqual([...new Set(outcomes(here))], ['retry'])
      for (const record of records) assert.match(record.reason, reason)
      records.slice(1).forEach(({ startedAt }, at) => {
        const last = records[at]
        const pause = startedAt - (last?.startedAt ?? 0) - (last?.durationMs ?? 0)
        const least = pausesMs[at] ?? 0
        assert.ok(pause >= least - 1 && pause <= least * 1.1 + 300, `pause ${at + 1} was ${pause}`)
      })
      service.answer = well[protocol]
      await run()
      assert.equal(outcomes(here).at(-1), 'delivered')
    })

const PERMANENT: readonly (Fault & { readonly reason: string })[] = [
  {
    name: 'is not there',
    answer: failing(404, 'ResourceNotFoundException'),
    reason: 'lambda answered 404 ResourceNotFoundException',
    of: ['lambda'],
  },
  {
    name: 'is not there',
    answer: failing(400, 'ResourceNotFoundException'),
    reason: 'firehose answered 400 ResourceNotFoundException',
    of: ['firehose'],
  },
  { name: 'is not there', answer: failing(400, 'QueueDoesNotExist'), reason: 'sqs answered 400 QueueDoesNotExist', of: ['sqs'] },
  { name: 'denies', answer: failing(403, 'AccessDeniedException'), reason: 'sqs answered 403 AccessDeniedException', of: ['sqs'] },
  {
    name: 'tells its code in a header',
    answer: failing(403, 'x', { 'x-amzn-errortype': 'AccessDeniedException:http://x/' }),
    reason: 'lambda answered 403 AccessDeniedException',
    of: ['lambda'],
  },
  {
    name: 'ran and failed',
    answer: answering({}, 200, { 'x-amz-function-error': 'Unhandled' }),
    reason: 'the function failed: Unhandled',
    of: ['lambda'],
  },
  {
    name: 'is this very server',
    answer: failing(508, 'LoopDetected'),
    reason: 'sqs answered 508 LoopDetected: the endpoint is this very server',
    of: ['sqs'],
  },
  {
    name: 'redirects',
    answer: (_request, response) => response.writeHead(307, { location: 'http://10.0.0.1/' }).end(),
    reason: 'lambda answered 307; redirects are not followed',
    of: ['lambda'],
  },
]

for (const { name, answer, reason, of = ALL } of PERMANENT)
  for (const protocol of of)
    test(`${protocol} that ${name} is given up, and its letter is the envelope`, async (t) => {
      const { here, service, run } = await delivering(t, protocol)
      await putQueue(here)
      service.answer = answer
      await subscribeTo(here, protocol, REDRIVE)
      await publish(here, 'hi')
      await run()
      assert.deepEqual(
        told(here).map(({ outcome, reason: why }) => [outcome, why]),
        [['dead-lettered', reason]],
      )
      const [letter] = letters(here)
      assert.deepEqual(Object.keys(JSON.parse(letter?.body ?? '') as object), [
        'Type',
        'MessageId',
        'TopicArn',
        'Message',
        'Timestamp',
        'UnsubscribeURL',
      ])
    })

test('a stream that throttles for six hours is given up', async (t) => {
  const { here, service, run } = await delivering(t, 'firehose')
  await putQueue(here)
  service.answer = failing(503, 'ServiceUnavailableException')
  await subscribeTo(here, 'firehose', REDRIVE)
  await publish(here, 'hi')
  const from = here.clock.now()
  await run()
  assert.deepEqual([told(here).length, outcomes(here).at(-1)], [51, 'dead-lettered'])
  assert.ok(here.clock.now() - from > 6 * 3600 * 1000)
})

test('where nobody listens, where it may not go, and what the service takes no key of', async (t) => {
  const nobody = await delivering(t, 'lambda', 'http://127.0.0.1:1')
  await subscribeTo(nobody.here, 'lambda')
  await publish(nobody.here, 'hi')
  await nobody.run(2)
  assert.equal(told(nobody.here)[0]?.reason, 'lambda: the connection was refused')
  const inside = await delivering(t, 'sqs', 'http://10.1.2.3')
  await subscribeTo(inside.here, 'sqs')
  await publish(inside.here, 'hi')
  await inside.run(1)
  assert.match(told(inside.here)[0]?.reason ?? '', /10\.1\.2\.3 is a private address; outbound\.allow/)
  // What the operator named, the operator can permit.
  assert.equal(outcomes(inside.here)[0], 'retry')
})
