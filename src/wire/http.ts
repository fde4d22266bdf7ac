// The HTTP server under the door: bare node:http or node:https. Collects bodies within a limit and a budget for all of them together,
// or hands them over as a stream; answers `Expect: 100-continue` only once somebody wants the body; closes without cutting anybody off.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../base/clock.ts'
import { http, https } from '../base/http.ts'
import type { Log } from '../base/log.ts'
import type { Meter } from '../base/meter.ts'
import { WIRE } from '../model/limits.ts'
import { ServiceError } from '../model/service-error.ts'
import { CollectedBody } from './collected-body.ts'
import { LargeTurns } from './large-turns.ts'

export interface TlsFacts {
  readonly version: string
  readonly cipher: string
}

export interface RequestHead {
  readonly method: string
  /** As sent: not decoded, without the query. */
  readonly path: string
  /** As sent, without `?`; empty when there is none. */
  readonly query: string
  readonly headers: IncomingMessage['headers']
  readonly remoteAddress: string
  readonly tls: TlsFacts | undefined
  /** Milliseconds since 1970. */
  readonly arrivedAt: number
}
export interface HttpRequest extends RequestHead {
  /** The whole body, or undefined when it is a stream. */
  readonly body: Buffer | undefined
  /** In hexadecimal, of bodies that were hashed as they came. */
  readonly bodySha256?: string | undefined
  /** Reading it is what asks the client for the body. It throws a ServiceError when the client stops or is too slow. */
  readonly stream: AsyncIterable<Uint8Array> | undefined
}
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string | Uint8Array | Readable
}

export interface HttpServerOptions {
  readonly handler: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
  /** Whether to collect the body of a request or to stream it; asked before any of it is read. */
  readonly admit: (head: RequestHead) => 'collect' | 'stream'
  /** The answer to what never reaches the handler, in the protocol that the request seems to speak. */
  readonly refuse: (head: RequestHead, error: ServiceError) => HttpResponse
  readonly clock: Clock
  readonly log: Log
  readonly tls?: TlsMaterial
  readonly limits?: Partial<Readonly<Record<keyof typeof WIRE, number>>>
  readonly meter?: Meter
}
export interface TlsMaterial {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

export interface HttpServer {
  /** Resolves when connections are accepted, with the port (port 0 picks one). */
  listen(port: number, host: string): Promise<number>
  /** New connections get the new certificate; open ones keep theirs. */
  renewTls(material: TlsMaterial): void
  /** Accepts nothing new, finishes what is in flight, and cuts what has not finished after `graceMs`. */
  close(graceMs: number): Promise<void>
  /** Requests whose answer has not been sent. */
  readonly inFlight: number
  /** Bytes of collected bodies held now. */
  readonly bodyBytes: number
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NodeHttpServer(options)
}

const SWEEP_MS = 1000
/** How much of a refused body is read and thrown away, so that the client gets to read why. */
const DISCARD_FACTOR = 8

class NodeHttpServer implements HttpServer {
  readonly #options: HttpServerOptions
  readonly #limits: Readonly<Record<keyof typeof WIRE, number>>
  readonly #server: Server | TlsServer
  readonly #turns: LargeTurns
  /** Bodies that are awaited. */
  readonly #awaited = new Set<Awaited>()
  #sweep: Timer | undefined
  #inFlight = 0
  #bodyBytes = 0
  #closing = false

  constructor(options: HttpServerOptions) {
    this.#options = options
    const limits = { ...WIRE, ...options.limits }
    this.#limits = limits
    this.#turns = new LargeTurns(options.clock)
    const settings = {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      // Bodies have deadlines of their own: an upload may take longer than any fixed time.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      noDelay: true,
    }
    const listener: RequestListener = (request, response) => this.#onRequest(request, response, false)
    this.#server =
      options.tls === undefined
        ? http.createServer(settings, listener)
        : https.createServer({ ...settings, ...options.tls, minVersion: 'TLSv1.2' }, listener)
    this.#server.maxHeadersCount = limits.headersMax
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => this.#onRequest(request, response, true))
    this.#server.on('clientError', answerClientError)
    options.meter?.gauge('sealcast_http_in_flight', 'Requests whose answer has not been sent', () => [[{}, this.#inFlight]])
    options.meter?.gauge('sealcast_http_body_bytes', 'Bytes of request bodies held in memory', () => [[{}, this.#bodyBytes]])
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get bodyBytes(): number {
    return this.#bodyBytes
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  renewTls(material: TlsMaterial): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ ...material, minVersion: 'TLSv1.2' })
  }

  close(graceMs: number): Promise<void> {
    this.#closing = true
    return new Promise((resolve) => {
      const cut = this.#options.clock.after(graceMs, () => this.#server.closeAllConnections())
      this.#server.close(() => {
        cut.cancel()
        this.#sweep?.cancel()
        resolve()
      })
      this.#server.closeIdleConnections()
    })
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { clock, admit } = this.#options
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const { socket } = request
    const head: Draft = {
      method: request.method ?? 'GET',
      path: mark === -1 ? url : url.slice(0, mark),
      query: mark === -1 ? '' : url.slice(mark + 1),
      headers: request.headers,
      remoteAddress: addressOf(socket),
      tls: tlsOf(socket),
      arrivedAt: clock.now(),
      body: undefined,
      bodySha256: undefined,
      stream: undefined,
    }
    const open: Open = { request, response, head, held: 0, awaited: undefined, takeBack: undefined }
    this.#inFlight++
    response.on('close', () => this.#closed(open))
    if (url.length > this.#limits.urlBytesMax)
      return this.#refuse(request, response, head, new ServiceError('RequestURITooLong', 414, 'The URI is too long.'))
    const length = head.headers['content-length']
    if (length === undefined && head.headers['transfer-encoding'] === undefined) {
      head.body = NO_BYTES
      this.#handle(response, head)
      return
    }
    if (admit(head) === 'stream') {
      const upload: Upload = { request, isAsked: !expectsContinue }
      head.stream = this.#stream(upload, response)
      this.#handle(response, head, upload)
      return
    }
    const expected = length === undefined ? 0 : Number(length)
    const refusal = this.#reserve(expected)
    if (refusal !== undefined) {
      // A client that waits for `100 Continue` sends nothing: it can be told at once.
      if (expectsContinue || expected > this.#limits.bodyBytesMax * DISCARD_FACTOR) this.#refuse(request, response, head, refusal)
      else this.#discard(request, () => this.#refuse(request, response, head, refusal))
      return
    }
    if (expectsContinue) response.writeContinue()
    open.held = expected
    this.#collect(open)
  }

  #closed(open: Open): void {
    this.#inFlight--
    this.#release(open)
    // Its memory is out of the budget now, so that it MUST NOT wait on.
    open.takeBack?.()
  }

  /** Gives the bytes back to the budget and waits no longer. */
  #release(open: Open): void {
    this.#bodyBytes -= open.held
    open.held = 0
    if (open.awaited !== undefined) this.#awaited.delete(open.awaited)
  }

  #collect(open: Open): void {
    const { request, response, head, held: announced } = open
    const body = new CollectedBody(announced)
    const finish = () => {
      if (open.awaited !== undefined) this.#awaited.delete(open.awaited)
      const { bytes, sha256 } = body.finish()
      head.body = bytes
      head.bodySha256 = sha256
      open.takeBack = this.#turns.take(body.bytes, () => this.#handle(response, head, undefined, () => body.free()))
    }
    const stop = () => {
      this.#release(open)
      request.removeAllListeners('data')
      request.removeAllListeners('end')
    }
    open.awaited = this.#await(() => {
      stop()
      this.#refuse(request, response, head, timeout())
    })
    request.on('data', (chunk: Buffer) => {
      const bytes = body.bytes + chunk.length
      if (bytes > open.held) {
        const refusal = this.#reserve(bytes - open.held, bytes)
        if (refusal !== undefined) {
          stop()
          this.#discard(request, () => this.#refuse(request, response, head, refusal))
          return
        }
        open.held = bytes
      }
      body.add(chunk)
      if (bytes === announced) finish()
    })
    // Who announced no length, or none at all, says so at the end. A client that stops short is told by `close`.
    if (announced === 0) request.on('end', finish)
  }

  /** Takes bytes from the budget; else says why not. */
  #reserve(bytes: number, bodyBytes = bytes): ServiceError | undefined {
    const { bodyBytesMax, bodyBytesInFlightMax, retryAfterSeconds } = this.#limits
    if (bodyBytes > bodyBytesMax) {
      return new ServiceError('RequestEntityTooLarge', 413, `The request body is larger than ${bodyBytesMax} bytes.`, {
        shape: 'RequestEntityTooLargeException',
      })
    }
    if (this.#bodyBytes + bytes > bodyBytesInFlightMax) {
      return new ServiceError('ServiceUnavailable', 503, 'Too many request bodies are in flight. Try again.', {
        shape: 'ServiceUnavailableException',
        headers: { 'retry-after': String(retryAfterSeconds) },
      })
    }
    this.#bodyBytes += bytes
    return undefined
  }

  async *#stream(upload: Upload, response: ServerResponse): AsyncGenerator<Uint8Array> {
    const { request } = upload
    if (!upload.isAsked) response.writeContinue()
    upload.isAsked = true
    let slow = false
    const wait = () =>
      this.#await(() => {
        slow = true
        request.destroy()
      })
    let awaited = wait()
    try {
      // Whoever stops reading still owes the client an answer.
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        // Who reads may take its time; only the client is timed.
        this.#awaited.delete(awaited)
        yield chunk as Buffer
        awaited = wait()
      }
    } catch {
      throw slow ? timeout() : new ServiceError('IncompleteBody', 400, 'The request body terminated unexpectedly.')
    } finally {
      this.#awaited.delete(awaited)
    }
  }

  /** Reads the rest of a refused body and throws it away, then answers: a client that is cut off while it sends never reads why. */
  #discard(request: IncomingMessage, answer: () => void): void {
    let left = this.#limits.bodyBytesMax * DISCARD_FACTOR
    const finish = () => {
      this.#awaited.delete(awaited)
      request.off('data', count).off('end', finish).off('close', finish)
      answer()
    }
    const count = (chunk: Buffer) => {
      if ((left -= chunk.length) < 0) finish()
    }
    if (request.complete && request.readableEnded) {
      answer()
      return
    }
    const awaited = this.#await(finish)
    request.on('data', count).on('end', finish).on('close', finish).resume()
  }

  #refuse(request: IncomingMessage, response: ServerResponse, head: RequestHead, error: ServiceError): void {
    this.#send(response, head.method, closing(this.#options.refuse(head, error), request))
  }

  /** `done` is called when the handler is through with the request. */
  #handle(response: ServerResponse, request: HttpRequest, upload?: Upload, done?: () => void): void {
    const fail = (error: unknown) => {
      this.#options.log.error('a request failed unexpectedly', {
        path: request.path,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      return this.#options.refuse(
        request,
        new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error.'),
      )
    }
    const send = (answer: HttpResponse) => {
      done?.()
      if (upload === undefined || upload.request.readableEnded) this.#send(response, request.method, answer)
      else if (upload.isAsked) this.#discard(upload.request, () => this.#send(response, request.method, closing(answer, upload.request)))
      else this.#send(response, request.method, closing(answer, upload.request))
    }
    try {
      const answer = this.#options.handler(request)
      if (answer instanceof Promise) void answer.then(send, (error: unknown) => send(fail(error)))
      else send(answer)
    } catch (error) {
      send(fail(error))
    }
  }

  #send(response: ServerResponse, method: string, { status, headers, body }: HttpResponse): void {
    if (response.destroyed || response.headersSent) {
      if (body instanceof Readable) body.destroy()
      return
    }
    if (this.#closing) response.shouldKeepAlive = false
    if (body instanceof Readable) {
      response.writeHead(status, headers)
      if (method === 'HEAD') {
        body.destroy()
        response.end()
        return
      }
      // A source that fails midway can only be told by cutting the connection, which pipeline does.
      void pipeline(body, response).catch((error: unknown) => this.#options.log.warn('an answer was cut off', { error: String(error) }))
      return
    }
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    response.writeHead(status, headers['content-length'] !== undefined || status === 204 ? headers : withLength(headers, bytes))
    if (!hasBody) response.end()
    // As many bytes as characters: it is ASCII, which need not be encoded.
    else if (typeof body === 'string' && bytes === body.length) response.end(body, 'latin1')
    else response.end(body)
  }

  #await(expire: () => void): Awaited {
    const { clock } = this.#options
    const awaited = { deadline: clock.monotonic() + this.#limits.bodyTimeoutMs, expire }
    this.#awaited.add(awaited)
    this.#sweep ??= clock.after(SWEEP_MS, () => this.#expire())
    return awaited
  }

  #expire(): void {
    const now = this.#options.clock.monotonic()
    this.#sweep = undefined
    for (const awaited of this.#awaited) {
      if (awaited.deadline > now) continue
      this.#awaited.delete(awaited)
      awaited.expire()
    }
    if (this.#awaited.size > 0) this.#sweep = this.#options.clock.after(SWEEP_MS, () => this.#expire())
  }
}

/** A body that is awaited, and until when (monotonic). */
interface Awaited {
  readonly deadline: number
  readonly expire: () => void
}

/** The request while its body comes. */
interface Draft extends RequestHead {
  body: Buffer | undefined
  bodySha256: string | undefined
  stream: AsyncIterable<Uint8Array> | undefined
}

/** A request that is not answered yet. */
interface Open {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: Draft
  /** Bytes of the budget for bodies that it holds. */
  held: number
  awaited: Awaited | undefined
  /** Gives up its turn, where it waits for one. */
  takeBack: (() => void) | undefined
}

/** Names and values in turn, which node:http takes as they are. */
function withLength(headers: HttpResponse['headers'], bytes: number): (string | number)[] {
  const list: (string | number)[] = []
  for (const name in headers) list.push(name, headers[name] as string | number)
  list.push('content-length', bytes)
  return list
}

interface Upload {
  readonly request: IncomingMessage
  /** The client sends, because it did not wait for `100 Continue` or was told to. */
  isAsked: boolean
}

/** After a body that was not read to its end, no other request can follow on the connection. */
function closing(answer: HttpResponse, request: IncomingMessage): HttpResponse {
  return request.complete ? answer : { ...answer, headers: { ...answer.headers, connection: 'close' } }
}

const NO_BYTES = Buffer.alloc(0)

function timeout(): ServiceError {
  return new ServiceError(
    'RequestTimeout',
    400,
    'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
  )
}

const MAPPED = '::ffff:'

function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address
}

const tlsFacts = new WeakMap<Socket, TlsFacts>()

function tlsOf(socket: Socket): TlsFacts | undefined {
  if (!('encrypted' in socket)) return undefined
  let facts = tlsFacts.get(socket)
  if (facts === undefined) {
    const { getProtocol, getCipher } = socket as TLSSocket
    facts = { version: getProtocol.call(socket) ?? '', cipher: getCipher.call(socket).standardName }
    tlsFacts.set(socket, facts)
  }
  return facts
}

/** What is no HTTP never becomes a request. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
