// Blobs as files: FOLDER/ab/c/ID, written under FOLDER/new/ first. A blob has its name only when it and its folders are on stable storage.
// All file work runs in the pool, so that the main thread never waits for it.
import { mkdir, open, opendir, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import {
  BlobDamaged,
  BlobMissing,
  BlobTooLarge,
  createBlobId,
  readBlobId,
  type BlobId,
  type BlobRange,
  type Blobs,
  type BlobWriteOptions,
} from '../blobs.ts'
import { blobPath as pathOf, NEW_BLOBS as NEW } from './format.ts'

const READ_BYTES = 256 * 1024

export interface DiskBlobsOptions {
  readonly folder: string
  readonly random: Random
  readonly clock: Clock
}

/** Opens or creates the folder, removes what was left half-written, and sums up what is there (from the names alone). */
export async function diskBlobs(options: DiskBlobsOptions): Promise<Blobs> {
  await rm(join(options.folder, NEW), { recursive: true, force: true })
  await mkdir(join(options.folder, NEW), { recursive: true })
  const blobs = new DiskBlobs(options)
  await blobs.measure()
  return blobs
}

class DiskBlobs implements Blobs {
  readonly #options: DiskBlobsOptions
  /** Folders known to be there and flushed in their parents. */
  readonly #folders = new Set<string>()
  #bytes = 0

  constructor(options: DiskBlobsOptions) {
    this.#options = options
  }

  async measure(): Promise<void> {
    for await (const { bytes } of this.list()) this.#bytes += bytes
  }

  async write(source: AsyncIterable<Uint8Array>, { bytesMax = Infinity }: BlobWriteOptions = {}): Promise<{ id: BlobId; bytes: number }> {
    const { folder, random, clock } = this.#options
    const temporary = join(folder, NEW, random.bytes(12).toString('hex'))
    const file = await open(temporary, 'wx')
    try {
      let bytes = 0
      try {
        for await (const chunk of source) {
          if (bytes + chunk.length > bytesMax) throw new BlobTooLarge(`a blob of more than ${bytesMax} bytes`)
          await writeAll(file, chunk, bytes)
          bytes += chunk.length
        }
        await file.sync()
      } finally {
        await file.close()
      }
      const id = createBlobId(random, clock.now(), bytes)
      const path = pathOf(folder, id)
      await this.#makeFolder(dirname(path))
      await rename(temporary, path)
      await syncFolder(dirname(path))
      this.#bytes += bytes
      return { id, bytes }
    } catch (failure) {
      await rm(temporary, { force: true })
      throw failure
    }
  }

  read(id: BlobId, range?: BlobRange): Readable {
    return Readable.from(readBlob(this.#options.folder, id, range), { objectMode: false })
  }

  async remove(id: BlobId): Promise<void> {
    const blob = readBlobId(id)
    if (blob === undefined) return
    try {
      await rm(pathOf(this.#options.folder, id))
    } catch (failure) {
      if (isAbsent(failure)) return
      throw failure
    }
    this.#bytes -= blob.bytes
  }

  async *list(): ReturnType<Blobs['list']> {
    const { folder } = this.#options
    for (const first of await readdir(folder)) {
      if (first === NEW) continue
      for (const second of await readdir(join(folder, first))) {
        for await (const { name } of await opendir(join(folder, first, second))) {
          const blob = readBlobId(name)
          if (blob !== undefined) yield blob
        }
      }
    }
  }

  bytes(): number {
    return this.#bytes
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    const { folder } = this.#options
    await mkdir(path, { recursive: true })
    // Another write may have made them a moment ago and not flushed them yet: flush in any case, once a run.
    await syncFolder(dirname(path))
    await syncFolder(folder)
    this.#folders.add(path)
  }
}

async function* readBlob(folder: string, id: BlobId, range?: BlobRange): AsyncGenerator<Buffer> {
  const blob = readBlobId(id)
  if (blob === undefined) throw new BlobMissing(`there is no blob ${id}`)
  const file = await open(pathOf(folder, id)).catch((failure: Error) => {
    throw isAbsent(failure) ? new BlobMissing(`there is no blob ${id}`) : failure
  })
  try {
    const { size } = await file.stat()
    if (size !== blob.bytes) {
      throw new BlobDamaged(`blob ${id} has ${size} bytes on disk, ${blob.bytes} were written: restore it from a backup`)
    }
    const end = Math.min(range?.end ?? size, size)
    let at = range?.start ?? 0
    while (at < end) {
      const length = Math.min(READ_BYTES, end - at)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at)
      if (bytesRead === 0) throw new BlobDamaged(`blob ${id} ended at ${at} of ${size} bytes while it was read`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written)
    written += bytesWritten
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isAbsent(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === 'ENOENT'
}
