import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { memoryFiles } from '../memory/files.ts'
import { NO_STORE_KEYS, type StoreKeys } from '../store-keys.ts'
import { type ArchivedMessage, type ArchivePlace, TopicArchiveDamaged, type TopicArchives, TopicArchiveTooNew } from '../topic-archives.ts'
import { withFile } from '../whole-files.ts'
import { openTopicArchives } from './archives.ts'

const FOLDER = '/topic-archives'
const random = seededRandom(7)

function open(files: ReturnType<typeof memoryFiles>, fileBytes = 2000, keys: StoreKeys = NO_STORE_KEYS): TopicArchives {
  return openTopicArchives({ files, folder: FOLDER, sealing: { keys, random }, log: silentLog, fileBytes })
}

/** Messages with sequences from `from` on, published at ten times their sequence. */
function messagesOf(from: number, count: number, bytes = 20): ArchivedMessage[] {
  return Array.from({ length: count }, (_, at) => {
    const sequence = from + at
    return { sequence, publishedAt: sequence * 10, bytes: Buffer.from(`message ${sequence} `.padEnd(bytes, '.')) }
  })
}

async function readAll(archives: TopicArchives, archive: number, sequence = 0, since = 0): Promise<number[]> {
  const found: number[] = []
  let place: ArchivePlace | undefined
  for (;;) {
    const read = await archives.read(archive, { sequence, since, always: Infinity }, place)
    if (read === undefined) return found
    for (const message of read.messages) {
      assert.ok(message.bytes.toString().startsWith(`message ${message.sequence} `))
      found.push(message.sequence)
    }
    place = read.place
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe('archives of topics', () => {
  it('give back what they were given, in order, from a sequence on, across files and restarts', async () => {
    const files = memoryFiles()
    const archives = open(files)
    for (let at = 1; at <= 300; at += 30) {
      archives.append(1, messagesOf(at, 30))
      archives.append(2, messagesOf(at, 1))
      await archives.flush()
    }
    archives.append(1, messagesOf(250, 60))
    assert.ok(archives.files().length > 5)
    const again = open(files)
    for (const one of [archives, again]) {
      assert.deepEqual(await readAll(one, 1), numbers(1, 309))
      assert.deepEqual(await readAll(one, 1, 155), numbers(155, 309))
      assert.equal((await readAll(one, 2)).length, 10)
      assert.deepEqual(await readAll(one, 3), [])
      assert.equal(one.newest(1), 309)
    }
    again.append(1, messagesOf(310, 1))
    assert.deepEqual(await readAll(again, 1, 308), [308, 309, 310])
  })

  it('leave out stretches that are older than a time, and hold messages of any size', async () => {
    const archives = open(memoryFiles())
    archives.append(1, messagesOf(1, 50))
    await archives.flush()
    archives.append(1, messagesOf(51, 2, 1024 * 1024))
    await archives.flush()
    archives.append(1, messagesOf(53, 3))
    const found = await readAll(archives, 1, 0, 510)
    assert.deepEqual(found, numbers(51, 55))
  })

  it('let go of whole files by their time, and of everything at once', async () => {
    const files = memoryFiles()
    const archives = open(files)
    for (let at = 1; at <= 300; at += 50) {
      archives.append(1, messagesOf(at, 50))
      await archives.flush()
    }
    const release = archives.hold()
    const before = files.list(FOLDER).length
    const trimmed = await archives.trim(1, { before: 1200, rollBefore: 0 })
    assert.equal(trimmed.messages, 100)
    assert.equal(files.list(FOLDER).length, before, 'while they are held')
    release()
    assert.equal(files.list(FOLDER).length, before - trimmed.files)
    assert.deepEqual(await readAll(archives, 1), numbers(101, 300))
    // The newest file goes as well once it is old: nothing stays for ever in a topic that fell silent.
    archives.append(1, messagesOf(301, 5))
    assert.equal((await archives.trim(1, { before: 1e6, rollBefore: 1e6 })).messages, 205)
    assert.deepEqual([files.list(FOLDER), archives.newest(1), archives.bytes()], [[], 305, 0])
    archives.append(1, messagesOf(306, 2))
    archives.erase(1)
    assert.deepEqual([files.list(FOLDER), archives.archives()], [[], []])
  })

  it('cut what belongs to another future', async () => {
    const files = memoryFiles()
    const archives = open(files)
    for (let at = 1; at <= 300; at += 50) {
      archives.append(1, messagesOf(at, 50))
      await archives.flush()
    }
    archives.cut(1, 171)
    assert.deepEqual(await readAll(archives, 1), numbers(1, 150))
    archives.append(1, messagesOf(151, 25))
    await archives.flush()
    assert.deepEqual(await readAll(open(files), 1), numbers(1, 175))
  })

  it('keep what was flushed through a power cut at any call, and take the rest again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ count: fc.integer({ min: 1, max: 60 }), flushes: fc.boolean() }), { minLength: 1, maxLength: 12 }),
        fc.nat(80),
        fc.nat(),
        async (steps, cut, seed) => {
          const files = memoryFiles({ simulate: true })
          let [flushed, written] = [0, 0]
          files.fault = ({ number }) => (number === cut ? 'cut' : undefined)
          try {
            const archives = open(files)
            for (const { count, flushes } of steps) {
              archives.append(1, messagesOf(written + 1, count))
              written += count
              if (!flushes) continue
              await archives.flush()
              flushed = written
            }
          } catch (error) {
            assert.match(String(error), /power/)
          }
          files.crash(seededRandom(seed))
          files.fault = undefined
          const again = open(files)
          const kept = await readAll(again, 1)
          assert.deepEqual(kept, numbers(1, kept.length))
          assert.ok(kept.length >= flushed, `${flushed} were flushed, ${kept.length} are there`)
          // The follower comes again with all that was not flushed.
          again.append(1, messagesOf(flushed + 1, 100))
          await again.flush()
          assert.deepEqual(await readAll(open(files), 1), numbers(1, flushed + 100 > kept.length ? flushed + 100 : kept.length))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('name damage where something was on stable storage, and never cut it', async () => {
    for (const [target, bit] of [
      ['first', 8 * 200],
      ['newest', 8 * 200],
    ] as const) {
      const files = memoryFiles({ simulate: true })
      const archives = open(files)
      for (let at = 1; at <= 150; at += 25) {
        archives.append(1, messagesOf(at, 25))
        await archives.flush()
      }
      const names = files.list(FOLDER)
      const path = `${FOLDER}/${target === 'first' ? names[0] : names.at(-1)}`
      const size = withFile(files, path, 'read', (file) => file.size())
      files.flip(path, bit)
      files.restart()
      const again = open(files)
      await assert.rejects(readAll(again, 1), TopicArchiveDamaged)
      assert.equal(
        withFile(files, path, 'read', (file) => file.size()),
        size,
      )
      again.append(1, messagesOf(151, 5))
      await again.flush()
      assert.deepEqual(await readAll(again, 1, 151), numbers(151, 155))
    }
  })

  it('name damage in what was sound when a later start wrote on behind it', async () => {
    const files = memoryFiles({ simulate: true })
    open(files).append(1, messagesOf(1, 10))
    const again = open(files)
    again.append(1, messagesOf(11, 5))
    await again.flush()
    files.flip(`${FOLDER}/${files.list(FOLDER)[0] ?? ''}`, 8 * 200)
    files.restart()
    const damaged = open(files)
    await assert.rejects(readAll(damaged, 1), TopicArchiveDamaged)
    assert.equal(damaged.newest(1), 15)
  })

  it('seal what they hold, and read what stood open before', async () => {
    const files = memoryFiles()
    open(files).append(1, messagesOf(1, 3))
    const key = { number: 1, key: random.bytes(32), since: 0 }
    const sealed = open(files, 2000, { current: key, all: [key] })
    sealed.append(1, messagesOf(4, 3))
    await sealed.flush()
    assert.deepEqual(await readAll(sealed, 1), numbers(1, 6))
    const text = files.list(FOLDER).map((name) =>
      withFile(files, `${FOLDER}/${name}`, 'read', (file) => {
        const bytes = Buffer.alloc(file.size())
        file.read(bytes, 0, bytes.length, 0)
        return bytes.toString('latin1')
      }),
    )
    assert.ok(text.join().includes('message 3') && !text.join().includes('message 4'))
    await assert.rejects(readAll(open(files), 1), TopicArchiveDamaged)
  })

  it('refuse files of a newer release', () => {
    const files = memoryFiles()
    open(files).append(1, messagesOf(1, 1))
    const path = `${FOLDER}/${files.list(FOLDER)[0]}`
    withFile(files, path, 'write', (file) => file.write(Buffer.of(2), 0, 1, 8))
    assert.throws(() => open(files), TopicArchiveTooNew)
  })
})
