// The aws-chunked encoding of S3 uploads: chunks with their sizes, each signed or none, and trailers behind the last one.
//   <hex size>[;chunk-signature=<hex>]\r\n <bytes>\r\n ... 0[;chunk-signature=<hex>]\r\n [name:value\r\n ...] \r\n
// See "Signature calculations for the Authorization header: Transferring payload in multiple chunks" and "... including trailing
// headers" (Amazon S3 API Reference). Bytes are handed on as they come; a chunk whose signature is wrong fails the stream at its end,
// so whoever stores them MUST discard what a failed stream gave.
import { createHash, hash, type Hash } from 'node:crypto'
import { WIRE } from '../model/limits.ts'
import { ServiceError } from '../model/service-error.ts'
import { isSameSignature, sign, type SigningKey } from '../model/signing-key.ts'

export interface ChunkSigning {
  readonly key: SigningKey
  /** 20260102T030405Z */
  readonly signedTime: string
  readonly scope: string
  /** The signature of the request's headers, on which the first chunk's builds. */
  readonly seed: string
  readonly mismatch: (stringToSign: string, signature: string) => ServiceError
}

export interface ChunkedOptions {
  /** Undefined: the chunks are not signed. */
  readonly signing: ChunkSigning | undefined
  readonly hasTrailers: boolean
  /** Called once with the trailers (lower-case names), after the last byte. */
  readonly onTrailers?: (trailers: ReadonlyMap<string, string>) => void
}

const EMPTY_HASH = hash('sha256', '', 'hex')
const CR = 0x0d
const LF = 0x0a
const CHUNK_HEADER = /^([0-9a-fA-F]{1,10})((?:;[\w-]{1,64}=[\w+/=-]{0,256}){0,4})$/
const SIGNATURE = /;chunk-signature=([0-9a-f]{64})(?:;|$)/

export async function* decodeChunked(source: AsyncIterable<Uint8Array>, options: ChunkedOptions): AsyncGenerator<Buffer> {
  const { signing } = options
  const reader = new ByteReader(source)
  let previous = signing?.seed ?? ''
  for (;;) {
    const header = CHUNK_HEADER.exec(await reader.line(WIRE.chunkHeaderBytesMax))
    if (header === null) throw malformedChunk('a chunk header')
    const size = Number.parseInt(header[1] as string, 16)
    const given = SIGNATURE.exec(header[2] as string)?.[1]
    const digest = signing === undefined ? undefined : createHash('sha256')
    for (let left = size; left > 0;) {
      const bytes = await reader.some(left)
      left -= bytes.length
      digest?.update(bytes)
      yield bytes
    }
    if (signing !== undefined && digest !== undefined) previous = checkChunk(signing, previous, given, digest)
    if (size === 0) break
    if ((await reader.line(2)) !== '') throw malformedChunk('the end of a chunk')
  }
  const trailers = await readTrailers(reader, options, previous)
  if (!(await reader.isAtEnd())) throw malformedChunk('bytes behind the last chunk')
  options.onTrailers?.(trailers)
}

function checkChunk({ key, signedTime, scope, mismatch }: ChunkSigning, previous: string, given: string | undefined, digest: Hash): string {
  const toSign = `AWS4-HMAC-SHA256-PAYLOAD\n${signedTime}\n${scope}\n${previous}\n${EMPTY_HASH}\n${digest.digest('hex')}`
  if (given === undefined || !isSameSignature(sign(key, toSign), given)) throw mismatch(toSign, given ?? '')
  return given
}

async function readTrailers(reader: ByteReader, { signing, hasTrailers }: ChunkedOptions, previous: string): Promise<Map<string, string>> {
  const trailers = new Map<string, string>()
  let signature: string | undefined
  let text = ''
  let bytes = 0
  for (;;) {
    const line = await reader.line(WIRE.trailerBytesMax, true)
    if (line === '') break
    if ((bytes += line.length) > WIRE.trailerBytesMax) throw malformedChunk('trailers')
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon < 1 || !hasTrailers || trailers.has(name)) throw malformedChunk('a trailer')
    if (name === 'x-amz-trailer-signature') signature = value
    else {
      trailers.set(name, value)
      text += `${name}:${value}\n`
    }
  }
  if (signing !== undefined && hasTrailers) {
    const toSign = `AWS4-HMAC-SHA256-TRAILER\n${signing.signedTime}\n${signing.scope}\n${previous}\n${hash('sha256', text, 'hex')}`
    if (signature === undefined || !isSameSignature(sign(signing.key, toSign), signature)) throw signing.mismatch(toSign, signature ?? '')
  }
  return trailers
}

function malformedChunk(what: string): ServiceError {
  return new ServiceError('InvalidRequest', 400, `The aws-chunked body is malformed: ${what}`)
}

/** Reads lines and bytes from a stream of buffers. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At least one byte, at most `bytesMax`. */
  async some(bytesMax: number): Promise<Buffer> {
    if (this.#buffer.length === 0 && !(await this.#fill())) throw incomplete()
    const bytes = this.#buffer.subarray(0, bytesMax)
    this.#buffer = this.#buffer.subarray(bytes.length)
    return bytes
  }

  /** Up to CR LF, without it. At the end of the stream only a line that may be absent is an empty one. */
  async line(bytesMax: number, mayBeAbsent = false): Promise<string> {
    for (let from = 0; ;) {
      const end = this.#buffer.indexOf(LF, from)
      if (end > bytesMax + 1 || (end === -1 && this.#buffer.length > bytesMax + 1)) throw malformedChunk('a line that is too long')
      if (end !== -1) {
        if (end === 0 || this.#buffer[end - 1] !== CR) throw malformedChunk('a line that does not end in CR LF')
        const line = this.#buffer.toString('latin1', 0, end - 1)
        this.#buffer = this.#buffer.subarray(end + 1)
        return line
      }
      from = this.#buffer.length
      if (!(await this.#fill())) {
        if (mayBeAbsent && this.#buffer.length === 0) return ''
        throw incomplete()
      }
    }
  }

  async isAtEnd(): Promise<boolean> {
    return this.#buffer.length === 0 && !(await this.#fill())
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next()
      if (next.done === true) return false
      const { value } = next
      if (value.length === 0) continue
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes])
      return true
    }
  }
}

function incomplete(): ServiceError {
  return new ServiceError('IncompleteBody', 400, 'The request body terminated unexpectedly')
}
