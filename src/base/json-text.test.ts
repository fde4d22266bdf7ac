// Written by hand, read by anybody.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { jsonObject, jsonText } from './json-text.ts'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 190, maxLength: 210 }),
  fc.constantFrom('"', '\\', '\x7f', '\u2028'),
)

test('a text is what JSON.stringify makes of it', () => {
  fc.assert(fc.property(text, (value) => assert.equal(jsonText(value), JSON.stringify(value))))
})

test('an object is what JSON.stringify makes of it', () => {
  const value = fc.oneof(text, fc.jsonValue(), fc.constant(undefined))
  fc.assert(
    fc.property(fc.dictionary(text, value, { noNullPrototype: true }), (object) =>
      assert.equal(jsonObject(object), JSON.stringify(object)),
    ),
  )
})
