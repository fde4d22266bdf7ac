// Sealed generations: nothing of them is readable, they share what they can, and each opens with the root key of its time alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sealBytes } from '../../base/aead.ts'
import { systemClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { rootKeyId, rootsAtHand, STRETCHING, stretchPassphrase } from '../../model/root-key.ts'
import type { BackupFile } from '../backup.ts'
import { storeKeyBound } from '../disk/format.ts'
import type { FsckSummary } from '../fsck.ts'
import { memoryFiles, type MemoryFiles } from '../memory/files.ts'
import { readWholeFile } from '../whole-files.ts'
import { listBackup, verifyBackup } from './generations.ts'
import { restoreBackup } from './restore.ts'
import { backupSealing } from './sealing.ts'
import { BackupWriter } from './writer.ts'

const random = seededRandom(7)
const [ROOT, NEXT_ROOT] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const KEY = { number: 1, key: Buffer.alloc(32, 11), since: 0 }
const NEXT_KEY = { number: 2, key: Buffer.alloc(32, 12), since: 0 }
const HEAD = {
  ...{ takenAt: 1, position: 2, directory: 'directory', lineage: 'lineage' },
  ...{ version: '1', dataFormat: 1, rootKey: 'apart' as const },
}
const SECRET = 'planted in a name or a value'

function keyringOf(root: Buffer, keys: readonly (typeof KEY)[], member: object = { source: 'file' }): Buffer {
  const stores = keys.map(({ number, key, since }) => {
    const sealed = sealBytes(root, random.bytes(12), key, storeKeyBound('backup', number)).toString('base64url')
    return { store: 'backup', number, since, sealed }
  })
  return Buffer.from(JSON.stringify({ format: 1, root: { id: rootKeyId(root), since: 0, ...member }, former: [], stores }))
}

interface Run {
  readonly changing: string
  /** Oldest first; the last one seals. None: the generation lies open. */
  readonly keys?: readonly (typeof KEY)[]
  readonly keyring?: Buffer
  readonly keep?: number
}

function write(files: MemoryFiles, path: string, bytes: Buffer): BackupFile {
  const source = `/data/${path}`
  if (files.exists(source)) files.remove(source)
  const file = files.open(source, 'create')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
  return { path, source, isLasting: path.startsWith('lasting') }
}

function backUp(files: MemoryFiles, { changing, keys = [], keyring = keyringOf(ROOT, []), keep }: Run) {
  files.makeFolder('/data')
  const sealing = backupSealing({ current: keys.at(-1), all: keys }, random)
  const run = { folder: '/backup', directory: 'directory', lineage: 'lineage', isFull: false }
  const writer = new BackupWriter(files, { ...run, ...(sealing && { keys: sealing.keys }) })
  try {
    for (const file of [
      write(files, 'format.json', Buffer.from('{"format":1}\n')),
      write(files, 'keyring.json', keyring),
      write(files, `lasting ${SECRET}`, Buffer.from(SECRET.repeat(100))),
      write(files, 'changing', Buffer.concat([Buffer.alloc(100_000, SECRET), Buffer.from(changing)])),
    ])
      assert.ok(writer.copy(file, true))
    const seal = sealing?.sealOf(keyring)
    return writer.finish({ ...HEAD, ...(seal && { sealedUnder: seal.root.id }) }, keep, seal)
  } finally {
    writer.close()
  }
}

const sealedRun = (changing: string, more: Partial<Run> = {}): Run => ({
  changing,
  keys: [KEY],
  keyring: keyringOf(ROOT, [KEY]),
  ...more,
})

function verify(files: MemoryFiles, keys: readonly Buffer[], generation?: number) {
  return verifyBackup(files, '/backup', {
    roots: rootsAtHand(keys),
    onProgress: () => {},
    ...(generation !== undefined && { generation }),
  })
}

function restore(
  files: MemoryFiles,
  dataFolder: string,
  keys: readonly Buffer[],
  more: { generation?: number; passphrases?: string[] } = {},
) {
  const parts = { files, clock: systemClock, random, fsck: async () => ({ findings: { damage: 0, warning: 0, info: 0 } }) as FsckSummary }
  const { passphrases = [], ...which } = more
  const options = { source: '/backup', dataFolder, onProgress: () => {}, ...which }
  return restoreBackup({ ...parts, roots: rootsAtHand(keys, passphrases) }, options)
}

const contentOf = (files: MemoryFiles, path: string): string => readWholeFile(files, path)?.toString('latin1') ?? ''

/** Everything in a backup's folder, end to end. */
function wholeBackup(files: MemoryFiles): string {
  const inside = ['packs', 'generations'].flatMap((folder) => files.list(`/backup/${folder}`).map((name) => `${folder}/${name}`))
  return ['backup.json', ...inside].map((path) => contentOf(files, `/backup/${path}`)).join()
}

test('a sealed generation tells no name and no byte, and the next writes only what changed', async () => {
  const open = memoryFiles()
  backUp(open, { changing: 'one' })
  assert.ok(wholeBackup(open).includes(SECRET))
  const files = memoryFiles()
  backUp(files, sealedRun('one'))
  const second = backUp(files, sealedRun('two'))
  assert.ok(second.copiedBytes < 40_000, `${second.copiedBytes} bytes`)
  for (const text of [SECRET, 'changing', 'keyring.json']) assert.ok(!wholeBackup(files).includes(text), text)
  const listed = await listBackup(files, '/backup')
  assert.deepEqual(
    listed.map(({ generation, files: count, sealedUnder }) => [generation, count, sealedUnder]),
    [1, 2].map((generation) => [generation, 4, rootKeyId(ROOT)]),
  )
  assert.equal((await verify(files, [ROOT])).length, 2)
  await restore(files, '/first', [ROOT], { generation: 1 })
  await restore(files, '/second', [ROOT])
  assert.ok(contentOf(files, '/first/changing').endsWith('one'))
  assert.ok(contentOf(files, '/second/changing').endsWith('two'))
  assert.equal(contentOf(files, `/second/lasting ${SECRET}`), SECRET.repeat(100))
})

test('a wrong root key, or none, is told with the ids, and nothing is written', async () => {
  const files = memoryFiles()
  backUp(files, sealedRun('one'))
  for (const [keys, complaint] of [
    [[], /generation 1 in \/backup is sealed under root key \w+ \(file\), and no root key is at hand\. .*--root-key/],
    [[NEXT_ROOT], new RegExp(`sealed under root key ${rootKeyId(ROOT)} .*at hand has id ${rootKeyId(NEXT_ROOT)}`)],
  ] as const) {
    await assert.rejects(verify(files, keys), { name: 'BackupRefused', message: complaint })
    await assert.rejects(restore(files, '/restored', keys), { name: 'BackupRefused', message: complaint })
  }
  assert.ok(!files.exists('/restored'))
})

test('behind a new root key and a new store key each generation opens with the root key of its time alone', async () => {
  const files = memoryFiles()
  backUp(files, sealedRun('one'))
  const keys = [KEY, NEXT_KEY]
  const keyring = keyringOf(NEXT_ROOT, keys)
  const second = backUp(files, { changing: 'two', keys, keyring })
  assert.ok(second.copiedBytes < 40_000, `${second.copiedBytes} bytes`)
  await verify(files, [NEXT_ROOT], 2)
  await assert.rejects(verify(files, [NEXT_ROOT]), /generation 1 .*sealed under/)
  assert.equal((await verify(files, [NEXT_ROOT, ROOT])).length, 2)
  await restore(files, '/restored', [NEXT_ROOT])
  assert.ok(contentOf(files, '/restored/changing').endsWith('two'))
  // The old generation goes without its key; what the new one needs of its pack stays.
  backUp(files, { changing: 'three', keys, keyring, keep: 1 })
  assert.ok(files.list('/backup/packs').includes('000001-0001.pack'))
  await verify(files, [NEXT_ROOT])
})

test('sealed and open generations stand side by side and share nothing; neither does one under a key that is not at hand', async () => {
  const files = memoryFiles()
  const first = backUp(files, { changing: 'one' })
  const stranger = [{ number: 1, key: Buffer.alloc(32, 99), since: 0 }]
  for (const run of [sealedRun('one'), { changing: 'one' }, { changing: 'one', keys: stranger, keyring: keyringOf(ROOT, stranger) }])
    assert.ok(backUp(files, run).copiedBytes >= first.copiedBytes)
  const last = backUp(files, sealedRun('one'))
  assert.ok(last.copiedBytes > first.copiedBytes)
  assert.equal((await verify(files, [ROOT])).length, 5)
  for (const generation of [1, 2, 3, 4, 5]) {
    await restore(files, `/restored-${generation}`, [ROOT], { generation })
    assert.ok(contentOf(files, `/restored-${generation}/changing`).endsWith('one'))
  }
})

test('a passphrase opens with what the backup tells of its stretching', async () => {
  const files = memoryFiles()
  const stretching = { ...STRETCHING, cost: 1024, salt: random.bytes(16).toString('base64') }
  const root = stretchPassphrase('correct horse battery', stretching)
  const keyring = keyringOf(root, [KEY], { source: 'passphrase', stretching })
  backUp(files, sealedRun('one', { keyring }))
  await assert.rejects(restore(files, '/wrong', [], { passphrases: ['another one'] }), /at hand has id \w+.*SEALCAST_ROOT_PASSPHRASE/)
  await restore(files, '/restored', [], { passphrases: ['correct horse battery'] })
})

test('any flipped bit of a sealed backup is named: in a pack, in a manifest', async () => {
  const files = memoryFiles({ simulate: true })
  backUp(files, sealedRun('one'))
  for (const [path, complaint] of [
    ['/backup/packs/000001-0001.pack', /000001-0001\.pack is damaged at byte \d+, where it holds a part of \w+.*: its seal does not hold/],
    ['/backup/generations/000001.jsonl', /000001\.jsonl is damaged/],
  ] as const) {
    for (const bit of [0, 999, 2400]) {
      files.flip(path, bit)
      await assert.rejects(verify(files, [ROOT]), complaint)
      await assert.rejects(restore(files, `/restored-${bit}`, [ROOT]), complaint)
      files.flip(path, bit)
    }
  }
})
