// HTTP/1.1 answers, taken in as their bytes arrive (RFC 9112). Strict: what two readers could understand in two ways is no answer at all,
// and everything is bounded. It knows nothing of sockets.

export interface Answer {
  readonly status: number
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What came is no HTTP/1.1. */
export class AnswerBroken extends Error {
  override name = 'AnswerBroken'
}

export interface AnswerExpected {
  /** An answer to HEAD has no body; one to CONNECT has none when it is 2xx. */
  readonly method: string
  /** The body is cut here. */
  readonly bodyBytesMax: number
}

interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: neither length nor chunks were told. */
  readonly framing: number | 'chunked' | undefined
  /** The other side means to keep the connection. */
  readonly isKept: boolean
  /** How long it keeps one that idles, where it says so. */
  readonly keptMs: number | undefined
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'done'

const HEAD_BYTES_MAX = 16 * 1024
const HEAD_END = '\r\n\r\n'
const CHUNK_LINE_CHARS_MAX = 1024
const INTERIM_MAX = 10
const NOTHING = Buffer.alloc(0)

/** Of one connection: it reads one answer after the other, each begun with `expect`. */
export class AnswerReader {
  #expected: AnswerExpected = { method: 'GET', bodyBytesMax: 0 }
  #state: State = 'done'
  #head: Head | undefined
  /** The head that was read last: an endpoint says much the same every time. */
  #knownText = ''
  #known: Head | undefined
  /** What came of a head that is not whole. */
  #pending: Buffer | undefined
  #pendingBytes = 0
  #line = ''
  #interim = 0
  #trailerBytes = 0
  #left = 0
  #parts: Buffer[] = []
  #bytes = 0
  #isReusable = false
  /** Whether a byte came since `expect`. */
  hasBegun = false

  expect(expected: AnswerExpected): void {
    this.#expected = expected
    this.#state = 'head'
    this.#head = undefined
    this.#interim = 0
    this.#parts = []
    this.#bytes = 0
    this.hasBegun = false
  }

  /** Whether the next request may go over the same connection, once an answer is whole. */
  get isReusable(): boolean {
    return this.#isReusable
  }

  /** How long the other side keeps a connection that idles, where it says so. */
  get keptMs(): number | undefined {
    return this.#head?.keptMs
  }

  /** Takes what arrived, `length` bytes, which may be overwritten afterwards: the answer once it is whole. Throws AnswerBroken. */
  take(buffer: Buffer, length = buffer.length): Answer | undefined {
    const known = this.hasBegun ? undefined : this.#knownIn(buffer, length)
    this.hasBegun = true
    if (known === undefined) this.#takeAll(buffer.subarray(0, length))
    else this.#begin(known)
    return this.#state === 'done' ? this.#answer() : undefined
  }

  /** No more bytes come: the answer, if that is its end. */
  close(): Answer | undefined {
    if (this.#state !== 'until-close') return undefined
    this.#state = 'done'
    return this.#answer()
  }

  #answer(): Answer {
    const { status = 0, headers = {} } = this.#head ?? {}
    const [first = NOTHING] = this.#parts
    return { status, headers, body: this.#parts.length <= 1 ? first : Buffer.concat(this.#parts) }
  }

  /** The head that was read last, where it has come again and nothing with it. */
  #knownIn(buffer: Buffer, length: number): Head | undefined {
    if (length !== this.#knownText.length + HEAD_END.length) return undefined
    const text = buffer.toString('latin1', 0, length)
    return text.startsWith(this.#knownText) && text.endsWith(HEAD_END) ? this.#known : undefined
  }

  #takeAll(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length && this.#state !== 'done') at = this.#takeSome(bytes, at)
    // What comes beside an answer was not asked for.
    if (at < bytes.length) this.#isReusable = false
  }

  /** Returns how far it came. */
  #takeSome(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(bytes, at)
      case 'length':
      case 'chunk':
        return this.#takeBody(bytes, at, Math.min(bytes.length, at + this.#left))
      case 'until-close':
        return this.#takeBody(bytes, at, bytes.length)
      case 'done':
        return at
      default:
        return this.#takeLine(bytes, at)
    }
  }

  #takeHead(bytes: Buffer, at: number): number {
    const pending = this.#pending
    if (pending === undefined) {
      const end = bytes.indexOf(HEAD_END, at, 'latin1')
      if (end === -1) {
        this.#pending = Buffer.allocUnsafe(HEAD_BYTES_MAX)
        this.#pendingBytes = 0
        return this.#keep(this.#pending, bytes, at)
      }
      if (end - at > HEAD_BYTES_MAX) throw new AnswerBroken(`the head of the answer has more than ${HEAD_BYTES_MAX} bytes`)
      this.#parsed(bytes.toString('latin1', at, end))
      return end + 4
    }
    const before = this.#pendingBytes
    const kept = this.#keep(pending, bytes, at)
    const end = pending.subarray(0, this.#pendingBytes).indexOf(HEAD_END, Math.max(0, before - 3), 'latin1')
    if (end === -1) return kept
    this.#pending = undefined
    this.#parsed(pending.toString('latin1', 0, end))
    return at + end + 4 - before
  }

  /** As much as fits; a head that fills it is too long. */
  #keep(pending: Buffer, bytes: Buffer, at: number): number {
    if (this.#pendingBytes === pending.length) throw new AnswerBroken(`the head of the answer has more than ${HEAD_BYTES_MAX} bytes`)
    const taken = bytes.copy(pending, this.#pendingBytes, at)
    this.#pendingBytes += taken
    // Who greets in another protocol and then waits is not waited for.
    if (!BEGINNING.startsWith(pending.toString('latin1', 0, Math.min(BEGINNING.length, this.#pendingBytes)))) throw noStatusLine()
    return at + taken
  }

  #parsed(text: string): void {
    const head = text === this.#knownText && this.#known !== undefined ? this.#known : parseHead(text)
    this.#knownText = text
    this.#known = head
    this.#begin(head)
  }

  #begin(head: Head): void {
    const { status, framing } = head
    if (status < 200) {
      // Nobody asked for another protocol.
      if (status === 101 || ++this.#interim > INTERIM_MAX) throw new AnswerBroken('the answer does not come to its point')
      return
    }
    this.#head = head
    this.#isReusable = head.isKept
    const { method } = this.#expected
    const isBare = method === 'HEAD' || status === 204 || status === 304 || (method === 'CONNECT' && status < 300)
    if (isBare || framing === 0) this.#state = 'done'
    else if (framing === 'chunked') this.#state = 'chunk-size'
    else if (framing === undefined) {
      this.#state = 'until-close'
      this.#isReusable = false
    } else {
      this.#state = 'length'
      this.#left = framing
    }
  }

  #takeBody(bytes: Buffer, at: number, end: number): number {
    const room = this.#expected.bodyBytesMax - this.#bytes
    if (room > 0) this.#parts.push(Buffer.from(bytes.subarray(at, Math.min(end, at + room))))
    this.#bytes += Math.min(room, end - at)
    if (end - at > room) {
      // Nobody makes us read without end.
      this.#state = 'done'
      this.#isReusable = false
      return end
    }
    this.#left -= end - at
    if (this.#state !== 'until-close' && this.#left === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-end'
    return end
  }

  /** A line of the chunked coding, which ends with CRLF. */
  #takeLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(0x0a, at)
    const until = end === -1 ? bytes.length : end + 1
    if (this.#line.length + until - at > CHUNK_LINE_CHARS_MAX) throw new AnswerBroken('a line between the chunks of the answer is too long')
    this.#line += bytes.toString('latin1', at, until)
    if (end === -1) return until
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n') || line.indexOf('\r') !== line.length - 2) throw new AnswerBroken('a line of the answer ends without CR LF')
    this.#lineRead(line.slice(0, -2))
    return until
  }

  #lineRead(line: string): void {
    if (this.#state === 'chunk-size') {
      // Extensions (after a semicolon) mean nothing to us.
      const [, digits = ''] = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line) ?? []
      if (digits === '') throw new AnswerBroken('a chunk of the answer has no size')
      this.#left = Number.parseInt(digits, 16)
      this.#trailerBytes = 0
      this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw new AnswerBroken('a chunk of the answer is longer than its size')
      this.#state = 'chunk-size'
    } else if (line === '') this.#state = 'done'
    else {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > HEAD_BYTES_MAX) throw new AnswerBroken('the answer has no end')
    }
  }
}

const BEGINNING = 'HTTP/1.'
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\0\r\n]*)?$/
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const BROKEN_VALUE = /[\0\r\n]/
/** Below 2^53. */
const LENGTH = /^\d{1,15}$/

/** `text`: from the status line on, without the empty line. */
function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n')
  const [, minor, digits] = STATUS_LINE.exec(first) ?? []
  if (digits === undefined) throw noStatusLine()
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  let lengths = 0
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    const value = trimmed(line, colon + 1)
    if (!FIELD_NAME.test(name) || BROKEN_VALUE.test(value)) throw new AnswerBroken('a header line of the answer is none')
    if (name === 'content-length') lengths++
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const { connection = '', 'content-length': length, 'transfer-encoding': coding, 'keep-alive': keepAlive = '' } = headers
  if (lengths > 1 || (length !== undefined && !LENGTH.test(length))) throw new AnswerBroken('the answer has no clear Content-Length')
  const isModern = minor === '1'
  if (coding !== undefined && (!isModern || length !== undefined || coding.toLowerCase() !== 'chunked'))
    throw new AnswerBroken('the answer has a Transfer-Encoding other than chunked, or a Content-Length beside it')
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(keepAlive)?.[1]
  return {
    status: Number(digits),
    headers,
    framing: coding !== undefined ? 'chunked' : length === undefined ? undefined : Number(length),
    isKept: isModern && !/(?:^|[,\s])close(?:$|[,\s])/i.test(connection),
    keptMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  }
}

function noStatusLine(): AnswerBroken {
  return new AnswerBroken('the answer begins with no status line of HTTP/1')
}

/** From `start` on, without the spaces and tabs around it. */
function trimmed(line: string, start: number): string {
  let end = line.length
  while (start < end && isBlank(line, start)) start++
  while (end > start && isBlank(line, end - 1)) end--
  return line.slice(start, end)
}

function isBlank(line: string, at: number): boolean {
  return line[at] === ' ' || line[at] === '\t'
}
