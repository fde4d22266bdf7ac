import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../model/service-error.ts'
import { decodePath, parseForm } from './form.ts'

const parse = (text: string, limits?: Parameters<typeof parseForm>[1]) => parseForm(Buffer.from(text), limits)
const isMalformed = (error: unknown) => error instanceof ServiceError && error.code === 'MalformedQueryString' && error.status === 400

test('reads what URLSearchParams writes', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })).map((value) => value.toWellFormed())
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (pairs) => {
      const { names, values } = parse(new URLSearchParams(pairs).toString())
      assert.deepEqual(
        names.map((name, at) => [name, values[at]]),
        pairs,
      )
    }),
    { numRuns: 500 },
  )
})

test('an absent value is empty, empty pairs are skipped, an equals sign in a value stays', () => {
  assert.deepEqual(parse('&a&&b=&c=d=e&'), { names: ['a', 'b', 'c'], values: ['', '', 'd=e'] })
})

test('raw UTF-8 is read, and values beyond the scratch buffer', () => {
  assert.deepEqual(parse('a=é&b=1').values, ['é', '1'])
  const long = 'ü '.repeat(50_000)
  assert.equal(parse(`a=${encodeURIComponent(long)}&b=c`).values[0], long)
})

test('long values are read as short ones are, wherever their escapes stand', () => {
  const part = fc.oneof(
    fc.constantFrom('+', '%', ' ', '%2', 'ü', '&', '='),
    fc.integer({ min: 1, max: 400 }).map((length) => 'x'.repeat(length)),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const value = parts.join('')
      assert.deepEqual(parse(`a=${encodeURIComponent(value).replaceAll('%20', '+')}&b=1`).values, [value, '1'])
    }),
  )
  const long = 'x'.repeat(300)
  for (const end of ['%', '%4', '%zz', '%ff']) assert.throws(() => parse(`a=${long}${end}`), isMalformed)
  for (const end of ['%', '%4', '%zz', '%ff']) assert.throws(() => parse(`a=+${long}${end}${long}`), isMalformed)
})

test('a form too large for its text reads the same', () => {
  const pairs = Array.from({ length: 300 }, (_, at): [string, string] => [
    `name.${at}`,
    `${'value '.repeat(at)}${at % 3 === 0 ? '=&%+ü' : ''}`,
  ])
  const { names, values } = parse(new URLSearchParams(pairs).toString())
  assert.deepEqual(
    names.map((name, at) => [name, values[at]]),
    pairs,
  )
})

for (const broken of ['a=%', 'a=%4', 'a=%4&b=%41', 'a=%4g', '%zz=a', 'a=%ff', 'a=%c3%28', 'a=%ed%a0%80', '%c0%80']) {
  test(`refuses ${broken}`, () => assert.throws(() => parse(broken), isMalformed))
}

test('refuses bytes that are not UTF-8 where they stand unescaped', () => {
  assert.throws(() => parseForm(Buffer.from([0x61, 0x3d, 0xff])), isMalformed)
})

test('holds the number of parameters and the length of names', () => {
  const limits = { formParametersMax: 3, formNameBytesMax: 5 }
  assert.equal(parse('a=1&b=2&c=3', limits).names.length, 3)
  assert.throws(() => parse('a=1&b=2&c=3&d=4', limits), isMalformed)
  assert.equal(parse('abcde=1', limits).names[0], 'abcde')
  assert.throws(() => parse('abcdef=1', limits), isMalformed)
})

test('in a path a plus sign stands for itself', () => {
  assert.equal(decodePath('a+b%2Bc%20d'), 'a+b+c d')
  assert.equal(decodePath('%C3%BC'), 'ü')
  assert.throws(() => decodePath('%C3'), isMalformed)
})
