// The HTTP server under the door: bare node:http or node:https. Collects bodies within a limit and a budget for all of them together,
// or hands them over as a stream; answers `Expect: 100-continue` only once somebody wants the body; closes without cutting anybody off.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { http, https } from '../base/http.ts'
import type { Log } from '../base/log.ts'
import type { Meter } from '../base/meter.ts'
import type { Patience } from '../engine/operation.ts'
import { WIRE } from '../model/limits.ts'
import { ServiceError } from '../model/service-error.ts'
import { answerClientError, closing, type HttpResponse, sendAnswer } from './answer.ts'
import { CollectedBody } from './collected-body.ts'
import { Deadlines } from './deadlines.ts'
import { LargeTurns } from './large-turns.ts'
import { type Draft, OpenRequest } from './open-request.ts'
import { addressOf, type TlsFacts, tlsOf } from './peer.ts'

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
  readonly patience?: Patience | undefined
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
  /** Has the meter tell both. */
  measure(meter: Meter): void
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NodeHttpServer(options)
}

/** How much of a refused body is read and thrown away, so that the client gets to read why. */
const DISCARD_FACTOR = 8

class NodeHttpServer implements HttpServer {
  readonly #options: HttpServerOptions
  readonly #limits: Readonly<Record<keyof typeof WIRE, number>>
  readonly #server: Server | TlsServer
  readonly #turns: LargeTurns
  /** Of bodies that are awaited. */
  readonly #deadlines: Deadlines
  /** Requests whose handler waits for something. */
  readonly #waiting = new Set<OpenRequest>()
  #inFlight = 0
  #bodyBytes = 0
  #closing = false

  constructor(options: HttpServerOptions) {
    this.#options = options
    const limits = { ...WIRE, ...options.limits }
    this.#limits = limits
    this.#turns = new LargeTurns(options.clock)
    this.#deadlines = new Deadlines(options.clock, limits.bodyTimeoutMs)
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
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get bodyBytes(): number {
    return this.#bodyBytes
  }

  measure(meter: Meter): void {
    meter.gauge('sealcast_http_in_flight', 'Requests whose answer has not been sent.', () => [[{}, this.#inFlight]])
    meter.gauge('sealcast_http_body_bytes', 'Bytes of request bodies held in memory.', () => [[{}, this.#bodyBytes]])
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
    for (const open of [...this.#waiting]) open.end()
    return new Promise((resolve) => {
      const cut = this.#options.clock.after(graceMs, () => this.#server.closeAllConnections())
      this.#server.close(() => {
        cut.cancel()
        this.#deadlines.stop()
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
      patience: undefined,
    }
    const open = new OpenRequest(request, response, head, this.#waiting)
    head.patience = open
    // Who comes now is served, and waits for nothing.
    if (this.#closing) open.end()
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

  #closed(open: OpenRequest): void {
    this.#inFlight--
    this.#release(open)
    open.end()
    // Its memory is out of the budget now, so that it MUST NOT wait on.
    open.takeBack?.()
  }

  /** Gives the bytes back to the budget and waits no longer. */
  #release(open: OpenRequest): void {
    this.#bodyBytes -= open.held
    open.held = 0
    this.#deadlines.met(open.deadline)
  }

  #collect(open: OpenRequest): void {
    const { request, response, head, held: announced } = open
    const body = new CollectedBody(announced)
    const finish = () => {
      this.#deadlines.met(open.deadline)
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
    open.deadline = this.#deadlines.set(() => {
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
      this.#deadlines.set(() => {
        slow = true
        request.destroy()
      })
    let deadline = wait()
    try {
      // Whoever stops reading still owes the client an answer.
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        // Who reads may take its time; only the client is timed.
        this.#deadlines.met(deadline)
        yield chunk as Buffer
        deadline = wait()
      }
    } catch {
      throw slow ? timeout() : new ServiceError('IncompleteBody', 400, 'The request body terminated unexpectedly.')
    } finally {
      this.#deadlines.met(deadline)
    }
  }

  /** Reads the rest of a refused body and throws it away, then answers: a client that is cut off while it sends never reads why. */
  #discard(request: IncomingMessage, answer: () => void): void {
    let left = this.#limits.bodyBytesMax * DISCARD_FACTOR
    const finish = () => {
      this.#deadlines.met(deadline)
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
    const deadline = this.#deadlines.set(finish)
    request.on('data', count).on('end', finish).on('close', finish).resume()
  }

  #send(response: ServerResponse, method: string, answer: HttpResponse): void {
    if (this.#closing && !response.headersSent) response.shouldKeepAlive = false
    sendAnswer(response, method, answer, this.#options.log)
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
}

interface Upload {
  readonly request: IncomingMessage
  /** The client sends, because it did not wait for `100 Continue` or was told to. */
  isAsked: boolean
}

const NO_BYTES = Buffer.alloc(0)

function timeout(): ServiceError {
  return new ServiceError(
    'RequestTimeout',
    400,
    'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
  )
}
