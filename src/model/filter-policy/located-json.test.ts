import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonTextError, type Located, parseLocated } from './located-json.ts'

function plain(located: Located): unknown {
  switch (located.kind) {
    case 'text':
      return located.text
    case 'number':
    case 'literal':
      return JSON.parse(located.text)
    case 'array':
      return located.items.map(plain)
    default:
      return Object.fromEntries(located.members.map(({ name, value }) => [name, plain(value)]))
  }
}

test('it reads what JSON.parse reads, and the same', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, 2), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent)
      assert.deepEqual(plain(parseLocated(text)), JSON.parse(text))
    }),
  )
})

test('it refuses what JSON.parse refuses', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e9"',
    '"\\x"',
    '"\n"',
    '1',
    '-',
    '01',
    '1.',
    '1e5',
    'true',
    'nul',
    ' ',
    '\n',
    "'",
    '"',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      let isGood = true
      try {
        JSON.parse(text)
      } catch {
        isGood = false
      }
      if (isGood) parseLocated(text)
      else assert.throws(() => parseLocated(text), JsonTextError)
    }),
    { numRuns: 3000 },
  )
})

test('complaints are those of AWS, with their places', () => {
  const at = (line: number, column: number): string =>
    `at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: ${line}, column: ${column}]`
  const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
  const complaints: readonly (readonly [json: string, text: string, line: number, column: number])[] = [
    ['', 'No content to map due to end-of-input', 1, 1],
    ['wrong policy', `Unrecognized token 'wrong': was expecting ${values}`, 1, 6],
    ['{"a":["b"}', "Unexpected character ('}' (code 125)): was expecting comma to separate Array entries", 1, 11],
    ['{"a"\n  ["b"]}', "Unexpected character ('[' (code 91)): was expecting a colon to separate field name and value", 2, 4],
    ['{a: 1}', "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", 1, 3],
    ['{"a": 1', `Unexpected end-of-input: expected close marker for Object (start marker ${at(1, 1)})`, 1, 8],
    ['{} {}', 'Trailing token found after value', 1, 4],
  ]
  for (const [json, text, line, column] of complaints)
    assert.throws(() => parseLocated(json), { message: `${text}\n ${at(line, column)}` }, json)
  assert.throws(() => parseLocated('['.repeat(100_000)), { message: /^Document nesting depth \(1001\) exceeds the maximum allowed/ })
})
