import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { escapeXml, parseXml, XmlError } from './xml.ts'

const parse = (text: string, limits?: Parameters<typeof parseXml>[1]) => parseXml(Buffer.from(text), limits)

test('elements, attributes, text, CDATA, comments and references', () => {
  const root = parse(`<?xml version="1.0"?>\n<!-- c --><a:r x="1&amp;2" y='z'></a:r>`)
  assert.equal(root.name, 'r')
  assert.deepEqual(
    [...root.attributes],
    [
      ['x', '1&2'],
      ['y', 'z'],
    ],
  )
  const nested = parse('<r>a<b/>&lt;&#65;&#x42;<![CDATA[<&>]]><!-- x -->z<b>2</b></r>')
  assert.equal(nested.text, 'a<AB<&>z')
  assert.deepEqual(
    nested.children.map(({ name, text }) => [name, text]),
    [
      ['b', ''],
      ['b', '2'],
    ],
  )
})

test('text survives escaping', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => value.isWellFormed())
  fc.assert(
    fc.property(text, (value) => assert.equal(parse(`<r>${escapeXml(value)}</r>`).text, value)),
    { numRuns: 300 },
  )
})

for (const broken of [
  '',
  'text',
  '<a>',
  '<a></b>',
  '<a/><b/>',
  '<a/>text',
  '<a b=c/>',
  '<a b="1" b="2"/>',
  '<a b="<"/>',
  '<a>&unknown;</a>',
  '<a>& b</a>',
  '<a>&#0;</a>',
  '<a>&#xD800;</a>',
  '<a>&#x110000;</a>',
  '<!DOCTYPE a><a/>',
  '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
  '<a><!-- </a>',
  '<a><![CDATA[</a>',
  '<1/>',
  '<a b/>',
]) {
  test(`refuses ${broken === '' ? 'nothing' : broken}`, () => assert.throws(() => parse(broken), XmlError))
}

test('refuses bytes that are not UTF-8', () => {
  assert.throws(() => parseXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])), XmlError)
})

test('holds depth, number of elements and of attributes', () => {
  const limits = { xmlDepthMax: 3, xmlNodesMax: 5, xmlAttributesMax: 2 }
  parse('<a><b><c/></b></a>', limits)
  assert.throws(() => parse('<a><b><c><d>x</d></c></b></a>', limits), XmlError)
  assert.throws(() => parse('<a><b/><b/><b/><b/><b/></a>', limits), XmlError)
  assert.throws(() => parse('<a x="1" y="2" z="3"/>', limits), XmlError)
})

test('a very deep and a very long document end quickly', () => {
  assert.throws(() => parse('<a>'.repeat(1_000_000)), XmlError)
  assert.throws(() => parse(`<a>${'&'.repeat(1_000_000)}</a>`), XmlError)
  assert.throws(() => parse(`<a ${' '.repeat(1_000_000)}`), XmlError)
})
