import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { isInRange, parseAddress, parseAddressRange } from './address-range.ts'

test('reads what Node reads as an address, and nothing else', () => {
  const parts = fc.constantFrom('0', '1', '255', '256', '01', 'ffff', 'fffff', 'db8', '', ':', '::', '.', '10.0.0.1', '/8', 'g')
  const nearly = fc.array(fc.tuple(parts, fc.constantFrom(':', '.', '')), { maxLength: 10 }).map((list) => list.flat().join(''))
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (text) => {
      assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0, text)
    }),
    { numRuns: 2000 },
  )
})

test('decides ranges as Node’s block list does', () => {
  const shortened = (family: 4 | 6): fc.Arbitrary<string> =>
    family === 4
      ? fc.tuple(fc.constant('10.1'), fc.nat(3), fc.nat(255)).map((p) => p.join('.'))
      : fc.tuple(fc.constant('2001:db8:'), fc.nat(9)).map((p) => p.join(':'))
  const cases = fc.constantFrom(4 as const, 6 as const).chain((family) =>
    fc.record({
      family: fc.constant(family),
      base: shortened(family),
      prefixBits: fc.nat(family === 4 ? 32 : 128),
      candidate: shortened(family),
    }),
  )
  fc.assert(
    fc.property(cases, ({ family, base, prefixBits, candidate }) => {
      const list = new BlockList()
      list.addSubnet(base, prefixBits, `ipv${family}`)
      const [range, address] = [parseAddressRange(`${base}/${prefixBits}`), parseAddress(candidate)]
      assert.ok(range && address)
      assert.equal(isInRange(range, address), list.check(candidate, `ipv${family}`))
    }),
    { numRuns: 500 },
  )
})

test('an IPv4 address written as IPv6 counts as IPv4', () => {
  const [range, mapped] = [parseAddressRange('192.0.2.0/24'), parseAddress('::ffff:192.0.2.9')]
  assert.ok(range && mapped && isInRange(range, mapped))
  assert.deepEqual(parseAddressRange('::ffff:192.0.2.0/120'), parseAddressRange('192.0.2.0/24'))
})

test('refuses malformed ranges', () => {
  for (const text of ['', '/', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0/8', '::ffff:10.0.0.0/95']) {
    assert.equal(parseAddressRange(text), undefined, text)
  }
})
