// What queues cost in this process, over lmdb, without HTTP and without a journal's disk: a million waiting messages, ten thousand queues,
// groups, what queues remember, and drops. Names of parts run only those.
//
//   node bin/node26.js --expose-gc bench/queues.ts [large] [many] [blocked] [groups] [fair] [memories] [drops]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchDrops } from './queues/drops.ts'
import { benchBlocked, benchFair, benchGroups } from './queues/groups.ts'
import { benchMemories } from './queues/memories.ts'
import { Bench } from './queues/tools.ts'
import { benchLarge, benchMany } from './queues/waiting.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-queues-'))
const bench = new Bench(folder)
const parts: Readonly<Record<string, () => Promise<void>>> = {
  large: () => benchLarge(bench),
  many: () => benchMany(bench),
  blocked: () => benchBlocked(bench),
  groups: () => benchGroups(bench),
  fair: () => benchFair(bench),
  memories: () => benchMemories(bench, folder),
  drops: () => benchDrops(bench),
}
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => parts[name] === undefined)

try {
  if (unknown.length > 0) throw new Error(`no part is called ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
  for (const [name, run] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await run()
} finally {
  rmSync(folder, { recursive: true })
}
