// One HTTP/2 connection to a push service, kept while it is used: requests share it as streams, within bounds. One that fails, or is told
// to end, takes no more; who waits for a stream or an answer waits no longer than its deadline.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Clock, Timer } from '../../base/clock.ts'
import { OutboundFailed } from '../../engine/outbound-failure.ts'
import type { Outbound } from '../../engine/outbound.ts'

export interface Http2Request {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface Http2Target {
  readonly host: string
  readonly port: number
  /** A client's certificate and key, as PEM. */
  readonly cert?: string
  readonly key?: string
}

const STREAMS_MAX = 500
const ANSWER_BYTES_MAX = 16 * 1024
/** Apple wants connections kept. */
const IDLE_MS = 60 * 60 * 1000
/** What is under way on a connection that takes no more has its answer by then. */
const LINGER_MS = 20_000

export class Http2Session {
  readonly #clock: Clock
  readonly #outbound: Outbound
  readonly #target: Http2Target
  #opening: Promise<ClientHttp2Session> | undefined
  #session: ClientHttp2Session | undefined
  #streams = 0
  #waiting: (() => void)[] = []
  #idle: Timer | undefined

  constructor(parts: { readonly clock: Clock; readonly outbound: Outbound }, target: Http2Target) {
    this.#clock = parts.clock
    this.#outbound = parts.outbound
    this.#target = target
  }

  get isIdle(): boolean {
    return this.#streams === 0 && this.#waiting.length === 0
  }

  /** Rejects with OutboundFailed or OutboundRefused. */
  async post(request: Http2Request, timeoutMs: number): Promise<Http2Answer> {
    const late = new OutboundFailed('timeout', `no complete answer within ${timeoutMs} ms`)
    const deadline = Promise.withResolvers<never>()
    // Nobody may be listening yet, or any more.
    deadline.promise.catch(() => {})
    let stream: ClientHttp2Stream | undefined
    const timer = this.#clock.after(timeoutMs, () => {
      deadline.reject(late)
      stream?.close()
      // The connection may be dead: the next request gets another one, and what is under way on it has its own deadline.
      this.retire()
    })
    this.#idle?.cancel()
    try {
      await this.#turn(deadline.promise)
      try {
        const session = await Promise.race([this.#open(), deadline.promise])
        stream = session.request({ ':method': 'POST', ':path': request.path, ...request.headers })
        return await Promise.race([answerOf(stream, request.body), deadline.promise])
      } finally {
        this.#streams--
        this.#waiting.shift()?.()
      }
    } catch (error) {
      throw error instanceof OutboundFailed || !(error instanceof Error) || error.name === 'OutboundRefused' ? error : failure(error)
    } finally {
      timer.cancel()
      if (this.isIdle) this.#idle = this.#clock.after(IDLE_MS, () => this.end())
    }
  }

  /** Streams under way may end; new requests open a new connection. */
  retire(): void {
    const session = this.#session
    this.#session = undefined
    this.#opening = undefined
    if (session === undefined || session.destroyed) return
    const timer = this.#clock.after(LINGER_MS, () => session.destroy())
    session.once('close', () => timer.cancel())
    if (!session.closed) session.close()
  }

  /** Streams under way end with OutboundFailed. */
  end(): void {
    this.#idle?.cancel()
    const session = this.#session
    this.retire()
    session?.destroy()
  }

  async #turn(deadline: Promise<never>): Promise<void> {
    if (this.#streams >= STREAMS_MAX) {
      let go = (): void => {}
      const turn = new Promise<void>((resolve) => void this.#waiting.push((go = resolve)))
      try {
        await Promise.race([turn, deadline])
      } catch (error) {
        this.#waiting = this.#waiting.filter((other) => other !== go)
        throw error
      }
    }
    this.#streams++
  }

  #open(): Promise<ClientHttp2Session> {
    const { host, port, cert, key } = this.#target
    this.#opening ??= this.#outbound
      .connect({ host, port, tls: { protocols: ['h2'], ...(cert !== undefined && key !== undefined && { cert, key }) } })
      .then((socket) => {
        const session = connect(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, { createConnection: () => socket })
        this.#session = session
        const over = (): void => {
          if (this.#session === session) this.retire()
        }
        session.on('goaway', over).on('close', over).on('error', over)
        return session
      })
    const opening = this.#opening
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    return opening
  }
}

function answerOf(stream: ClientHttp2Stream, body: string): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    let status = 0
    const headers: Record<string, string> = {}
    const parts: Buffer[] = []
    let bytes = 0
    stream.on('response', (given) => {
      status = Number(given[':status'] ?? 0)
      for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers[name] = value
    })
    stream.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes <= ANSWER_BYTES_MAX) parts.push(part)
      else stream.close()
    })
    stream.on('error', (error) => reject(failure(error)))
    stream.on('end', () => {
      if (status === 0) reject(new OutboundFailed('reset', 'the stream was closed before the answer'))
      else resolve({ status, headers, body: Buffer.concat(parts) })
    })
    stream.on('close', () => reject(new OutboundFailed('reset', 'the stream was closed before the answer')))
    stream.end(body)
  })
}

function failure(error: Error): OutboundFailed {
  const { code = '' } = error as NodeJS.ErrnoException
  return new OutboundFailed(code === 'ERR_HTTP2_ERROR' ? 'protocol' : 'reset', error.message === '' ? code : error.message)
}
