// Reads CloudTrail files for an import: walks folders, unpacks, cuts and checks records, and hands them on in batches. Memory stays bounded
// however large a file is; a file's records are handed on when the whole file has proved readable, but for very large ones.
import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import { checkRecord, type CutRecord, documentReason, isRecordFile, RecordCutter, skipReason } from '../../model/cloudtrail-record.ts'
import { type LakeImport, type LakeImportProgress, NAMED_MAX } from '../lake.ts'

/** AWS's own limit of a log file ("Quotas in AWS CloudTrail"). Plain files are read in pieces and may be of any size. */
const COMPRESSED_BYTES_MAX = 50 * 1024 * 1024
const EXPANDED_BYTES_MAX = 4 * 1024 * 1024 * 1024
/** Real logs shrink ten- to fortyfold; beyond this a file is made to fill memory or disk. */
const EXPANSION_MAX = 250
const EXPANSION_FREE_BYTES = 32 * 1024 * 1024
/** Records of one file held back until its end is seen. */
const HELD_BYTES_MAX = 64 * 1024 * 1024
const BATCH_BYTES = 48 * 1024 * 1024
const PIECE_BYTES = 256 * 1024
const PROGRESS_MS = 100
/** Smaller files are read and unpacked in one go, which costs a fraction of what streams do. */
const SMALL_BYTES = 1024 * 1024
const FIRST_BATCH_BYTES = 256 * 1024
const LINE_FEED = 0x0a
const IDENTITY_CHARACTERS = 32

/** Lines of an identity and a record each. Resolves with how many were new. */
export type TakeBatch = (lines: Buffer) => Promise<number>

interface ImportOptions {
  readonly clock: Clock
  readonly take: TakeBatch
  readonly onProgress: (progress: LakeImportProgress) => void
  readonly cancelled: () => boolean
}

interface Source {
  readonly path: string
  readonly bytes: number
}

export async function importFiles(paths: readonly string[], options: ImportOptions): Promise<LakeImport> {
  const sources: Source[] = []
  for (const path of paths) await collect(path, sources)
  const run = new ImportRun(options, sources)
  for (const source of sources) {
    if (options.cancelled()) break
    await run.file(source)
  }
  return run.finish()
}

/** The files below a folder in the order of their names; a link to a folder is not followed. */
async function collect(path: string, sources: Source[]): Promise<void> {
  const status = await stat(path)
  if (!status.isDirectory()) {
    sources.push({ path, bytes: status.size })
    return
  }
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) await collect(inner, sources)
    else if (isRecordFile(entry.name)) sources.push({ path: inner, bytes: (await stat(inner).catch(() => undefined))?.size ?? 0 })
  }
}

class ImportRun {
  readonly #options: ImportOptions
  readonly #sources: readonly Source[]
  #batch = Buffer.allocUnsafeSlow(FIRST_BATCH_BYTES)
  #batchBytes = 0
  #inBatch = new Set<string>()
  #taking: Promise<void> = Promise.resolve()
  #reportedAt = -Infinity
  #files = 0
  #bytes = 0
  #imported = 0
  #repeated = 0
  #handed = 0
  #rejected = 0
  #skippedFiles = 0
  readonly #skipped: { path: string; reason: string }[] = []
  readonly #rejections: { path: string; index: number; reason: string }[] = []

  constructor(options: ImportOptions, sources: readonly Source[]) {
    this.#options = options
    this.#sources = sources
  }

  async file(source: Source): Promise<void> {
    const { path } = source
    const reason = skipReason(path)
    if (reason !== undefined) this.#skip(path, reason)
    else await this.#read(source)
    this.#files++
    this.#bytes += source.bytes
    this.#report(false)
  }

  async finish(): Promise<LakeImport> {
    await this.#handOn()
    await this.#taking
    this.#report(true)
    const duplicates = this.#repeated + this.#handed - this.#imported
    return {
      files: this.#files,
      records: this.#handed + this.#repeated + this.#rejected,
      imported: this.#imported,
      duplicates,
      rejected: this.#rejected,
      skipped: this.#skipped,
      skippedFiles: this.#skippedFiles,
      rejections: this.#rejections,
    }
  }

  async #read({ path, bytes }: Source): Promise<void> {
    const file = new FileRecords(path)
    let handedOn = 0
    try {
      for await (const piece of piecesOf(path, bytes)) {
        file.take(piece)
        if (file.heldBytes > HELD_BYTES_MAX) {
          handedOn += file.held.length
          await this.#accept(file)
        }
        if (this.#options.cancelled()) return
      }
      file.end()
    } catch (error) {
      const known = handedOn === 0 ? '' : `; the ${handedOn} records before it are in`
      this.#skip(path, `${messageOf(error)}${known}`)
      return
    }
    if (file.digest !== undefined) this.#skip(path, file.digest)
    else await this.#accept(file)
  }

  async #accept(file: FileRecords): Promise<void> {
    for (const rejection of file.rejections) {
      this.#rejected++
      if (this.#rejections.length < NAMED_MAX) this.#rejections.push({ path: file.path, ...rejection })
    }
    for (const { identity, line } of file.held) {
      if (this.#inBatch.has(identity)) {
        this.#repeated++
        continue
      }
      this.#inBatch.add(identity)
      this.#add(identity, line)
      if (this.#batchBytes >= BATCH_BYTES) await this.#handOn()
    }
    file.clear()
  }

  #add(identity: string, line: Buffer): void {
    const end = this.#batchBytes + IDENTITY_CHARACTERS + line.length + 1
    if (end > this.#batch.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#batch.length * 2))
      this.#batch.copy(larger, 0, 0, this.#batchBytes)
      this.#batch = larger
    }
    this.#batch.write(identity, this.#batchBytes, 'latin1')
    line.copy(this.#batch, this.#batchBytes + IDENTITY_CHARACTERS)
    this.#batch[end - 1] = LINE_FEED
    this.#batchBytes = end
  }

  /** Hands the batch on and goes on reading while it is taken; one at a time. */
  async #handOn(): Promise<void> {
    if (this.#batchBytes === 0) return
    const lines = this.#batch.subarray(0, this.#batchBytes)
    const count = this.#inBatch.size
    this.#batch = Buffer.allocUnsafeSlow(FIRST_BATCH_BYTES)
    this.#batchBytes = 0
    this.#inBatch = new Set()
    await this.#taking
    const taking = this.#options.take(lines).then((imported) => {
      this.#imported += imported
      this.#handed += count
    })
    // Seen by the next await of `#taking`; until then it must not count as unhandled.
    taking.catch(() => undefined)
    this.#taking = taking
  }

  #skip(path: string, reason: string): void {
    this.#skippedFiles++
    if (this.#skipped.length < NAMED_MAX) this.#skipped.push({ path, reason })
  }

  #report(last: boolean): void {
    const now = this.#options.clock.monotonic()
    if (!last && now - this.#reportedAt < PROGRESS_MS) return
    this.#reportedAt = now
    this.#options.onProgress({
      files: this.#files,
      filesTotal: this.#sources.length,
      bytes: this.#bytes,
      bytesTotal: this.#sources.reduce((sum, { bytes }) => sum + bytes, 0),
      records: this.#handed + this.#inBatch.size + this.#repeated + this.#rejected,
    })
  }
}

/** The records of one file, checked, until they are accepted or thrown away. */
class FileRecords {
  readonly path: string
  held: { identity: string; line: Buffer }[] = []
  heldBytes = 0
  rejections: { index: number; reason: string }[] = []
  digest: string | undefined
  readonly #cutter = new RecordCutter()

  constructor(path: string) {
    this.path = path
  }

  take(piece: Buffer): void {
    for (const record of this.#cutter.push(piece)) this.#check(record)
  }

  end(): void {
    for (const record of this.#cutter.end()) this.#check(record)
  }

  clear(): void {
    this.held = []
    this.heldBytes = 0
    this.rejections = []
  }

  #check({ index, bytes }: CutRecord): void {
    const checked = checkRecord(bytes)
    if (checked.usable) {
      this.held.push({ identity: hash('sha256', checked.identity, 'hex').slice(0, IDENTITY_CHARACTERS), line: checked.line })
      this.heldBytes += checked.line.length
      return
    }
    this.rejections.push({ index, reason: checked.reason })
    if (index === 0 && bytes !== undefined) this.digest = documentReason(bytes)
  }
}

/** A file's bytes, unpacked when they are gzip, whatever the name says. */
async function* piecesOf(path: string, bytes: number): AsyncGenerator<Buffer> {
  if (bytes <= SMALL_BYTES) {
    const whole = await readFile(path)
    yield startsAsGzip(whole) ? gunzipSync(whole, { maxOutputLength: Math.max(EXPANSION_FREE_BYTES, bytes * EXPANSION_MAX) }) : whole
    return
  }
  if (!(await isGzip(path))) {
    yield* createReadStream(path, { highWaterMark: PIECE_BYTES })
    return
  }
  if (bytes > COMPRESSED_BYTES_MAX) {
    throw new Error(`larger than a log file can be: ${bytes} bytes compressed, at most ${COMPRESSED_BYTES_MAX}`)
  }
  const source = createReadStream(path, { highWaterMark: PIECE_BYTES })
  const unpacked = createGunzip({ chunkSize: PIECE_BYTES })
  source.on('error', (error) => unpacked.destroy(error))
  source.pipe(unpacked)
  let expanded = 0
  try {
    for await (const piece of unpacked as AsyncIterable<Buffer>) {
      expanded += piece.length
      if (expanded > EXPANDED_BYTES_MAX || expanded > Math.max(EXPANSION_FREE_BYTES, bytes * EXPANSION_MAX)) throw new Error(EXPANDS)
      yield piece
    }
  } finally {
    source.destroy()
  }
}

const EXPANDS = `unpacks to more than ${EXPANSION_MAX} times its size: no log file does`

function startsAsGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    return startsAsGzip((await file.read(Buffer.alloc(2), 0, 2, 0)).buffer)
  } finally {
    await file.close()
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ERR_BUFFER_TOO_LARGE') return EXPANDS
  if (code.startsWith('Z_')) return `broken gzip: ${error.message}`
  return error.message
}
