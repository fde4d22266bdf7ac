import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { BackupFile } from '../backup.ts'
import type { FsckSummary } from '../fsck.ts'
import { type Fault, memoryFiles, type MemoryFiles } from '../memory/files.ts'
import { readWholeFile } from '../whole-files.ts'
import { decodeManifest, encodeManifest, isInside } from './format.ts'
import { listGenerations, verifyBackup } from './generations.ts'
import { restoreBackup } from './restore.ts'
import { BackupWriter } from './writer.ts'

const RUN = { folder: '/backup', directory: 'directory', lineage: 'lineage', isFull: false }
const HEAD = {
  ...{ takenAt: 1, position: 2, directory: 'directory', lineage: 'lineage' },
  ...{ version: '1', dataFormat: 1, rootKey: 'apart' as const },
}
const SOUND = { findings: { damage: 0, warning: 0, info: 0 } } as FsckSummary
const quiet = { onProgress: () => {} }

function write(files: MemoryFiles, path: string, bytes: Buffer): void {
  if (files.exists(path)) files.remove(path)
  const file = files.open(path, 'create')
  file.write(bytes, 0, bytes.length, 0)
  file.sync()
  file.close()
  files.syncFolder('/data')
}

function dataIn(files: MemoryFiles, changing: string): readonly BackupFile[] {
  files.makeFolder('/data')
  write(files, '/data/format.json', Buffer.from('{"format":1}\n'))
  write(files, '/data/lasting', Buffer.alloc(3000, 'l'))
  write(files, '/data/changing', Buffer.concat([Buffer.alloc(100_000, 'same'), Buffer.from(changing)]))
  return ['format.json', 'lasting', 'changing'].map((path) => ({ path, source: `/data/${path}`, isLasting: path === 'lasting' }))
}

function backUp(files: MemoryFiles, listed: readonly BackupFile[], more: { isFull?: boolean; keep?: number } = {}) {
  const writer = new BackupWriter(files, { ...RUN, isFull: more.isFull ?? false })
  try {
    for (const file of listed) assert.ok(writer.copy(file, true))
    return writer.finish(HEAD, more.keep)
  } finally {
    writer.close()
  }
}

function restore(files: MemoryFiles, dataFolder: string, generation?: number) {
  const parts = { files, clock: systemClock, random: seededRandom(3), fsck: async () => SOUND }
  return restoreBackup(parts, { source: '/backup', dataFolder, ...quiet, ...(generation !== undefined && { generation }) })
}

const contentOf = (files: MemoryFiles, path: string): string => readWholeFile(files, path)?.toString() ?? ''

test('a generation holds what was given as final; the next writes only the pieces that changed', async () => {
  const files = memoryFiles()
  const first = backUp(files, dataIn(files, 'one'))
  assert.equal(first.copiedBytes, first.bytes)
  const second = backUp(files, dataIn(files, 'two'))
  // The last piece of the changing file.
  assert.equal(second.copiedBytes, 100_003 - 65_536)
  await restore(files, '/first', 1)
  await restore(files, '/second')
  assert.ok(contentOf(files, '/first/changing').endsWith('one'))
  assert.ok(contentOf(files, '/second/changing').endsWith('two'))
  assert.equal(contentOf(files, '/second/lasting'), 'l'.repeat(3000))
  assert.deepEqual(
    (await verifyBackup(files, '/backup', quiet)).map(({ generation }) => generation),
    [1, 2],
  )
})

test('generations beyond the newest ones go with the packs that only they need; the rest stays whole', async () => {
  const files = memoryFiles()
  for (const changing of ['one', 'two', 'three']) backUp(files, dataIn(files, changing))
  const last = backUp(files, dataIn(files, 'four'), { keep: 2 })
  assert.deepEqual(last.removed, [1, 2])
  assert.deepEqual(listGenerations(files, '/backup'), [3, 4])
  await verifyBackup(files, '/backup', quiet)
  backUp(files, dataIn(files, 'four'), { isFull: true, keep: 1 })
  assert.equal(files.list('/backup/packs').length, 1)
  await verifyBackup(files, '/backup', quiet)
})

test('a file that is gone is told, and one that is given ahead alone does not count', async () => {
  const files = memoryFiles()
  const listed = dataIn(files, 'one')
  const writer = new BackupWriter(files, RUN)
  for (const file of listed) writer.copy(file, false)
  assert.equal(writer.copy({ path: 'gone', source: '/data/gone', isLasting: true }, true), false)
  for (const file of listed.slice(0, 2)) writer.copy(file, true)
  assert.equal(writer.finish(HEAD, undefined).files, 2)
  writer.close()
})

/** Every call that changes the volume, cut off in turn, until a run gets through. */
async function throughEveryCut(
  prepare: (files: MemoryFiles) => void,
  work: (files: MemoryFiles) => Promise<void> | void,
  check: (files: MemoryFiles, isDone: boolean) => Promise<void>,
) {
  for (let cut = 1; ; cut++) {
    const files = memoryFiles({ simulate: true })
    prepare(files)
    const from = files.calls
    files.fault = ({ number }): Fault | undefined => (number === from + cut ? 'cut' : undefined)
    let isDone = true
    try {
      await work(files)
    } catch (error) {
      isDone = false
      assert.match(String(error), /power|closed|EIO/i)
    }
    files.fault = undefined
    files.crash(seededRandom(cut))
    await check(files, isDone)
    if (isDone) return cut
  }
}

test('a file that lasts is read again once it is part of something else', async () => {
  const files = memoryFiles()
  const listed = (partOf: string, byte: string): BackupFile[] => {
    const all = dataIn(files, '').map((file) => (file.isLasting ? { ...file, partOf } : file))
    write(files, '/data/lasting', Buffer.alloc(3000, byte))
    return all
  }
  backUp(files, listed('tree', 'a'))
  assert.equal(backUp(files, listed('tree', 'b')).copiedBytes, 0)
  assert.equal(backUp(files, listed('tree/2', 'b')).copiedBytes, 3000)
  await restore(files, '/restored')
  assert.equal(contentOf(files, '/restored/lasting'), 'b'.repeat(3000))
})

test('the power goes off at any write of a backup: the last generation stands, and the next run goes through', async () => {
  const cuts = await throughEveryCut(
    (files) => void backUp(files, dataIn(files, 'one')),
    (files) => void backUp(files, dataIn(files, 'two'), { keep: 1 }),
    async (files, isDone) => {
      const generations = listGenerations(files, '/backup')
      assert.ok(generations.length > 0)
      if (isDone) assert.deepEqual(generations, [2])
      await verifyBackup(files, '/backup', quiet)
      const next = backUp(files, dataIn(files, 'three'))
      await restore(files, '/restored')
      assert.equal(next.generation, (generations.at(-1) ?? 0) + 1)
      assert.ok(contentOf(files, '/restored/changing').endsWith('three'))
      await verifyBackup(files, '/backup', quiet)
    },
  )
  assert.ok(cuts > 10, `${cuts} calls`)
})

test('the power goes off at any write of a restore: the folder counts as a data directory only when all of it is there', async () => {
  const cuts = await throughEveryCut(
    (files) => void backUp(files, dataIn(files, 'one')),
    async (files) => void (await restore(files, '/restored')),
    async (files) => {
      if (!files.exists('/restored/format.json')) {
        if (files.exists('/restored') && files.list('/restored').length > 0)
          await assert.rejects(restore(files, '/restored'), /restore into an empty folder/)
        return
      }
      assert.ok(contentOf(files, '/restored/changing').endsWith('one'))
      assert.equal(contentOf(files, '/restored/lasting'), 'l'.repeat(3000))
      assert.match(contentOf(files, '/restored/restored.json'), /"generation":1/)
    },
  )
  assert.ok(cuts > 10, `${cuts} calls`)
})

test('a full disk leaves the last generation as it was', async () => {
  const files = memoryFiles({ simulate: true })
  backUp(files, dataIn(files, 'one'))
  const listed = dataIn(files, 'two')
  files.fault = ({ name }) => (name === 'write' ? 'ENOSPC' : undefined)
  assert.throws(() => backUp(files, listed), { code: 'ENOSPC' })
  files.fault = undefined
  await verifyBackup(files, '/backup', quiet)
  assert.deepEqual(listGenerations(files, '/backup'), [1])
})

test('any flipped bit is named: in a pack, in a manifest', async () => {
  const files = memoryFiles({ simulate: true })
  backUp(files, dataIn(files, 'one'))
  for (const [path, complaint] of [
    ['/backup/packs/000001-0001.pack', /000001-0001\.pack is damaged at byte \d+, where it holds a part of \w+/],
    ['/backup/generations/000001.jsonl', /000001\.jsonl is damaged/],
  ] as const) {
    for (const bit of [0, 999, 2400]) {
      files.flip(path, bit)
      await assert.rejects(verifyBackup(files, '/backup', quiet), complaint)
      await assert.rejects(restore(files, `/restored-${bit}`), complaint)
      files.flip(path, bit)
    }
  }
})

test('paths stay inside, and a manifest is what was written', () => {
  for (const path of ['a', 'a/b.c', 'journal/000000000001.journal']) assert.ok(isInside(path))
  for (const path of ['', '/a', '../a', 'a/../b', 'a//b', 'a/./b', 'a\\b']) assert.ok(!isInside(path), path)
  const manifest = {
    head: { format: 1, generation: 1, ...HEAD },
    files: [{ path: 'a', bytes: 0, sha256: 'x', pieces: [] }],
    keys: new Map(),
  }
  assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest)
  for (const bytes of [Buffer.alloc(0), Buffer.from('{}'), Buffer.from('\n\n'), encodeManifest(manifest).subarray(0, -20)])
    assert.equal(typeof decodeManifest(bytes), 'string')
})
