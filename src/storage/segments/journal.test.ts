// The journal over segment files keeps the port's contract on memory and disk; it seals, recycles and lets go as only segments do.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { SimulatedClock, systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { diskFiles } from '../disk/files.ts'
import type { Files } from '../files.ts'
import { type Frame, JournalFailed, JournalTrimmed, type Position } from '../journal.ts'
import { appended, fill, journalSuite, readAll } from '../journal.suite.ts'
import { type Fault, type MemoryFiles, memoryFiles } from '../memory/files.ts'
import { decodeSegmentHeader, FrameAt, FrameKind, finishFrames, frameOffset, SEGMENT_HEADER_BYTES, segmentFileName } from './format.ts'
import { type JournalOptions, openJournal, type SegmentedJournal } from './journal.ts'
import { openSegmentReader } from './reader.ts'

const SMALL = { segmentBytes: 24 * 1024, slabBytes: 16 * 1024, ringBytes: 32 * 1024, aheadBytes: 8 * 1024 }

journalSuite('segments in memory, written inline', () => {
  const files = memoryFiles()
  return { open: () => openSmall(files), done: async () => {} }
})

for (const writer of ['thread', 'inline'] as const) {
  journalSuite(`segments on disk, written by ${writer}`, () => {
    const parent = mkdtempSync(join(tmpdir(), 'sealcast-journal-'))
    return {
      open: () => openSmall(diskFiles(), { folder: join(parent, 'journal'), writer }),
      done: async () => rmSync(parent, { recursive: true }),
    }
  })
}

suite('sealing', () => {
  test('a seal follows the last group once it is idle, moves no reader, and is written once', async () => {
    const files = memoryFiles({ simulate: true })
    const clock = new SimulatedClock(0)
    const journal = await openSmall(files, { clock, sealAfterMs: 50 })
    await appended(journal, Buffer.from('one'), 1).settled
    const { durable } = journal
    clock.advance(49)
    await turns()
    assert.equal(journal.tail, durable)
    clock.advance(1)
    await turns()
    assert.equal(journal.tail, durable + 32)
    assert.equal(journal.durable, durable)
    assert.deepEqual(await journal.read(durable, 1000), [])
    const { calls } = files
    clock.advance(10_000)
    await turns()
    assert.equal(files.calls, calls)
    const next = appended(journal, Buffer.from('two'), 1)
    assert.equal(next.position, durable + 32)
    await next.settled
    assert.deepEqual(
      (await journal.read(durable, 1000)).map(({ payload }) => payload.toString()),
      ['two'],
    )
    await journal.close()
  })

  test('a busy journal is not sealed', async () => {
    const clock = new SimulatedClock(0)
    const journal = await openSmall(memoryFiles(), { clock, sealAfterMs: 50 })
    let tail = 0
    for (let round = 0; round < 10; round++) {
      const { position, settled } = appended(journal, Buffer.from('12345678'), 1)
      assert.equal(position, tail)
      await settled
      tail = journal.tail
      clock.advance(30)
      await turns()
    }
    await journal.close()
  })

  test('a journal whose last group was cut short is sealed after it is opened again', async () => {
    const files = memoryFiles({ simulate: true })
    const lost = await openSmall(files)
    await appended(lost, Buffer.from('one'), 1).settled
    files.restart()
    const clock = new SimulatedClock(0)
    const journal = await openSmall(files, { clock })
    const { tail } = journal
    clock.advance(1000)
    await turns()
    assert.equal(journal.tail, tail + 32)
    await journal.close()
  })
})

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

suite('segments', () => {
  test('trimmed segments are used again, so that the files do not grow', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files)
    let created = 0
    files.fault = ({ name }) => void (name === 'create' && created++)
    for (let round = 0; round < 60; round++) {
      await fill(journal, 40, 500)
      journal.trim(journal.durable)
      await turns()
    }
    assert.ok(journal.bytes() <= 5 * SMALL.segmentBytes, `${journal.bytes()} bytes`)
    assert.ok(created <= 5, `${created} files made`)
    await journal.close()
  })

  test('the last segment with anything durable in it stays', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files)
    // Up to the very end of the first segment, so that the next frame opens another one.
    const room = SMALL.segmentBytes - 64 - 32
    for (const bytes of [12_000, room - 12_000 - 32]) await appended(journal, Buffer.alloc(bytes), 1).settled
    const next = appended(journal, Buffer.from('next'), 1)
    assert.equal(journal.segments().length, 2)
    journal.trim(journal.durable)
    assert.equal(journal.start, 0)
    await next.settled
    journal.trim(next.position)
    assert.equal(journal.start, next.position)
    files.crash(seededRandom(1))
    const again = await openSmall(files)
    assert.deepEqual(
      (await readAll(again, next.position)).map(({ payload }) => payload.toString()),
      ['next'],
    )
    await again.close()
  })

  test('default sizes take a frame of 2 MiB beside small ones', async () => {
    const files = memoryFiles()
    const options = { files, folder: '/journal', random: seededRandom(1), clock: systemClock, writer: 'inline' } as const
    let journal = await openJournal(options)
    const large = Buffer.alloc(2 * 1024 * 1024, 'large ')
    const all = [Buffer.from('a'), large, Buffer.from('b')]
    const heard: Buffer[] = []
    journal.onDurable((frames) => void heard.push(...frames.map(({ payload }) => Buffer.from(payload))))
    const written = all.map((payload) => appended(journal, payload, 1))
    await Promise.all(written.map(({ settled }) => settled))
    assert.deepEqual(heard, all)
    await journal.close()
    journal = await openJournal(options)
    assert.deepEqual(
      (await readAll(journal, 0)).map(({ payload }) => payload),
      all,
    )
    await journal.close()
  })

  test('what was read stays as it was while the memory behind it is used again', async () => {
    const journal = await openSmall(memoryFiles())
    const { frames } = await fill(journal, 40, 500)
    const last = frames.slice(-10)
    const [first] = last
    assert.ok(first)
    const read = await journal.read(first.position, 4000)
    const bytes = journal.readBytes(first.payloadPosition, 100)
    assert.ok(Buffer.isBuffer(bytes))
    await fill(journal, 300, 500)
    assert.deepEqual(read, last.slice(0, read.length))
    assert.deepEqual(bytes, first.payload.subarray(0, 100))
    await journal.close()
  })
})

suite('reading from outside', () => {
  test('gives what the journal gives, while it is written and trimmed', async () => {
    const files = memoryFiles()
    const journal = await openSmall(files)
    const reader = openSegmentReader(files, '/journal')
    const follower = openSegmentReader(files, '/journal')
    let at = 0
    let followed = 0
    for (let round = 0; round < 12; round++) {
      await fill(journal, 40, 300 + 100 * round)
      const expected = await readAll(journal, at)
      const found: Frame[] = []
      for (let some; (some = reader.read(at, 3000, journal.durable)).length > 0; at = some.at(-1)?.end ?? at) found.push(...some)
      assert.deepEqual(found, expected)
      // Another one, frame by frame, and not beyond what it was told.
      const middle = expected[20]?.end ?? 0
      for (let some; (some = follower.read(followed, 1, middle)).length > 0; followed = some[0]?.end ?? 0) assert.equal(some.length, 1)
      assert.equal(followed, middle)
      if (round > 3) journal.trim(followed)
      await turns()
    }
    assert.deepEqual(reader.read(at, 1000, journal.durable), [])
    assert.throws(() => reader.read(0, 1000, journal.durable), JournalTrimmed)
    reader.close()
    follower.close()
    await journal.close()
  })
})

suite('what a torn group left behind the end', () => {
  test('is not taken for a frame by who knows that end as reached', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files)
    const { frames } = await fill(journal, 10, 500)
    const { durable } = journal
    files.restart()
    leaveFrame(files, 1, 0, durable)
    for (const checkedFrom of [undefined, 0, frames[5]?.end, durable]) {
      const again = await openSmall(files, checkedFrom === undefined ? {} : { checkedFrom })
      assert.equal(again.tail, durable)
      assert.deepEqual(await readAll(again, 0), frames)
      files.restart()
    }
  })

  test('is not taken by a reader for what follows in the next segment', async () => {
    const files = memoryFiles()
    const journal = await openSmall(files)
    const filler = Buffer.alloc(15_000)
    await appended(journal, filler, 1).settled
    const { durable } = journal
    const reader = openSegmentReader(files, '/journal')
    const fresh = openSegmentReader(files, '/journal')
    assert.equal(reader.read(0, 20_000, durable).length, 1)
    leaveFrame(files, 1, 0, durable)
    const payload = Buffer.from('what followed')
    // Too large for what is left of the segment.
    await appended(journal, filler, 1).settled
    await appended(journal, payload, 1).settled
    assert.equal(journal.segments()[1]?.start, durable)
    for (const one of [reader, fresh]) {
      assert.deepEqual(
        one.read(durable, 20_000, journal.durable).map((frame) => frame.payload),
        [filler, payload],
      )
      one.close()
    }
    await journal.close()
  })
})

/** Puts a whole frame of a group that was cut where the next frame would stand. */
function leaveFrame(files: Files, number: number, start: Position, position: Position): void {
  const file = files.open(`/journal/${segmentFileName(number)}`, 'write', { durable: true })
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
  file.read(header, 0, header.length, 0)
  const decoded = decodeSegmentHeader(header)
  assert.ok(decoded.kind === 'valid')
  const left = Buffer.alloc(48)
  left.writeUInt32LE(left.length, FrameAt.length)
  left.writeDoubleLE(position, FrameAt.position)
  left.writeDoubleLE(position, FrameAt.groupStart)
  left.writeUInt8(FrameKind.entries, FrameAt.kind)
  finishFrames(left, 0, left.length, 12345, decoded.header.salt)
  file.write(left, 0, left.length, frameOffset(start, position))
  file.close()
}

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
    free: (path) => files.free(path),
  }
}

/** Enough turns for everything that runs inline to finish. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
}
