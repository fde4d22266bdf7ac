// The bytes of a segment file are what the format says, to the byte: other releases and other programs read them.
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { test } from 'node:test'
import {
  checkFrame,
  decodeFrameHeader,
  decodeSegmentHeader,
  encodeSegmentHeader,
  finishFrames,
  FRAME_HEADER_BYTES,
  frameOffset,
  frameSpan,
  segmentFileName,
  segmentNumber,
} from './format.ts'

const SALT = 0xdeadbeef

test('a segment header, byte by byte', () => {
  const bytes = Buffer.alloc(80, 0xff)
  encodeSegmentHeader({ number: 3, start: 4096, chain: 0x01020304, salt: SALT }, bytes, 8)
  const header = bytes.subarray(8, 72)
  const expected = `5345414c4a524e4c 01000000 efbeadde 0000000000000840 000000000000b040 04030201 ${'00'.repeat(24)}`.replaceAll(' ', '')
  assert.equal(header.toString('hex', 0, 60), expected)
  assert.equal(header.readUInt32LE(60), crc32(header.subarray(0, 60)))
  assert.deepEqual([bytes[7], bytes[72]], [0xff, 0xff])
  assert.deepEqual(decodeSegmentHeader(header), { kind: 'valid', header: { number: 3, start: 4096, chain: 0x01020304, salt: SALT } })
})

test('a header of a newer format is told from one that is none', () => {
  const bytes = Buffer.alloc(64)
  encodeSegmentHeader({ number: 1, start: 0, chain: 0, salt: 0 }, bytes, 0)
  bytes.writeUInt32LE(2, 8)
  assert.deepEqual(decodeSegmentHeader(bytes), { kind: 'newer', version: 2 })
  bytes.writeUInt32LE(1, 8)
  assert.equal(decodeSegmentHeader(bytes).kind, 'valid')
  bytes[20] = 1
  assert.equal(decodeSegmentHeader(bytes).kind, 'invalid')
  assert.equal(decodeSegmentHeader(Buffer.alloc(64)).kind, 'invalid')
  assert.equal(decodeSegmentHeader(Buffer.alloc(10)).kind, 'invalid')
})

test('frames, byte by byte and chained', () => {
  const bytes = frames()
  const crc = (from: number, to: number, length: number): number => crc32(bytes.subarray(from, to), (SALT ^ length) >>> 0)
  const first = crc(8, 40, 35)
  const second = crc(48, 72, 32)
  assert.equal(bytes.readUInt32LE(4), first)
  assert.equal(bytes.readUInt32LE(44), second)
  const expected = `23000000 ${bytes.toString('hex', 4, 8)} 0000000000008940 0000000000008940 07000000 01 00 0200 616263 0000000000`
  assert.equal(bytes.toString('hex', 0, 40), expected.replaceAll(' ', ''))
  assert.deepEqual(decodeFrameHeader(bytes, 40), {
    length: 32,
    crc: second,
    groupStart: 800,
    chain: first,
    kind: 2,
    isSealed: false,
    entries: 0,
  })
})

test('a frame is good in its own place, whole and unchanged, and under its own salt', () => {
  const bytes = frames()
  assert.equal(checkFrame(bytes, 0, 72, 800, SALT), 'good')
  assert.equal(checkFrame(bytes, 40, 72, 840, SALT), 'good')
  assert.equal(checkFrame(bytes, 0, 72, 808, SALT), 'bad')
  assert.equal(checkFrame(bytes, 0, 72, 800, SALT + 1), 'bad')
  assert.equal(checkFrame(bytes, 0, 39, 800, SALT), 'short')
  assert.equal(checkFrame(bytes, 0, 31, 800, SALT), 'short')
  for (let bit = 0; bit < 40 * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.notEqual(checkFrame(changed, 0, 72, 800, SALT), 'good', `bit ${bit}`)
  }
})

test('a length that cannot be is bad, not short', () => {
  const bytes = frames()
  for (const length of [0, 31, 0xffffffff]) {
    bytes.writeUInt32LE(length, 0)
    assert.equal(checkFrame(bytes, 0, 72, 800, SALT), 'bad')
  }
})

test('names and places', () => {
  assert.equal(segmentFileName(7), '000000000007.journal')
  assert.equal(segmentNumber('000000000007.journal'), 7)
  for (const name of ['7.journal', '000000000007.journal.old', 'x000000000007.journal']) assert.equal(segmentNumber(name), undefined)
  assert.deepEqual([32, 33, 40, 41].map(frameSpan), [32, 40, 40, 48])
  assert.equal(frameOffset(800, 840), 64 + 40)
})

/** A frame of three bytes at position 800, then a seal. */
function frames(): Buffer {
  const bytes = Buffer.alloc(72)
  const header = (at: number, length: number, kind: number, entries: number): void => {
    bytes.writeUInt32LE(length, at)
    bytes.writeDoubleLE(800 + at, at + 8)
    bytes.writeDoubleLE(800, at + 16)
    bytes.writeUInt8(kind, at + 28)
    bytes.writeUInt16LE(entries, at + 30)
  }
  header(0, FRAME_HEADER_BYTES + 3, 1, 2)
  bytes.write('abc', 32)
  header(40, FRAME_HEADER_BYTES, 2, 0)
  finishFrames(bytes, 0, 72, 7, SALT)
  return bytes
}
