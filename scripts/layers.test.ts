import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLayers, importsOf } from './layers.ts'

type Row = readonly [path: string, source: string]

const ALLOWED: readonly Row[] = [
  ['src/base/log.ts', "import { format } from 'node:util'\nimport { assert } from './assert.ts'"],
  ['src/model/digest.ts', "import { createHash } from 'node:crypto'\nimport { assert } from '../base/assert.ts'"],
  ['src/model/shape.ts', "import type { PublishInput } from '@aws-sdk/client-sns'"],
  ['src/storage/journal.ts', "import type { Entry } from '../model/entry.ts'\nimport { readFile } from 'node:fs/promises'"],
  [
    'src/storage/lmdb/records.ts',
    "import { open } from 'lmdb'\nimport type { Records } from '../records.ts'\nimport { encode } from './encode.ts'",
  ],
  ['src/storage/fsck/journal.ts', "import { checkFrame } from '../segments/format.ts'"],
  ['src/storage/duckdb/lake.ts', "import { DuckDBInstance } from '@duckdb/node-api'"],
  ['src/verify/chain.ts', "import type { Digest } from '../model/digest.ts'\nimport { read } from './read.ts'"],
  ['src/cli/commands/verify.ts', "import { verify } from '../../verify/verify.ts'"],
  ['src/engine/call.ts', "import type { Journal } from '../storage/journal.ts'\nimport { audit } from './audit.ts'"],
  ['src/services/sns/publish.ts', "import { topicArn } from './arns.ts'\nimport type { Operation } from '../../engine/operation.ts'"],
  ['src/services/sns/index.ts', "import { publish } from './publish.ts'"],
  ['src/cli/commands/serve.ts', "import { table } from '../format/table.ts'"],
  ['src/followers/trail/plan.ts', "import { outcome } from '../outcome.ts'\nimport { key } from './key.ts'"],
  ['src/house/stores.ts', "import { memoryJournal } from '../storage/memory/journal.ts'"],
  ['src/house/services.ts', "import { createSns } from '../services/sns/index.ts'"],
  ['src/start/start.ts', "import { openHouse } from '../house/house.ts'\nimport { settings } from '../settings.ts'"],
  ['src/main.ts', "import { startServer } from './start/start.ts'\nimport { commands } from './cli/commands/index.ts'"],
  ['src/engine/call.test.ts', "import { memoryJournal } from '../storage/memory/journal.ts'\nimport { start } from '../start/start.ts'"],
  ['console/src/events.ts', "import type { Event } from '../../src/model/event.ts'"],
  ['scripts/check.ts', "import { checkStyle } from './style.ts'"],
  ['src/wire/server.ts', "// import { x } from '../services/sns/publish.ts'\nconst text = \"import '../cli/serve.ts'\""],
]

const REFUSED: readonly (readonly [path: string, source: string, problem: RegExp])[] = [
  ['src/base/log.ts', "import { parseArn } from '../model/arn.ts'", /floor 0 knows nothing of floor 1/],
  ['src/base/log.ts', "import { readFileSync } from 'node:fs'", /no files, sockets or clocks/],
  ['src/model/topic.ts', "import type { Journal } from '../storage/journal.ts'", /floor 1 knows nothing of floor 2/],
  ['src/model/topic.ts', "import { connect } from 'node:net'", /no files, sockets or clocks/],
  ['src/model/topic.ts', "import { Publish$ } from '@aws-sdk/client-sns'", /no packages at run time/],
  ['src/storage/journal.ts', "import { call } from '../engine/call.ts'", /floor 2 knows nothing of floor 3/],
  ['src/storage/journal.ts', "import { journal } from './memory/journal.ts'", /a backend is handed in/],
  ['src/storage/memory/records.ts', "import { open } from '../lmdb/open.ts'", /one backend never imports another/],
  ['src/storage/fsck/journal.ts', "import { recover } from '../segments/recover.ts'", /one backend never imports another/],
  ['src/storage/memory/records.ts', "import { keyOf } from '../lmdb/format.ts'", /one backend never imports another/],
  ['src/verify/chain.ts', "import { digestOf } from '../storage/journal.ts'", /shares no code with what it verifies/],
  ['src/storage/journal.ts', "import { unpack } from '../verify/unpack.ts'", /shares no code with what it verifies/],
  ['src/engine/call.ts', "import { journal } from '../storage/memory/journal.ts'", /a backend is handed in/],
  ['src/engine/call.ts', "export { publish } from '../services/sns/publish.ts'", /floor 3 knows nothing of floor 4/],
  ['src/engine/call.ts', "const sns = await import('../services/sns/publish.ts')", /floor 3 knows nothing of floor 4/],
  ['src/engine/signer.ts', "new Worker(new URL('../wire/worker.ts', import.meta.url))", /floor 3 knows nothing of floor 4/],
  ['src/engine/tables.ts', "import { open } from 'lmdb'", /only src\/storage\/ may import it/],
  ['src/followers/lake.ts', "import type { DuckDBInstance } from '@duckdb/node-api'", /only src\/storage\/ may import it/],
  ['src/services/sns/publish.ts', "import { send } from '../sqs/send-message.ts'", /a sibling room/],
  ['src/services/sns/publish.ts', "import { send } from '../../deliverers/sqs.ts'", /a sibling room/],
  ['src/followers/trail/plan.ts', "import { match } from '../delivery/match.ts'", /a sibling room/],
  ['src/services/sns/publish.ts', "import { createSns } from './index.ts'", /only the registries import an index.ts/],
  ['src/house/house.ts', "import { createSns } from '../services/sns/index.ts'", /only the registries import an index.ts/],
  ['src/house/house.ts', "import { readConfig } from '../start/given.ts'", /start\/ knows house\//],
  ['src/cli/commands/serve.ts', "import { start } from '../../start/start.ts'", /nobody else knows any/],
  ['src/engine/call.ts', "import { settings } from '../settings.ts'", /floor 3 knows nothing of floor 5/],
  ['src/attic/thing.ts', "import { assert } from '../base/assert.ts'", /no floor of the map/],
  ['src/engine/call.ts', "import { check } from '../../scripts/check.ts'", /what runs lies in src/],
  ['console/src/events.ts', "import { parseArn } from '../../src/model/arn.ts'", /only types/],
  ['console/src/events.ts', "import type { Call } from '../../src/engine/call.ts'", /only types/],
]

test('what the table allows passes', () => {
  for (const [path, source] of ALLOWED) assert.deepEqual(checkLayers(path, source), [], `${path}: ${source}`)
})

test('what the table forbids is named with its line', () => {
  for (const [path, source, problem] of REFUSED) {
    const found = checkLayers(path, `\n\n${source}\n`)
    assert.equal(found.length, 1, `${path}: ${source} ${found.join('')}`)
    assert.match(found[0] ?? '', problem)
    assert.ok(found[0]?.startsWith(`${path}:3 imports `), found.join(''))
  }
})

test('reads every form of import', () => {
  const source = [
    "import a from './a.ts'",
    "import type { B } from './b.ts'",
    'import {\n  c,\n  type D,\n} from "./c.ts"',
    "import './d.ts'",
    "export * from './e.ts'",
    "export type { F } from './f.ts'",
    "const g = import('./g.ts')",
    "import * as h from './h.ts'",
    "export const from = 'not-this.ts'",
    'const template = `import x from "./nor-this.ts" ${await import("./i.ts")}`',
  ]
  const found = importsOf(source.join('\n'))
  assert.deepEqual(
    found.map(({ specifier }) => specifier).sort(),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name) => `./${name}.ts`),
  )
  assert.deepEqual(
    found.filter(({ isTypeOnly }) => isTypeOnly).map(({ specifier }) => specifier),
    ['./b.ts', './f.ts'],
  )
})
