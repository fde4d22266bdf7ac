import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { GrowingFile, GrowthBounds } from './growing-file.ts'

test('a file that grew in pieces is the file of its records, and its hash is that of its text', async () => {
  const bounds = new GrowthBounds()
  const file = new GrowingFile(bounds, true)
  const records = Array.from({ length: 5000 }, (_, number) => JSON.stringify({ number, text: 'ä'.repeat(number % 40) }))
  for (const [at, record] of records.entries()) {
    const bytes = Buffer.from(record)
    file.add(bytes)
    if (at % 700 !== 0) continue
    const flushed = file.flush()
    // What was taken in is a copy.
    bytes.fill(0)
    await flushed
  }
  const grown = await file.end()
  const text = gunzipSync(Buffer.concat(grown?.chunks ?? []))
  assert.equal(text.toString(), `{"Records":[${records.join(',')}]}`)
  assert.equal(grown?.hash, createHash('sha256').update(text).digest('hex'))
  assert.equal(bounds.files, 0)
  assert.ok(bounds.bytes > 0)
  file.free()
  assert.equal(bounds.bytes, 0)
})

test('so many files grow at a time, and so many bytes; what is let go counts no more', async () => {
  const bounds = new GrowthBounds()
  const files: GrowingFile[] = []
  while (!bounds.isReached) files.push(new GrowingFile(bounds, false))
  assert.equal(files.length, 32)
  assert.equal(bounds.isPassed, false)
  const [first, ...others] = files
  for (const file of others) file.drop()
  assert.equal(bounds.isReached, false)
  for (; !bounds.isPassed; await first?.flush())
    first?.add(
      createHash('shake256', { outputLength: 1 << 20 })
        .update(String(bounds.bytes))
        .digest(),
    )
  first?.drop()
  assert.deepEqual([bounds.files, bounds.bytes], [0, 0])
})
