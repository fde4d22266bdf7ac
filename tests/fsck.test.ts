// The check of a data directory and the way out of damage: each class of file damaged in each way is named, nothing is changed by the look,
// and after a salvage the check is clean, the server starts, and whatever could be read is still there.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { Table } from '../src/model/tables.ts'
import { diskFiles } from '../src/storage/disk/files.ts'
import { DataDirectoryLocked, takeLock } from '../src/storage/disk/lock.ts'
import { type Finding, FsckRefused, type FsckSummary } from '../src/storage/fsck.ts'
import { fsck } from '../src/storage/fsck/fsck.ts'
import { type LmdbProblem, readLmdbFile } from '../src/storage/lmdb-file.ts'
import { runCommand, startTestServer, temporaryFolder } from './server.ts'
import { BUCKET, makeFolder, memoryKey, NOW, openFolder, QUEUE, type Waiting } from './storage-folder.ts'
import { journalFile, blobFile, chunkFile, parquetFile, flip, flipText, flipLast, overwrite, rootPage, overflowPage } from './strikes.ts'

const root = temporaryFolder()
const whole = join(root.path, 'whole')
let waiting: Waiting = new Map()

before(async () => {
  waiting = await makeFolder(whole)
})
after(() => root.remove())

interface Damage {
  readonly name: string
  readonly strike: (folder: string) => void
  /** A finding says this, with its file in front. */
  readonly told: RegExp
  /** Messages that may be lost at most. */
  readonly lost?: number
  readonly objectLost?: boolean
  /** Some of what the queue remembers is lost. */
  readonly isForgetful?: boolean
  /** Whether a whole server is started on what was salvaged. */
  readonly serve?: boolean
}

const DAMAGES: readonly Damage[] = [
  {
    name: 'a flipped bit in a frame',
    strike: (folder) => flip(journalFile(folder, 0), 2000),
    told: /journal\/.*from position \d+ to \d+ is unreadable/,
    lost: 1,
    serve: true,
  },
  { name: 'a flipped bit in a segment header', strike: (folder) => flip(journalFile(folder, 1), 20), told: /journal\/.*header is damaged/ },
  {
    name: 'a flipped bit in the first segment header',
    strike: (folder) => flip(journalFile(folder, 0), 20),
    told: /journal\/.*header is damaged/,
  },
  {
    name: 'a segment overwritten in the middle',
    strike: (folder) => overwrite(journalFile(folder, 0), 3000, 5000),
    told: /journal\/.*is unreadable/,
    lost: 16,
  },
  {
    name: 'a missing first segment',
    strike: (folder) => rmSync(journalFile(folder, 0)),
    told: /older than the journal|cannot be read any more/,
    lost: 60,
  },
  { name: 'a missing last segment', strike: (folder) => rmSync(journalFile(folder, 1)), told: /journal.*its end is missing/, lost: 60 },
  {
    name: 'a last segment cut short',
    strike: (folder) => truncateSync(journalFile(folder, 1), 4000),
    told: /journal.*its end is missing/,
    lost: 40,
  },
  {
    name: 'a missing journal',
    strike: (folder) => rmSync(join(folder, 'journal'), { recursive: true }),
    told: /journal.*its end is missing/,
    lost: 60,
    serve: true,
  },
  {
    name: 'a flipped bit in a record',
    strike: (folder) => flipText(join(folder, 'records', 'data.mdb'), '"name":"kept"'),
    told: /records\/data.mdb.*fails its checksum/,
    objectLost: true,
    serve: true,
  },
  {
    name: 'a flipped bit in a record that the journal still tells',
    strike: (folder) => flipLast(join(folder, 'records', 'data.mdb'), 'mark 3'),
    told: /records\/data.mdb/,
  },
  {
    name: 'a flipped bit in the structure of the records',
    strike: (folder) => flip(join(folder, 'records', 'data.mdb'), rootPage(join(folder, 'records', 'data.mdb')) + 18),
    told: /records\/data.mdb: page \d+/,
    objectLost: true,
    serve: true,
  },
  {
    name: 'missing records',
    strike: (folder) => rmSync(join(folder, 'records'), { recursive: true }),
    told: /records\/data.mdb.*older than the journal/,
    objectLost: true,
  },
  {
    name: 'a flipped bit in the queue index',
    strike: (folder) =>
      overwrite(join(folder, 'queues', 'index', 'data.mdb'), overflowPage(join(folder, 'queues', 'index', 'data.mdb')) + 100, 8),
    told: /queues\/index\/data.mdb.*fails its checksum/,
    lost: 100,
    serve: true,
  },
  {
    name: 'a missing queue index',
    strike: (folder) => rmSync(join(folder, 'queues', 'index'), { recursive: true }),
    told: /queues\/index\/data.mdb.*older than the journal/,
    lost: 100,
  },
  {
    name: 'a flipped bit in what a queue remembers',
    strike: (folder) => flipText(join(folder, 'queues', 'index', 'data.mdb'), 'remembered 7'),
    told: /queues\/index\/data.mdb.*block \d+ of what queue 1 remembers fails its checksum/,
    isForgetful: true,
    serve: true,
  },
  {
    name: 'a flipped bit in a copied body',
    strike: (folder) => flipText(join(folder, 'queues', 'bodies', 'data.mdb'), 'body 4 '),
    told: /queues\/bodies\/data.mdb.*body of message 4 of queue 1 is damaged/,
    lost: 1,
  },
  {
    name: 'missing copied bodies',
    strike: (folder) => rmSync(join(folder, 'queues', 'bodies'), { recursive: true }),
    told: /queues\/index\/data.mdb.*cannot be read/,
    lost: 100,
    serve: true,
  },
  { name: 'a missing blob', strike: (folder) => rmSync(blobFile(folder)), told: /records\/data.mdb.*blob .* is missing/, objectLost: true },
  {
    name: 'a blob cut short',
    strike: (folder) => truncateSync(blobFile(folder), 100),
    told: /blobs\/.*has 100 bytes; 5000 were written/,
    objectLost: true,
  },
  {
    name: 'a flipped bit in a chunk of the lake',
    strike: (folder) => flip(chunkFile(folder, 1), 40),
    told: /lake\/chunks\/.*cannot be unpacked/,
    serve: true,
  },
  { name: 'a missing chunk of the lake', strike: (folder) => rmSync(chunkFile(folder, 0)), told: /lake\/chunks: .*a file is missing/ },
  {
    name: 'a Parquet file cut short',
    strike: (folder) => truncateSync(parquetFile(folder), 100),
    told: /lake\/parquet\/.*has 100 bytes/,
    serve: true,
  },
  {
    name: 'a flipped bit at the end of a Parquet file',
    strike: (folder) => flip(parquetFile(folder), statSync(parquetFile(folder)).size - 1),
    told: /lake\/parquet\/.*not the Parquet file it was/,
  },
  {
    name: 'a manifest that is no JSON',
    strike: (folder) => writeFileSync(join(folder, 'lake', 'manifest.json'), '{'),
    told: /lake\/manifest.json: it is not JSON/,
    serve: true,
  },
  {
    name: 'a missing manifest',
    strike: (folder) => rmSync(join(folder, 'lake', 'manifest.json')),
    told: /lake\/manifest.json: it is missing/,
  },
  {
    name: 'a missing lake',
    strike: (folder) => rmSync(join(folder, 'lake'), { recursive: true }),
    told: /lake: it ends at 0; the journal starts at/,
  },
  {
    name: 'a flipped bit in the event history',
    strike: (folder) => overwrite(join(folder, 'history', 'data.mdb'), overflowPage(join(folder, 'history', 'data.mdb')) + 200, 8),
    told: /history\/data.mdb.*of the event history fails its checksum/,
    serve: true,
  },
  {
    name: 'a flipped bit in the structure of the event history',
    strike: (folder) => flip(join(folder, 'history', 'data.mdb'), rootPage(join(folder, 'history', 'data.mdb')) + 18),
    told: /history\/data.mdb: page \d+/,
    serve: true,
  },
  {
    name: 'a format file that is no JSON',
    strike: (folder) => writeFileSync(join(folder, 'format.json'), ''),
    told: /format.json/,
    serve: true,
  },
]

suite('damage is named, and salvaged without losing what can be read', () => {
  for (const damage of DAMAGES) {
    test(damage.name, async () => {
      const folder = join(root.path, damage.name.replaceAll(' ', '-'))
      cpSync(whole, folder, { recursive: true })
      damage.strike(folder)
      const struck = contents(folder)
      const found = await check(folder)
      assert.ok(found.summary.findings.damage > 0)
      const lines = found.findings.filter(({ severity }) => severity === 'damage').map(({ file, what }) => `${file}: ${what}`)
      assert.ok(
        lines.some((line) => damage.told.test(line)),
        `${String(damage.told)} in\n${lines.join('\n')}`,
      )
      assert.deepEqual(contents(folder), struck, 'nothing was changed')

      const salvaged = await check(folder, true)
      const left = salvaged.findings.slice(found.findings.length).filter(({ severity }) => severity === 'damage')
      assert.deepEqual(left, [])
      assert.equal(salvaged.summary.findings.damage, 0)
      const { salvagedTo } = salvaged.summary
      assert.ok(salvagedTo !== undefined)
      const report = JSON.parse(readFileSync(join(salvagedTo, 'report.json'), 'utf8')) as { moved: string[]; lost: string[] }
      if (damage.lost === undefined && damage.objectLost !== true)
        assert.deepEqual(
          report.lost.filter((what) => /message|record/.test(what)),
          [],
        )
      await assertReadable(folder, damage)
      if (damage.serve === true) {
        const server = await startTestServer({ data: folder })
        assert.equal(await server.stop(), 0)
        assert.deepEqual(
          (await check(folder)).findings.filter(({ severity }) => severity === 'damage'),
          [],
          'clean after the server ran',
        )
      }
      rmSync(folder, { recursive: true })
    })
  }
})

test('a bit flipped anywhere in a file of lmdb is named, or changes nothing that is read', () => {
  const random = seededRandom(5)
  const copy = join(root.path, 'flipped.mdb')
  let named = 0
  for (const name of ['records', 'queues/index', 'queues/bodies']) {
    const bytes = readFileSync(join(whole, name, 'data.mdb'))
    writeFileSync(copy, bytes)
    const sound = readEntries(copy)
    assert.deepEqual(sound.problems, [])
    for (let round = 0; round < 400; round++) {
      const struck = Buffer.from(bytes)
      const page = random.below(struck.length / 4096)
      // Heads of the file, heads of pages, anywhere.
      const at = [(page % 2) * 4096 + random.below(168), page * 4096 + random.below(64), random.below(struck.length)][round % 3] ?? 0
      struck[at] = (struck[at] ?? 0) ^ (1 << random.below(8))
      writeFileSync(copy, struck)
      const { problems, entries } = readEntries(copy)
      if (problems.length > 0) {
        named++
        continue
      }
      // What stands in a key or value is for their checksums to find.
      assert.equal(entries.length, sound.entries.length, `byte ${at} of ${name}`)
      const changed = entries.filter((entry, index) => entry !== sound.entries[index])
      assert.ok(changed.length <= 1, `byte ${at} of ${name} changed ${changed.length} entries`)
    }
  }
  assert.ok(named > 200, `${named} flips were named`)
})

test('is refused while a server uses the folder, and where there is no data directory', async () => {
  const lock = takeLock(join(whole, 'lock'))
  await assert.rejects(check(whole), DataDirectoryLocked)
  const locked = await runCommand(['fsck', '--data', whole])
  lock.release()
  assert.equal(locked.code, 1)
  assert.match(locked.notes, /is locked: another sealcast uses this data directory. Stop it first/)
  await assert.rejects(
    check(join(root.path, 'nowhere')),
    (error: Error) => error instanceof FsckRefused && /there is no .*nowhere/.test(error.message),
  )
  await assert.rejects(check(root.path), /is no Sealcast data directory/)
})

test('the command prints findings and a summary, for people and as JSON, and its exit code tells', async () => {
  const clean = await runCommand(['fsck', '--data', whole])
  assert.equal(clean.code, 0)
  assert.match(clean.output, /^no damage: 2 segments with \d+ frames, \d+ records, 100 waiting messages, 1 blobs, 3 lake files\n$/)
  const folder = join(root.path, 'command')
  cpSync(whole, folder, { recursive: true })
  flip(journalFile(folder, 0), 2000)
  const struck = await runCommand(['fsck', '--data', folder, '--json'])
  assert.equal(struck.code, 1)
  const lines = struck.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; findings?: { damage: number } })
  assert.deepEqual([lines[0]?.kind, lines.at(-1)?.kind], ['finding', 'summary'])
  assert.equal(lines.at(-1)?.findings?.damage, lines.length - 1)
  const salvaged = await runCommand(['fsck', '--data', folder, '--salvage'])
  assert.equal(salvaged.code, 0)
  assert.match(salvaged.output, /no damage.*\nsalvaged: .*salvage-.*\/report.json\n$/s)
  assert.equal((await runCommand(['fsck', 'here'])).code, 2)
  rmSync(folder, { recursive: true })
})

function readEntries(path: string): { readonly entries: readonly string[]; readonly problems: readonly LmdbProblem[] } {
  const problems: LmdbProblem[] = []
  const file = diskFiles().open(path, 'read')
  const entries = [...readLmdbFile(file, (problem) => void problems.push(problem))].map(
    ({ key, value }) => `${key.toString('latin1')} ${value.toString('latin1')}`,
  )
  file.close()
  return { entries, problems }
}

async function check(folder: string, salvage = false): Promise<{ readonly findings: readonly Finding[]; readonly summary: FsckSummary }> {
  const findings: Finding[] = []
  const parts = { files: diskFiles(), clock: systemClock, random: seededRandom(2), takeLock }
  const summary = await fsck(parts, {
    dataFolder: folder,
    salvage,
    onFinding: (finding) => void findings.push(finding),
    onProgress: () => {},
  })
  return { findings, summary }
}

async function assertReadable(folder: string, { lost = 0, objectLost = false, isForgetful = false }: Damage): Promise<void> {
  const { store, commit, close } = await openFolder(folder)
  let kept = 0
  for (const [sequence, body] of waiting) {
    if (store.queues.find(QUEUE, sequence) === undefined) continue
    const bytes = await store.queues.body(QUEUE, sequence)
    assert.ok(bytes.toString('utf8').endsWith(body), `the body of message ${sequence}`)
    kept++
  }
  assert.ok(kept >= waiting.size - lost, `${kept} of ${waiting.size} messages`)
  if (lost === 0) {
    const recalled = Array.from({ length: 150 }, (_, at) => store.queues.recall(QUEUE, memoryKey(at + 1), NOW))
    assert.equal(
      recalled.every((value) => value !== undefined),
      !isForgetful,
      'what the queue remembers',
    )
  }
  assert.equal(store.queues.counts(QUEUE, Infinity).visible, kept, 'no message that was deleted is back')
  assert.equal(store.records.get(Table.objects, `${BUCKET}/object`) === undefined, objectLost)
  for (let mark = 0; mark < 5; mark++) {
    const value = Number(store.records.get(Table.meta, `mark ${mark}`)?.toString())
    assert.ok(objectLost || lost > 0 || value > 145, `mark ${mark} is ${value}`)
  }
  const next = store.queues.nextSequence(QUEUE)
  assert.ok(next > 150 || lost > 0, `the next sequence is ${next}`)
  await commit((frame) => frame.put(Table.meta, 'after', '"salvage"'))
  assert.equal(store.records.get(Table.meta, 'after')?.toString(), '"salvage"')
  await close()
  const again = await openFolder(folder)
  assert.equal(again.store.records.get(Table.meta, 'after')?.toString(), '"salvage"')
  await again.close()
}

function contents(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !entry.name.startsWith('lock')) files.set(path, readFileSync(path).toString('latin1'))
  }
  return files
}
