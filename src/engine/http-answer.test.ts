import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Answer, AnswerBroken, AnswerReader } from './http-answer.ts'

interface Read {
  readonly answer: Answer | undefined
  readonly isReusable: boolean
}

/** Reads `text` in pieces that end at `cuts`, with one buffer used again and again, as sockets do. */
function read(text: string, { method = 'POST', max = 100, cuts = [], closes = false }: Partial<Options> = {}): Read {
  const reader = new AnswerReader()
  reader.expect({ method, bodyBytesMax: max })
  const bytes = Buffer.from(text, 'latin1')
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  const shared = Buffer.alloc(bytes.length)
  let answer: Answer | undefined
  let from = 0
  for (const end of [...ends, bytes.length]) {
    if (end <= from || answer !== undefined) continue
    bytes.copy(shared, 0, from, end)
    answer = reader.take(shared.subarray(0, end - from))
    from = end
  }
  shared.fill(0)
  if (answer === undefined && closes) answer = reader.close()
  return { answer, isReusable: answer !== undefined && reader.isReusable }
}

interface Options {
  readonly method: string
  readonly max: number
  readonly cuts: readonly number[]
  readonly closes: boolean
}

const head = (...lines: string[]): string => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`
const textOf = ({ answer }: Read): string | undefined => answer?.body.toString('latin1')

test('a length, chunks and the end of the connection each end an answer; only the end costs the connection', () => {
  assert.deepEqual([textOf(read(`${head('Content-Length: 4')}body`)), read(head('content-length:0')).isReusable], ['body', true])
  const chunked = read(`${head('Transfer-Encoding: chunked')}3;name="x"\r\nbod\r\n1\r\ny\r\n0\r\nTrailer: t\r\n\r\n`)
  assert.deepEqual([textOf(chunked), chunked.isReusable], ['body', true])
  const closed = read(`${head()}body`, { closes: true })
  assert.deepEqual([textOf(closed), closed.isReusable], ['body', false])
  assert.equal(read(`${head()}body`).answer, undefined)
  assert.equal(read(`${head('Content-Length: 5')}body`, { closes: true }).answer, undefined)
})

test('what has no body by its status or its method is over with its head', () => {
  const kept = (text: string, method?: string): unknown => {
    const { answer, isReusable } = read(text, { method })
    return [answer?.status, isReusable]
  }
  assert.deepEqual(kept('HTTP/1.1 204 No Content\r\n\r\n'), [204, true])
  assert.deepEqual(kept('HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n'), [304, true])
  assert.deepEqual(kept(head('Content-Length: 9'), 'HEAD'), [200, true])
  assert.deepEqual(kept(head(), 'CONNECT'), [200, true])
  assert.deepEqual(
    kept('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n'),
    [201, true],
  )
})

test('a connection that the other side means to close, or that says more than it was asked, is not used again', () => {
  for (const text of [
    head('Content-Length: 0', 'Connection: close'),
    head('Content-Length: 0', 'Connection: x, Close'),
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    `${head('Content-Length: 0')}HTTP/1.1 200 OK\r\n`,
  ]) {
    const { answer, isReusable } = read(text)
    assert.deepEqual([answer?.status, isReusable], [200, false], text)
  }
})

test('headers: names without case, repeated ones joined, blanks around a value gone', () => {
  const { answer } = read(head('X-A:  1 \t', 'x-a: 2', '__proto__: 3', 'Content-Length: 0'))
  assert.deepEqual(Object.entries(answer?.headers ?? {}), [
    ['x-a', '1, 2'],
    ['__proto__', '3'],
    ['content-length', '0'],
  ])
})

test('how long a connection is kept is told', () => {
  for (const [line, ms] of [
    ['Keep-Alive: timeout=5', 5000],
    ['Keep-Alive: max=10, timeout=7', 7000],
    ['Keep-Alive: x', undefined],
  ] as const) {
    const reader = new AnswerReader()
    reader.expect({ method: 'POST', bodyBytesMax: 0 })
    reader.take(Buffer.from(head('Content-Length: 0', line)))
    assert.equal(reader.keptMs, ms)
  }
})

test('what can be understood in two ways is broken', () => {
  for (const text of [
    'this is not HTTP\r\n\r\n',
    '220 mail.example.com ESMTP\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    head('Content-Length: 1', 'Content-Length: 1'),
    head('Content-Length: 1, 1'),
    head('Content-Length: +1'),
    head('Content-Length: 0x1'),
    head('Content-Length: 1e1'),
    head('Content-Length:'),
    head('Content-Length: 9999999999999999'),
    head('Content-Length: 1', 'Transfer-Encoding: chunked'),
    head('Transfer-Encoding: gzip, chunked'),
    head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    head('Transfer-Encoding: identity'),
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    head('Content-Length : 1'),
    head(' folded: 1'),
    head('no colon'),
    head(': 1'),
    head('a\nContent-Length: 1'),
    head('a: b\rContent-Length: 1'),
    head('a: b\u0000c'),
    `${head('Transfer-Encoding: chunked')}x\r\n`,
    `${head('Transfer-Encoding: chunked')}-1\r\n`,
    `${head('Transfer-Encoding: chunked')}1\nb\r\n`,
    `${head('Transfer-Encoding: chunked')}1\r\nbad\r\n`,
    `${head('Transfer-Encoding: chunked')}fffffffffffffffff\r\n`,
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(11),
  ])
    assert.throws(() => read(text), AnswerBroken, JSON.stringify(text))
})

test('heads, chunk lines and trailers are bounded, each just at its limit', () => {
  const padded = (bytes: number): string => {
    const short = head('Content-Length: 0', 'x: ')
    return head('Content-Length: 0', `x: ${'y'.repeat(bytes - short.length)}`)
  }
  assert.equal(read(padded(16 * 1024), { cuts: [5000] }).answer?.status, 200)
  assert.throws(() => read(padded(16 * 1024 + 10)), AnswerBroken)
  assert.throws(() => read(padded(16 * 1024 + 10), { cuts: [5000] }), AnswerBroken)
  assert.throws(() => read(`HTTP/1.1 200 ${'x'.repeat(20_000)}`), AnswerBroken)
  const chunked = head('Transfer-Encoding: chunked')
  assert.equal(textOf(read(`${chunked}1;${'x'.repeat(1020)}\r\nb\r\n0\r\n\r\n`)), 'b')
  assert.throws(() => read(`${chunked}1;${'x'.repeat(1021)}\r\nb\r\n0\r\n\r\n`), AnswerBroken)
  assert.throws(() => read(`${chunked}0\r\n${`t: ${'x'.repeat(1000)}\r\n`.repeat(17)}\r\n`), AnswerBroken)
})

test('a body is cut where it was asked, and its connection is done with', () => {
  for (const text of [
    `${head('Content-Length: 9')}123456789`,
    `${head('Transfer-Encoding: chunked')}9\r\n123456789\r\n0\r\n\r\n`,
    `${head()}123456789`,
  ]) {
    const cut = read(text, { max: 4 })
    assert.deepEqual([textOf(cut), cut.isReusable], ['1234', false])
    assert.deepEqual(textOf(read(text, { max: 9, closes: true })), '123456789')
  }
})

test('one answer after the other, the same head or another', () => {
  const reader = new AnswerReader()
  for (const status of [200, 200, 500, 200]) {
    reader.expect({ method: 'POST', bodyBytesMax: 10 })
    const answer = reader.take(Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\nabc`))
    assert.deepEqual([answer?.status, answer?.body.toString()], [status, 'abc'])
  }
})

test('a head that comes again is known, whatever follows it', () => {
  const reader = new AnswerReader()
  const answers = (first: string, ...more: string[]): unknown[] => {
    reader.expect({ method: 'POST', bodyBytesMax: 10 })
    return [first, ...more].map((text) => {
      const answer = reader.take(Buffer.from(text))
      return answer === undefined ? undefined : [answer.body.toString(), reader.isReusable]
    })
  }
  const empty = head('Content-Length: 0')
  const withBody = head('Content-Length: 3')
  for (let round = 0; round < 2; round++) assert.deepEqual(answers(empty), [['', true]])
  assert.deepEqual(answers(`${empty}x`), [['', false]])
  assert.deepEqual(answers(head('Content-Length: 4'), 'body'), [undefined, ['body', true]])
  for (let round = 0; round < 2; round++) assert.deepEqual(answers(withBody, 'abc'), [undefined, ['abc', true]])
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
  for (let round = 0; round < 2; round++) assert.deepEqual(answers(interim, empty), [undefined, ['', true]])
  assert.deepEqual(answers(interim, interim, withBody, 'abc'), [undefined, undefined, undefined, ['abc', true]])
})

test('however an answer arrives in pieces, it is the same answer or broken the same', () => {
  const wholes = [
    `${head('Content-Length: 10', 'X: y')}0123456789`,
    `${head('Transfer-Encoding: chunked')}4\r\nbody\r\nA;x\r\n0123456789\r\n0\r\nT: u\r\n\r\n`,
    `HTTP/1.1 100 Continue\r\n\r\n${head('Content-Length: 2')}ab`,
    `${head('Transfer-Encoding: chunked')}4\r\nbodyy\r\n`,
    head('Content-Length: 1', 'Content-Length: 2'),
    `${head('Connection: close')}until the end`,
  ]
  const outcome = (text: string, cuts: readonly number[]): unknown => {
    try {
      const { answer, isReusable } = read(text, { cuts, closes: true })
      return [answer?.status, answer?.body.toString(), isReusable]
    } catch (error) {
      return error instanceof AnswerBroken ? error.message : error
    }
  }
  fc.assert(
    fc.property(fc.constantFrom(...wholes), fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
      assert.deepEqual(outcome(text, cuts), outcome(text, []))
    }),
  )
})

test('whatever bytes come, reading ends with an answer, the wish for more, or broken', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(...'HTTP/1. 2045\r\n:;chunkedContent-Length0aA', '\r\n', '\r\n\r\n', head('Transfer-Encoding: chunked')),
      }),
      (text) => {
        try {
          read(text, { closes: true })
        } catch (error) {
          assert.ok(error instanceof AnswerBroken)
        }
      },
    ),
  )
})
