// The one place of outgoing sockets. Every connection is checked against the allowed networks on the very address it is made to, so that
// no name can lead inside; redirects are not followed, TLS is verified, and a request has one deadline from start to last byte.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { type Socket, isIP } from 'node:net'
import { type SecureContext, createSecureContext, getCACertificates } from 'node:tls'
import type { Clock, Timer } from '../base/clock.ts'
import { Deadlines, type Timed } from './deadlines.ts'
import { type Route, routeTo } from './http-dial.ts'
import { type Exchange, HttpOrigin } from './http-origin.ts'
import { type Networks, createNetworks } from './networks.ts'
import { OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import { type CheckedLookup, type ConnectTarget, createSockets } from './outbound-sockets.ts'

export interface OutboundRequest {
  readonly method: string
  /** Absolute, http or https. User and password in it are not sent. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** More of them, as headerLines writes them: many requests may share them. */
  readonly lines?: string
  readonly body?: string | Buffer
  /** From the call to the last byte of the answer. */
  readonly timeoutMs?: number
  /** The answer's body is cut here. */
  readonly maxResponseBytes?: number
  /** Ends the request with OutboundFailed (closed). */
  readonly signal?: AbortSignal
  /**
   * It does no harm when it comes twice: it is sent again where a connection that was kept turns out to be closed. Without it such a
   * request fails, since nobody can say whether it was served.
   */
  readonly isRepeatable?: boolean
}

export interface OutboundResponse {
  readonly status: number
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface Outbound {
  /** Rejects with OutboundRefused (we do not connect there) or OutboundFailed (it did not work). */
  request(request: OutboundRequest): Promise<OutboundResponse>
  /**
   * A connection for a protocol that is not HTTP/1.1, checked like any other; past `outbound.proxy`, which knows HTTP alone. Rejects as
   * `request` does. The socket is the caller's: who gets it MUST listen to its errors, bound its time and destroy it.
   */
  connect(target: ConnectTarget): Promise<Socket>
  /** What TLS MUST be made with that a protocol turns on later (STARTTLS); undefined: the usual authorities are trusted. */
  readonly secureContext?: SecureContext
  /** Random, of this process alone: by it the server knows its own requests where they come back to it (SENDER_HEADER). */
  readonly mark?: string
  /** Origins with a pool at the moment. */
  readonly origins: number
  /** Ends what is in flight with OutboundFailed, and every connection. */
  close(): Promise<void>
}

export type Lookup = (host: string, done: (failure: Error | null, addresses: readonly LookupAddress[]) => void) => void

export interface OutboundOptions {
  readonly clock: Clock
  /** Networks inside that may be reached, as CIDRs. Public addresses may without being named. */
  readonly allow: readonly string[]
  /** PEM certificates of authorities to trust beside the usual ones. */
  readonly ca?: string
  /**
   * URL of an HTTP proxy through which all requests go. It resolves the names then, so that names are its to judge;
   * addresses in URLs are still checked here.
   */
  readonly proxy?: string
  /** Resolves names; the system's by default. */
  readonly lookup?: Lookup
  readonly originsMax?: number
  readonly socketsMax?: number
  readonly mark?: string
}

export const ATTEMPT_TIMEOUT_MS = 15_000
const RESPONSE_BYTES_MAX = 64 * 1024
const ORIGINS_MAX = 1024
const SOCKETS_MAX = 256
const ORIGIN_IDLE_MS = 60_000
const SWEEP_MS = 5000
const TARGETS_KEPT_MAX = 4096

/** Throws InvalidNetwork when an entry of `allow` is no CIDR. */
export function createOutbound(options: OutboundOptions): Outbound {
  const { clock } = options
  const networks = createNetworks(options.allow)
  const authorities = options.ca === undefined ? undefined : [...getCACertificates('default'), options.ca]
  const secureContext = authorities === undefined ? undefined : createSecureContext({ ca: authorities })
  const lookup = checkedLookup(options.lookup ?? lookupAll, networks)
  const sockets = createSockets({ clock, networks, lookup, secureContext, authorities, socketsMax: options.socketsMax ?? SOCKETS_MAX })
  const routeParts = { networks, lookup, secureContext, proxy: options.proxy }
  const requests = new Requests({
    clock,
    originsMax: options.originsMax ?? ORIGINS_MAX,
    target: (url) => targetOf(url, networks, routeParts),
  })
  return {
    ...(options.mark !== undefined && { mark: options.mark }),
    ...(secureContext !== undefined && { secureContext }),
    get origins() {
      return requests.origins
    },
    connect: (target) => sockets.connect(target),
    request: (given) => requests.send(given),
    close() {
      requests.close()
      sockets.close()
      return Promise.resolve()
    },
  }
}

/** What of a URL every request to it shares. */
interface Target {
  readonly origin: string
  readonly route: Route
  /** Behind the method in the request line, and the lines that every request there begins with. */
  readonly lines: string
}

interface RequestParts {
  readonly clock: Clock
  readonly originsMax: number
  /** Throws OutboundRefused. */
  readonly target: (url: string) => Target
}

class Requests {
  readonly #parts: RequestParts
  readonly #targets = new Map<string, Target>()
  /** Least recently used first. */
  readonly #origins = new Map<string, HttpOrigin>()
  readonly #pending: Deadlines<Pending>
  #sweep: Timer | undefined
  #isClosed = false

  constructor(parts: RequestParts) {
    this.#parts = parts
    this.#pending = new Deadlines(parts.clock, (pending) =>
      pending.abandon(new OutboundFailed('timeout', `no complete answer within ${pending.timeoutMs} ms`)),
    )
  }

  get origins(): number {
    return this.#origins.size
  }

  send(given: OutboundRequest): Promise<OutboundResponse> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs = ATTEMPT_TIMEOUT_MS } = given
      if (this.#isClosed || signal?.aborted === true) throw closedFailure()
      const target = this.#target(given.url)
      const origin = this.#origin(target)
      const bodyBytes = given.body === undefined ? 0 : Buffer.byteLength(given.body)
      const pending = new Pending(origin, given, timeoutMs, headOf(given, target, bodyBytes), bodyBytes, this.#pending, resolve, reject)
      if (signal !== undefined) pending.listenTo(signal)
      this.#pending.add(pending, timeoutMs)
      origin.send(pending)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#sweep?.cancel()
    const pending = this.#pending.clear()
    for (const origin of this.#origins.values()) origin.close()
    this.#origins.clear()
    for (const each of pending) each.abandon(closedFailure())
  }

  #target(url: string): Target {
    let target = this.#targets.get(url)
    if (target === undefined) {
      if (this.#targets.size >= TARGETS_KEPT_MAX) this.#targets.clear()
      this.#targets.set(url, (target = this.#parts.target(url)))
    }
    return target
  }

  #origin({ origin: name, route }: Target): HttpOrigin {
    const known = this.#origins.get(name)
    if (known !== undefined) return known
    const { clock, originsMax } = this.#parts
    if (this.#origins.size >= originsMax) this.#makeRoom()
    if (this.#origins.size >= originsMax) throw new OutboundFailed('busy', `connections to ${this.#origins.size} hosts are in use already`)
    const origin = new HttpOrigin(route.dial, clock)
    this.#origins.set(name, origin)
    this.#sweep ??= clock.after(SWEEP_MS, () => this.#sweepAll())
    return origin
  }

  #sweepAll(): void {
    const { clock } = this.#parts
    const before = clock.monotonic() - ORIGIN_IDLE_MS
    for (const [name, origin] of this.#origins) {
      origin.sweep()
      if (origin.inFlight === 0 && origin.usedAt <= before) this.#letGo(name, origin)
    }
    this.#sweep = this.#origins.size === 0 ? undefined : clock.after(SWEEP_MS, () => this.#sweepAll())
  }

  /** Of those that idle the one that was used least recently. */
  #makeRoom(): void {
    let oldest: readonly [name: string, origin: HttpOrigin] | undefined
    for (const entry of this.#origins)
      if (entry[1].inFlight === 0 && (oldest === undefined || entry[1].usedAt < oldest[1].usedAt)) oldest = entry
    if (oldest !== undefined) this.#letGo(...oldest)
  }

  #letGo(name: string, origin: HttpOrigin): void {
    this.#origins.delete(name)
    origin.close()
  }
}

/** A request that somebody waits for. */
class Pending implements Exchange, Timed {
  readonly #origin: HttpOrigin
  readonly #all: Deadlines<Pending>
  readonly #resolve: (answer: OutboundResponse) => void
  readonly #reject: (failure: Error) => void
  #unlisten: (() => void) | undefined
  place: number | undefined
  dueAt = 0
  connection: object | undefined
  readonly timeoutMs: number
  readonly method: string
  readonly head: string
  readonly body: string | Buffer | undefined
  readonly bodyBytes: number
  readonly bodyBytesMax: number
  readonly isRepeatable: boolean

  constructor(
    origin: HttpOrigin,
    given: OutboundRequest,
    timeoutMs: number,
    head: string,
    bodyBytes: number,
    all: Deadlines<Pending>,
    resolve: (answer: OutboundResponse) => void,
    reject: (failure: Error) => void,
  ) {
    this.#origin = origin
    this.#all = all
    this.#resolve = resolve
    this.#reject = reject
    this.timeoutMs = timeoutMs
    this.method = given.method
    this.head = head
    this.body = given.body
    this.bodyBytes = bodyBytes
    this.bodyBytesMax = given.maxResponseBytes ?? RESPONSE_BYTES_MAX
    this.isRepeatable = given.isRepeatable === true
  }

  listenTo(signal: AbortSignal): void {
    const aborted = (): void => {
      if (this.#all.delete(this)) this.abandon(new OutboundFailed('closed', 'the request was given up'))
    }
    signal.addEventListener('abort', aborted, { once: true })
    this.#unlisten = () => signal.removeEventListener('abort', aborted)
  }

  /** For who took it from those that wait. */
  abandon(failure: Error): void {
    this.#unlisten?.()
    this.#origin.abandon(this)
    this.#reject(failure)
  }

  ended(failure: Error | undefined, answer: OutboundResponse | undefined): void {
    if (!this.#all.delete(this)) return
    this.#unlisten?.()
    if (answer === undefined) this.#reject(failure ?? closedFailure())
    else this.#resolve(answer)
  }
}

function closedFailure(): OutboundFailed {
  return new OutboundFailed('closed', 'outgoing connections are closed')
}

function targetOf(text: string, networks: Networks, parts: Parameters<typeof routeTo>[1]): Target {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new OutboundRefused('the target is no http or https URL')
  const literal = literalAddress(url)
  const refusal = literal === undefined ? undefined : networks.refusal(literal)
  if (refusal !== undefined) throw new OutboundRefused(refusal)
  const route = routeTo(url, parts)
  const lines = ` ${route.prefix}${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: keep-alive\r\n${route.headers}`
  return { origin: url.origin, route, lines }
}

const METHOD = /^[A-Z]+$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What a header line can carry as it is: no line ends, and nothing beyond Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OWN_HEADERS: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** The headers of a request as they are sent. Throws OutboundRefused for one that cannot be. */
export function headerLines(headers: Readonly<Record<string, string>>): string {
  let lines = ''
  for (const name in headers) {
    const value = headers[name] ?? ''
    const kind = kindOf(name)
    if (kind === 'broken' || !HEADER_VALUE.test(value)) throw new OutboundRefused(`the header ${JSON.stringify(name)} cannot be sent`)
    if (kind === 'given') lines += `${name}: ${value}\r\n`
  }
  return lines
}

function headOf({ method, headers, lines = '' }: OutboundRequest, target: Target, length: number): string {
  if (method !== 'POST' && !METHOD.test(method)) throw new OutboundRefused('the method of a request is a word in capitals')
  const head = method + target.lines + lines + (headers === undefined ? '' : headerLines(headers))
  return length > 0 || WITH_BODY.has(method) ? `${head}Content-Length: ${length}\r\n\r\n` : `${head}\r\n`
}

type NameKind = 'given' | 'own' | 'broken'

/** Names are few and come again with every request. */
const kinds = new Map<string, NameKind>()
const KINDS_KEPT_MAX = 1000

function kindOf(name: string): NameKind {
  let kind = kinds.get(name)
  if (kind === undefined) {
    if (kinds.size >= KINDS_KEPT_MAX) kinds.clear()
    kind = OWN_HEADERS.has(name.toLowerCase()) ? 'own' : HEADER_NAME.test(name) ? 'given' : 'broken'
    kinds.set(name, kind)
  }
  return kind
}

/** URL has brought every spelling (hexadecimal, one number, short forms) into one. */
function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

/** Gives only addresses that may be connected to. */
function checkedLookup(lookup: Lookup, networks: Networks): CheckedLookup {
  return (host, { all }, done) =>
    lookup(host, (failure, found) => {
      if (failure !== null) return done(failure, [])
      const refusals = found.map(({ address }) => networks.refusal(address))
      const permitted = found.filter((_, at) => refusals[at] === undefined)
      const [first] = permitted
      if (first === undefined) {
        const refusal = refusals[0]
        return done(refusal === undefined ? dnsFailure(host) : new OutboundRefused(`${host}: ${refusal}`), [])
      }
      if (all === true) done(null, permitted)
      else done(null, first.address, first.family)
    })
}

function lookupAll(host: string, done: (failure: Error | null, addresses: readonly LookupAddress[]) => void): void {
  systemLookup(host, { all: true }, done)
}

function dnsFailure(host: string): Error {
  return new OutboundFailed('dns', `${host} has no address`)
}
