// Question: what does it cost to find who gets one message among 10,000 subscriptions with distinct filter policies, and how does that grow
// with their number?
// CPU of one thread, kinds of policies one by one and all mixed; beside it what it costs to ask each policy alone, and to add one.
//   node bin/node26.js bench/filters.ts [--subscriptions 10000] [--milliseconds 500] [--json]
import { parseArgs } from 'node:util'
import { type FilterPolicy, type FilterScope, parseFilterPolicy } from '../src/model/filter-policy/parse-policy.ts'
import { type FilteredMessage, SubscriptionFilters, passesFilter } from '../src/model/filter-policy/subscription-filters.ts'

const { values } = parseArgs({
  options: { subscriptions: { type: 'string' }, milliseconds: { type: 'string' }, json: { type: 'boolean' } },
})
const MANY = Number(values.subscriptions ?? 10_000)
const FEW = Math.min(100, MANY)
const MEASURE_MS = Number(values.milliseconds ?? 500)

const attributes: NonNullable<FilteredMessage['attributes']> = {
  type: { type: 'String', value: 'order' },
  customer: { type: 'String', value: 'customer-57' },
  price: { type: 'Number', value: '57.5' },
  regions: { type: 'String.Array', value: '["eu-57","us-3"]' },
  source: { type: 'String', value: '10.0.57.9' },
  ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { type: 'String', value: 'v3' }])),
}
const detail = {
  type: 'order',
  customer: 'customer-57',
  lines: Array.from({ length: 20 }, (_, at) => ({ sku: `sku-${at + 50}`, count: at })),
}
const message: FilteredMessage = { attributes, body: JSON.stringify({ detail, note: 'n'.repeat(500) }) }

interface Kind {
  /** Distinct for each number. */
  readonly policy: (at: number) => object
  readonly scope?: FilterScope
}

/** A digit of the number, the digits well mixed. */
const digit = (at: number, place: number): number => Math.floor((at * 7919) / 10 ** place) % 10
const list = (count: number, value: (at: number) => string): string[] => Array.from({ length: count }, (_, at) => value(at))

const KINDS: Readonly<Record<string, Kind>> = {
  'a text of its own': { policy: (at) => ({ customer: [`customer-${at}`] }) },
  'a shared text and one of its own': { policy: (at) => ({ type: ['order'], customer: [`customer-${at}`] }) },
  'five fields of ten values': {
    policy: (at) => Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name, place) => [name, [`v${digit(at, place)}`]])),
  },
  'lists of ten texts': {
    policy: (at) => ({ customer: list(10, (of) => `customer-${(at * 31 + of * 17) % MANY}`), regions: list(10, (of) => `eu-${at + of}`) }),
  },
  prefix: { policy: (at) => ({ customer: [{ prefix: `customer-${at}` }] }) },
  suffix: { policy: (at) => ({ customer: [{ suffix: `-${at}` }] }) },
  'equals-ignore-case': { policy: (at) => ({ customer: [{ 'equals-ignore-case': `CUSTOMER-${at}` }] }) },
  'numeric, from and to': { policy: (at) => ({ price: [{ numeric: ['>=', at, '<', at + 3] }] }) },
  'numeric, from': { policy: (at) => ({ type: ['order'], price: [{ numeric: ['>', at] }] }) },
  cidr: { policy: (at) => ({ source: [{ cidr: `10.${at >> 8}.${at & 255}.0/24` }] }) },
  'anything-but, beside a text': { policy: (at) => ({ customer: [`customer-${at >> 3}`], type: [{ 'anything-but': `t${at}` }] }) },
  'absence, beside a text': { policy: (at) => ({ customer: [`customer-${at >> 3}`], [`flag-${at}`]: [{ exists: false }] }) },
  $or: { policy: (at) => ({ type: ['order'], $or: [{ customer: [`customer-${at}`] }, { price: [at] }] }) },
  'a body, nested': { scope: 'MessageBody', policy: (at) => ({ detail: { type: ['order'], customer: [`customer-${at}`] } }) },
  'a body, one element of an array': {
    scope: 'MessageBody',
    policy: (at) => ({ detail: { lines: { sku: [`sku-${at}`], count: [{ numeric: ['>', 3] }] } } }),
  },
}

interface Measured {
  readonly name: string
  readonly found: number
  readonly fewMicroseconds: number
  readonly manyMicroseconds: number
  readonly aloneMicroseconds: number
  readonly addMicroseconds: number
}

function policyOf({ policy, scope = 'MessageAttributes' }: Kind, at: number): FilterPolicy {
  const parsed = parseFilterPolicy(JSON.stringify(policy(at)), scope)
  if (parsed === undefined) throw new Error('the bench made a policy that asks for nothing')
  return parsed
}

function measure(name: string, kinds: readonly Kind[]): Measured {
  const policies = list(MANY, String).map((_, at) =>
    policyOf(kinds[at % kinds.length] ?? { policy: () => ({}) }, Math.floor(at / kinds.length)),
  )
  const addBegan = cpuMicroseconds()
  const many = filtersOf(policies)
  const addMicroseconds = (cpuMicroseconds() - addBegan) / MANY
  const few = filtersOf(policies.slice(0, FEW))
  return {
    name,
    found: many.match(message).length,
    fewMicroseconds: cpuOf(() => few.match(message)),
    manyMicroseconds: cpuOf(() => many.match(message)),
    aloneMicroseconds: cpuOf(() => policies.filter((policy) => passesFilter(policy, message, 'sqs')), MEASURE_MS / 10),
    addMicroseconds,
  }
}

function filtersOf(policies: readonly FilterPolicy[]): SubscriptionFilters<number> {
  const filters = new SubscriptionFilters<number>()
  for (const [at, policy] of policies.entries()) filters.set(String(at), policy, 'sqs', at)
  return filters
}

/** Of one call, once it is warm. */
function cpuOf(work: () => unknown, milliseconds = MEASURE_MS): number {
  for (let at = 0, until = performance.now() + milliseconds / 5; at < 1 || performance.now() < until; at++) work()
  const began = cpuMicroseconds()
  let calls = 0
  for (const until = performance.now() + milliseconds; calls === 0 || performance.now() < until; calls++) work()
  return (cpuMicroseconds() - began) / calls
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

const results = [...Object.entries(KINDS).map(([name, kind]) => measure(name, [kind])), measure('all of them mixed', Object.values(KINDS))]
if (values.json === true) process.stdout.write(`${JSON.stringify({ few: FEW, many: MANY, results })}\n`)
else {
  const cell = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0)).padStart(10)
  const rows = results.map(
    ({ name, found, fewMicroseconds, manyMicroseconds, aloneMicroseconds, addMicroseconds }) =>
      `${name.padEnd(34)}${String(found).padStart(6)}${cell(fewMicroseconds)}${cell(manyMicroseconds)}` +
      `${cell(manyMicroseconds / fewMicroseconds)}${cell(aloneMicroseconds)}${cell(addMicroseconds)}`,
  )
  process.stdout.write(
    `CPU in us for one message against ${FEW} and ${MANY} subscriptions; alone: each of the ${MANY} policies by itself; add: one more\n` +
      `${'policies'.padEnd(34)} found${['few', 'many', 'growth', 'alone', 'add'].map((name) => name.padStart(10)).join('')}\n` +
      `${rows.join('\n')}\n`,
  )
}
