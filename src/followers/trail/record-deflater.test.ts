import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32, gzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { RecordTemplates } from '../../model/record-templates.ts'
import { RecordDeflater } from './record-deflater.ts'

const LAST_BLOCK = Buffer.from([3, 0])

interface Told {
  readonly topic: string
  readonly eventID: string
  readonly second: number
  readonly hasForm: boolean
}

function recordOf({ topic, eventID, second }: Told, filling: number): string {
  const requestParameters = { topicArn: `arn:aws:sns:us-east-1:000000000001:${topic}`, filling: 'ä'.repeat(filling) }
  return JSON.stringify({ eventVersion: '1.11', eventTime: `2026-01-31T08:05:${second}Z`, requestParameters, eventID, readOnly: false })
}

/** The file's text, taken in pieces, and what became of it. */
async function pack(records: readonly Told[], { filling, takeEach }: { filling: number; takeEach: number }) {
  const hash = createHash('sha256')
  const deflater = new RecordDeflater(hash)
  const templates = new RecordTemplates()
  const blocks: (Buffer | Promise<Buffer>)[] = []
  for (const [at, record] of records.entries()) {
    const bytes = Buffer.from(`<${recordOf(record, filling)}>`)
    deflater.add(bytes, 1, bytes.length - 1, record.hasForm ? templates.match(bytes, 1, bytes.length - 1) : undefined)
    // What was taken in is a copy.
    bytes.fill(0)
    if (at % takeEach === takeEach - 1) blocks.push(deflater.take())
  }
  blocks.push(deflater.end())
  const text = `{"Records":[${records.map((record) => recordOf(record, filling)).join(',')}]}`
  return {
    text,
    hash: hash.digest('hex'),
    deflater,
    blocks,
    packed: Buffer.concat(await Promise.all(blocks.map((block) => Promise.resolve(block)))),
  }
}

test('whatever the records are, and however they are taken in pieces, they come out again', async () => {
  const told = fc.record({
    topic: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('one', 'two', 'ten', 'three') }, fc.string({ maxLength: 5 })),
    eventID: fc.uuid(),
    second: fc.integer({ min: 10, max: 19 }),
    hasForm: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
  })
  const shape = fc.record({ filling: fc.constantFrom(0, 100, 9000), takeEach: fc.constantFrom(1, 2, 7, 100) })
  await fc.assert(
    fc.asyncProperty(fc.array(told, { maxLength: 60 }), shape, async (records, how) => {
      const { text, hash, deflater, packed } = await pack(records, how)
      assert.equal(inflateRawSync(Buffer.concat([packed, LAST_BLOCK])).toString(), text)
      assert.equal(hash, createHash('sha256').update(text).digest('hex'))
      assert.deepEqual([deflater.crc, deflater.textBytes, deflater.waitingBytes], [crc32(text), Buffer.byteLength(text), 0])
    }),
    { numRuns: 150 },
  )
})

test('records that resemble each other are packed at once, others by zlib, and neither takes more room than zlib gives it', async () => {
  const records = (topics: number, count: number): Told[] =>
    Array.from({ length: count }, (_, at) => {
      const eventID = createHash('md5')
        .update(String(at))
        .digest('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      return { topic: `topic-${at % topics}`, eventID, second: 10 + Math.floor(at / 500), hasForm: true }
    })
  for (const [topics, isAlike] of [
    [1, true],
    [7, true],
    [100, false],
  ] as const) {
    const { text, blocks, packed } = await pack(records(topics, 3000), { filling: 150, takeEach: 500 })
    assert.equal(blocks.slice(1).every(Buffer.isBuffer), isAlike)
    const byZlib = gzipSync(text, { level: 1, memLevel: 9 }).length
    assert.ok(packed.length < byZlib * 1.05, `${topics} topics: ${packed.length} bytes, by zlib ${byZlib}`)
  }
})
