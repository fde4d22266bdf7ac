// Tables that fit the terminal they are shown on, CSV that RFC 4180 readers take, JSON a line each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SqlValue } from '../../model/sql-rows.ts'
import { formatCsvRow } from './csv.ts'
import { cutToWidth, displayWidth, printable } from './display-width.ts'
import { formatJsonRow } from './json.ts'
import { formatTable } from './table.ts'

const COLUMNS = [
  { name: 'source', type: 'VARCHAR' },
  { name: 'n', type: 'BIGINT' },
  { name: 'details', type: 'STRUCT(a INTEGER)' },
]

test('a table aligns its columns, numbers to the right, and shows null, structs and wide characters', () => {
  const rows: readonly (readonly SqlValue[])[] = [
    ['ec2.amazonaws.com', 892, { a: 1 }],
    ['日本', 5, null],
  ]
  assert.equal(
    formatTable(COLUMNS, rows, { width: undefined }),
    [
      'source               n  details',
      '─────────────────  ───  ───────',
      'ec2.amazonaws.com  892  {"a":1}',
      '日本                 5  -',
      '',
    ].join('\n'),
  )
  assert.equal(formatTable(COLUMNS, [], { width: 80 }), 'source  n  details\n──────  ─  ───────\n')
})

test('where the terminal is narrow the widest columns are cut, and where nothing legible is left rows become blocks', () => {
  const rows: readonly (readonly SqlValue[])[] = [['x'.repeat(100), 7, 'y'.repeat(300)]]
  const lines = formatTable(COLUMNS, rows, { width: 40 }).trimEnd().split('\n')
  assert.equal(lines[2], `${'x'.repeat(16)}…  7  ${'y'.repeat(16)}…`)
  assert.equal(
    formatTable(COLUMNS, rows, { width: 18 }),
    ['── row 1 ──', 'source   xxxxxxxx…', 'n        7', 'details  yyyyyyyy…', ''].join('\n'),
  )
})

test('no line is ever wider than the terminal', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { minLength: 3, maxLength: 3 }), { maxLength: 5 }),
      fc.integer({ min: 12, max: 200 }),
      (rows, width) => {
        for (const line of formatTable(COLUMNS, rows, { width }).split('\n')) assert.ok(displayWidth(line) <= width, JSON.stringify(line))
      },
    ),
    { numRuns: 200 },
  )
})

test('widths follow the terminal: wide and emoji two, combining none; nothing in a cell can move the cursor', () => {
  assert.deepEqual(['abc', 'é', 'e\u0301', '日本', '👍', '👩‍👩‍👧', ''].map(displayWidth), [3, 1, 1, 4, 2, 2, 0])
  assert.equal(cutToWidth('日本語', 5), '日本…')
  assert.equal(cutToWidth('日本語', 4), '日…')
  assert.equal(cutToWidth('abc', 3), 'abc')
  assert.equal(printable('a\u001b[2Jb\nc\u202ed\u009b'), 'a␛[2Jb␊c\ufffdd\ufffd')
})

test('CSV quotes what needs it, doubles quotes, ends with CRLF, and tells null from empty', () => {
  assert.equal(
    formatCsvRow(['a', 'b,c', 'd"e', 'f\ng', ' h', '', null, 1.5, true, { x: ['y'] }]),
    'a,"b,c","d""e","f\ng"," h","",,1.5,true,"{""x"":[""y""]}"\r\n',
  )
})

test('what was written as CSV is read back the same', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (values) => {
      assert.deepEqual(readCsvRow(formatCsvRow(values)), values)
    }),
  )
})

test('JSON rows keep the order of columns and the types of values', () => {
  const columns = ['b', '1', 'a'].map((name) => ({ name, type: 'VARCHAR' }))
  assert.equal(formatJsonRow(columns, [1, null, { x: [true, 'é'] }]), '{"b":1,"1":null,"a":{"x":[true,"é"]}}\n')
})

/** A reader by the letter of RFC 4180, which shares nothing with the writer. */
function readCsvRow(line: string): string[] {
  const fields: string[] = []
  let rest = line.slice(0, -2)
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest)
    const field = quoted?.[1]?.replaceAll('""', '"') ?? /^[^,]*/.exec(rest)?.[0] ?? ''
    fields.push(field)
    rest = rest.slice((quoted?.[0] ?? field).length)
    if (!rest.startsWith(',')) return fields
    rest = rest.slice(1)
  }
}
