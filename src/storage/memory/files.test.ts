// Files in memory keep the port's contract; the simulated volume loses exactly what a power cut may lose.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { filesSuite } from '../files.suite.ts'
import { type Fault, type MemoryFiles, memoryFiles, PowerCut } from './files.ts'

for (const simulate of [false, true]) {
  filesSuite(simulate ? 'memory files, simulated' : 'memory files', () => {
    const files = memoryFiles({ simulate })
    files.makeFolder('/data')
    return { files, folder: '/data', done: () => {} }
  })
}

const SECTOR = 512

suite('a simulated power cut', () => {
  test('keeps what was synced or written durably', () => {
    for (let seed = 0; seed < 20; seed++) {
      const files = volume()
      const file = files.open('/data/a', 'create')
      file.write(Buffer.alloc(3 * SECTOR, 'a'), 0, 3 * SECTOR, 0)
      file.sync()
      const durable = files.open('/data/a', 'write', { durable: true })
      durable.write(Buffer.alloc(SECTOR, 'b'), 0, SECTOR, SECTOR)
      files.syncFolder('/data')
      files.crash(seededRandom(seed))
      assert.equal(sectors(files, '/data/a'), 'aba')
    }
  })

  test('keeps or loses each unsynced sector by itself', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const files = volume()
      const file = files.open('/data/a', 'create')
      file.write(Buffer.alloc(3 * SECTOR, 'a'), 0, 3 * SECTOR, 0)
      file.sync()
      files.syncFolder('/data')
      file.write(Buffer.alloc(3 * SECTOR, 'b'), 0, 3 * SECTOR, 0)
      files.crash(seededRandom(seed))
      seen.add(sectors(files, '/data/a'))
    }
    assert.deepEqual([...seen].sort(), ['aaa', 'aab', 'aba', 'abb', 'baa', 'bab', 'bba', 'bbb'])
  })

  test('loses names that were not synced, the later ones first', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const files = volume()
      for (const name of ['a', 'b']) files.open(`/data/${name}`, 'create').close()
      files.syncFolder('/data')
      files.rename('/data/a', '/data/c')
      files.open('/data/d', 'create').close()
      files.remove('/data/b')
      files.crash(seededRandom(seed))
      seen.add(files.list('/data').join(''))
    }
    assert.deepEqual([...seen].sort(), ['ab', 'bc', 'bcd', 'cd'])
  })

  test('loses the length of an unsynced file, and never shows what was not written', () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      const files = volume()
      const file = files.open('/data/a', 'create')
      files.syncFolder('/data')
      file.write(Buffer.alloc(2 * SECTOR, 'a'), 0, 2 * SECTOR, 0)
      files.crash(seededRandom(seed))
      const now = sectors(files, '/data/a')
      lengths.add(now.length)
      assert.match(now, /^[a\0]*$/)
    }
    assert.deepEqual(
      [...lengths].sort((a, b) => a - b),
      [0, 2],
    )
  })

  test('tears the durable write under way, and nothing works until the power is back', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const files = volume()
      const file = files.open('/data/a', 'create', { durable: true })
      file.write(Buffer.alloc(2 * SECTOR, 'a'), 0, 2 * SECTOR, 0)
      files.syncFolder('/data')
      files.fault = ({ name }) => (name === 'write' ? 'cut' : undefined)
      assert.throws(() => file.write(Buffer.alloc(2 * SECTOR, 'b'), 0, 2 * SECTOR, 0), PowerCut)
      assert.throws(() => files.list('/data'), PowerCut)
      assert.throws(() => file.size(), PowerCut)
      files.fault = undefined
      files.crash(seededRandom(seed))
      assert.throws(() => file.size(), { code: 'EBADF' })
      seen.add(sectors(files, '/data/a'))
    }
    assert.deepEqual([...seen].sort(), ['aa', 'ab', 'ba', 'bb'])
  })
})

test('a process that dies leaves its writes in the cache, where a power cut still finds them', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const files = volume()
    const file = files.open('/data/a', 'create')
    file.write(Buffer.alloc(SECTOR, 'a'), 0, SECTOR, 0)
    file.sync()
    files.syncFolder('/data')
    file.write(Buffer.alloc(SECTOR, 'b'), 0, SECTOR, 0)
    files.restart()
    assert.throws(() => file.size(), { code: 'EBADF' })
    assert.equal(sectors(files, '/data/a'), 'b')
    files.crash(seededRandom(seed))
    seen.add(sectors(files, '/data/a'))
  }
  assert.deepEqual([...seen].sort(), ['a', 'b'])
})

suite('injected faults', () => {
  test('a full volume takes what fits, then says ENOSPC', () => {
    const files = memoryFiles({ capacityBytes: 1000 })
    files.makeFolder('/data')
    const file = files.open('/data/a', 'create')
    assert.equal(file.write(Buffer.alloc(800), 0, 800, 0), 800)
    assert.equal(file.write(Buffer.alloc(800), 0, 800, 800), 200)
    assert.equal(files.free('/data'), 0)
    assert.throws(() => file.write(Buffer.alloc(1), 0, 1, 1000), { code: 'ENOSPC' })
    assert.equal(file.write(Buffer.alloc(800), 0, 800, 0), 800)
    files.remove('/data/a')
    assert.equal(files.free('/data'), 1000)
  })

  test('each call that changes something is asked about, and fails as told', () => {
    const files = volume()
    const names: string[] = []
    let fault: Fault | undefined
    files.fault = ({ name }) => {
      names.push(name)
      return fault
    }
    const file = files.open('/data/a', 'create')
    file.write(Buffer.from('abcd'), 0, 4, 0)
    file.truncate(2)
    file.sync()
    files.rename('/data/a', '/data/b')
    files.syncFolder('/data')
    fault = 'short'
    assert.equal(file.write(Buffer.from('abcd'), 0, 4, 0), 2)
    fault = 'EIO'
    assert.throws(() => file.sync(), { code: 'EIO' })
    fault = 'ENOSPC'
    assert.throws(() => file.write(Buffer.from('abcd'), 0, 4, 0), { code: 'ENOSPC' })
    assert.throws(() => files.open('/data/c', 'create'), { code: 'ENOSPC' })
    fault = undefined
    files.remove('/data/b')
    assert.deepEqual(names, ['create', 'write', 'truncate', 'sync', 'rename', 'syncFolder', 'write', 'sync', 'write', 'create', 'remove'])
    assert.equal(files.calls, names.length)
    assert.deepEqual(files.list('/data'), [])
  })

  test('a flipped bit stays flipped after a crash', () => {
    const files = volume()
    const file = files.open('/data/a', 'create', { durable: true })
    file.write(Buffer.from([0b1000]), 0, 1, 0)
    files.syncFolder('/data')
    files.flip('/data/a', 0)
    files.crash(seededRandom(1))
    const into = Buffer.alloc(1)
    files.open('/data/a', 'read').read(into, 0, 1, 0)
    assert.equal(into[0], 0b1001)
  })
})

function volume(): MemoryFiles {
  const files = memoryFiles({ simulate: true })
  files.makeFolder('/data')
  return files
}

/** The first letter of each sector. */
function sectors(files: MemoryFiles, path: string): string {
  const file = files.open(path, 'read')
  const into = Buffer.alloc(file.size())
  file.read(into, 0, into.length, 0)
  return Array.from({ length: into.length / SECTOR }, (_, index) => String.fromCharCode(into[index * SECTOR] ?? 0)).join('')
}
