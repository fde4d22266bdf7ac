import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeBundle, encodeBundle, parseTilePath, TILE_WIDTH, tilePath, tilesBetween } from './tiles.ts'

describe('tiles', () => {
  it('have the names of C2SP', () => {
    assert.equal(tilePath({ level: 0, index: 1234067, width: TILE_WIDTH }), 'tile/0/x001/x234/067')
    assert.equal(tilePath({ level: 'entries', index: 0, width: 12 }), 'tile/entries/000.p/12')
    const names = fc.record({
      level: fc.oneof(fc.nat(6), fc.constant('entries' as const)),
      index: fc.nat(999_999_999),
      width: fc.integer({ min: 1, max: TILE_WIDTH }),
    })
    fc.assert(fc.property(names, (name) => assert.deepEqual(parseTilePath(tilePath(name)), { ...name })))
    for (const bad of ['tile/0/1', 'tile/0/x000/001', 'tile/0/000.p/256', 'tile/0/000.p/0', 'tile/a/000', '../tile/0/000', 'tile/07/000'])
      assert.equal(parseTilePath(bad), undefined, bad)
    fc.assert(fc.property(fc.string(), (text) => void parseTilePath(`tile/${text}`)))
  })

  it('are told as far as a tree has grown', () => {
    const told = (before: number, size: number): string[] => [...tilesBetween(before, size)].map(tilePath)
    assert.deepEqual(told(0, 3), ['tile/entries/000.p/3', 'tile/0/000.p/3'])
    assert.deepEqual(told(3, 3), [])
    assert.deepEqual(told(3, 256), ['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1'])
    assert.deepEqual(told(256, 257), ['tile/entries/001.p/1', 'tile/0/001.p/1'])
    assert.deepEqual(told(255, 513), [
      ...['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/1'],
      ...['tile/0/000', 'tile/0/001', 'tile/0/002.p/1', 'tile/1/000.p/2'],
    ])
  })

  it('of leaves give back what they were given', () => {
    const leaves = fc.array(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      { maxLength: TILE_WIDTH },
    )
    fc.assert(fc.property(leaves, (given) => assert.deepEqual(decodeBundle(encodeBundle(given)), given)))
  })

  it('of arbitrary bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (array) => {
        const bytes = Buffer.from(array)
        const leaves = decodeBundle(bytes)
        if (leaves !== undefined) assert.deepEqual(encodeBundle(leaves), bytes)
      }),
    )
    assert.equal(decodeBundle(encodeBundle(Array.from({ length: TILE_WIDTH + 1 }, () => Buffer.alloc(0)))), undefined)
    assert.throws(() => encodeBundle([Buffer.alloc(0x10000)]), /65536 bytes/)
  })
})
