// Policies and messages of few names and few values, so that they often meet.
import fc from 'fast-check'
import type { Case } from './naive.ts'

const TEXTS = [
  ...['', 'a', 'A', 'ab', 'abc', 'b', 'red', 'Red', 'RED', 'ab"c', 'a\\b', 'ä', 'Ä', 'x y', '100', '1', 'true', 'null'],
  ...['10.0.0.1', '10.0.0.77', '10.0.1.5', '192.168.1.1', '10.0.0', '2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:db9::1'],
]
const NUMBERS = ['0', '-0', '1', '1.0', '1e0', '-1', '100', '100.00001', '100.0000001', '301.5', '3.015e2', '5e9', '123456789012', '1.5e11']
const BLOCKS = ['10.0.0.0/24', '10.0.0.64/26', '10.0.0.0/8', '0.0.0.0/0', '192.168.1.0/31', '2001:db8::/32', '2001:db8::/127', '::/0']
const NAMES = ['a', 'b', 'c']

const text = fc.constantFrom(...TEXTS)
const quoted = text.map((value) => JSON.stringify(value))
const number = fc.constantFrom(...NUMBERS)
const literal = fc.constantFrom('true', 'false', 'null')
const scalar = fc.oneof({ arbitrary: quoted, weight: 5 }, { arbitrary: number, weight: 3 }, literal)

const list = (item: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(item, { minLength: 1, maxLength }).map((items) => `[${items.join(',')}]`)
const object = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>, maxKeys: number, minKeys = 1) =>
  fc.dictionary(name, value, { minKeys, maxKeys, noNullPrototype: true }).map(
    (members) =>
      `{${Object.entries(members)
        .map(([key, inner]) => `${JSON.stringify(key)}:${inner}`)
        .join(',')}}`,
  )
const operator = (name: string, operand: fc.Arbitrary<string>) => operand.map((value) => `{"${name}":${value}}`)

const low = fc.constantFrom('-5', '0', '1', '99.99999', '301.5')
const high = fc.constantFrom('302', '1000', '6e9')
const range = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), number).map(([sign, bound]) => `["${sign}",${bound}]`),
  fc
    .tuple(fc.constantFrom('>', '>='), low, fc.constantFrom('<', '<='), high)
    .map(([above, from, below, to]) => `["${above}",${from},"${below}",${to}]`),
)

const condition = fc.oneof(
  { arbitrary: scalar, weight: 5 },
  operator('prefix', quoted),
  operator('suffix', quoted),
  operator('equals-ignore-case', quoted),
  operator('exactly', quoted),
  operator('numeric', range),
  operator(
    'cidr',
    fc.constantFrom(...BLOCKS).map((block) => JSON.stringify(block)),
  ),
  operator('exists', fc.constantFrom('true', 'false')),
  operator('anything-but', fc.oneof(quoted, number, list(quoted, 3), list(number, 3))),
  operator('anything-but', operator('prefix', fc.constantFrom('"a"', '"ab"', '"r"', '"10.0"'))),
)
const field = list(condition, 2)

const flatFields = (maxKeys: number) => object(fc.constantFrom(...NAMES, 'a.b'), field, maxKeys)
const nestedFields = object(
  fc.constantFrom(...NAMES, 'a.b', 'b.c'),
  fc.oneof(
    { arbitrary: field, weight: 2 },
    object(fc.constantFrom(...NAMES), fc.oneof(field, object(fc.constantFrom(...NAMES), field, 1)), 2),
  ),
  2,
)

/** Two branches, beside fields or alone. */
function withOr(fields: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fields, fields, fc.option(fields))
    .map(([one, other, beside]) => (beside === null ? `{"$or":[${one},${other}]}` : `${beside.slice(0, -1)},"$or":[${one},${other}]}`))
}

const attributePolicy = fc.oneof({ arbitrary: flatFields(3), weight: 4 }, withOr(flatFields(2)))
const bodyPolicy = fc.oneof({ arbitrary: nestedFields, weight: 4 }, withOr(nestedFields))

const attributes: fc.Arbitrary<NonNullable<Case['attributes']>> = fc.dictionary(
  fc.constantFrom(...NAMES, 'a.b'),
  fc.oneof(
    { arbitrary: fc.tuple(fc.constantFrom('String', 'String', 'String.x'), fc.constantFrom(...TEXTS.slice(1))), weight: 4 },
    { arbitrary: fc.tuple(fc.constantFrom('Number', 'Number.int'), number), weight: 3 },
    {
      arbitrary: fc.tuple(fc.constant('String.Array'), fc.oneof(list(scalar, 3), scalar, fc.constantFrom('[]', '[[1]]', '{}', 'junk'))),
      weight: 2,
    },
    fc.tuple(fc.constant('Binary'), fc.constant('AgME')),
  ),
  { maxKeys: 4, noNullPrototype: true },
)

const body = fc.oneof(
  {
    arbitrary: fc.letrec<{ value: string; object: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.oneof(
          tie('object'),
          fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
        ),
      ),
      object: object(fc.constantFrom(...NAMES, 'a.b', 'b.c'), tie('value'), 3, 0),
    })).object,
    weight: 20,
  },
  fc.constantFrom('[]', '"a"', '1', 'plain', '', '{"a":'),
)

/** Arrays of objects, and policies that ask for several of their fields. */
const few = fc.constantFrom('"a"', '"b"', '1', 'null')
const fewFields = list(
  fc.oneof(
    { arbitrary: few, weight: 3 },
    fc.constantFrom('{"exists":true}', '{"exists":false}', '{"anything-but":"a"}', '{"numeric":["<",5]}'),
  ),
  2,
)
const row = object(fc.constantFrom('b', 'c', 'd'), few, 3, 0)
const rows = fc.array(fc.oneof({ arbitrary: row, weight: 5 }, list(row, 2), few), { maxLength: 4 }).map((items) => `[${items.join(',')}]`)
const rowsPolicy = fc
  .tuple(object(fc.constantFrom('b', 'c', 'd'), fewFields, 3, 2), fc.option(object(fc.constantFrom('b', 'e'), fewFields, 1)))
  .map(([inner, outer]) => (outer === null ? `{"a":${inner}}` : `{"a":${inner},${outer.slice(1)}`))
const rowsBody = fc
  .tuple(rows, object(fc.constantFrom('b', 'c', 'a.b', 'e'), fc.oneof(few, rows), 2, 0))
  .map(([inner, outer]) => (outer === '{}' ? `{"a":${inner}}` : `{"a":${inner},${outer.slice(1)}`))

/** One or two fields that are there, of values that often meet. */
const likely = fc.constantFrom('"a"', '"ab"', '"red"', '"Red"', '"10.0.0.1"', '"10.0.0.77"', '"2001:db8::1"', '1', '100', '301.5', 'null')
const near = fc.tuple(fc.constantFrom('a', 'b'), field, likely, fc.option(fc.tuple(field, likely))).map(([name, wanted, given, more]) => ({
  policy: more === null ? `{"${name}":${wanted}}` : `{"${name}":${wanted},"c":${more[0]}}`,
  body: more === null ? `{"${name}":${given}}` : `{"${name}":${given},"c":${more[1]}}`,
}))

export const attributeCase: fc.Arbitrary<Case> = fc.record({ policy: attributePolicy, attributes })
export const bodyCase: fc.Arbitrary<Case> = fc.oneof(
  fc.record({ scope: fc.constant('MessageBody'), policy: bodyPolicy, body }),
  fc.record({ scope: fc.constant('MessageBody'), policy: rowsPolicy, body: rowsBody }),
  fc.record({ scope: fc.constant('MessageBody'), near }).map(({ scope, near }) => ({ scope, ...near })),
)
export const anyCase: fc.Arbitrary<Case> = fc.oneof({ arbitrary: attributeCase, weight: 1 }, { arbitrary: bodyCase, weight: 2 })
