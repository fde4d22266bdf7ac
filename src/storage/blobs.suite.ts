// What every blobs backend owes.
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { SimulatedClock, type Clock } from '../base/clock.ts'
import { seededRandom, type Random } from '../base/random.ts'
import { BlobMissing, BlobTooLarge, type Blobs } from './blobs.ts'

export interface BlobsWorld {
  readonly open: (parts: { readonly random: Random; readonly clock: Clock }) => Promise<Blobs>
  /** Bytes or files that are neither blobs nor folders: what a failed write left behind. */
  readonly leftovers: () => readonly string[]
  readonly remove: () => void
}

const NOW = 1_700_000_000_000

export function blobsSuite(backend: string, world: () => BlobsWorld): void {
  const withBlobs = async (use: (blobs: Blobs, world: BlobsWorld, clock: SimulatedClock) => Promise<void>): Promise<void> => {
    const made = world()
    const clock = new SimulatedClock(NOW)
    try {
      await use(await made.open({ random: seededRandom(1), clock }), made, clock)
    } finally {
      made.remove()
    }
  }

  test(`${backend}: what was written is read back, whole and in ranges`, () =>
    withBlobs(async (blobs) => {
      const body = seededRandom(2).bytes(700_001)
      const { id, bytes } = await blobs.write(chunks(body, 65_536))
      assert.equal(bytes, body.length)
      assert.match(id, /^[0-9a-z-]+$/)
      assert.ok(body.equals(await buffer(blobs.read(id))))
      const inside = [
        [0, 1],
        [0, 700_001],
        [262_143, 262_145],
        [700_000, 700_001],
        [5, 5],
      ] as const
      const beyond = [
        [699_999, 800_000],
        [700_001, 700_002],
      ] as const
      for (const [start, end] of [...inside, ...beyond]) {
        assert.ok(body.subarray(start, end).equals(await buffer(blobs.read(id, { start, end }))), `${start} to ${end}`)
      }
    }))

  test(`${backend}: an empty blob and many at once`, () =>
    withBlobs(async (blobs) => {
      const written = await Promise.all(Array.from({ length: 40 }, (_, at) => blobs.write(chunks(Buffer.alloc(at * 100, at), 64))))
      assert.equal(new Set(written.map(({ id }) => id)).size, 40)
      for (const [at, { id }] of written.entries()) assert.deepEqual(await buffer(blobs.read(id)), Buffer.alloc(at * 100, at))
    }))

  test(`${backend}: the next chunk is asked for only when the last is written`, () =>
    withBlobs(async (blobs) => {
      let asked = 0
      const body = async function* (): AsyncGenerator<Buffer> {
        while (asked < 50) yield Buffer.alloc(1000, ++asked)
        throw new Error('the sender went away')
      }
      await assert.rejects(blobs.write(body(), { bytesMax: 3500 }), BlobTooLarge)
      assert.equal(asked, 4)
    }))

  test(`${backend}: a source that fails or is too large leaves nothing behind`, () =>
    withBlobs(async (blobs, { leftovers }) => {
      const failing = async function* (): AsyncGenerator<Buffer> {
        yield Buffer.alloc(10)
        throw new Error('the sender went away')
      }
      await assert.rejects(blobs.write(failing()), /the sender went away/)
      await assert.rejects(blobs.write(chunks(Buffer.alloc(101), 10), { bytesMax: 100 }), BlobTooLarge)
      assert.deepEqual(await all(blobs), [])
      assert.deepEqual(leftovers(), [])
      assert.equal(blobs.bytes(), 0)
      assert.equal((await blobs.write(chunks(Buffer.alloc(100), 10), { bytesMax: 100 })).bytes, 100)
    }))

  test(`${backend}: list and bytes tell what is there; remove takes it away, twice without complaint`, () =>
    withBlobs(async (blobs, _, clock) => {
      const first = await blobs.write(chunks(Buffer.alloc(10), 10))
      clock.advance(1000)
      const second = await blobs.write(chunks(Buffer.alloc(20), 10))
      assert.deepEqual(
        (await all(blobs)).sort((a, b) => a.bytes - b.bytes),
        [
          { id: first.id, bytes: 10, writtenAt: NOW },
          { id: second.id, bytes: 20, writtenAt: NOW + 1000 },
        ],
      )
      assert.equal(blobs.bytes(), 30)
      await blobs.remove(first.id)
      await blobs.remove(first.id)
      await blobs.remove('../../etc/passwd')
      assert.equal(blobs.bytes(), 20)
      await assert.rejects(buffer(blobs.read(first.id)), BlobMissing)
      assert.deepEqual(
        (await all(blobs)).map(({ id }) => id),
        [second.id],
      )
    }))

  test(`${backend}: an unknown id fails with BlobMissing, whatever its form`, () =>
    withBlobs(async (blobs) => {
      for (const id of ['', 'x', '../../etc/passwd', '0123456789abcdef01234567-abc-10']) {
        await assert.rejects(buffer(blobs.read(id)), BlobMissing)
      }
    }))
}

async function* chunks(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

function all(blobs: Blobs): Promise<{ id: string; bytes: number; writtenAt: number }[]> {
  return Array.fromAsync(blobs.list())
}
