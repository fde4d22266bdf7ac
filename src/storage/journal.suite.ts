// What every backend of the journal owes, on whatever files it stands.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Frame, type Journal, JournalFailed, JournalFull, JournalTrimmed, type Position } from './journal.ts'

export interface JournalWorld {
  /** Opens the same journal each time; at most one at a time. Small segments, groups of at most 16 KiB, a memory of the last 32 KiB. */
  open(): Promise<Journal>
  done(): Promise<void>
}

export function journalSuite(name: string, createWorld: () => JournalWorld): void {
  const inWorld = (what: string, run: (world: JournalWorld) => Promise<void>): void => {
    test(what, async () => {
      const world = createWorld()
      try {
        await run(world)
      } finally {
        await world.done()
      }
    })
  }

  suite(name, () => {
    inWorld('starts empty', async ({ open }) => {
      const journal = await open()
      assert.deepEqual([journal.start, journal.durable, journal.tail], [0, 0, 0])
      assert.deepEqual(await journal.read(0, 1000), [])
      await journal.close()
    })

    inWorld('settles in order, on a later turn, after every listener had the frame', async ({ open }) => {
      const journal = await open()
      const told: string[] = []
      journal.onDurable((frames) => {
        for (const frame of frames) {
          assert.ok(frame.end <= journal.durable)
          told.push(`first ${text(frame)}`)
        }
      })
      journal.onDurable((frames) => void told.push(...frames.map((frame) => `second ${text(frame)}`)))
      const append = (payload: string): Promise<void> =>
        new Promise((resolve) => {
          journal.append(Buffer.from(payload), 1, (failure) => {
            assert.equal(failure, undefined)
            told.push(`settled ${payload}`)
            resolve()
          })
        })
      const all = [append('a'), append('b')]
      await Promise.resolve()
      assert.equal(told.length, 0)
      await Promise.all(all)
      await append('c')
      const settled = told.filter((line) => line.startsWith('settled'))
      assert.deepEqual(settled, ['settled a', 'settled b', 'settled c'])
      for (const payload of ['a', 'b', 'c']) {
        assert.ok(told.indexOf(`first ${payload}`) < told.indexOf(`second ${payload}`))
        assert.ok(told.indexOf(`second ${payload}`) < told.indexOf(`settled ${payload}`))
      }
      await journal.close()
    })

    inWorld('gives each frame its final position, and copies the payload', async ({ open }) => {
      const journal = await open()
      const seen: Frame[] = []
      journal.onDurable((frames) => void seen.push(...frames.map(keep)))
      const payload = Buffer.from('before')
      const written = appended(journal, payload, 3)
      payload.write('after!')
      const next = appended(journal, Buffer.from('second'), 65_535)
      assert.equal(next.position, seenEnd(await written.settled, seen))
      await next.settled
      assert.deepEqual(
        seen.map((frame) => [frame.position, frame.entries, text(frame)]),
        [
          [written.position, 3, 'before'],
          [next.position, 65_535, 'second'],
        ],
      )
      assert.equal(seen.at(-1)?.end, journal.durable)
      await journal.close()
    })

    inWorld('reads whole frames from any position or end on, at least one, at most about what is asked', async ({ open }) => {
      const journal = await open()
      const { frames } = await fill(journal, 200, 300)
      assert.deepEqual(await readAll(journal, 0), frames)
      const middle = frames[100]
      assert.ok(middle)
      assert.deepEqual((await readAll(journal, middle.position))[0], middle)
      assert.deepEqual((await readAll(journal, middle.end))[0], frames[101])
      assert.equal((await journal.read(middle.position, 1)).length, 1)
      const some = await journal.read(middle.position, 1000)
      assert.ok(some.length >= 1 && some.length <= 4)
      assert.deepEqual(await journal.read(journal.durable, 1000), [])
      await journal.close()
    })

    inWorld('what was read stays as it is until it is released, and may be released once, twice or never', async ({ open }) => {
      const journal = await open()
      const { frames } = await fill(journal, 20, 300)
      const kept = await journal.read(0, 2000)
      const released = await journal.read(0, 2000)
      journal.release(released)
      journal.release(released)
      journal.release([])
      await fill(journal, 400, 300)
      assert.deepEqual(kept, frames.slice(0, kept.length))
      journal.release(kept)
      await journal.close()
    })

    inWorld('reads bytes by position, from memory and from disk', async ({ open }) => {
      let journal = await open()
      const { frames } = await fill(journal, 200, 700)
      const check = async (): Promise<void> => {
        for (const index of [0, 1, 50, 150, 198, 199]) {
          const frame = frames[index]
          assert.ok(frame)
          for (const [offset, length] of [
            [0, frame.payload.length],
            [1, 5],
            [frame.payload.length - 1, 1],
          ] as const) {
            const bytes = await journal.readBytes(frame.payloadPosition + offset, length)
            assert.deepEqual(bytes, frame.payload.subarray(offset, offset + length))
          }
        }
      }
      const newest = frames.at(-1)
      assert.ok(newest && Buffer.isBuffer(journal.readBytes(newest.payloadPosition, 3)))
      await check()
      await journal.close()
      journal = await open()
      await check()
      await journal.close()
    })

    inWorld('has everything after it is opened again, and goes on behind it', async ({ open }) => {
      const expected: Frame[] = []
      for (let life = 0; life < 5; life++) {
        const journal = await open()
        assert.equal(journal.durable, expected.at(-1)?.end ?? 0)
        assert.deepEqual(await readAll(journal, 0), expected)
        const { frames } = await fill(journal, 60, 500)
        assert.ok((frames[0]?.position ?? 0) >= (expected.at(-1)?.end ?? 0))
        expected.push(...frames)
        assert.deepEqual(await readAll(journal, 0), expected)
        await journal.close()
      }
    })

    inWorld('drops whole segments before a position, and nothing behind it', async ({ open }) => {
      let journal = await open()
      const { frames } = await fill(journal, 300, 700)
      const segments = journal.segments()
      assert.ok(segments.length > 4)
      assert.equal(segments[0]?.start, 0)
      for (const [index, segment] of segments.entries()) if (index > 0) assert.equal(segment.start, segments[index - 1]?.end)
      assert.equal(segments.at(-1)?.end, journal.tail)
      const kept = frames.findIndex(({ position }) => position > (segments[2]?.start ?? 0))
      const before = frames[kept]?.position ?? 0
      journal.trim(before)
      assert.equal(journal.start, segments[2]?.start)
      await assert.rejects(journal.read(0, 1000), JournalTrimmed)
      await assert.rejects(async () => journal.readBytes(frames[0]?.payloadPosition ?? 0, 1), JournalTrimmed)
      assert.deepEqual(await readAll(journal, before), frames.slice(kept))
      // What was trimmed is used again.
      const more = (await fill(journal, 300, 700)).frames
      assert.deepEqual(await readAll(journal, before), [...frames.slice(kept), ...more])
      await journal.close()
      journal = await open()
      assert.ok(journal.start <= before)
      assert.deepEqual(await readAll(journal, before), [...frames.slice(kept), ...more])
      journal.trim(journal.durable)
      assert.ok(journal.start <= journal.durable && journal.segments().length >= 1)
      const last = (await fill(journal, 1, 10)).frames
      assert.deepEqual((await readAll(journal, last[0]?.position ?? 0)).length, 1)
      await journal.close()
    })

    inWorld('says it is full before anything is staged, and takes more once it is written', async ({ open }) => {
      const journal = await open()
      const settled: number[] = []
      let staged = 0
      const push = (): void => {
        const number = staged
        journal.append(Buffer.alloc(1000, staged), 1, () => void settled.push(number))
        staged++
      }
      assert.throws(() => {
        for (;;) push()
      }, JournalFull)
      const tail = journal.tail
      assert.throws(push, JournalFull)
      assert.equal(journal.tail, tail)
      assert.ok(staged >= 8)
      await flushed(journal)
      push()
      await flushed(journal)
      assert.deepEqual(
        settled,
        Array.from({ length: staged }, (_, index) => index),
      )
      assert.deepEqual(
        (await readAll(journal, 0)).filter(({ payload }) => payload.length === 1000).map(({ payload }) => payload[0]),
        settled,
      )
      await journal.close()
    })

    inWorld('refuses a frame that can never fit, by its size', async ({ open }) => {
      const journal = await open()
      assert.throws(() => journal.append(Buffer.alloc(17 * 1024), 1, () => {}), /a frame of 17408 bytes: at most \d+ fit/)
      assert.throws(() => journal.append(Buffer.alloc(1), 65_536, () => {}), /at most 65535 are allowed/)
      assert.equal(journal.tail, 0)
      await journal.close()
    })

    inWorld('flushes what is staged when it closes, and takes nothing afterwards', async ({ open }) => {
      let journal = await open()
      const written = appended(journal, Buffer.from('last words'), 1)
      await journal.close()
      await written.settled
      assert.throws(() => journal.append(Buffer.from('x'), 1, () => {}), JournalFailed)
      journal = await open()
      assert.deepEqual((await readAll(journal, 0)).map(text), ['last words'])
      await journal.close()
    })

    inWorld('keeps frames of any size apart, empty ones too', async ({ open }) => {
      let journal = await open()
      const sizes = [0, 1, 7, 8, 9, 4096, 0, 10_000, 15_000, 3]
      const frames: Frame[] = []
      journal.onDurable((group) => void frames.push(...group.map(keep)))
      for (const size of sizes) await appended(journal, Buffer.alloc(size, size % 251), 1).settled
      assert.deepEqual(
        frames.map(({ payload }) => payload.length),
        sizes,
      )
      await journal.close()
      journal = await open()
      assert.deepEqual(await readAll(journal, 0), frames)
      await journal.close()
    })
  })
}

export function appended(journal: Journal, payload: Uint8Array, entries: number): { position: Position; settled: Promise<void> } {
  let position = -1
  const settled = new Promise<void>((resolve, reject) => {
    position = journal.append(payload, entries, (failure) => (failure ? reject(failure) : resolve()))
  })
  return { position, settled }
}

/** Appends `count` distinct frames of around `bytes` bytes and waits for them. */
export async function fill(journal: Journal, count: number, bytes: number): Promise<{ frames: Frame[] }> {
  const frames: Frame[] = []
  let counting = true
  journal.onDurable((group) => void (counting && frames.push(...group.map(keep))))
  for (let index = 0; index < count; index++) {
    const payload = Buffer.alloc(bytes + (index % 13), `${journal.tail} frame ${index} `)
    const { settled } = appended(journal, payload, index % 5)
    if (index % 7 === 6 || index === count - 1) await settled
  }
  counting = false
  return { frames }
}

export async function readAll(journal: Journal, from: Position): Promise<Frame[]> {
  const frames: Frame[] = []
  for (let at = from; at < journal.durable;) {
    const some = await journal.read(at, 4000)
    assert.ok(some.length > 0, `frames at ${at}, below ${journal.durable}`)
    frames.push(...some)
    at = some.at(-1)?.end ?? at
  }
  return frames
}

function flushed(journal: Journal): Promise<void> {
  return appended(journal, Buffer.alloc(1), 1).settled.catch(async (error) => {
    if (!(error instanceof JournalFull)) throw error
    await new Promise((resolve) => setImmediate(resolve))
    return flushed(journal)
  })
}

function keep(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) }
}

function text({ payload }: Frame): string {
  return payload.toString()
}

function seenEnd(_: void, frames: readonly Frame[]): Position {
  return frames[0]?.end ?? -1
}
