import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCondition } from './condition.ts'
import type { ContextValue } from './context.ts'
import { PolicyError } from './policy-error.ts'

type Row = readonly [operator: string, values: readonly string[], actual: ContextValue | undefined, expected: boolean]

function holds(operator: string, values: readonly string[], actual: ContextValue | undefined): boolean {
  const condition = compileCondition({ operator, key: 'aws:Key', values, element: 'Condition', variables: true })
  return condition({ 'AWS:kEY': actual, 'aws:username': 'ann', 'aws:multi': ['a', 'b'], 'aws:arn': 'arn:aws:sns:eu-west-1:111122223333:t' })
}

const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:orders'

const ROWS: readonly Row[] = [
  ['StringEquals', ['a', 'b'], 'b', true],
  ['StringEquals', ['a', 'b'], 'B', false],
  ['StringEquals', ['a*'], 'abc', false],
  ['StringEquals', ['a*'], 'a*', true],
  ['StringEquals', ['a'], undefined, false],
  ['StringEquals', [], 'a', false],
  ['StringEquals', ['a'], ['x', 'a'], true],
  ['StringEquals', ['a'], [], false],
  ['StringNotEquals', ['a', 'b'], 'b', false],
  ['StringNotEquals', ['a', 'b'], 'c', true],
  ['StringNotEquals', ['a'], undefined, true],
  ['StringNotEquals', ['a'], ['x', 'a'], false],
  ['StringEqualsIgnoreCase', ['MiXed'], 'mIxED', true],
  ['StringEqualsIgnoreCase', ['mixed'], 'mix', false],
  ['StringNotEqualsIgnoreCase', ['MiXed'], 'mIxED', false],
  ['StringNotEqualsIgnoreCase', ['mixed'], undefined, true],
  ['StringLike', ['a*c?'], 'abbbcd', true],
  ['StringLike', ['a*c?'], 'abbbc', false],
  ['StringLike', ['home/${aws:username}/*'], 'home/ann/x', true],
  ['StringLike', ['home/${aws:username}/*'], 'home/bob/x', false],
  ['StringLike', ['${aws:absent}'], '', false],
  ['StringLike', ["${aws:absent, 'anna'}"], 'anna', true],
  ['StringLike', ["${aws:username, 'anna'}"], 'anna', false],
  ['StringLike', ['${aws:multi}'], 'a', false],
  ['StringLike', ['${*}${?}${$}'], '*?$', true],
  ['StringLike', ['${*}'], 'x', false],
  ['StringNotLike', ['a*'], 'abc', false],
  ['StringNotLike', ['a*'], 'bcd', true],
  ['StringNotLike', ['a*'], undefined, true],
  ['NumericEquals', ['10'], '10.0', true],
  ['NumericEquals', ['10'], 'ten', false],
  ['NumericNotEquals', ['10'], '10', false],
  ['NumericNotEquals', ['10'], undefined, true],
  ['NumericLessThan', ['10'], '9.99', true],
  ['NumericLessThan', ['10'], '10', false],
  ['NumericLessThanEquals', ['10'], '10', true],
  ['NumericLessThanEquals', ['10'], '10.1', false],
  ['NumericGreaterThan', ['10'], '10', false],
  ['NumericGreaterThan', ['10'], '1e2', true],
  ['NumericGreaterThanEquals', ['10'], '10', true],
  ['NumericGreaterThanEquals', ['10'], undefined, false],
  ['DateEquals', ['2026-01-31T08:00:00Z'], '2026-01-31T09:00:00+01:00', true],
  ['DateEquals', ['2026-01-31T08:00:00Z'], '2026-01-31T09:00:00+0100', true],
  ['DateEquals', ['1769846400'], '2026-01-31T08:00:00Z', true],
  ['DateEquals', ['2026-01-31T08:00:00Z'], '2026-01-31T08:00:01Z', false],
  ['DateNotEquals', ['2026-01-31'], '2026-01-31T00:00:00Z', false],
  ['DateNotEquals', ['2026-01-31'], undefined, true],
  ['DateLessThan', ['2026'], '2025-12-31T23:59:59Z', true],
  ['DateLessThan', ['2026'], '2026-01-01T00:00:00Z', false],
  ['DateLessThanEquals', ['2026-01'], '2026-01-01T00:00:00Z', true],
  ['DateLessThanEquals', ['2026-01'], '2026-01-01T00:00:01Z', false],
  ['DateGreaterThan', ['2026-01-01'], '2026-01-01', false],
  ['DateGreaterThan', ['2026-01-01'], '2026-01-01T00:00:00.001Z', true],
  ['DateGreaterThanEquals', ['2026-01-01'], '2026-01-01', true],
  ['DateGreaterThanEquals', ['2026-01-01'], 'yesterday', false],
  ['Bool', ['true'], 'TRUE', true],
  ['Bool', ['true'], 'false', false],
  ['Bool', ['false'], undefined, false],
  ['BoolIfExists', ['false'], undefined, true],
  ['BinaryEquals', ['QmluYXJ5'], 'QmluYXJ5', true],
  ['BinaryEquals', ['QQ=='], 'QQ', true],
  ['BinaryEquals', ['QmluYXJ5'], 'QmluYXJ4', false],
  ['IpAddress', ['203.0.113.0/24'], '203.0.113.77', true],
  ['IpAddress', ['203.0.113.0/24'], '203.0.114.1', false],
  ['IpAddress', ['203.0.113.0/24', '2001:db8::/33'], '2001:db8:7fff::1', true],
  ['IpAddress', ['2001:db8::/33'], '2001:db8:8000::1', false],
  ['IpAddress', ['0.0.0.0/0'], '::1', false],
  ['IpAddress', ['203.0.113.0/24'], 'nonsense', false],
  ['IpAddress', ['203.0.113.0/24'], undefined, false],
  ['NotIpAddress', ['203.0.113.0/24'], '203.0.113.77', false],
  ['NotIpAddress', ['203.0.113.0/24'], '198.51.100.1', true],
  ['NotIpAddress', ['203.0.113.0/24'], undefined, true],
  ['ArnEquals', [TOPIC], TOPIC, true],
  ['ArnEquals', ['arn:aws:sns:*:111122223333:ord*'], TOPIC, true],
  ['ArnLike', ['arn:aws:sns:*:*:orders'], TOPIC, true],
  ['ArnLike', ['arn:aws:*:orders:*:*'], TOPIC, false],
  ['ArnLike', ['arn:aws:sns:*:*:a?b*'], 'arn:aws:sns:eu-west-1:1:axb:c:d', true],
  ['ArnLike', ['arn:aws:sns:e*:orders:*:*'], TOPIC, false],
  ['ArnLike', ['*'], TOPIC, true],
  ['ArnLike', ['*'], 'no-arn', false],
  ['ArnEquals', ['${aws:arn}'], 'arn:aws:sns:eu-west-1:111122223333:t', true],
  ['ArnEquals', ['${aws:arn}'], TOPIC, false],
  ['ArnLike', ['arn:aws:iam::*:user/${aws:username}'], 'arn:aws:iam::111122223333:user/ann', true],
  ['ArnLike', ['arn:aws:iam::*:user/${aws:absent}'], 'arn:aws:iam::111122223333:user/', false],
  ['ArnNotEquals', [TOPIC], TOPIC, false],
  ['ArnNotEquals', [TOPIC], undefined, true],
  ['ArnNotLike', ['arn:aws:sns:*:*:x*'], TOPIC, true],
  ['ArnNotLike', ['arn:aws:sns:*:*:o*'], TOPIC, false],
  ['Null', ['true'], undefined, true],
  ['Null', ['true'], [], true],
  ['Null', ['true'], 'x', false],
  ['Null', ['false'], 'x', true],
  ['Null', ['false'], undefined, false],
  ['StringEqualsIfExists', ['a'], undefined, true],
  ['StringEqualsIfExists', ['a'], 'b', false],
  ['StringNotEqualsIfExists', ['a'], 'a', false],
  ['StringNotEqualsIfExists', ['a'], undefined, true],
  ['IpAddressIfExists', ['10.0.0.0/8'], undefined, true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
  ['ForAllValues:StringEquals', ['a'], undefined, true],
  ['ForAllValues:StringEquals', ['a'], '', true],
  ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
  ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'b'], false],
  ['ForAllValues:StringLike', ['a*'], ['ab', 'ac'], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], false],
  ['ForAnyValue:StringEquals', ['a'], undefined, false],
  ['ForAnyValue:StringEquals', [''], [''], false],
  ['ForAnyValue:StringNotEquals', ['a'], undefined, false],
  ['ForAnyValue:StringNotEquals', ['a'], ['a', 'b'], true],
  ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
  ['ForAnyValue:StringEqualsIfExists', ['a'], undefined, true],
  ['ForAnyValue:StringEqualsIfExists', ['a'], 'b', false],
]

test('each operator decides as the IAM documentation says', () => {
  for (const [operator, values, actual, expected] of ROWS) {
    assert.equal(holds(operator, values, actual), expected, `${operator} ${JSON.stringify(values)} against ${JSON.stringify(actual)}`)
  }
})

test('every operator has at least one row that holds and one that does not', () => {
  const outcomes = new Map<string, Set<boolean>>()
  for (const [operator, , , expected] of ROWS) {
    const name = operator.replace(/^For(All|Any)Values?:|IfExists$/g, '')
    outcomes.set(name, (outcomes.get(name) ?? new Set()).add(expected))
  }
  assert.deepEqual(
    [...outcomes].filter(([, seen]) => seen.size < 2),
    [],
  )
  assert.equal(outcomes.size, 27)
})

test('a variable is plain text in a policy of 2008-10-17', () => {
  const condition = compileCondition({
    operator: 'StringLike',
    key: 'aws:k',
    values: ['${aws:username}'],
    element: 'Condition',
    variables: false,
  })
  assert.equal(condition({ 'aws:k': '${aws:username}', 'aws:username': 'ann' }), true)
  assert.equal(condition({ 'aws:k': 'ann', 'aws:username': 'ann' }), false)
})

test('what is inherited from Object is no context', () => {
  assert.equal(
    compileCondition({ operator: 'Null', key: 'constructor', values: ['true'], element: 'Condition', variables: true })({}),
    true,
  )
})

test('wrong operators and values are refused by element', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['stringequals', 'a'],
    ['ForSomeValues:StringEquals', 'a'],
    ['NullIfExists', 'true'],
    ['ForAllValues:Null', 'true'],
    ['Null', 'maybe'],
    ['Bool', '1'],
    ['NumericEquals', 'ten'],
    ['NumericEquals', ''],
    ['NumericEquals', '${aws:username}'],
    ['DateLessThan', 'tomorrow'],
    ['DateLessThan', '2026-13-01'],
    ['BinaryEquals', '%%'],
    ['BinaryEquals', 'QQQQQ'],
    ['IpAddress', '203.0.113.0/33'],
    ['IpAddress', '*'],
    ['ArnLike', 'arn:aws:sns:*'],
    ['StringLike', '${aws:username'],
    ['StringLike', '${}'],
    ['StringLike', '${aws:user name}'],
    ['StringLike', "${aws:username, 'x}"],
  ]
  for (const [operator, value] of refused) {
    const compile = (): unknown =>
      compileCondition({ operator, key: 'aws:k', values: [value], element: 'Statement.Condition', variables: true })
    assert.throws(compile, (error) => error instanceof PolicyError && error.element === 'Statement.Condition', `${operator} ${value}`)
  }
})
