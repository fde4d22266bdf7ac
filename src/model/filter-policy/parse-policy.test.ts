import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FilterPolicyError } from './filter-policy-error.ts'
import { FILTER_POLICY_LIMITS, type FilterScope, parseFilterPolicy } from './parse-policy.ts'

const PLACE = '\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: '

function refusalOf(policy: unknown, scope: FilterScope = 'MessageAttributes'): string | undefined {
  try {
    parseFilterPolicy(typeof policy === 'string' ? policy : JSON.stringify(policy), scope)
    return undefined
  } catch (error) {
    assert.ok(error instanceof FilterPolicyError)
    return error.message
  }
}

const values = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at}`)

test("a policy is refused in the words of AWS's rule compiler, with the place where it stood", () => {
  // Recorded against AWS.
  const recorded: readonly (readonly [policy: string, text: string, column: number])[] = [
    ['{"key":[["value"]]}', 'Match value must be String, number, true, false, or null', 10],
    ['{"key":[{"wrong-operator":true}]}', 'Unrecognized match type wrong-operator', 31],
    ['{"key":[{"suffix":"value","prefix":"value2"}]}', 'Only one key allowed in match expression', 37],
    ['{"key":[{"suffix":100}]}', 'suffix match pattern must be a string', 22],
    ['{"key":[{"suffix":null}]}', 'suffix match pattern must be a string', 23],
    ['{"key":{"suffix":"value"}}', '"suffix" must be an object or an array', 19],
    ['{"key":[{"suffix":[]}]}', 'suffix match pattern must be a string', 20],
    ['{"key":[{"suffix":["test","test2"]}]}', 'suffix match pattern must be a string', 20],
    ['{"key":{"suffix":"value","prefix":"value"}}', '"suffix" must be an object or an array', 19],
    ['{"key":{"not-an-operator":"value"}}', '"not-an-operator" must be an object or an array', 28],
    ['{"key":[{"numeric":[]}]}', 'Invalid member in numeric match: ]', 22],
    ['{"key":[{"numeric":["operator"]}]}', 'Unrecognized numeric range operator: operator', 32],
    ['{"key":[{"numeric":[1,"<="]}]}', 'Invalid member in numeric match: 1', 22],
    ['{"key":[{"numeric":["=","000"]}]}', 'Value of equals must be numeric', 26],
    ['{"key":[{"numeric":[">="]}]}', 'Value of >= must be numeric', 26],
    ['{"key":[{"numeric":["<",100,">",10]}]}', 'Too many elements in numeric expression', 30],
    ['{"key":[{"numeric":[">=",1,">",2]}]}', 'Bad numeric range operator: >', 31],
    ['{"key":[{"numeric":[">",3,"<",1]}]}', 'Bottom must be less than top', 33],
    ['{"key":[{"numeric":[">",20,"<="]}]}', 'Value of <= must be numeric', 33],
    ['{"key":[{"numeric":[">",20,30]}]}', 'Bad value in numeric range: 30', 30],
    ['{"key":[{"numeric":[">",20,"test"]}]}', 'Bad numeric range operator: test', 34],
    ['{"key":[{"numeric":[">","20","<","30"]}]}', 'Value of > must be numeric', 26],
    ['{"key":[{"numeric":[">",20,"<","30"]}]}', 'Value of < must be numeric', 33],
    ['{"key":[{"numeric":[">",20,"<",30,"<",50]}]}', 'Too many terms in numeric range expression', 36],
    ['{"key":[{"exists":null}]}', 'exists match pattern must be either true or false.', 23],
    ['{"key":[{"exists":"no"}]}', 'exists match pattern must be either true or false.', 20],
    ['{"key":[{"anything-but":{"wrong-operator":null}}]}', 'Unsupported anything-but pattern: wrong-operator', 47],
    ['{"key":[{"anything-but":{"suffix":"test"}}]}', 'Unsupported anything-but pattern: suffix', 36],
    ['{"key":[{"anything-but":{"exists":false}}]}', 'Unsupported anything-but pattern: exists', 40],
    ['{"key":[{"anything-but":{"prefix":false}}]}', 'prefix match pattern must be a string', 40],
    ['{"key_a":"value_one"}', '"key_a" must be an object or an array', 11],
  ]
  for (const [policy, text, column] of recorded) assert.equal(refusalOf(policy), `FilterPolicy: ${text}${PLACE}${column}]`, policy)
})

test('what was not recorded is refused as the published rule compiler does', () => {
  const texts: readonly (readonly [policy: string, text: string])[] = [
    ['[]', 'Filter is not an object'],
    ['"a"', 'Filter is not an object'],
    ['{"key":[]}', 'Empty arrays are not allowed'],
    ['{"key":{}}', 'Empty objects are not allowed'],
    ['{"key":[{}]}', 'Match expression name not found'],
    ['{"key":1}', '"key" must be an object or an array'],
    ['{"key":[{"wildcard":"a*"}]}', 'Unrecognized match type wildcard'],
    ['{"key":[{"prefix":1}]}', 'prefix match pattern must be a string'],
    ['{"key":[{"equals-ignore-case":["a"]}]}', 'equals-ignore-case match pattern must be a string'],
    ['{"key":[{"exactly":1}]}', 'exact match pattern must be a string'],
    ['{"key":[{"cidr":1}]}', 'prefix match pattern must be a string'],
    ['{"key":[{"exists":true,"prefix":"a"}]}', 'Only one key allowed in match expression'],
    ['{"key":[{"cidr":"10.0.0.0/8","prefix":"a"}]}', 'Only one key allowed in match expression'],
    ['{"key":[{"numeric":5}]}', 'Value of numeric must be an array.'],
    ['{"key":[{"numeric":["=",5],"prefix":"a"}]}', 'Too many elements in numeric expression'],
    ['{"key":[{"numeric":["=",5,"<",6]}]}', 'Too many elements in numeric expression'],
    ['{"key":[{"numeric":[">",1,"<=",1]}]}', 'Bottom must be less than top'],
    ['{"key":[{"numeric":[[]]}]}', 'Invalid member in numeric match: ['],
    ['{"key":[{"anything-but":true}]}', 'Value of anything-but must be an array or single string/number value.'],
    ['{"key":[{"anything-but":[null]}]}', 'Inside anything but list, start|null|boolean is not supported.'],
    ['{"key":[{"anything-but":[]}]}', 'Inside anything but list, either all values are number or string, mixed type is not supported'],
    ['{"key":[{"anything-but":[1,"a"]}]}', 'Inside anything but list, either all values are number or string, mixed type is not supported'],
    ['{"key":[{"anything-but":{}}]}', 'Anything-But expression name not found'],
    ['{"key":[{"anything-but":{"prefix":""}}]}', 'Null prefix not allowed'],
    ['{"key":[{"anything-but":{"equals-ignore-case":"a"}}]}', 'Unsupported anything-but pattern: equals-ignore-case'],
    ['{"key":[{"anything-but":{"wildcard":"a*"}}]}', 'Unsupported anything-but pattern: wildcard'],
    ['{"$or":[{"a":["b"]}]}', 'Unrecognized match type a'],
    ['{"$or":[{"a":["b"]},{}]}', 'Empty objects are not allowed'],
  ]
  for (const [policy, text] of texts) assert.equal(refusalOf(policy)?.split('\n')[0], `FilterPolicy: ${text}`, policy)
})

test('blocks of addresses', () => {
  const texts: Readonly<Record<string, string>> = {
    '10.0.0.0': "Malformed CIDR, one '/' required",
    '10.0.0.0/8/9': "Malformed CIDR, one '/' required",
    '10.0.0.0/': "Malformed CIDR, one '/' required",
    '10.0.0.0/x': 'Malformed CIDR, mask bits must be an integer',
    '10.0.0.0/1.5': 'Malformed CIDR, mask bits must be an integer',
    '10.0.0.0/-1': 'Malformed CIDR, mask bits must not be negative',
    'host/8': 'Nonstandard IP address: host',
    '/8': 'Nonstandard IP address: ',
    '300.0.0.0/8': 'Invalid IP address: 300.0.0.0',
    ':::/8': 'Invalid IP address: :::',
    '10.0.0.0/32': 'IPv4 mask bits must be < 32',
    '::/128': 'IPv6 mask bits must be < 128',
  }
  for (const [block, text] of Object.entries(texts)) assert.equal(refusalOf({ key: [{ cidr: block }] }), `FilterPolicy: ${text}`, block)
  for (const block of ['10.0.0.0/31', '10.0.0.0/0', '::/127', '::/0', '2001:db8::/32'])
    assert.equal(refusalOf({ key: [{ cidr: block }] }), undefined, block)
})

test('nesting is for bodies', () => {
  const text = 'Filter policy scope MessageAttributes does not support nested filter policy'
  assert.equal(refusalOf({ object: { key: ['a'] } }), text)
  assert.equal(refusalOf({ $or: [{ a: ['b'] }, { a: { b: ['c'] } }] }), text)
  assert.equal(refusalOf({ object: { key: ['a'] } }, 'MessageBody'), undefined)
  assert.equal(refusalOf({ 'object.key': ['a'] }), undefined)
})

test('five keys', () => {
  const keys = (count: number, prefix = 'k') => Object.fromEntries(values(count).map((value) => [`${prefix}${value}`, ['a']]))
  const text = 'FilterPolicy: Filter policy can not have more than 5 keys'
  assert.equal(refusalOf(keys(4)), undefined)
  assert.equal(refusalOf(keys(5)), undefined)
  assert.equal(refusalOf(keys(6)), text)
  assert.equal(refusalOf({ ...keys(4), $or: [{ a: ['b'] }, { c: ['d'] }] }), undefined)
  assert.equal(refusalOf({ ...keys(5), $or: [{ a: ['b'] }, { c: ['d'] }] }), text)
  assert.equal(refusalOf({ $or: [keys(5), { c: ['d'] }] }), undefined)
  assert.equal(refusalOf({ $or: [keys(6), { c: ['d'] }] }), text)
  assert.equal(refusalOf({ a: keys(6) }, 'MessageBody'), undefined)
})

test('a hundred and fifty combinations', () => {
  const text = 'FilterPolicy: Filter policy is too complex'
  assert.equal(refusalOf({ key: values(149) }), undefined)
  assert.equal(refusalOf({ key: values(150) }), undefined)
  assert.equal(refusalOf({ key: values(151) }), text)
  assert.equal(refusalOf({ key1: values(100), key2: values(51) }), text)
  assert.equal(refusalOf({ key1: values(10), key2: values(15) }), undefined)
  const nested = { key_a: { key_b: { key_c: values(4) } }, key_d: { key_e: values(3) }, key_f: values(3) }
  assert.equal(refusalOf(nested, 'MessageBody'), text)
  const or = (source: number, metric: number, type: number, id: number, space: number) => ({
    source: values(source),
    $or: [{ metricName: values(metric) }, { metricType: values(type), $or: [{ metricId: values(id) }, { spaceId: values(space) }] }],
  })
  assert.equal(refusalOf(or(4, 6, 4, 4, 4)), text)
  assert.equal(refusalOf(or(3, 6, 4, 4, 7)), undefined)
  const nestedOr = {
    $or: [{ metricName: values(3) }, { namespace: values(2) }],
    detail: { scope: values(2), $or: [{ source: values(1) }, { type: values(3) }] },
  }
  assert.equal(refusalOf(nestedOr, 'MessageBody'), text)
  // Refused before anything is multiplied out.
  const deep = (depth: number): object => ({ $or: [0, 1].map((at) => (depth === 0 ? { [`k${at}`]: ['a'] } : deep(depth - 1))) })
  assert.equal(refusalOf(deep(6)), undefined)
  assert.equal(refusalOf(deep(10)), text)
})

test('256 KiB of text', () => {
  const padded = (bytes: number) => '{"key":["a"]}'.padEnd(bytes, ' ')
  const { bytesMax } = FILTER_POLICY_LIMITS
  assert.equal(refusalOf(padded(bytesMax - 1)), undefined)
  assert.equal(refusalOf(padded(bytesMax)), undefined)
  assert.equal(refusalOf(padded(bytesMax + 1)), `FilterPolicy: Filter policy can not be larger than ${bytesMax} bytes`)
})

test('a policy that asks for nothing is none, and JSON that is none is told with its place', () => {
  for (const policy of ['', ' ', '{}', ' { } ']) assert.equal(parseFilterPolicy(policy, 'MessageAttributes'), undefined)
  assert.equal(
    refusalOf('{"key":["a"'),
    'FilterPolicy: failed to parse JSON. Unexpected end-of-input: expected close marker for Array (start marker at [Source: REDACTED ' +
      '(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 8])' +
      `${PLACE}12]`,
  )
})

test('$or is an ordinary name unless its array holds two objects or more without names of operators', () => {
  for (const policy of [{ $or: ['a'] }, { $or: [{ prefix: 'a' }, { suffix: 'b' }] }]) assert.equal(refusalOf(policy), undefined)
  const names =
    'exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex ' +
    'not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range ' +
    'ip-address-in-range ip-address-not-in-range'
  for (const name of names.split(' '))
    assert.match(refusalOf({ $or: [{ a: ['b'] }, { [name]: ['c'] }] }) ?? '', /^FilterPolicy: Unrecognized match type a\n/, name)
  const rules = (policy: object) => parseFilterPolicy(JSON.stringify(policy), 'MessageBody')?.rules.map((rule) => [...rule.keys()])
  assert.deepEqual(rules({ $or: ['a', 'b'] }), [['$or']])
  assert.deepEqual(rules({ $or: { a: ['b'] } }), [['$or.a']])
  assert.deepEqual(rules({ a: { $or: [{ b: ['x'] }, { c: ['y'] }], d: ['z'] } }), [
    ['a.b', 'a.d'],
    ['a.c', 'a.d'],
  ])
})
