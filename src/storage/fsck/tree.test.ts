import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBundle } from '../../model/tlog/tiles.ts'
import { memoryFiles, type MemoryFiles } from '../memory/files.ts'
import { openPackedFiles } from '../tree/packed-files.ts'
import type { Check } from './check.ts'
import { NO_STORE_KEYS } from '../store-keys.ts'
import { checkTree } from './tree.ts'

const LEAVES = 70_000

async function findingsOf(files: MemoryFiles, root: Buffer): Promise<string[]> {
  const told: string[] = []
  const check: Check = {
    files,
    storeKeys: () => NO_STORE_KEYS,
    folder: '/data',
    path: (name) => `/data/${name}`,
    report: ({ file, what }) => void told.push(`${file}: ${what}`),
    step: () => Promise.resolve(),
  }
  const state = { kind: 'state', origin: 'o', size: LEAVES, root: root.toString('base64'), position: 5 } as const
  await checkTree(check, state, { durable: 10 })
  return told
}

test('a tree is sound as it was written, and every change of it is named', async () => {
  const files = memoryFiles({ simulate: true })
  const store = openPackedFiles(files, '/data/tree', { size: 0 })
  store.append(encodeBundle(Array.from({ length: LEAVES }, (_, at) => Buffer.from(`leaf ${at}`))))
  const root = store.root()
  store.append(encodeBundle([Buffer.from('what a crash left')]))
  await store.flush()
  assert.deepEqual(await findingsOf(files, root), [])
  const changes = [
    ['leaves/000000', 20],
    ['leaves/000001', 20],
    ['leaves/000001', 40_000],
    ['ends/000000', 5],
    ['ends/000000', 8 * 272],
    ['hashes/0/000000', 90_000],
    ['hashes/0/000001', 20],
    ['hashes/1/000000', 20],
    ['hashes/1/000000', 8200],
    ['hashes/2/000000', 20],
  ] as const
  for (const [path, byte] of changes) {
    files.flip(`/data/tree/${path}`, 8 * byte + 3)
    const findings = await findingsOf(files, root)
    assert.equal(findings.length, 1, path)
    // A leaf that was changed is met where its hash is not the one on file.
    if (!path.startsWith('leaves')) assert.match(String(findings[0]), new RegExp(`^tree/${path}: `))
    files.flip(`/data/tree/${path}`, 8 * byte + 3)
  }
  assert.match((await findingsOf(files, Buffer.alloc(32))).join(), /another root than the one committed/)
  for (const path of ['leaves/000001', 'ends/000000', 'hashes/1/000000']) {
    const moved = `/data/moved`
    files.rename(`/data/tree/${path}`, moved)
    const findings = await findingsOf(files, root)
    assert.equal(findings.length, 1)
    assert.match(findings[0] ?? '', new RegExp(`^tree/${path}: it is missing`))
    files.rename(moved, `/data/tree/${path}`)
  }
  assert.deepEqual(await findingsOf(files, root), [])
  files.rename('/data/tree/format.json', '/data/moved')
  assert.match((await findingsOf(files, root)).join(), /^tree: .*format\.json is missing$/)
})
