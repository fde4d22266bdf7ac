// The connections to one origin that HTTP/1.1 requests share: each carries one request at a time, is used again when its answer allows
// it, and is let go of before the other side may close it. A request is one write; nothing is parsed that nobody reads.
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { type Answer, AnswerReader } from './http-answer.ts'
import type { Dial, Reading } from './http-dial.ts'
import { OutboundFailed, failureOf } from './outbound-failure.ts'

/** One request on its way. */
export interface Exchange {
  readonly method: string
  /** Request line and headers, CR LF after each, the empty line included. Latin-1. */
  readonly head: string
  readonly body: string | Buffer | undefined
  readonly bodyBytes: number
  readonly bodyBytesMax: number
  /** It may be sent again where a connection that was kept ends before a byte of the answer came. */
  readonly isRepeatable: boolean
  /** That which carries it; the origin's to change. */
  connection: object | undefined
  ended(failure: Error | undefined, answer: Answer | undefined): void
}

/** Many endpoints may share a host: those that hang, each with its share of attempts, must leave room for the others. */
export const CONNECTIONS_PER_ORIGIN = 128
/** Node's servers close what idles for five seconds. */
const KEPT_MS = 4000
const KEPT_MS_MAX = 600_000
/** So much earlier than the other side said. */
const KEPT_MARGIN_MS = 1000
const READ_BYTES = 4096

export class HttpOrigin {
  readonly #dial: Dial
  readonly #clock: Clock
  readonly #connections = new Set<Connection>()
  /** Used last first: those that nobody needs grow old. */
  readonly #idle: Connection[] = []
  readonly #waiting = new Set<Exchange>()
  #unsent: Connection[] = []
  /** Connections with an exchange. */
  #busy = 0
  usedAt = 0

  constructor(dial: Dial, clock: Clock) {
    this.#dial = dial
    this.#clock = clock
  }

  get inFlight(): number {
    return this.#busy + this.#waiting.size
  }

  get idle(): number {
    return this.#idle.length
  }

  send(exchange: Exchange): void {
    const now = this.#clock.monotonic()
    this.usedAt = now
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      if (kept.keptUntil > now) return this.#start(kept, exchange)
      kept.close()
    }
    if (this.#connections.size < CONNECTIONS_PER_ORIGIN) this.#open(exchange)
    else this.#waiting.add(exchange)
  }

  /** Nobody waits for it any more. */
  abandon(exchange: Exchange): void {
    if (this.#waiting.delete(exchange)) return
    if (exchange.connection instanceof Connection) exchange.connection.close()
  }

  /** Lets go of connections that idled too long. */
  sweep(): void {
    const now = this.#clock.monotonic()
    while (this.#idle[0] !== undefined && this.#idle[0].keptUntil <= now) this.#idle.shift()?.close()
  }

  close(): void {
    this.#waiting.clear()
    for (const connection of this.#connections) connection.close()
  }

  #open(exchange: Exchange): void {
    const connection = new Connection(this.#dial, {
      ended: (failure, answer) => this.#ended(connection, failure, answer),
      gone: () => this.#gone(connection),
    })
    this.#connections.add(connection)
    this.#start(connection, exchange)
  }

  #start(connection: Connection, exchange: Exchange): void {
    this.#busy++
    exchange.connection = connection
    // What a step has to send goes out together: whom it wakes is still busy when the next comes, and need not be woken again.
    if (connection.take(exchange) && this.#unsent.push(connection) === 1) queueMicrotask(() => this.#sendAll())
  }

  #sendAll(): void {
    const connections = this.#unsent
    this.#unsent = []
    for (const connection of connections) connection.send()
  }

  /** The connection's exchange is over; a connection that failed is closed already. */
  #ended(connection: Connection, failure: Error | undefined, answer: Answer | undefined): void {
    const { exchange, keptMs } = connection
    if (exchange === undefined) return
    connection.exchange = undefined
    exchange.connection = undefined
    this.#busy--
    if (connection.isOpen) {
      const [next] = this.#waiting
      if (next !== undefined) {
        this.#waiting.delete(next)
        this.#start(connection, next)
      } else {
        connection.keptUntil =
          this.#clock.monotonic() + (keptMs === undefined ? KEPT_MS : Math.min(Math.max(0, keptMs - KEPT_MARGIN_MS), KEPT_MS_MAX))
        this.#idle.push(connection)
      }
    }
    exchange.ended(failure, answer)
  }

  #gone(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    const { exchange } = connection
    connection.exchange = undefined
    if (exchange?.connection === connection) {
      exchange.connection = undefined
      this.#busy--
      if (connection.isToRepeat) this.#open(exchange)
    }
    const [next] = this.#waiting
    if (next === undefined || this.#connections.size >= CONNECTIONS_PER_ORIGIN) return
    this.#waiting.delete(next)
    this.#open(next)
  }
}

interface Listener {
  /** The exchange is over; it is still the connection's. */
  readonly ended: (failure: Error | undefined, answer: Answer | undefined) => void
  /** The connection is over. */
  readonly gone: () => void
}

class Connection {
  readonly #listener: Listener
  readonly #dialing = new AbortController()
  readonly #reader = new AnswerReader()
  #socket: Socket | undefined
  #uses = 0
  isOpen = true
  /** Its exchange is to be sent over another connection. */
  isToRepeat = false
  exchange: Exchange | undefined
  keptUntil = 0

  constructor(dial: Dial, listener: Listener) {
    this.#listener = listener
    const reading: Reading = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes, buffer) => {
        this.#read(buffer, bytes)
        return true
      },
    }
    dial(reading, this.#dialing.signal).then(
      (socket) => this.#opened(socket),
      (error: unknown) => this.#fail(error),
    )
  }

  get keptMs(): number | undefined {
    return this.#reader.keptMs
  }

  /** Whether it is to be sent now; a connection that is not open yet sends it by itself. */
  take(exchange: Exchange): boolean {
    this.exchange = exchange
    this.#uses++
    return this.#socket !== undefined
  }

  send(): void {
    if (this.isOpen && this.#socket !== undefined && this.exchange !== undefined) this.#write(this.#socket, this.exchange)
  }

  /** Without a word to anybody. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#dialing.abort()
    this.#socket?.destroy()
    this.#listener.gone()
  }

  #opened(socket: Socket): void {
    if (!this.isOpen) return void socket.destroy()
    this.#socket = socket
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', () => this.#closed())
    socket.on('close', () => this.#closed())
    this.send()
  }

  #write(socket: Socket, exchange: Exchange): void {
    const { head, body, bodyBytes } = exchange
    this.#reader.expect(exchange)
    if (body === undefined || bodyBytes === 0) socket.write(head, 'latin1')
    else if (typeof body === 'string') {
      if (bodyBytes === body.length) socket.write(head + body, 'latin1')
      else {
        const whole = Buffer.allocUnsafe(head.length + bodyBytes)
        whole.write(head, 'latin1')
        whole.write(body, head.length, 'utf8')
        socket.write(whole)
      }
    } else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
  }

  #read(buffer: Buffer, bytes: number): void {
    // Bytes that nobody asked for.
    if (this.exchange === undefined) return this.close()
    try {
      const answer = this.#reader.take(buffer, bytes)
      if (answer !== undefined) this.#answered(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  #answered(answer: Answer): void {
    // An answer that came before the request was out leaves the rest of it behind.
    const isReusable = this.#reader.isReusable && this.#socket?.writableLength === 0
    if (!isReusable) this.isOpen = false
    this.#listener.ended(undefined, answer)
    if (isReusable) return
    this.#socket?.destroy()
    this.#listener.gone()
  }

  /** The other side says no more. */
  #closed(): void {
    if (!this.isOpen) return
    if (this.exchange === undefined) return this.close()
    const answer = this.#reader.close()
    if (answer === undefined) this.#fail(new OutboundFailed('reset', 'the connection was closed before the answer'))
    else this.#answered(answer)
  }

  #fail(error: unknown): void {
    if (!this.isOpen) return
    this.isToRepeat = this.exchange?.isRepeatable === true && this.#uses > 1 && !this.#reader.hasBegun
    if (this.isToRepeat) return this.close()
    this.isOpen = false
    this.#dialing.abort()
    this.#socket?.destroy()
    this.#listener.ended(failureOf(error), undefined)
    this.#listener.gone()
  }
}
