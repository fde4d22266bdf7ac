// The journal over segment files keeps the port's contract on memory and disk; it seals, recycles and lets go as only segments do.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { SimulatedClock, systemClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { diskFiles } from '../disk/files.ts'
import type { Files } from '../files.ts'
import { type Frame, JournalTrimmed, type Position } from '../journal.ts'
import { appended, fill, journalSuite, readAll } from '../journal.suite.ts'
import { memoryFiles } from '../memory/files.ts'
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

const KEY = { number: 1, key: Buffer.alloc(32, 1), since: 0 }
const SEALED_KEYS = { current: KEY, all: [KEY] }

journalSuite('sealed segments on disk, written by thread', () => {
  const parent = mkdtempSync(join(tmpdir(), 'sealcast-journal-'))
  return {
    open: () => openSmall(diskFiles(), { folder: join(parent, 'journal'), writer: 'thread', keys: SEALED_KEYS }),
    done: async () => rmSync(parent, { recursive: true }),
  }
})

suite('a sealed journal', () => {
  const text = (at: number): string => `easy to find ${at} `.repeat(1 + (at % 40))

  test('holds nothing as it is, and gives it back from memory and from files, whole and in parts, through changes of keys', async () => {
    const files = memoryFiles()
    const placed: { readonly position: Position; readonly at: number }[] = []
    const other = { number: 2, key: Buffer.alloc(32, 2), since: 0 }
    const runs = [SEALED_KEYS, { current: undefined, all: [KEY] }, { current: other, all: [KEY, other] }]
    let written = 0
    for (const keys of runs) {
      const journal = await openSmall(files, { keys })
      for (let more = 0; more < 60; more++, written++) {
        const { position, settled } = appended(journal, Buffer.from(text(written)), 1)
        placed.push({ position, at: written })
        await settled
      }
      await journal.close()
    }
    const journal = await openSmall(files, { keys: { current: other, all: [KEY, other] } })
    const check = async (): Promise<void> => {
      const frames = await readAll(journal, 0)
      assert.deepEqual(
        frames.map(({ payload }) => payload.toString()),
        placed.map(({ at }) => text(at)),
      )
      for (const [index, { payloadPosition }] of frames.entries()) {
        const part = await journal.readBytes(payloadPosition + 3, 9)
        assert.equal(part.toString(), text(index).slice(3, 12))
      }
    }
    await check()
    await journal.close()
    const reader = openSegmentReader(files, '/journal', { current: undefined, all: [KEY, other] })
    assert.equal(reader.read(0, 1000, 1e9)[0]?.payload.toString(), text(0))
    reader.close()
    const onDisk = files.list('/journal').map((name) => readFile(files, name).toString('latin1'))
    const found = onDisk.join('').match(/easy to find \d+/g) ?? []
    assert.deepEqual(
      new Set(found),
      new Set(placed.slice(60, 120).map(({ at }) => `easy to find ${at}`)),
      'what was written without a key is there, as it is, and nothing else',
    )
  })

  test('a key that is not at hand, and one that is another, are named', async () => {
    const files = memoryFiles()
    const journal = await openSmall(files, { keys: SEALED_KEYS })
    await appended(journal, Buffer.from('text'), 1).settled
    await journal.close()
    for (const [keys, message] of [
      [{ current: undefined, all: [] }, /key 1 of the journal, which is not at hand/],
      [{ current: undefined, all: [{ ...KEY, key: Buffer.alloc(32, 9) }] }, /does not hold/],
    ] as const) {
      const again = await openSmall(files, { keys })
      await assert.rejects(again.read(0, 1000), { name: 'JournalDamaged', message })
      await again.close()
    }
  })
})

function readFile(files: Files, name: string): Buffer {
  const file = files.open(join('/journal', name), 'read')
  try {
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0, bytes.length, 0)
    return bytes
  } finally {
    file.close()
  }
}

const UNSEALED_MS = 3_600_000

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

  test('the file grows in whole pieces, not with each commit', async () => {
    const files = memoryFiles({ simulate: true })
    const journal = await openSmall(files, { segmentBytes: 1024 * 1024, aheadBytes: 64 * 1024 })
    await turns()
    let writes = 0
    files.fault = ({ name }) => void (name === 'write' && writes++)
    for (let at = 0; at < 300; at++) {
      await appended(journal, Buffer.alloc(500), 1).settled
      await turns()
    }
    // 160 kB of frames behind zeros of half of `aheadBytes` at a time.
    assert.ok(writes > 300 && writes <= 306, `${writes} writes`)
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

test('bytes at the start of a large frame are found on disk, whatever stands before it', async () => {
  const files = memoryFiles()
  const journal = await openSmall(files, { slabBytes: 256 * 1024, segmentBytes: 1024 * 1024 })
  const large = Buffer.alloc(40_000, 'large ')
  for (const before of [1, 100, 5000, 20_000]) {
    appended(journal, Buffer.alloc(before, 'small'), 1)
    const { position, settled } = appended(journal, large, 1)
    await settled
    await fill(journal, 1000, 500)
    const [frame] = await journal.read(position, 1)
    for (const [offset, length] of [
      [0, 1],
      [0, 1100],
      [1100, 1100],
      [39_000, 1000],
      [0, 40_000],
    ] as const) {
      const bytes = await journal.readBytes((frame?.payloadPosition ?? 0) + offset, length)
      assert.deepEqual(bytes, large.subarray(offset, offset + length), `${length} bytes at ${offset}, behind ${before}`)
    }
  }
  await journal.close()
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
    // No seal comes between, however slow the machine.
    const journal = await openSmall(files, { sealAfterMs: UNSEALED_MS })
    const { frames } = await fill(journal, 10, 500)
    const { durable } = journal
    files.restart()
    leaveFrame(files, 1, 0, durable)
    for (const checkedFrom of [undefined, 0, frames[5]?.end, durable]) {
      const again = await openSmall(files, { sealAfterMs: UNSEALED_MS, ...(checkedFrom !== undefined && { checkedFrom }) })
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

function openSmall(files: Files, options: Partial<JournalOptions> = {}): Promise<SegmentedJournal> {
  return openJournal({ files, folder: '/journal', random: seededRandom(1), clock: systemClock, writer: 'inline', ...SMALL, ...options })
}

/** Enough turns for everything that runs inline to finish. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
}
