// Blobs on disk against the port's suite; reopening after a crash, and files that were cut.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { SimulatedClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { BlobDamaged, readBlobId } from '../blobs.ts'
import { blobsSuite } from '../blobs.suite.ts'
import { diskBlobs } from './blobs.ts'

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'sealcast-blobs-'))
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path)).isFile())

blobsSuite('disk', () => {
  const folder = temporaryFolder()
  return {
    open: (parts) => diskBlobs({ folder, ...parts }),
    leftovers: () => files(folder).filter((path) => readBlobId(path.split('/').at(-1) ?? '') === undefined),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
})

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body
}

test('reopening keeps blobs and their sum and removes what was half-written', async () => {
  const folder = temporaryFolder()
  const parts = { folder, random: seededRandom(1), clock: new SimulatedClock(0) }
  const { id } = await (await diskBlobs(parts)).write(once(Buffer.from('body')))
  writeFileSync(join(folder, 'new', 'half'), 'ha')
  const blobs = await diskBlobs(parts)
  assert.equal(blobs.bytes(), 4)
  assert.equal((await buffer(blobs.read(id))).toString(), 'body')
  assert.equal(files(folder).length, 1)
  rmSync(folder, { recursive: true })
})

test('a file that was cut is named as damaged before any byte of it is served', async () => {
  const folder = temporaryFolder()
  const blobs = await diskBlobs({ folder, random: seededRandom(1), clock: new SimulatedClock(0) })
  const { id } = await blobs.write(once(Buffer.alloc(10_000)))
  truncateSync(join(folder, files(folder)[0] ?? ''), 9_999)
  const isNamed = (failure: Error): boolean => failure instanceof BlobDamaged && failure.message.includes(id)
  await assert.rejects(buffer(blobs.read(id, { start: 0, end: 10 })), isNamed)
  rmSync(folder, { recursive: true })
})
