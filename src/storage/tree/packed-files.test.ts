import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../base/random.ts'
import { leafHash, nodeHash, type SubtreeReader, rootHash } from '../../model/tlog/merkle.ts'
import { decodeBundle, encodeBundle, tilePath, tilesBetween } from '../../model/tlog/tiles.ts'
import { memoryFiles, type MemoryFiles } from '../memory/files.ts'
import { TreeDamaged } from '../tree.ts'
import { readWholeFile } from '../whole-files.ts'
import { openPackedFiles } from './packed-files.ts'

const leavesOf = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `leaf ${from + at}`)
const bundleOf = (from: number, count: number): Buffer => encodeBundle(leavesOf(from, count).map((leaf) => Buffer.from(leaf)))

function rootOf(count: number): Buffer {
  const hashes = leavesOf(0, count).map((leaf) => leafHash(Buffer.from(leaf)))
  const read: SubtreeReader = (level, index) =>
    level === 0 ? (hashes[index] ?? Buffer.alloc(0)) : nodeHash(read(level - 1, index * 2), read(level - 1, index * 2 + 1))
  return rootHash(count, read)
}

describe('tree on files', () => {
  it('has the root of its leaves at every size, and gives them back', () => {
    const store = openPackedFiles(memoryFiles(), '/tree', { size: 0 })
    for (const count of [0, 1, 2, 253, 1, 1, 700]) {
      store.append(bundleOf(store.size, count))
      assert.deepEqual(store.root(), rootOf(store.size), String(store.size))
    }
    const bundle = decodeBundle(store.tile({ level: 'entries', index: 3, width: 190 }))
    assert.deepEqual(bundle?.map(String), leavesOf(768, 190))
  })

  it('grows on from where it was flushed, whatever lies behind', async () => {
    const files = memoryFiles()
    const first = openPackedFiles(files, '/tree', { size: 0 })
    first.append(bundleOf(0, 300))
    await first.flush()
    const root = first.root()
    first.append(encodeBundle(new Array<Buffer>(600).fill(Buffer.from('never committed'))))
    await first.flush()
    const again = openPackedFiles(files, '/tree', { size: 300, root })
    again.append(bundleOf(300, 500))
    await again.flush()
    assert.deepEqual(again.root(), rootOf(800))
    assert.deepEqual(openPackedFiles(files, '/tree', { size: 800, root: rootOf(800) }).size, 800)
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
            const store = openPackedFiles(files, '/tree', committed)
            for (const count of steps) {
              store.append(bundleOf(store.size, count))
              await store.flush()
              committed = { size: store.size, root: store.root() }
            }
          } catch (error) {
            assert.match(String(error), /power/)
          }
          files.crash(seededRandom(seed))
          files.fault = undefined
          const again = openPackedFiles(files, '/tree', committed)
          again.append(bundleOf(again.size, 300))
          await again.flush()
          assert.deepEqual(again.root(), rootOf(committed.size + 300))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is the same after a power cut where new files begin', async () => {
    const [start, more] = [65_400, 300]
    for (let cut = 0; cut < 36; cut += 3) {
      const files = memoryFiles({ simulate: true })
      const store = openPackedFiles(files, '/tree', { size: 0 })
      store.append(bundleOf(0, start))
      await store.flush()
      let committed = { size: start, root: store.root() }
      const from = files.calls
      files.fault = ({ number }) => (number === from + cut ? 'cut' : undefined)
      store.append(bundleOf(start, more))
      const whole = { size: start + more, root: store.root() }
      await store.flush().then(
        () => void (committed = whole),
        (error: unknown) => assert.match(String(error), /power/),
      )
      files.crash(seededRandom(cut))
      files.fault = undefined
      const again = openPackedFiles(files, '/tree', committed)
      again.append(bundleOf(again.size, whole.size - again.size))
      await again.flush()
      assert.equal(openPackedFiles(files, '/tree', whole).size, whole.size)
    }
  })

  it('takes up a flush that failed', async () => {
    const files = memoryFiles({ simulate: true })
    const store = openPackedFiles(files, '/tree', { size: 0 })
    store.append(bundleOf(0, 600))
    files.fault = ({ name, number }) => (name === 'write' && number % 3 === 0 ? 'ENOSPC' : name === 'write' ? 'short' : undefined)
    await assert.rejects(store.flush(), { code: 'ENOSPC' })
    store.append(bundleOf(600, 10))
    files.fault = undefined
    await store.flush()
    assert.deepEqual(openPackedFiles(files, '/tree', { size: 610, root: rootOf(610) }).size, 610)
  })

  it('names what is missing or changed, whatever the place where it ends', async () => {
    for (const size of [300, 512, 65_536, 66_000, 131_072]) {
      const files = memoryFiles({ simulate: true })
      const store = openPackedFiles(files, '/tree', { size: 0 })
      store.append(bundleOf(0, size))
      await store.flush()
      const root = store.root()
      const newest = size % 65_536 === 0 ? size / 65_536 - 1 : Math.floor(size / 65_536)
      const name = String(newest).padStart(6, '0')
      for (const path of [`leaves/${name}`, 'ends/000000', `hashes/0/${name}`, 'format.json']) {
        const before = contentOf(files, `/tree/${path}`)
        files.remove(`/tree/${path}`)
        assert.throws(() => openPackedFiles(files, '/tree', { size, root }), new RegExp(`/tree/${path} is missing`), `${size} ${path}`)
        write(files, `/tree/${path}`, before.subarray(0, before.length - 3))
        assert.throws(() => openPackedFiles(files, '/tree', { size, root }), TreeDamaged, `${size} ${path} cut`)
        write(files, `/tree/${path}`, before)
        assert.equal(openPackedFiles(files, '/tree', { size, root }).size, size)
      }
      files.flip(`/tree/hashes/0/${name}`, contentOf(files, `/tree/hashes/0/${name}`).length * 8 - 5)
      assert.throws(() => openPackedFiles(files, '/tree', { size, root }), TreeDamaged, String(size))
    }
  })

  it('has every tile at hand, from memory and from files, also behind the first files of each', async () => {
    const files = memoryFiles()
    const size = 70_000
    const store = openPackedFiles(files, '/tree', { size: 0 })
    const other = openPackedFiles(memoryFiles(), '/tree', { size: 0 })
    for (let at = 0; at < size; at += 5000) {
      store.append(bundleOf(at, 5000))
      other.append(bundleOf(at, 5000))
      await store.flush()
    }
    const again = openPackedFiles(files, '/tree', { size, root: other.root() })
    for (const name of tilesBetween(0, size)) {
      assert.ok(store.tile(name).equals(other.tile(name)), tilePath(name))
      assert.ok(again.tile(name).equals(other.tile(name)), tilePath(name))
    }
    assert.deepEqual(files.list('/tree/leaves'), ['000000', '000001'])
  })

  it('lets go of what it had begun behind the committed size', async () => {
    const files = memoryFiles()
    const first = openPackedFiles(files, '/tree', { size: 0 })
    first.append(bundleOf(0, 1000))
    await first.flush()
    const root = first.root()
    first.append(bundleOf(5000, 70_000))
    await first.flush()
    const again = openPackedFiles(files, '/tree', { size: 1000, root })
    assert.deepEqual(files.list('/tree/leaves'), ['000000'])
    assert.equal(contentOf(files, '/tree/hashes/0/000000').length, 32_000)
    again.append(bundleOf(1000, 70_000))
    await again.flush()
    assert.equal(openPackedFiles(files, '/tree', { size: 71_000, root: rootOf(71_000) }).size, 71_000)
  })

  it('refuses a tree in another layout, and changes nothing of it', () => {
    const files = memoryFiles()
    files.makeFolder('/tree/tile/0')
    write(files, '/tree/tile/0/000', Buffer.alloc(32))
    for (const size of [0, 1]) assert.throws(() => openPackedFiles(files, '/tree', { size }), /tile is of a tree in format 1/)
    assert.deepEqual(files.list('/tree'), ['tile'])
    const newer = memoryFiles()
    newer.makeFolder('/tree')
    write(newer, '/tree/format.json', Buffer.from('{"format":3}'))
    assert.throws(() => openPackedFiles(newer, '/tree', { size: 0 }), /tells of format 3; this release reads format 2/)
  })
})

function contentOf(files: MemoryFiles, path: string): Buffer {
  return readWholeFile(files, path) ?? assert.fail(path)
}

function write(files: MemoryFiles, path: string, bytes: Buffer): void {
  if (files.exists(path)) files.remove(path)
  const file = files.open(path, 'create')
  for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, at)
  file.close()
}
