// What was acknowledged and then changed on the device is named, by file and position, and nothing is cut, skipped or served in its place.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SimulatedClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { type Frame, JournalDamaged, JournalTooNew, type Position } from '../journal.ts'
import { appended, fill, readAll } from '../journal.suite.ts'
import { type MemoryFiles, memoryFiles } from '../memory/files.ts'
import { FRAME_HEADER_BYTES, frameOffset, SEGMENT_HEADER_BYTES } from './format.ts'
import { openJournal, type SegmentedJournal } from './journal.ts'
import { openSegmentReader } from './reader.ts'

const FOLDER = '/journal'
const FLIPS = 1500

interface Written {
  readonly files: MemoryFiles
  readonly frames: readonly Frame[]
  readonly segments: readonly { readonly path: string; readonly start: Position; readonly end: Position }[]
}

suite('a flipped bit', () => {
  test('is named as damage wherever it is in what was sealed', async () => {
    const { files, frames, segments } = await write()
    const random = seededRandom(7)
    const hits = { frame: 0, header: 0 }
    for (let flip = 0; flip < FLIPS; flip++) {
      const segment = segments[random.below(segments.length)]
      assert.ok(segment)
      // The very last frame is the seal, whose loss loses nothing.
      const isLast = segment === segments.at(-1)
      const end = frameOffset(segment.start, segment.end) - (isLast ? FRAME_HEADER_BYTES : 0)
      const bit = random.below(4) === 0 ? random.below(SEGMENT_HEADER_BYTES * 8) : random.below(end * 8)
      const before = volumeBytes(files)
      files.flip(segment.path, bit)
      const after = volumeBytes(files)
      const where = `bit ${bit} of ${segment.path}, which has frames from ${segment.start} to ${segment.end}`
      const named = (error: unknown): boolean => {
        assert.ok(error instanceof Error)
        if (error instanceof JournalTooNew) return bit >= 8 * 8 && bit < 12 * 8 && error.message.includes(segment.path)
        assert.ok(error instanceof JournalDamaged, String(error))
        assert.ok(error.message.includes(segment.path), `${error.message} for ${where}`)
        const position = /at position (\d+)/.exec(error.message)?.[1]
        if (bit >= SEGMENT_HEADER_BYTES * 8) {
          const frame = frames.find(({ end }) => frameOffset(segment.start, end) * 8 > bit)
          const place = frames.findLast((known) => known.position <= Number(position))
          assert.equal(place?.position, frame?.position ?? place?.position)
          hits.frame++
        } else {
          hits.header++
        }
        return true
      }
      await assert.rejects(open(files), named, where)
      assert.deepEqual(volumeBytes(files), after, 'nothing was changed')
      files.flip(segment.path, bit)
      assert.deepEqual(volumeBytes(files), before)
    }
    assert.ok(hits.frame > 100 && hits.header > 100)
    const journal = await open(files)
    assert.deepEqual(await readAll(journal, 0), frames)
    await journal.close()
  })

  test('in the seal itself loses nothing', async () => {
    const { files, frames, segments } = await write()
    const last = segments.at(-1)
    assert.ok(last)
    const seal = frameOffset(last.start, last.end) - FRAME_HEADER_BYTES
    for (let bit = seal * 8; bit < (seal + FRAME_HEADER_BYTES) * 8; bit += 5) {
      files.flip(last.path, bit)
      const reader = openSegmentReader(files, FOLDER)
      const found: Frame[] = []
      const durable = last.end - FRAME_HEADER_BYTES
      for (let at = 0, some; (some = reader.read(at, 1000, durable)).length > 0; at = some.at(-1)?.end ?? 0) found.push(...some)
      assert.deepEqual(found, frames)
      files.flip(last.path, bit)
    }
    files.flip(last.path, seal * 8 + 70)
    const journal = await open(files)
    assert.deepEqual(await readAll(journal, 0), frames)
    await journal.close()
  })

  test('behind the end of the journal changes nothing', async () => {
    const { files, frames, segments } = await write()
    const last = segments.at(-1)
    assert.ok(last)
    const random = seededRandom(3)
    const behind = frameOffset(last.start, last.end) * 8
    for (let flip = 0; flip < 50; flip++) files.flip(last.path, behind + random.below(2000 * 8))
    const journal = await open(files)
    assert.deepEqual(await readAll(journal, 0), frames)
    assert.equal((await fill(journal, 30, 300)).frames.length, 30)
    await journal.close()
  })

  test('in a last group without a seal is taken for a torn tail: the one exposure, as long as the journal is busy', async () => {
    const { files, frames, segments } = await write({ seal: false })
    const [last, group] = [segments.at(-1), frames.at(-1)]
    assert.ok(last && group)
    files.flip(last.path, frameOffset(last.start, group.position) * 8 + 8 * 40)
    const journal = await open(files)
    assert.deepEqual(await readAll(journal, 0), frames.slice(0, -1))
    await journal.close()
  })

  test('is found even so by who knows what had been reached', async () => {
    const { files, frames, segments } = await write({ seal: false })
    const [last, group] = [segments.at(-1), frames.at(-1)]
    assert.ok(last && group)
    files.flip(last.path, frameOffset(last.start, group.position) * 8 + 8 * 40)
    await assert.rejects(open(files, group.end), /damaged: the frame at position|ends at position \d+, but \d+ had been reached/)
  })

  test('in what is read cold is named and never served', async () => {
    const { files, frames, segments } = await write()
    const journal = await open(files)
    const random = seededRandom(11)
    for (let flip = 0; flip < 300; flip++) {
      const index = random.below(frames.length)
      const frame = frames[index]
      const segment = segments.findLast(({ start }) => start <= (frame?.position ?? 0))
      assert.ok(frame && segment)
      const bit = frameOffset(segment.start, frame.position) * 8 + random.below((frame.end - frame.position) * 8)
      files.flip(segment.path, bit)
      const named = (error: unknown): boolean => {
        assert.ok(error instanceof JournalDamaged, String(error))
        return error.message.includes(segment.path) && error.message.includes(String(frame.position))
      }
      await assert.rejects(journal.read(frame.position, 5000), named)
      // Unless it is in memory from a time when it was good.
      await Promise.resolve(journal.readBytes(frame.payloadPosition + 3, 20)).then(
        (bytes) => assert.deepEqual(bytes, frame.payload.subarray(3, 23)),
        (error: unknown) => assert.ok(error instanceof JournalDamaged, String(error)),
      )
      const before = frames[index - 1]
      if (before !== undefined && before.end === frame.position) assert.deepEqual(await journal.read(before.position, 5000), [before])
      const reader = openSegmentReader(files, FOLDER)
      assert.throws(() => reader.read(frame.position, 5000, journal.durable), named)
      reader.close()
      files.flip(segment.path, bit)
    }
    await journal.close()
  })
})

suite('segments that are not as they were left', () => {
  test('a missing one is named', async () => {
    const { files, segments } = await write()
    const [, second] = segments
    assert.ok(second)
    files.remove(second.path)
    await assert.rejects(open(files), namesDamage(`${second.path} is missing`))
  })

  test('one of another journal is named', async () => {
    const { files, segments } = await write()
    const other = await write({ seed: 2 })
    const [, second] = segments
    assert.ok(second)
    copyFile(other.files, files, second.path)
    await assert.rejects(open(files), namesDamage(second.path))
  })

  test('one cut short in the middle is named', async () => {
    const { files, segments } = await write()
    const [first] = segments
    assert.ok(first)
    const file = files.open(first.path, 'write')
    file.truncate(5000)
    file.close()
    await assert.rejects(open(files), namesDamage(first.path))
  })

  test('all of them gone is found by who knows what had been reached', async () => {
    const { files, frames } = await write()
    for (const name of files.list(FOLDER)) files.remove(`${FOLDER}/${name}`)
    await assert.rejects(open(files, frames.at(-1)?.end ?? 0), /ends at position 0, but \d+ had been reached/)
  })

  test('files without any valid header are not taken for a new journal', async () => {
    const { files, segments } = await write()
    for (const { path } of segments) files.flip(path, 5)
    await assert.rejects(open(files), JournalDamaged)
    for (const name of files.list(FOLDER).slice(1)) files.remove(`${FOLDER}/${name}`)
    await assert.rejects(open(files), /is not empty/)
  })

  test('a creation that was interrupted is begun again', async () => {
    const files = memoryFiles()
    files.makeFolder(FOLDER)
    files.open(`${FOLDER}/000000000001.journal`, 'create').close()
    const journal = await open(files)
    assert.equal((await fill(journal, 3, 10)).frames.length, 3)
    await journal.close()
  })

  test('a newer format is refused by name and left as it is', async () => {
    const { files, segments } = await write()
    const last = segments.at(-1)
    assert.ok(last)
    const file = files.open(last.path, 'write')
    file.write(Buffer.from([2, 0, 0, 0]), 0, 4, 8)
    file.close()
    const before = volumeBytes(files)
    await assert.rejects(open(files), (error: Error) => {
      return error instanceof JournalTooNew && error.message.includes(`${last.path} is of journal format 2; this release knows up to 1`)
    })
    assert.deepEqual(volumeBytes(files), before)
  })

  test('what a payload holds is never taken for a frame, even when it copies one', async () => {
    const files = memoryFiles()
    const journal = await open(files)
    const victim = appended(journal, Buffer.alloc(200, 'victim'), 1)
    await victim.settled
    // A frame's bytes as they would have to stand where they will stand, but for the salt that nobody outside knows.
    const position = journal.tail + FRAME_HEADER_BYTES
    const forged = Buffer.alloc(FRAME_HEADER_BYTES + 64)
    forged.writeUInt32LE(forged.length, 0)
    forged.writeDoubleLE(position, 8)
    forged.writeDoubleLE(position, 16)
    await appended(journal, forged, 1).settled
    const tail = journal.tail
    await journal.close()
    const again = await open(files)
    assert.deepEqual(await again.readBytes(position + FRAME_HEADER_BYTES, 8), Buffer.alloc(8))
    assert.equal(again.durable, tail)
    await again.close()
  })
})

function open(files: MemoryFiles, checkedFrom?: Position, seed = 1): Promise<SegmentedJournal> {
  const sizes = { segmentBytes: 8 * 1024, slabBytes: 4 * 1024, ringBytes: 4 * 1024, aheadBytes: 4 * 1024 }
  const options = { files, folder: FOLDER, random: seededRandom(seed), clock: new SimulatedClock(0), writer: 'inline', ...sizes } as const
  return openJournal(checkedFrom === undefined ? options : { ...options, checkedFrom })
}

function namesDamage(what: string): (error: unknown) => boolean {
  return (error) => error instanceof JournalDamaged && error.message.includes(what)
}

/** A journal of a few segments. Without a seal its process died, and its last group is one frame. */
async function write({ seal = true, seed = 1 }: { seal?: boolean; seed?: number } = {}): Promise<Written> {
  const files = memoryFiles({ simulate: true })
  const journal = await open(files, undefined, seed)
  const { frames } = await fill(journal, 60, 400)
  await appended(journal, Buffer.from('the last one, which is long enough to be hit'), 1).settled
  const all = await readAll(journal, 0)
  assert.deepEqual(all.slice(0, -1), frames)
  if (seal) await journal.close()
  const segments = journal.segments().map(({ start, end }, index) => ({ path: `${FOLDER}/00000000000${index + 1}.journal`, start, end }))
  if (!seal) files.restart()
  return { files, frames: all, segments }
}

function volumeBytes(files: MemoryFiles): Record<string, string> {
  return Object.fromEntries(
    files.list(FOLDER).map((name) => {
      const file = files.open(`${FOLDER}/${name}`, 'read')
      const bytes = Buffer.alloc(file.size())
      file.read(bytes, 0, bytes.length, 0)
      file.close()
      return [name, bytes.toString('base64')]
    }),
  )
}

function copyFile(from: MemoryFiles, to: MemoryFiles, path: string): void {
  const source = from.open(path, 'read')
  const bytes = Buffer.alloc(source.size())
  source.read(bytes, 0, bytes.length, 0)
  source.close()
  const target = to.open(path, 'write')
  target.write(bytes, 0, bytes.length, 0)
  target.close()
}
