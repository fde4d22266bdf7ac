// A journal that cannot be written says so to everyone who waits, tries nothing again, and loses nothing that was acknowledged.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { diskFiles } from '../disk/files.ts'
import type { Files } from '../files.ts'
import { JournalFailed } from '../journal.ts'
import { appended, fill, readAll } from '../journal.suite.ts'
import { type Fault, type MemoryFiles, memoryFiles } from '../memory/files.ts'
import { type JournalOptions, openJournal, type SegmentedJournal } from './journal.ts'

const SMALL = { segmentBytes: 24 * 1024, slabBytes: 16 * 1024, ringBytes: 32 * 1024, aheadBytes: 8 * 1024 }

suite('failure', () => {
  for (const fault of ['EIO', 'ENOSPC'] as const) {
    test(`after ${fault} everything pending fails in order, and nothing is tried again`, async () => {
      const files = memoryFiles({ simulate: true })
      const journal = await openSmall(files, { aheadBytes: 0 })
      const { frames } = await fill(journal, 5, 100)
      const told: string[] = []
      journal.onFailure((failure) => void told.push(`failure ${failure.name}`))
      files.fault = () => fault
      for (const name of ['a', 'b', 'c']) {
        journal.append(Buffer.from(name), 1, (failure) => {
          told.push(`${name} ${failure?.name}`)
          assert.throws(() => journal.append(Buffer.from('x'), 1, () => {}), JournalFailed)
        })
        // The last one is staged while the others are being written.
        if (name === 'b') await new Promise((resolve) => setImmediate(resolve))
      }
      await turns()
      assert.deepEqual(told, ['failure JournalFailed', 'a JournalFailed', 'b JournalFailed', 'c JournalFailed'])
      files.fault = undefined
      const { calls } = files
      assert.throws(() => journal.append(Buffer.from('x'), 1, () => {}), /read-only until a restart: .*(EIO|ENOSPC)/)
      journal.trim(journal.durable)
      assert.deepEqual(await readAll(journal, 0), frames)
      await journal.close()
      assert.equal(files.calls, calls)
      assert.equal(told.length, 4)
    })
  }

  test('at each call of a life, EIO or ENOSPC loses nothing that was acknowledged', async () => {
    let failures = 0
    for (const fault of ['EIO', 'ENOSPC'] as const) {
      for (const after of ['restart', 'crash'] as const) {
        for (let number = 1; ; number++) {
          const { reached, failed } = await liveWithFault(fault, number, after)
          if (!reached) break
          if (failed) failures++
        }
      }
    }
    assert.ok(failures > 50)
  })

  test('housekeeping that fails is reported and stops no commit; trimming still frees the disk', async () => {
    const files = memoryFiles({ simulate: true })
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) }
    const journal = await openSmall(files, { log })
    files.fault = ({ name }) => (name === 'create' ? 'ENOSPC' : undefined)
    await fill(journal, 20, 500)
    await turns()
    files.fault = undefined
    assert.deepEqual(warnings, ['journal: preparing or recycling a segment failed; commits go on'])
    const { frames } = await fill(journal, 600, 500)
    const before = journal.bytes()
    journal.trim(frames.at(-1)?.position ?? 0)
    await turns()
    assert.ok(journal.bytes() < before / 2)
    await journal.close()
  })

  test('a name that cannot be changed is reported once, and leaves no gap', async () => {
    const files = memoryFiles({ simulate: true })
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) }
    const journal = await openSmall(files, { log })
    const { frames } = await fill(journal, 200, 500)
    files.fault = ({ name }) => (name === 'rename' ? 'EIO' : undefined)
    for (const index of [100, 150, 199]) {
      journal.trim(frames[index]?.position ?? 0)
      await turns()
    }
    assert.equal(warnings.length, 1)
    const more = (await fill(journal, 50, 500)).frames
    files.restart()
    files.fault = undefined
    const again = await openSmall(files)
    assert.deepEqual(await readAll(again, more[0]?.position ?? 0), more)
    await again.close()
  })

  test('a spare that was made only halfway is still used', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files)
    let created = false
    files.fault = ({ name }): Fault | undefined => {
      if (name === 'create') created = true
      return created && name === 'syncFolder' ? 'EIO' : undefined
    }
    await fill(journal, 20, 500)
    await turns()
    assert.ok(created)
    files.fault = undefined
    const { frames } = await fill(journal, 200, 500)
    assert.equal(frames.length, 200)
    await journal.close()
  })

  test('a recycled segment whose new name may be lost is not written on', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files, { aheadBytes: 0 })
    const { frames } = await fill(journal, 100, 500)
    let renamed = false
    files.fault = ({ name }): Fault | undefined => {
      const fails = renamed && name === 'syncFolder'
      renamed = name === 'rename'
      return fails ? 'EIO' : undefined
    }
    journal.trim(frames[60]?.position ?? 0)
    await turns()
    files.fault = undefined
    const more = (await fill(journal, 50, 500)).frames
    // Every name that was not made durable is lost.
    files.crash({ ...seededRandom(1), below: () => 0 })
    const again = await openSmall(files)
    assert.deepEqual(await readAll(again, frames[60]?.position ?? 0), [...frames.slice(60), ...more])
    await again.close()
  })

  test('a writer thread that ends by itself is a failed write', async () => {
    const module = `data:text/javascript,export const broken = () => { throw new Error('no such disk') }`
    const files: Files = { ...memoryFiles(), ...methods(memoryFiles()), elsewhere: { module, name: 'broken' } }
    const journal = await openSmall(files, { writer: 'thread' })
    const failed = new Promise<Error>((resolve) => journal.onFailure(resolve))
    assert.match((await failed).message, /no such disk/)
    assert.throws(() => journal.append(Buffer.from('x'), 1, () => {}), JournalFailed)
    await journal.close()
  })

  test('a system error in the writer thread arrives with its code', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'sealcast-journal-'))
    try {
      const source = `import { diskFiles } from ${JSON.stringify(new URL('../disk/files.ts', import.meta.url).href)}
        const write = () => { throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' }) }
        export const full = () => {
          const files = diskFiles()
          return { ...files, open: (...given) => ({ ...files.open(...given), write }) }
        }`
      const elsewhere = { module: `data:text/javascript,${encodeURIComponent(source)}`, name: 'full' }
      const journal = await openSmall({ ...diskFiles(), elsewhere }, { writer: 'thread', folder: join(parent, 'journal') })
      const { settled } = appended(journal, Buffer.from('x'), 1)
      await assert.rejects(settled, (failure: Error) => (failure.cause as { code?: string }).code === 'ENOSPC')
      await journal.close()
    } finally {
      rmSync(parent, { recursive: true })
    }
  })

  test('memory cannot be written by a thread', async () => {
    await assert.rejects(openSmall(memoryFiles(), { writer: 'thread' }), /files that another thread can open/)
  })
})

async function liveWithFault(fault: Fault, number: number, after: 'restart' | 'crash'): Promise<{ reached: boolean; failed: boolean }> {
  const files = memoryFiles({ simulate: true })
  const acknowledged: string[] = []
  let reached = false
  files.fault = (call) => {
    reached ||= call.number === number
    return call.number === number ? fault : undefined
  }
  let failed = false
  try {
    const journal = await openSmall(files, { segmentBytes: 4096, slabBytes: 2048, ringBytes: 2048, aheadBytes: 1024 })
    journal.onFailure(() => (failed = true))
    for (let index = 0; index < 12; index++) {
      const name = `frame ${index} `.padEnd(700, '.')
      await appended(journal, Buffer.from(name), 1).settled.then(
        () => acknowledged.push(name),
        () => {},
      )
      if (index === 8) journal.trim(journal.durable)
      await turns()
      if (failed) break
    }
    await journal.close()
  } catch (error) {
    if (!(error instanceof JournalFailed) && (error as { code?: string }).code !== fault) throw error
  }
  files.fault = undefined
  if (after === 'restart') files.restart()
  else files.crash(seededRandom(number))
  const journal = await openSmall(files, { segmentBytes: 4096, slabBytes: 2048, ringBytes: 2048 })
  const found = (await readAll(journal, journal.start)).map(({ payload }) => payload.toString())
  const kept = acknowledged.slice(acknowledged.length - found.length)
  // At most the one frame that failed may be there besides.
  if (found.length > 0 && found.at(-1) !== acknowledged.at(-1)) found.pop()
  assert.deepEqual(found.slice(-kept.length || found.length), kept.slice(-found.length || kept.length))
  if (journal.start === 0) assert.equal(found.length, acknowledged.length)
  await journal.close()
  return { reached, failed }
}

function openSmall(files: Files, options: Partial<JournalOptions> = {}): Promise<SegmentedJournal> {
  return openJournal({ files, folder: '/journal', random: seededRandom(1), clock: systemClock, writer: 'inline', ...SMALL, ...options })
}

/** The methods of an object whose class keeps them on its prototype. */
function methods(files: MemoryFiles): Files {
  return {
    open: (...given) => files.open(...given),
    exists: (path) => files.exists(path),
    list: (folder) => files.list(folder),
    makeFolder: (path) => files.makeFolder(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    syncFolder: (path) => files.syncFolder(path),
    syncFolderLater: (path) => files.syncFolderLater(path),
    free: (path) => files.free(path),
  }
}

/** Enough turns for everything that runs inline to finish. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
}
