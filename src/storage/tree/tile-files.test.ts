import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../base/random.ts'
import { leafHash, nodeHash, type SubtreeReader, rootHash } from '../../model/tlog/merkle.ts'
import { decodeBundle } from '../../model/tlog/tiles.ts'
import { memoryFiles } from '../memory/files.ts'
import { TreeDamaged } from '../tree.ts'
import { openTileFiles } from './tile-files.ts'

const leavesOf = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `leaf ${from + at}`)

function rootOf(count: number): Buffer {
  const hashes = leavesOf(0, count).map((leaf) => leafHash(Buffer.from(leaf)))
  const read: SubtreeReader = (level, index) =>
    level === 0 ? (hashes[index] ?? Buffer.alloc(0)) : nodeHash(read(level - 1, index * 2), read(level - 1, index * 2 + 1))
  return rootHash(count, read)
}

describe('tree on files', () => {
  it('has the root of its leaves at every size, and gives them back', () => {
    const store = openTileFiles(memoryFiles(), '/tree', { size: 0 })
    for (const count of [0, 1, 2, 253, 1, 1, 700]) {
      store.append(leavesOf(store.size, count))
      assert.deepEqual(store.root(), rootOf(store.size), String(store.size))
    }
    const bundle = decodeBundle(store.tile({ level: 'entries', index: 3, width: 190 }))
    assert.deepEqual(bundle?.map(String), leavesOf(768, 190))
  })

  it('grows on from where it was flushed, whatever lies behind', async () => {
    const files = memoryFiles()
    const first = openTileFiles(files, '/tree', { size: 0 })
    first.append(leavesOf(0, 300))
    await first.flush()
    const root = first.root()
    first.append(Array.from({ length: 600 }, () => 'never committed'))
    await first.flush()
    const again = openTileFiles(files, '/tree', { size: 300, root })
    again.append(leavesOf(300, 500))
    await again.flush()
    assert.deepEqual(again.root(), rootOf(800))
    assert.deepEqual(openTileFiles(files, '/tree', { size: 800, root: rootOf(800) }).size, 800)
  })

  it('is the same after a power cut at any call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
        fc.nat(60),
        fc.nat(),
        async (steps, cut, seed) => {
          const files = memoryFiles({ simulate: true })
          let committed = { size: 0, root: rootOf(0) }
          files.fault = ({ number }) => (number === cut ? 'cut' : undefined)
          try {
            const store = openTileFiles(files, '/tree', committed)
            for (const count of steps) {
              store.append(leavesOf(store.size, count))
              await store.flush()
              committed = { size: store.size, root: store.root() }
            }
          } catch (error) {
            assert.match(String(error), /power/)
          }
          files.crash(seededRandom(seed))
          files.fault = undefined
          const again = openTileFiles(files, '/tree', committed)
          again.append(leavesOf(again.size, 300))
          await again.flush()
          assert.deepEqual(again.root(), rootOf(committed.size + 300))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('takes up a flush that failed', async () => {
    const files = memoryFiles({ simulate: true })
    const store = openTileFiles(files, '/tree', { size: 0 })
    store.append(leavesOf(0, 600))
    files.fault = ({ name, number }) => (name === 'write' && number % 3 === 0 ? 'ENOSPC' : name === 'write' ? 'short' : undefined)
    await assert.rejects(store.flush(), { code: 'ENOSPC' })
    store.append(leavesOf(600, 10))
    files.fault = undefined
    await store.flush()
    assert.deepEqual(openTileFiles(files, '/tree', { size: 610, root: rootOf(610) }).size, 610)
  })

  it('names what is missing or changed', async () => {
    const files = memoryFiles({ simulate: true })
    const store = openTileFiles(files, '/tree', { size: 0 })
    store.append(leavesOf(0, 300))
    await store.flush()
    const root = store.root()
    files.flip('/tree/tile/0/001', 5)
    assert.throws(() => openTileFiles(files, '/tree', { size: 300, root }), TreeDamaged)
    files.flip('/tree/tile/0/001', 5)
    files.remove('/tree/tile/entries/001')
    assert.throws(() => openTileFiles(files, '/tree', { size: 300, root }), /tile\/entries\/001 is missing/)
  })
})
