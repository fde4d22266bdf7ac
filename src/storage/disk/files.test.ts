// Files on disk keep the port's contract, and are ours alone.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { filesSuite } from '../files.suite.ts'
import { diskFiles } from './files.ts'

filesSuite('disk files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealcast-files-'))
  return { files: diskFiles(), folder, done: () => rmSync(folder, { recursive: true }) }
})

test('files and folders are for our own user alone', { skip: process.platform === 'win32' }, () => {
  const parent = mkdtempSync(join(tmpdir(), 'sealcast-files-'))
  try {
    const files = diskFiles()
    files.makeFolder(join(parent, 'a/b'))
    files.open(join(parent, 'a/b/c'), 'create').close()
    assert.equal(statSync(join(parent, 'a/b')).mode & 0o777, 0o700)
    assert.equal(statSync(join(parent, 'a/b/c')).mode & 0o777, 0o600)
  } finally {
    rmSync(parent, { recursive: true })
  }
})

test('another thread finds the same files where `elsewhere` says', async () => {
  const { elsewhere } = diskFiles()
  assert.ok(elsewhere)
  const module = (await import(elsewhere.module)) as Record<string, unknown>
  assert.equal(module[elsewhere.name], diskFiles)
})
