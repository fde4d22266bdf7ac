import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileArnPattern, compileResourcePattern, compileTextPattern } from './text-pattern.ts'

const OPTIONS = { element: 'Resource', variables: true }

function asExpression(pattern: string, star: (at: number) => string): RegExp {
  const source = [...pattern].map((character, at) => (character === '*' ? star(at) : character === '?' ? '[^]' : character))
  return new RegExp(`^${source.join('')}$`)
}

// Few characters, so that near misses are common.
const texts = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 9 })
const patterns = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '*', '?'), maxLength: 9 })

test('a text pattern matches what the equivalent expression matches', () => {
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      const matches = compileTextPattern(pattern, { ...OPTIONS, wildcards: true })
      assert.equal(matches(text, {}), asExpression(pattern, () => '[^]*').test(text), `${pattern} ${text}`)
    }),
    { numRuns: 5000 },
  )
})

test('a text made from its pattern matches it', () => {
  fc.assert(
    fc.property(patterns, fc.array(texts, { minLength: 10, maxLength: 10 }), (pattern, fills) => {
      const text = [...pattern].map((character, at) => (character === '*' ? fills[at] : character === '?' ? 'z' : character)).join('')
      assert.equal(compileTextPattern(pattern, { ...OPTIONS, wildcards: true })(text, {}), true)
    }),
  )
})

test('in a resource, a star passes a colon only at the end of its segment or in the last part', () => {
  const star = (pattern: string) => (at: number) => {
    const isLastPart = pattern.slice(0, at).split(':').length >= 6
    const end = pattern.slice(at).replace(/^\*+/, '')
    return isLastPart || end === '' || end.startsWith(':') ? '[^]*' : '[^:]*'
  }
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      assert.equal(
        compileResourcePattern(pattern, OPTIONS)(text, {}),
        asExpression(pattern, star(pattern)).test(text),
        `${pattern} ${text}`,
      )
    }),
    { numRuns: 5000 },
  )
  const matches = (pattern: string, resource: string): boolean => compileResourcePattern(pattern, OPTIONS)(resource, {})
  assert.equal(matches('arn:aws:sns:*', 'arn:aws:sns:eu-west-1:1:t'), true)
  assert.equal(matches('arn:aws:sns:eu-*-1:1:t', 'arn:aws:sns:eu-west-1:1:t'), true)
  assert.equal(matches('arn:aws:sns:eu-*1:1:t', 'arn:aws:sns:eu-west-2:1:1:t'), false)
  assert.equal(matches('arn:aws:s3:::b/*/c', 'arn:aws:s3:::b/x:y/c'), true)
  assert.equal(matches('*', '*'), true)
})

test('a variable’s value is text, wildcards and colons in it included', () => {
  const resource = compileResourcePattern('arn:aws:s3:::b/${aws:username}/*', OPTIONS)
  assert.equal(resource('arn:aws:s3:::b/ann/x', { 'aws:username': 'ann' }), true)
  assert.equal(resource('arn:aws:s3:::b/ann/x', { 'AWS:UserName': 'ann' }), true)
  assert.equal(resource('arn:aws:s3:::b/ann/x', { 'aws:username': '*' }), false)
  assert.equal(resource('arn:aws:s3:::b/ann/x', {}), false)
  assert.equal(resource('arn:aws:s3:::b/*/x', { 'aws:username': '*' }), true)
  const arn = compileArnPattern('arn:aws:sns:${aws:region}:1:t', OPTIONS)
  assert.equal(arn('arn:aws:sns:eu:1:t', { 'aws:region': 'eu' }), true)
  assert.equal(arn('arn:aws:sns:eu:2:evil:1:t', { 'aws:region': 'eu:2:evil' }), false)
})

test('a pattern made to be slow is not', () => {
  const pattern = 'a*'.repeat(5_000) + 'b'
  const text = 'a'.repeat(20_000)
  assert.equal(compileTextPattern(pattern, { ...OPTIONS, wildcards: true })(text, {}), false)
})
