// What every backend of the files port owes.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Files } from './files.ts'

export interface FilesWorld {
  readonly files: Files
  /** An empty folder for this test. */
  readonly folder: string
  done(): void
}

export function filesSuite(name: string, createWorld: () => FilesWorld): void {
  const inWorld = (what: string, run: (files: Files, at: (name: string) => string, folder: string) => void | Promise<void>): void => {
    test(what, async () => {
      const { files, folder, done } = createWorld()
      try {
        await run(files, (file) => join(folder, file), folder)
      } finally {
        done()
      }
    })
  }

  suite(name, () => {
    inWorld('reads what was written, less only at the end of the file', (files, at) => {
      const file = files.open(at('a'), 'create')
      write(file, 'hello world', 0)
      write(file, 'HE', 0)
      assert.equal(read(file, 0, 100), 'HEllo world')
      assert.equal(read(file, 6, 3), 'wor')
      assert.equal(read(file, 11, 5), '')
      assert.equal(file.size(), 11)
      file.close()
      const again = files.open(at('a'), 'read')
      assert.equal(read(again, 0, 5), 'HEllo')
      again.close()
    })

    inWorld('fills a gap with zeros', (files, at) => {
      const file = files.open(at('a'), 'create', { durable: true })
      write(file, 'x', 3000)
      assert.equal(file.size(), 3001)
      assert.equal(read(file, 2998, 3), '\0\0x')
      file.close()
    })

    inWorld('truncates and grows with zeros', (files, at) => {
      const file = files.open(at('a'), 'create')
      write(file, 'abcdef', 0)
      file.truncate(3)
      assert.equal(read(file, 0, 10), 'abc')
      file.truncate(5)
      assert.equal(read(file, 0, 10), 'abc\0\0')
      file.sync()
      file.close()
    })

    inWorld('flushes later as it flushes at once', async (files, at, folder) => {
      const file = files.open(at('a'), 'create')
      write(file, 'abc', 0)
      await file.syncLater()
      file.close()
      await files.syncFolderLater(folder)
      await assert.rejects(files.syncFolderLater(at('absent')), { code: 'ENOENT' })
    })

    inWorld('opens by mode, and says with a code why it does not', (files, at) => {
      assert.throws(() => files.open(at('a'), 'read'), { code: 'ENOENT' })
      assert.throws(() => files.open(at('a'), 'write'), { code: 'ENOENT' })
      assert.throws(() => files.open(at('absent/a'), 'create'), { code: 'ENOENT' })
      files.open(at('a'), 'create').close()
      assert.throws(() => files.open(at('a'), 'create'), { code: 'EEXIST' })
      const file = files.open(at('a'), 'write')
      write(file, 'x', 0)
      file.close()
      const reader = files.open(at('a'), 'read')
      assert.throws(() => write(reader, 'y', 0), { code: 'EBADF' })
      assert.equal(read(reader, 0, 5), 'x')
      reader.close()
    })

    inWorld('lists names in order, folders too', (files, at, folder) => {
      for (const name of ['b', 'a', 'c']) files.open(at(name), 'create').close()
      files.makeFolder(at('d/e'))
      files.makeFolder(at('d/e'))
      files.open(at('d/f'), 'create').close()
      assert.deepEqual(files.list(folder), ['a', 'b', 'c', 'd'])
      assert.deepEqual(files.list(at('d')), ['e', 'f'])
      assert.throws(() => files.list(at('absent')), { code: 'ENOENT' })
      assert.deepEqual([files.exists(at('a')), files.exists(at('d')), files.exists(at('absent'))], [true, true, false])
    })

    inWorld('renames over what is there, under an open file, and removes', (files, at, folder) => {
      const old = files.open(at('old'), 'create')
      write(old, 'old', 0)
      const fresh = files.open(at('fresh'), 'create')
      write(fresh, 'fresh', 0)
      files.rename(at('fresh'), at('old'))
      files.syncFolder(folder)
      assert.deepEqual(files.list(folder), ['old'])
      assert.equal(read(old, 0, 10), 'old')
      const now = files.open(at('old'), 'read')
      assert.equal(read(now, 0, 10), 'fresh')
      files.remove(at('old'))
      files.syncFolder(folder)
      assert.equal(files.exists(at('old')), false)
      assert.equal(read(now, 0, 10), 'fresh')
      assert.throws(() => files.remove(at('old')), { code: 'ENOENT' })
      assert.throws(() => files.rename(at('old'), at('x')), { code: 'ENOENT' })
      for (const file of [old, fresh, now]) file.close()
    })

    inWorld('reads later on a later turn', async (files, at) => {
      const file = files.open(at('a'), 'create')
      write(file, 'hello', 0)
      const into = Buffer.alloc(8, '.')
      let settled = false
      const reading = file.readLater(into, 2, 6, 1).then((bytes) => {
        settled = true
        return bytes
      })
      await Promise.resolve()
      assert.equal(settled, false)
      assert.equal(await reading, 4)
      assert.equal(into.toString(), '..ello..')
      file.close()
    })

    inWorld('says how much is free', (files, _at, folder) => {
      assert.ok(files.free(folder) > 0)
    })
  })
}

type OpenFile = ReturnType<Files['open']>

function write(file: OpenFile, text: string, position: number): void {
  const bytes = Buffer.from(`..${text}`)
  assert.equal(file.write(bytes, 2, bytes.length - 2, position), bytes.length - 2)
}

function read(file: OpenFile, position: number, length: number): string {
  const into = Buffer.alloc(length + 2)
  const bytes = file.read(into, 1, length, position)
  return into.toString('latin1', 1, 1 + bytes)
}
