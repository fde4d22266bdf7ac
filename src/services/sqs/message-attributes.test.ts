import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type AttributeValue,
  formatAttributes,
  hasInvalidCharacters,
  readMessageAttributes,
  readSystemAttributes,
} from './message-attributes.ts'

const text = (StringValue: string, DataType = 'String'): AttributeValue => ({ DataType, StringValue })
const refusal = (attributes: Record<string, AttributeValue>): string => {
  try {
    readMessageAttributes(attributes)
  } catch (error) {
    if (error instanceof Error) return error.message
  }
  assert.fail('accepted')
}

test('attributes come back as they were sent, their size counted in bytes', () => {
  const sent = {
    Hello: text('Thére'),
    size: text('1e3', 'Number.double'),
    bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 3]) },
  }
  const { attributes, bytes } = readMessageAttributes(sent)
  assert.equal(
    bytes,
    'Hello'.length + 'String'.length + 6 + 'size'.length + 'Number.double'.length + 3 + 'bytes'.length + 'Binary'.length + 3,
  )
  const shown = formatAttributes(attributes)
  assert.deepEqual(shown['Hello'], sent.Hello)
  assert.deepEqual(shown['size'], sent.size)
  assert.deepEqual([...(shown['bytes']?.BinaryValue ?? [])], [0, 255, 3])
})

test('a view into a larger buffer gives its own bytes alone', () => {
  const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  assert.equal(
    readMessageAttributes({ a: { DataType: 'Binary', BinaryValue: view } }).attributes['a']?.value,
    Buffer.from([2, 3]).toString('base64'),
  )
})

test('an attribute may bear the name of an object member', () => {
  const { attributes } = readMessageAttributes(Object.fromEntries([['__proto__', text('x')]]))
  assert.deepEqual(Object.keys(attributes), ['__proto__'])
  assert.deepEqual(Object.keys(formatAttributes(attributes)), ['__proto__'])
})

test('names keep to the rules', () => {
  for (const name of ['', '.a', 'a.', 'a..b', 'a b', 'ä', 'a'.repeat(257), 'AWS.x', 'amazon.x'])
    assert.ok(refusal({ [name]: text('x') }).length > 0, name)
  assert.ok(readMessageAttributes({ ['a'.repeat(256)]: text('x'), 'A-b_c.9': text('x'), awsome: text('x') }).bytes > 0)
})

test('types and values fit each other', () => {
  assert.match(refusal({ a: text('x', '') }), /non-empty message attribute type/)
  assert.match(refusal({ a: text('x', 'Text') }), /supported type prefixes is Binary, Number, and String/)
  assert.match(refusal({ a: text('', 'String') }), /non-empty message attribute value for message attribute type 'String'/)
  assert.match(refusal({ a: { DataType: 'Binary', BinaryValue: new Uint8Array() } }), /non-empty message attribute value/)
  assert.match(refusal({ a: text('x', 'Binary') }), /must use field 'Binary'/)
  assert.match(refusal({ a: { DataType: 'String', BinaryValue: new Uint8Array([1]) } }), /must use field 'String'/)
  assert.match(refusal({ a: text('12a', 'Number') }), /Can't cast the value of message \(user\) attribute 'a' to a number/)
  assert.match(refusal({ a: { ...text('x'), StringListValues: ['y'] } }), /list values/)
  assert.match(refusal({ a: text('\u0000') }), /Invalid characters/)
  assert.match(
    refusal(Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`a${at}`, text('x')]))),
    /\[11\] exceeds the allowed maximum \[10\]/,
  )
})

test('of the system attributes only the trace header may be sent', () => {
  assert.deepEqual(readSystemAttributes({ AWSTraceHeader: text('Root=1-2-3') }), {
    AWSTraceHeader: { type: 'String', value: 'Root=1-2-3' },
  })
  assert.throws(() => readSystemAttributes({ SenderId: text('me') }), { code: 'InvalidParameterValue', message: /SenderId/ })
  assert.throws(() => readSystemAttributes({ AWSTraceHeader: text('1', 'Number') }), { code: 'InvalidParameterValue' })
})

test('characters are those of XML 1.0', () => {
  for (const good of ['\t\n\r', ' ~', '\ud7ff', '\ue000\ufffd', '😀', '\u{10ffff}'])
    assert.equal(hasInvalidCharacters(good), false, JSON.stringify(good))
  for (const bad of ['\0', '\v', '\u001f', '\ufffe', '\uffff', '\ud800', '\udc00a'])
    assert.equal(hasInvalidCharacters(bad), true, JSON.stringify(bad))
})
