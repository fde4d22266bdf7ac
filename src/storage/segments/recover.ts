// Finds where the journal ends. A bad frame behind which something proves that it had been acknowledged is damage: named, and nothing is
// changed. Otherwise it belongs to the last group, which nobody was told of, and the journal goes on in its place.
import { dirname, join } from 'node:path'
import type { Random } from '../../base/random.ts'
import type { Files } from '../files.ts'
import { JournalDamaged, JournalTooNew, type Position } from '../journal.ts'
import { decodeSegmentHeader, encodeSegmentHeader, FORMAT_VERSION } from './format.ts'
import { SEGMENT_HEADER_BYTES, segmentFileName, type SegmentHeader, segmentNumber } from './format.ts'
import { findChain, findProof, type Walk, walkFrames, Window } from './window.ts'

export interface Recovered {
  readonly salt: number
  /** Oldest first; the last is written on. */
  readonly segments: readonly { readonly number: number; readonly start: Position }[]
  /** Numbers of the files prepared for what comes next, in order. */
  readonly spares: readonly number[]
  readonly tail: Position
  /** Behind the last frame that is not a seal. */
  readonly durable: Position
  readonly chain: number
  readonly endsSealed: boolean
  /** Whether an unfinished group stood at the tail. */
  readonly torn: boolean
}

/** `checkedFrom`: known to be on stable storage, and the start of a frame or the end of the journal; what lies before was verified. */
export function recover(files: Files, folder: string, random: Random, checkedFrom: Position | undefined): Recovered {
  const found = findSegments(files, folder)
  if (found.segments.length === 0) {
    if (checkedFrom !== undefined && checkedFrom > 0) throw endsEarly(folder, 0, checkedFrom)
    return create(files, folder, random, found)
  }
  const { segments, salt } = found
  const last = segments.length - 1
  const first = Math.max(
    0,
    segments.findLastIndex(({ start }) => checkedFrom !== undefined && start <= checkedFrom),
  )
  let walk: Walk | undefined
  let durable = segments[first]?.start ?? 0
  for (let index = first; index <= last; index++) {
    const segment = segments[index] as SegmentHeader
    const inside = index === first && checkedFrom !== undefined && checkedFrom > segment.start
    const path = join(folder, segmentFileName(segment.number))
    walk = withWindow(files, path, (window) => {
      // Without the CRC of the frame before `checkedFrom`, what a torn group left behind it could pass for a frame.
      const chain = inside ? findChain(window, segment.start, salt, checkedFrom) : undefined
      const from = chain === undefined ? segment.start : checkedFrom
      const result = walkFrames(window, segment.start, salt, from ?? segment.start, chain ?? segment.chain)
      const next = segments[index + 1]
      // The header of a next segment was written when all of this one was on stable storage.
      if (next !== undefined && (result.end !== next.start || result.chain !== next.chain)) throw damaged(path, result.end)
      if (next === undefined && findProof(window, segment.start, salt, result.end, Infinity) !== undefined) throw damaged(path, result.end)
      return result
    })
    if (walk.entriesEnd > segment.start || index === first) durable = Math.max(durable, walk.entriesEnd)
  }
  const { end: tail, chain, endsSealed, torn } = walk as Walk
  if (checkedFrom !== undefined && tail < checkedFrom) throw endsEarly(folder, tail, checkedFrom)
  refuseLostSegment(files, folder, found, tail)
  makeDurable(files, folder, (segments[last] as SegmentHeader).number)
  return { salt, segments, spares: found.spares, tail, durable, chain, endsSealed, torn }
}

interface Found {
  readonly segments: readonly SegmentHeader[]
  readonly spares: readonly number[]
  readonly salt: number
}

function findSegments(files: Files, folder: string): Found {
  if (!files.exists(folder)) return { segments: [], spares: [], salt: 0 }
  const numbers = files.list(folder).flatMap((name) => segmentNumber(name) ?? [])
  const headers = numbers.map((number) => readHeader(files, folder, number))
  const last = headers.findLastIndex((header) => header !== undefined)
  const segments: SegmentHeader[] = []
  for (let index = 0; index <= last; index++) {
    const header = headers[index]
    const number = (numbers[0] ?? 0) + index
    const before = segments[index - 1]
    const path = join(folder, segmentFileName(number))
    if (numbers[index] !== number) throw new JournalDamaged(`${path} is missing, though later segments exist. ${REMEDY}`)
    if (header === undefined) throw new JournalDamaged(`${path} has no valid header, though later segments exist. ${REMEDY}`)
    if (before !== undefined && (header.salt !== before.salt || header.start < before.start)) {
      throw new JournalDamaged(`${path} belongs to another journal than the segment before it. ${REMEDY}`)
    }
    segments.push(header)
  }
  return { segments, spares: numbers.slice(last + 1), salt: segments[0]?.salt ?? 0 }
}

const REMEDY = 'Nothing was changed. Restore the file from a backup, or look at it with `sealcast fsck`.'

/** The header, if it is this very file's own: a recycled file still has that of its earlier number. */
function readHeader(files: Files, folder: string, number: number): SegmentHeader | undefined {
  const path = join(folder, segmentFileName(number))
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES)
  const file = files.open(path, 'read')
  try {
    file.read(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const decoded = decodeSegmentHeader(bytes)
  if (decoded.kind === 'newer') {
    const versions = `journal format ${decoded.version}; this release knows up to ${FORMAT_VERSION}`
    throw new JournalTooNew(`${path} is of ${versions}. Nothing was changed: start the release that wrote it.`)
  }
  return decoded.kind === 'valid' && decoded.header.number === number ? decoded.header : undefined
}

// A first group and what follows it fit in here.
const LOST_SEGMENT_BYTES = 16 * 1024 * 1024

/** A spare whose frames follow on ours was a segment before its header was damaged. */
function refuseLostSegment(files: Files, folder: string, { segments, spares, salt }: Found, tail: Position): void {
  const number = spares[0]
  if (number === undefined || number !== (segments.at(-1)?.number ?? 0) + 1) return
  const path = join(folder, segmentFileName(number))
  withWindow(files, path, (window) => {
    if (findProof(window, tail, salt, tail, LOST_SEGMENT_BYTES) === undefined) return
    throw new JournalDamaged(`${path} has a damaged header in front of acknowledged frames. ${REMEDY}`)
  })
}

function create(files: Files, folder: string, random: Random, { spares }: Found): Recovered {
  const number = 1
  const path = join(folder, segmentFileName(number))
  if (spares.length > 1 || (spares.length === 1 && spares[0] !== number)) {
    throw new JournalDamaged(`${folder} has journal files, but none with a valid header. ${REMEDY}`)
  }
  const salt = random.bytes(4).readUInt32LE(0)
  if (spares.length === 0) {
    files.makeFolder(folder)
    files.syncFolder(dirname(folder))
  } else {
    withWindow(files, path, (window) => {
      for (let offset = SEGMENT_HEADER_BYTES; offset < window.fileBytes; offset += window.end) {
        const at = window.at(offset, 1)
        if (window.bytes.subarray(at, window.end).some((byte) => byte !== 0)) {
          throw new JournalDamaged(`${path} has no valid header, but is not empty. ${REMEDY}`)
        }
      }
    })
  }
  const file = files.open(path, spares.length === 0 ? 'create' : 'write')
  try {
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
    encodeSegmentHeader({ number, start: 0, chain: salt, salt }, header, 0)
    for (let done = 0; done < header.length;) done += file.write(header, done, header.length - done, done)
    file.sync()
  } finally {
    file.close()
  }
  files.syncFolder(folder)
  return { salt, segments: [{ number, start: 0 }], spares: [], tail: 0, durable: 0, chain: salt, endsSealed: true, torn: false }
}

/** What a killed process wrote may still be in the cache only; it is about to be believed. */
function makeDurable(files: Files, folder: string, number: number): void {
  const file = files.open(join(folder, segmentFileName(number)), 'write')
  try {
    file.sync()
  } finally {
    file.close()
  }
  files.syncFolder(folder)
}

function withWindow<T>(files: Files, path: string, use: (window: Window) => T): T {
  const file = files.open(path, 'read')
  try {
    return use(new Window(file))
  } finally {
    file.close()
  }
}

function damaged(path: string, position: Position): JournalDamaged {
  return new JournalDamaged(`${path} is damaged: the frame at position ${position} was acknowledged and is unreadable. ${REMEDY}`)
}

function endsEarly(folder: string, tail: Position, checkedFrom: Position): JournalDamaged {
  return new JournalDamaged(`${folder}: the journal ends at position ${tail}, but ${checkedFrom} had been reached. ${REMEDY}`)
}
