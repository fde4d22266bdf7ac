import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCase } from '../../../tests/filter-policies/arbitrary.ts'
import { isGood, messageOf, policyOf } from '../../../tests/filter-policies/matcher.ts'
import { type Case, naiveVerdict } from '../../../tests/filter-policies/naive.ts'
import { type FilteredMessage, SubscriptionFilters, passesFilter } from './subscription-filters.ts'
import { parseFilterPolicy } from './parse-policy.ts'

const good = anyCase.filter(isGood)

function add(filters: SubscriptionFilters<string>, key: string, one: Case): void {
  const policy = policyOf(one)
  assert.ok(policy !== undefined)
  filters.set(key, policy, 'sqs', key)
}

test('together the policies find what each finds alone, as they come, change and go', () => {
  const step = fc.record({ key: fc.integer({ min: 0, max: 30 }), one: fc.option(good, { freq: 4 }) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), fc.array(good, { minLength: 1, maxLength: 5 }), (steps, messages) => {
      const filters = new SubscriptionFilters<string>()
      const present = new Map<string, Case>()
      for (const { key, one } of steps) {
        if (one === null) {
          filters.delete(String(key))
          present.delete(String(key))
        } else {
          add(filters, String(key), one)
          present.set(String(key), one)
        }
      }
      assert.equal(filters.size, present.size)
      for (const { attributes, body } of messages) {
        const expected = [...present].filter(([, { scope, policy }]) =>
          naiveVerdict({ ...(scope && { scope }), policy, ...(attributes && { attributes }), body }),
        )
        assert.deepEqual(
          filters.match(messageOf({ policy: '', ...(attributes && { attributes }), body })).sort(),
          expected.map(([key]) => key).sort(),
        )
      }
    }),
    { numRuns: 300 },
  )
})

test('what went leaves nothing behind', () => {
  fc.assert(
    fc.property(fc.array(good, { minLength: 1, maxLength: 40 }), (cases) => {
      const filters = new SubscriptionFilters<string>()
      for (const [at, one] of cases.entries()) add(filters, String(at), one)
      for (const at of cases.keys()) filters.delete(String(at))
      for (const one of cases) assert.deepEqual(filters.match(messageOf(one)), [])
      assert.equal(filters.size, 0)
    }),
    { numRuns: 100 },
  )
})

test('with a text for each protocol, policies on the body see their own', () => {
  const filters = new SubscriptionFilters<string>()
  const policy = parseFilterPolicy('{"kind":["a"]}', 'MessageBody')
  assert.ok(policy !== undefined)
  for (const protocol of ['http', 'sqs', 'lambda']) filters.set(protocol, policy, protocol, protocol)
  const message: FilteredMessage = {
    structure: 'json',
    body: JSON.stringify({ default: '{"kind":"a"}', http: '{"kind":"b"}', kind: 'a' }),
  }
  assert.deepEqual(filters.match(message).sort(), ['lambda', 'sqs'])
  assert.deepEqual(
    ['http', 'sqs', 'lambda'].map((protocol) => passesFilter(policy, message, protocol)),
    [false, true, true],
  )
  assert.deepEqual(filters.match({ body: '{"kind":"a"}' }).sort(), ['http', 'lambda', 'sqs'])
})

test('a body full of elements, and a policy that asks for many fields of one of them, take little time', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const policy = parseFilterPolicy(JSON.stringify({ rows: Object.fromEntries(names.map((name) => [name, ['x']])) }), 'MessageBody')
  assert.ok(policy !== undefined)
  // In each element one of the fields is another.
  const row = (at: number) => Object.fromEntries(names.map((name, column) => [name, column === at % names.length ? 'y' : 'x']))
  const rows = Array.from({ length: 3000 }, (_, at) => row(at))
  const before = process.cpuUsage().user
  assert.equal(passesFilter(policy, { body: JSON.stringify({ rows }) }, 'sqs'), false)
  assert.equal(passesFilter(policy, { body: JSON.stringify({ rows: [...rows, row(-1)] }) }, 'sqs'), true)
  assert.ok(process.cpuUsage().user - before < 2_000_000)
})

test('a body nested too deep for AWS passes no policy, and does no harm', () => {
  const policy = parseFilterPolicy('{"a":[{"exists":true}]}', 'MessageBody')
  assert.ok(policy !== undefined)
  const nested = (depth: number) => ({ body: `{"a":${'['.repeat(depth)}1${']'.repeat(depth)}}` })
  assert.equal(passesFilter(policy, nested(900), 'sqs'), true)
  assert.equal(passesFilter(policy, nested(100_000), 'sqs'), false)
  assert.equal(passesFilter(policy, { body: `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}` }, 'sqs'), false)
})
