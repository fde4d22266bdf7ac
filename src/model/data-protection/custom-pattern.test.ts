import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileCustomPattern } from './custom-pattern.ts'

const found = (source: string, text: string): readonly string[] => {
  const pattern = compileCustomPattern(source)
  const all: string[] = []
  for (let at = 0; at < text.length;) {
    const end = pattern.endOf(text, at)
    if (end > at) all.push(text.slice(at, end))
    at = Math.max(end, at + 1)
  }
  return all
}

test('finds what the expression says, the longest at each place', () => {
  assert.deepEqual(found('EID-\\d{9}-US', 'xEID-123456789-US, EID-12345678-US'), ['EID-123456789-US'])
  assert.deepEqual(found('[A-Z]{2,4}|X\\.y+', 'ABCDE X.yyy'), ['ABCD', 'X.yyy'])
  assert.deepEqual(found('a*b?c', 'aaabc c abb'), ['aaabc', 'c'])
  assert.deepEqual(found('[^ \\d]{2,}', 'ab 12 é€z'), ['ab', 'é€z'])
  assert.deepEqual(found('^ab|cd$', 'abab cdcd'), ['ab', 'cd'])
  assert.deepEqual(found('a\\|b', 'a|b'), ['a|b'])
})

test('refuses what it does not offer, by what is wrong', () => {
  const wrong = {
    '': /1 to 200/,
    ['a'.repeat(201)]: /1 to 200/,
    '(a)': /'\('/,
    'a+?': /behind another count/,
    '*a': /behind nothing/,
    '[a': /no \]/,
    'a\\': /ends with a backslash/,
    'a\\b': /\\b is not offered/,
    '[z-a]': /range/,
    'a{3,2}': /no count/,
    'a{257}': /no count/,
    'a{x}': /begins no count/,
    'a*': /at least one character/,
    'a|': /at least one character/,
    a$b: /only at the end/,
    '[ab]*a[ab]{100}': /too complicated/,
    '[ab]{256}[ab]{256}[ab]{256}[ab]{256}': /come to more than/,
  }
  for (const [source, text] of Object.entries(wrong)) assert.throws(() => compileCustomPattern(source), text, source)
  compileCustomPattern('a'.repeat(200))
  compileCustomPattern('a{256}')
})

test('finds the longest of what the regular expressions of JavaScript take', () => {
  const part = fc.tuple(fc.constantFrom('a', 'b', '[ab]', '\\d', '.', '[^a]'), fc.constantFrom('', '{2}', '?', '{1,3}', '+'))
  const parts = fc.array(part, { minLength: 1, maxLength: 4 }).filter((all) => all.some(([, count]) => count !== '?'))
  const source = parts.map((all) => all.flat().join(''))
  fc.assert(
    fc.property(source, fc.string({ unit: fc.constantFrom('a', 'b', '1', ' '), maxLength: 12 }), (pattern, text) => {
      const compiled = compileCustomPattern(pattern)
      for (let at = 0; at < text.length; at++) {
        const lengths = Array.from({ length: text.length - at }, (_, more) => more + 1)
        const longest = lengths.findLast((length) => new RegExp(`^(?:${pattern})$`).test(text.slice(at, at + length)))
        assert.equal(compiled.endOf(text, at), at + (longest ?? 0))
      }
    }),
  )
})
