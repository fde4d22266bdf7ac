// The queues over both of their stores against the port's suite; damage and newer formats, and what small and large queues cost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { queuesSuite } from '../queues.suite.ts'
import { lmdbQueueStore } from './lmdb-store.ts'
import { memoryQueueStore } from './memory-store.ts'

queuesSuite(
  'memory',
  () => {
    const store = memoryQueueStore()
    return { openStore: () => store, remove: () => {} }
  },
  700,
)

queuesSuite(
  'lmdb',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealcast-queues-'))
    return { openStore: () => lmdbQueueStore({ folder }), remove: () => rmSync(folder, { recursive: true, force: true }) }
  },
  25,
)
