// Cutting and judging CloudTrail files: every shape, in pieces of any size; what is broken is said to be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkRecord, isRecordFile, NotCloudTrail, RECORD_BYTES_MAX, RecordCutter, skipReason } from './cloudtrail-record.ts'

function cut(text: string | Buffer, pieceBytes = Infinity): (string | undefined)[] {
  const bytes = Buffer.from(text)
  const cutter = new RecordCutter()
  const records: (string | undefined)[] = []
  const take = (cutRecords: ReturnType<RecordCutter['push']>): void => {
    for (const { index, bytes: record } of cutRecords) {
      assert.equal(index, records.length)
      records.push(record?.toString())
    }
  }
  for (let at = 0; at < bytes.length; at += pieceBytes) take(cutter.push(Buffer.from(bytes.subarray(at, at + pieceBytes))))
  take(cutter.end())
  return records
}

test('records are cut byte for byte out of envelopes, arrays, lines and single objects', () => {
  const a = '{"eventID":"1", "x": {"y":[1,{"z":"}]\\\\\\"{"}]}}'
  const b = '{ "eventID" : "2" }'
  const shapes: readonly (readonly [string, readonly string[]])[] = [
    [`{"Records":[${a},${b}]}`, [a, b]],
    [`{"first":{"Records":[0]},"Records" : [ ${a} ,\n${b}\n],"after":[{"no":1}],"Records2":["x"]}`, [a, b]],
    [`{"Records":[]}`, []],
    [`[${a},\n ${b}]`, [a, b]],
    [`[]`, []],
    [`${a}\n${b}\n`, [a, b]],
    [`${a}\r\n${b}`, [a, b]],
    [`${a}${b}`, [a, b]],
    [a, [a]],
    [`\ufeff${a}`, [a]],
    [`{"Records":[${a}]}\n{"Records":[${b}]}`, [a, b]],
    [`{"text":"\\"Records\\":[","nested":{"Records":[1]}}`, [`{"text":"\\"Records\\":[","nested":{"Records":[1]}}`]],
    [`[${a},5,"x,]",null,[1,[2]],${b}]`, [a, '5', '"x,]"', 'null', '[1,[2]]', b]],
  ]
  for (const [text, records] of shapes) {
    for (const pieceBytes of [1, 2, 3, 7, Infinity]) assert.deepEqual(cut(text, pieceBytes), records, `${text} in pieces of ${pieceBytes}`)
  }
})

test('any records, in any shape and any pieces, come out as they went in', () => {
  const record = fc.dictionary(fc.string(), fc.jsonValue()).map((fields) => JSON.stringify({ eventName: 'X', ...fields }))
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 6 }),
      fc.constantFrom('envelope', 'array', 'lines'),
      fc.integer({ min: 1, max: 40 }),
      (records, shape, pieceBytes) => {
        fc.pre(shape !== 'lines' || records.length > 0)
        const inner = records.join(shape === 'lines' ? '\n' : ',')
        const text = shape === 'lines' ? inner : shape === 'array' ? `[${inner}]` : `{"Records":[${inner}]}`
        assert.deepEqual(cut(text, pieceBytes), records)
      },
    ),
    { numRuns: 300 },
  )
})

test('what is no JSON or ends too early is refused, with the place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /the file is empty/],
    ['  \n', /the file is empty/],
    ['hello', /not JSON: "h.* at byte 0/],
    ['{"a":1} <html>', /not JSON: "<.* at byte 8/],
    [']', /not JSON: "\]" at byte 0/],
    ['{"Records":[{"a":1},', /middle of its list of records/],
    ['{"Records":[{"a":1},{"b', /middle of record 1/],
    ['{"eventName":"x', /middle of record 0/],
    ['{"Records":[{"a":1}]', /middle of its list/],
  ]
  for (const [text, message] of wrong) {
    for (const pieceBytes of [1, 5, Infinity]) {
      assert.throws(
        () => cut(text, pieceBytes),
        (error: unknown) => error instanceof NotCloudTrail && message.test(error.message),
        JSON.stringify(text),
      )
    }
  }
})

test('a record beyond the limit is passed over without being held, and the ones behind it still come', () => {
  const large = `{"eventID":"large","x":"${'y'.repeat(RECORD_BYTES_MAX)}"}`
  const small = '{"eventID":"small"}'
  assert.deepEqual(cut(`{"Records":[${small},${large},${small}]}`, 65_536), [small, undefined, small])
  assert.deepEqual(cut(`${large}\n${small}`, 65_536), [undefined, small])
  assert.throws(() => cut(`{"x":"${'y'.repeat(3 * RECORD_BYTES_MAX)}"}`, 65_536), /single object of more than/)
})

test('identity is eventID and account; without an eventID it is the content, whatever the order of keys', () => {
  const identity = (json: string): string => {
    const checked = checkRecord(Buffer.from(json))
    assert.ok(checked.usable, json)
    return checked.identity
  }
  const id = identity('{"eventName":"X","eventID":"1","recipientAccountId":"2"}')
  assert.equal(identity('{"recipientAccountId":2,"eventID":"1","eventName":"Y"}'), id)
  assert.notEqual(identity('{"eventName":"X","eventID":"1","recipientAccountId":"3"}'), id)
  assert.notEqual(identity('{"eventName":"X","eventID":"1"}'), id)
  assert.equal(
    identity('{"eventName":"X","a":{"b":1,"c":[{"d":1,"e":2}]}}'),
    identity('{"a":{"c":[{"e":2,"d":1}],"b":1}, "eventName":"X"}'),
  )
  assert.notEqual(identity('{"eventName":"X","eventID":""}'), identity('{"eventName":"Y","eventID":""}'))
})

test('a usable record becomes one line that says the same; an unusable one is told why', () => {
  const pretty = Buffer.from('{\r\n\t"eventName": "a\\nb",\n"n": 1.50\n}')
  const checked = checkRecord(pretty)
  assert.ok(checked.usable)
  assert.equal(checked.line.toString(), '{   "eventName": "a\\nb", "n": 1.50 }')
  assert.equal(pretty.toString('latin1', 1, 2), '\r', 'the input stays as it was')
  const broken = checkRecord(Buffer.from([...Buffer.from('{"eventName":"'), 0xff, ...Buffer.from('"}')]))
  assert.ok(broken.usable)
  assert.equal(broken.line.toString(), '{"eventName":"\ufffd"}')
  const unusable: readonly (readonly [string, RegExp])[] = [
    ['{"eventName":}', /^not JSON/],
    ['5', /not an object but a number/],
    ['[]', /not an object but a list/],
    ['null', /not an object but null/],
    ['{"a":1}', /eventName, eventSource, eventTime and eventVersion are all missing/],
  ]
  for (const [json, reason] of unusable) {
    const record = checkRecord(Buffer.from(json))
    assert.ok(!record.usable, json)
    assert.match(record.reason, reason)
  }
})

test('files without events are known by their path', () => {
  const folder = 'p/AWSLogs/111122223333'
  assert.match(skipReason(`${folder}/CloudTrail-Digest/us-east-1/2026/01/01/x.json.gz`) ?? '', /digest/)
  assert.match(skipReason('111122223333_CloudTrail-Insight_us-east-1_20260101T0000Z_abc.json.gz') ?? '', /Insights/)
  assert.match(skipReason(`${folder}/CloudTrail-Aggregated/us-east-1/x.json.gz`) ?? '', /aggregated/)
  assert.equal(
    skipReason(`${folder}/CloudTrail/us-east-1/2026/01/01/111122223333_CloudTrail_us-east-1_20260101T0000Z_abc.json.gz`),
    undefined,
  )
  assert.equal(skipReason(`${folder}/CloudTrail-NetworkActivity/us-east-1/x.json.gz`), undefined)
  assert.deepEqual(['a.json', 'a.JSON.gz', 'a.jsonl', 'a.csv', 'a.gz', 'json'].map(isRecordFile), [true, true, true, false, false, false])
})
