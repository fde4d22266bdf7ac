import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Deidentification, deidentified } from './deidentify.ts'

interface Place {
  readonly identifier: string
  readonly start: number
  readonly end: number
}

/** As a scan finds them: of one identifier none begins in another. */
function findingsOf(places: readonly Place[]): Map<string, number[]> {
  const findings = new Map<string, number[]>()
  for (const { identifier, start, end } of [...places].sort((a, b) => a.start - b.start)) {
    const spans = findings.get(identifier) ?? []
    if (start >= (spans.at(-1) ?? 0)) findings.set(identifier, [...spans, start, end])
  }
  return findings
}

function run(text: string, findings: Map<string, number[]>, statements: readonly Deidentification[]): string {
  const changing = deidentified(text, findings, statements)
  let step = changing.next()
  while (step.done !== true) step = changing.next()
  return step.value
}

const place = (identifiers: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...identifiers), fc.nat(40), fc.integer({ min: 1, max: 9 }))
    .map(([identifier, start, length]) => ({ identifier, start, end: start + length }))

test('masking keeps lengths and all that was not found; redacting takes out just that', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 50, maxLength: 60, unit: 'binary' }), fc.array(place(['x', 'y'])), (text, places) => {
      const findings = findingsOf(places)
      const identifiers = new Set(['x', 'y'])
      const isFound = (at: number) =>
        [...findings.values()].some((spans) => spans.some((start, place) => place % 2 === 0 && at >= start && at < (spans[place + 1] ?? 0)))
      const units = Array.from({ length: text.length }, (_, at) => at)
      const expected = (mask: string) => units.map((at) => (isFound(at) ? mask : text[at])).join('')
      assert.equal(run(text, findings, [{ maskWith: '#', identifiers }]), expected('#'))
      assert.equal(run(text, findings, [{ maskWith: undefined, identifiers }]), expected(''))
      assert.equal(run(text, findings, [{ maskWith: '#', identifiers: new Set(['z']) }]), text)
    }),
  )
})

test('of findings that overlap the first one masks, and one that is taken out takes out all', () => {
  const span = (identifier: string, start: number, end: number) => ({ identifier, start, end })
  const findings = findingsOf([span('a', 2, 5), span('b', 4, 7), span('c', 8, 9)])
  const mask = (maskWith: string | undefined, ...identifiers: readonly string[]) => ({ maskWith, identifiers: new Set(identifiers) })
  assert.equal(run('0123456789', findings, [mask('B', 'b'), mask('A', 'a', 'c')]), '01AAAAA7A9')
  assert.equal(run('0123456789', findings, [mask(undefined, 'b'), mask('A', 'a', 'c')]), '017A9')
  assert.equal(run('0123456789', findingsOf([span('a', 2, 5), span('b', 2, 5)]), [mask('B', 'b'), mask('A', 'a')]), '01BBB56789')
})

test('a text of very many findings is changed in steps that are short', () => {
  const text = 'ab '.repeat(100_000)
  const spans = Array.from({ length: 100_000 }, (_, at) => [at * 3, at * 3 + 2]).flat()
  const changing = deidentified(text, new Map([['x', spans]]), [{ maskWith: '#', identifiers: new Set(['x']) }])
  let steps = 1
  let step = changing.next()
  for (; step.done !== true; step = changing.next()) steps++
  assert.equal(step.value, '## '.repeat(100_000))
  assert.ok(steps > 100, String(steps))
})
