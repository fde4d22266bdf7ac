import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFiles, type MemoryFiles } from '../memory/files.ts'
import { openTileFiles } from '../tree/tile-files.ts'
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
  const store = openTileFiles(files, '/data/tree', { size: 0 })
  store.append(Array.from({ length: LEAVES }, (_, at) => `leaf ${at}`))
  const root = store.root()
  store.append(['what a crash left'])
  await store.flush()
  assert.deepEqual(await findingsOf(files, root), [])
  const changes = ['tile/entries/000', 'tile/entries/273', 'tile/0/100', 'tile/0/273', 'tile/1/000', 'tile/1/001', 'tile/2/000']
  for (const path of changes) {
    files.flip(`/data/tree/${path}`, 8 * 20 + 3)
    assert.notDeepEqual(await findingsOf(files, root), [], path)
    files.flip(`/data/tree/${path}`, 8 * 20 + 3)
  }
  assert.match((await findingsOf(files, Buffer.alloc(32))).join(), /another root than the one committed/)
  files.remove('/data/tree/tile/entries/007')
  assert.deepEqual(await findingsOf(files, root), ['tree/tile/entries/007: it is missing'])
})
