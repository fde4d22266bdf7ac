// Lines: one row each whatever the record holds, in a form that any JSON tool reads.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventClass } from '../../model/entry.ts'
import { LineBuffer, linesFrom } from './lines.ts'

const event = (position: number, json: string) => ({
  kind: 'event' as const,
  position,
  class: EventClass.own,
  arrivedAt: 1767323045000.125,
  committedAt: 1767323045001,
  json: Buffer.from(json),
})

test('each row is one line of JSON with the record as it was, line breaks between its tokens aside', () => {
  const lines = new LineBuffer(8)
  lines.add(event(7, '{"a":"b\\n",\n"c":1.50}'))
  const before = lines.bytes
  lines.add({ kind: 'attempt', position: 9, json: Buffer.from('{"d":1}') })
  assert.equal(
    lines.bytes.toString(),
    '{"position":7,"class":"own","arrivedAt":1767323045000.125,"committedAt":1767323045001,"record":{"a":"b\\n", "c":1.50}}\n' +
      '{"position":9,"class":"attempt","record":{"d":1}}\n',
  )
  assert.equal(before.toString().split('\n').length, 2, 'a view taken earlier stays as it was')
  for (const line of lines.bytes.toString().trim().split('\n')) JSON.parse(line)
})

test('linesFrom begins at the first row of at least the position', () => {
  const lines = new LineBuffer(8)
  for (const position of [5, 10, 20]) lines.add(event(position, '{}'))
  const positions = (from: number): string[] =>
    linesFrom(lines.bytes, from)
      .toString()
      .match(/(?<="position":)\d+/g) ?? []
  assert.deepEqual(
    [positions(0), positions(5), positions(6), positions(20), positions(21)],
    [['5', '10', '20'], ['5', '10', '20'], ['10', '20'], ['20'], []],
  )
})
