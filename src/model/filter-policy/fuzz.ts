// What the fuzzer (scripts/fuzz.ts) throws mutated bytes at besides the wire: filter policies, and bodies and attributes that they look
// at. A policy is good or refused in words; a message passes or not, alone as among others; nothing else may come of it.
import { assert } from '../../base/assert.ts'
import { FilterPolicyError } from './filter-policy-error.ts'
import { type FilterPolicy, type FilterScope, parseFilterPolicy } from './parse-policy.ts'
import { type FilteredMessage, SubscriptionFilters, passesFilter } from './subscription-filters.ts'

interface FilterFuzzTarget {
  readonly name: string
  readonly seeds: readonly Buffer[]
  readonly run: (input: Buffer) => unknown
}

const POLICIES = [
  '{"a":["x",1,null,{"prefix":"y"},{"suffix":"z"},{"equals-ignore-case":"Q"}],"b.c":[{"numeric":[">",0,"<=",1e3]}]}',
  '{"a":[{"anything-but":["x","y"]},{"exists":false}],"b":[{"cidr":"10.0.0.0/24"},{"cidr":"2001:db8::/32"}]}',
  '{"$or":[{"a":[123456789012]},{"b":[{"anything-but":{"prefix":"x"}}],"c":[{"exists":true}]}],"d":["10.0.0.1"]}',
]
const NESTED = '{"a":{"b":["x",1],"c":[{"exists":false}]},"d":[{"anything-but":5}]}'
const BODIES = ['{"a":[{"b":"x"},{"b":1,"c":[]}],"d":"x"}', '{"a":"x","b.c":5,"b":"10.0.0.7","d":["10.0.0.1",123456789012,null]}']

export function createFilterTargets(): FilterFuzzTarget[] {
  const policies = [...both(POLICIES), ...both([NESTED])]
  return [
    {
      name: 'filter policy',
      seeds: [...POLICIES, NESTED].map((text) => Buffer.from(text)),
      run: (input) => both([input.toString()]).map((policy) => check([policy], { body: BODIES[0] ?? '' })),
    },
    { name: 'filtered body', seeds: BODIES.map((text) => Buffer.from(text)), run: (input) => check(policies, { body: input.toString() }) },
    {
      name: 'filtered attributes',
      seeds: ['["x",1,true,"10.0.0.1"]', '10.0.0.9', '12.5e1', '123456789012'].map((text) => Buffer.from(text)),
      run(input) {
        const value = input.toString()
        for (const type of ['String', 'String.Array', 'Number', 'Binary']) check(policies, { attributes: { a: { type, value } }, body: '' })
      },
    },
  ]
}

/** Under both scopes, where they are good. */
function both(texts: readonly string[]): FilterPolicy[] {
  const scopes: readonly FilterScope[] = ['MessageAttributes', 'MessageBody']
  return texts.flatMap((text) => scopes.flatMap((scope) => parsed(text, scope) ?? []))
}

function parsed(text: string, scope: FilterScope): FilterPolicy | undefined {
  try {
    return parseFilterPolicy(text, scope)
  } catch (error) {
    if (error instanceof FilterPolicyError) return undefined
    throw error
  }
}

function check(policies: readonly FilterPolicy[], message: FilteredMessage): void {
  const filters = new SubscriptionFilters<FilterPolicy>()
  for (const [at, policy] of policies.entries()) filters.set(String(at), policy, 'sqs', policy)
  const found = new Set(filters.match(message))
  for (const policy of policies) assert(found.has(policy) === passesFilter(policy, message, 'sqs'), 'alone and among others alike')
}
