import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { formatReceiptHandle, readReceiptHandle } from './receipt-handle.ts'

const receipt = fc.record({ sequence: fc.nat(), receives: fc.integer({ min: 1, max: 1000 }) }, { noNullPrototype: true })

test('a handle names the receive it was made for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), receipt, (queue, of) =>
      assert.deepEqual(readReceiptHandle(queue, formatReceiptHandle(queue, of)), of),
    ),
  )
})

test('a handle is refused when a character of it was changed, cut or added, and by another queue', () => {
  fc.assert(
    fc.property(receipt, fc.nat({ max: 26 }), (of, at) => {
      const handle = formatReceiptHandle(7, of)
      const other = handle[at] === 'A' ? 'B' : 'A'
      for (const text of [handle.slice(0, at) + other + handle.slice(at + 1), handle.slice(0, -1), `${handle}A`, ` ${handle}`])
        assert.throws(() => readReceiptHandle(7, text), { code: 'ReceiptHandleIsInvalid', status: 404 })
      assert.throws(() => readReceiptHandle(8, handle), { code: 'ReceiptHandleIsInvalid' })
    }),
  )
})

test('no text is a handle by chance', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => readReceiptHandle(1, text), { code: 'ReceiptHandleIsInvalid' })))
})
