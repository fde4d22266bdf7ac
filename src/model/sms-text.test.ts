import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textOf, textParts } from './sms-text.ts'

const lengths = (text: string) => textParts(text).parts.map(({ length }) => length)

test('a text fits into one message up to its limit, and is cut into shorter parts beyond', () => {
  assert.deepEqual(lengths('a'.repeat(160)), [160])
  assert.deepEqual(lengths('a'.repeat(161)), [153, 8])
  assert.deepEqual(lengths('€'.repeat(80)), [160])
  // The escape stays with what it escapes.
  assert.deepEqual(lengths('€'.repeat(81)), [152, 10])
  assert.deepEqual(lengths('я'.repeat(70)), [140])
  assert.deepEqual(lengths('я'.repeat(71)), [134, 8])
  // So do the halves of a character beyond the basic plane.
  assert.deepEqual(lengths('😀'.repeat(36)), [132, 12])
  assert.deepEqual(lengths(''), [0])
})

test('the alphabet is that of GSM where it has every character', () => {
  const gsm = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ {}[]~\\|^€¿à'
  assert.deepEqual(textParts(gsm).coding, 'gsm7')
  assert.deepEqual([...(textParts('@€Z').parts[0] ?? [])], [0, 0x1b, 0x65, 0x5a])
  assert.equal(textParts('ç').coding, 'ucs2')
  assert.deepEqual([...(textParts('ç').parts[0] ?? [])], [0, 0xe7])
})

test('what was cut is whole again', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ unit: fc.constantFrom('a', '€', '[', 'ß'), maxLength: 500 }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const { coding, parts } = textParts(text)
      assert.equal(parts.map((part) => textOf(coding, part)).join(''), text)
      for (const part of parts) assert.ok(part.length <= (coding === 'gsm7' ? 160 : 140))
    }),
    { numRuns: 40 },
  )
})
