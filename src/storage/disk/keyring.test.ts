// The keyring: each source of a root key, wrong keys that change nothing, and a change of keys that ends at any point.
import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { RootKeyRefused, type RootSource, rootKeyId } from '../../model/root-key.ts'
import { type Keyring, openKeyring } from './keyring.ts'

const [FIRST, SECOND] = [1, 2].map((fill) => ({ kind: 'environment', key: Buffer.alloc(32, fill) }) as const)
const PASSPHRASE = { kind: 'passphrase', passphrase: 'correct horse battery' } as const
const FILE: RootSource = { kind: 'file' }
const random = seededRandom(1)

function withFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-keyring-'))
  try {
    run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function open(folder: string, current: RootSource | undefined = FILE, previous?: RootSource): Keyring {
  const isNew = !existsSync(join(folder, 'keyring.json')) && !existsSync(join(folder, 'root.key'))
  return openKeyring({ folder, random, now: () => 5, sources: { current, ...(previous !== undefined && { previous }) }, isNew })
}

const contents = (folder: string): unknown => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')])

test('each source gives the same key at the next start, and only a file is ever written', () => {
  for (const source of [FILE, FIRST, PASSPHRASE])
    withFolder((folder) => {
      const { root } = open(folder, source)
      assert.ok(open(folder, source).root.equals(root))
      assert.equal(existsSync(join(folder, 'root.key')), source === FILE)
      for (const name of readdirSync(folder))
        if (name !== 'root.key') assert.ok(!readFileSync(join(folder, name)).includes(root.toString('base64')))
    })
})

test('a wrong key, or none, is refused with the ids and the remedy, and changes nothing', () =>
  withFolder((folder) => {
    const { root } = open(folder, FIRST)
    const before = contents(folder)
    const refuses = (message: RegExp, current: RootSource | undefined, previous?: RootSource): void =>
      assert.throws(
        () => open(folder, current, previous),
        (error) => error instanceof RootKeyRefused && message.test(error.message) && error.message.includes(rootKeyId(root)),
      )
    refuses(new RegExp(`has id ${rootKeyId(SECOND?.key ?? root)}, but .*SEALCAST_ROOT_KEY`), SECOND)
    refuses(/no root key is at hand/, FILE)
    refuses(/no root key is at hand/, PASSPHRASE)
    refuses(/Nothing was changed/, PASSPHRASE, SECOND)
    assert.deepEqual(contents(folder), before)
  }))

test('a key gives way to one of any other source when both are given, and is kept sealed', () => {
  const other = { kind: 'passphrase', passphrase: 'another one of those' } as const
  const pairs: readonly (readonly [RootSource | undefined, RootSource | undefined])[] = [
    [FILE, FIRST],
    [FIRST, SECOND],
    [FIRST, FILE],
    [FILE, PASSPHRASE],
    [PASSPHRASE, other],
  ]
  for (const [from, to] of pairs)
    withFolder((folder) => {
      const before = open(folder, from).root
      const turned = open(folder, to, from)
      assert.ok(!turned.root.equals(before))
      assert.equal(turned.turnedFrom, rootKeyId(before))
      const again = open(folder, to)
      assert.ok(again.root.equals(turned.root))
      assert.ok(again.former[0]?.key.equals(before))
      again.forgetFormer()
      assert.deepEqual(open(folder, to).former, [])
    })
})

test('a rotation makes a new file, and one that ends at any point leaves the old key or the new', () =>
  withFolder((folder) => {
    const before = open(folder).root
    const old = `${folder}-old`
    cpSync(folder, old, { recursive: true })
    try {
      const keyring = open(folder)
      keyring.rotate()
      const after = keyring.root
      assert.ok(readFileSync(join(folder, 'root.key')).equals(after))
      // Ended behind the new file: the keyring does not know it.
      writeFileSync(join(old, 'root.key.next'), after)
      assert.ok(open(old).root.equals(before))
      assert.ok(!existsSync(join(old, 'root.key.next')))
      // Ended behind the keyring: the new file has no name yet.
      writeFileSync(join(old, 'root.key.next'), after)
      cpSync(join(folder, 'keyring.json'), join(old, 'keyring.json'))
      const finished = open(old)
      assert.ok(finished.root.equals(after))
      assert.ok(finished.former[0]?.key.equals(before))
      assert.ok(readFileSync(join(old, 'root.key')).equals(after))
    } finally {
      rmSync(old, { recursive: true })
    }
  }))

test('a key of the environment or of a passphrase is not the server’s to rotate', () =>
  withFolder((folder) => {
    assert.throws(() => open(folder, FIRST).rotate(), { name: 'RootKeyRefused', message: /SEALCAST_ROOT_KEY_PREVIOUS/ })
  }))

test('a key file elsewhere is found again without being named, and refused when others may read it', () =>
  withFolder((folder) =>
    withFolder((elsewhere) => {
      const file = join(elsewhere, 'sealcast.key')
      const { root } = open(folder, { kind: 'file', file })
      assert.ok(readFileSync(file).equals(root))
      assert.ok(!existsSync(join(folder, 'root.key')))
      assert.ok(open(folder).root.equals(root))
      open(folder).rotate()
      assert.ok(!readFileSync(file).equals(root))
      chmodSync(file, 0o640)
      assert.throws(() => open(folder, { kind: 'file', file }), { name: 'RootKeyRefused', message: /chmod 600/ })
    }),
  ))

test('a directory of an older release is sealed under its key file', () =>
  withFolder((folder) => {
    const key = Buffer.alloc(32, 3)
    writeFileSync(join(folder, 'root.key'), key)
    assert.ok(open(folder).root.equals(key))
    writeFileSync(join(folder, 'root.key'), Buffer.alloc(32, 4))
    assert.throws(() => open(folder), { name: 'RootKeyRefused', message: new RegExp(rootKeyId(key)) })
    writeFileSync(join(folder, 'root.key'), Buffer.alloc(31))
    assert.throws(() => open(folder), { name: 'RootKeyRefused', message: /31 bytes/ })
  }))

test('a keyring that is damaged or of a newer release is refused', () =>
  withFolder((folder) => {
    open(folder)
    writeFileSync(join(folder, 'keyring.json'), '{"format":2}')
    assert.throws(() => open(folder), { message: /format 2.*newer release/ })
    writeFileSync(join(folder, 'keyring.json'), '{')
    assert.throws(() => open(folder), { message: /damaged/ })
  }))
