// The corpus of filter policies, as data: what passes and what does not, by hand and generated; and the matcher against a second, naive
// implementation.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { SubscriptionFilters } from '../src/model/filter-policy/subscription-filters.ts'
import { anyCase, attributeCase, bodyCase } from './filter-policies/arbitrary.ts'
import { isGood, messageOf, policyOf, verdict } from './filter-policies/matcher.ts'
import { type Case, naiveVerdict, textOf } from './filter-policies/naive.ts'

type Judged = Case & { readonly passes: boolean; readonly about?: string }

function corpus(name: string): readonly Judged[] {
  const lines = readFileSync(join(import.meta.dirname, 'filter-policies', `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => {
    const one = JSON.parse(line) as Judged
    assert.equal(JSON.stringify(one), line, 'what JSON.parse loses of a policy or a body, such as 1.0, stands in a text')
    return one
  })
}

const byHand = corpus('by-hand')
const generated = corpus('generated')

test('there are cases enough, of both kinds, and none comes twice', () => {
  assert.ok(generated.length >= 2000)
  assert.ok(byHand.length >= 300)
  for (const cases of [byHand, generated]) {
    const passing = cases.filter(({ passes }) => passes).length
    assert.ok(passing > cases.length * 0.35 && passing < cases.length * 0.65, `${passing} of ${cases.length}`)
    const asked = cases.map(({ scope, policy, attributes, body }) => JSON.stringify([scope, textOf(policy), attributes, textOf(body)]))
    assert.deepEqual(
      asked.filter((one, at) => asked.indexOf(one) < at),
      [],
    )
  }
})

for (const [name, cases] of Object.entries({ 'by hand': byHand, generated })) {
  test(`cases ${name}: the matcher's verdicts`, () => {
    for (const one of cases) assert.equal(verdict(one), one.passes, JSON.stringify(one))
  })
  test(`cases ${name}: the naive implementation's verdicts`, () => {
    for (const one of cases) if (policyOf(one) !== undefined) assert.equal(naiveVerdict(one), one.passes, JSON.stringify(one))
  })
}

test('all policies of the corpus in one index: each message finds what it passes, and its own policy if it passes that', () => {
  const filters = new SubscriptionFilters<Judged>()
  const cases = [...byHand, ...generated]
  for (const [at, one] of cases.entries()) {
    const policy = policyOf(one)
    if (policy !== undefined) filters.set(String(at), policy, 'sqs', one)
  }
  for (const one of cases) {
    if (policyOf(one) === undefined) continue
    const found = new Set(filters.match(messageOf(one)))
    assert.equal(found.has(one), one.passes, JSON.stringify(one))
  }
})

for (const [name, cases] of Object.entries({ attributes: attributeCase, bodies: bodyCase, both: anyCase }))
  test(`random policies and messages: the matcher agrees with the naive implementation (${name})`, () => {
    fc.assert(
      fc.property(cases.filter(isGood), (one) => verdict(one) === naiveVerdict(one)),
      { numRuns: 2000 },
    )
  })
