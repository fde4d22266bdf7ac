import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { consistencyProof, EMPTY_ROOT, inclusionProof, isGrown, isIncluded, leafHash, rootHash, type SubtreeReader } from './merkle.ts'
import { subtreesOf, TILE_WIDTH, tileWidth } from './tiles.ts'

/** The definitions of RFC 6962, section 2.1, word for word. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const sha = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return sha(Buffer.from([0]), leaves[0] ?? Buffer.alloc(0))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha(Buffer.from([1]), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)))
}

function reader(leaves: readonly Buffer[]): SubtreeReader {
  return (level, index) => naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
}

const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`))

describe('Merkle tree', () => {
  it('has the roots that the tree of RFC 6962 has', () => {
    assert.equal(EMPTY_ROOT.toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    for (let size = 0; size < 70; size++) assert.deepEqual(rootHash(size, reader(leavesOf(size))), naiveRoot(leavesOf(size)))
  })

  it('proves every leaf of every tree, and nothing else', () => {
    for (let size = 1; size < 40; size++) {
      const leaves = leavesOf(size)
      const tree = { size, root: naiveRoot(leaves) }
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, reader(leaves))
        const leaf = leafHash(leaves[index] ?? Buffer.alloc(0))
        assert.ok(isIncluded(leaf, index, tree, proof))
        assert.ok(!isIncluded(leafHash(Buffer.from('another')), index, tree, proof))
        assert.ok(!isIncluded(leaf, index + 1, tree, proof))
        assert.ok(!isIncluded(leaf, index, tree, [...proof, leaf]))
        if (proof.length > 0) assert.ok(!isIncluded(leaf, index, tree, proof.slice(1)))
      }
    }
  })

  it('proves that a tree grew, and not that another did', () => {
    for (let newer = 0; newer < 34; newer++)
      for (let older = 0; older <= newer; older++) {
        const [old, grown] = [leavesOf(older), leavesOf(newer)]
        const proof = consistencyProof(older, newer, reader(grown))
        const [from, to] = [
          { size: older, root: naiveRoot(old) },
          { size: newer, root: naiveRoot(grown) },
        ]
        assert.ok(isGrown(from, to, proof), `${older} to ${newer}`)
        const rewritten = { size: newer, root: naiveRoot([Buffer.from('rewritten'), ...grown.slice(1)]) }
        if (older > 0)
          assert.ok(!isGrown(from, rewritten, consistencyProof(older, newer, reader([Buffer.from('rewritten'), ...grown.slice(1)]))))
        if (older < newer && older > 0) assert.ok(!isGrown(from, to, proof.slice(1)))
        assert.ok(!isGrown(from, to, [...proof, EMPTY_ROOT]))
      }
  })

  it('takes any hashes for a proof without an error', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array))
    const size = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
    fc.assert(
      fc.property(bytes, size, size, bytes, fc.array(bytes, { maxLength: 60 }), (leaf, index, count, root, proof) => {
        assert.ok(!isIncluded(leaf, index, { size: count, root }, proof) || leaf.equals(root))
        isGrown({ size: index, root: leaf }, { size: count, root }, proof)
      }),
    )
  })

  it('reads subtrees out of tiles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1200 }), fc.nat(), (size, pick) => {
        const leaves = leavesOf(size)
        const read = subtreesOf(size, ({ level, index, width }) => {
          assert.ok(typeof level === 'number')
          const each = TILE_WIDTH ** level
          assert.equal(width, tileWidth(level, index, size))
          return Buffer.concat(
            Array.from({ length: width }, (_, at) =>
              naiveRoot(leaves.slice((index * TILE_WIDTH + at) * each, (index * TILE_WIDTH + at + 1) * each)),
            ),
          )
        })
        const root = naiveRoot(leaves)
        assert.deepEqual(rootHash(size, read), root)
        const index = pick % size
        assert.ok(isIncluded(leafHash(leaves[index] ?? Buffer.alloc(0)), index, { size, root }, inclusionProof(index, size, read)))
      }),
      { numRuns: 15 },
    )
  })
})
