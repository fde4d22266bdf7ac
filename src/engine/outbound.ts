// The one place of outgoing sockets. Every connection is checked against the allowed networks on the very address it is made to, so that
// no name can lead inside; redirects are not followed, TLS is verified, and a request has one deadline from start to last byte.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { type Socket, isIP } from 'node:net'
import { type SecureContext, createSecureContext, getCACertificates } from 'node:tls'
import type * as Undici from 'undici'
import type { Dispatcher, buildConnector } from 'undici'
import type { Clock } from '../base/clock.ts'
import { type Networks, createNetworks } from './networks.ts'
import { OutboundFailed, OutboundRefused, failureOf } from './outbound-failure.ts'
import { type CheckedLookup, type ConnectTarget, createSockets } from './outbound-sockets.ts'

export interface OutboundRequest {
  readonly method: string
  /** Absolute, http or https. User and password in it are not sent. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** From the call to the last byte of the answer. */
  readonly timeoutMs?: number
  /** The answer's body is cut here. */
  readonly maxResponseBytes?: number
  /** Ends the request with OutboundFailed (closed). */
  readonly signal?: AbortSignal
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
const CONNECTIONS_PER_ORIGIN = 64
const ORIGIN_IDLE_MS = 60_000

interface Origin {
  readonly pool: Dispatcher
  inFlight: number
  usedAt: number
}

/** Throws InvalidNetwork when an entry of `allow` is no CIDR. */
export function createOutbound(options: OutboundOptions): Outbound {
  const { clock } = options
  const networks = createNetworks(options.allow)
  const secureContext = options.ca === undefined ? undefined : createSecureContext({ ca: [...getCACertificates('default'), options.ca] })
  const lookup = checkedLookup(options.lookup ?? lookupAll, networks)
  const sockets = createSockets({ clock, networks, lookup, secureContext, socketsMax: options.socketsMax ?? SOCKETS_MAX })
  // Loaded with the first request: it is a good part of a server's start and memory, and many servers deliver to queues alone.
  let opening: Promise<(origin: string) => Dispatcher> | undefined
  const open = (): Promise<(origin: string) => Dispatcher> =>
    (opening ??= import('undici').then((undici) => {
      const connect = checkedConnector(undici, { secureContext, lookup }, networks)
      return (origin) => createPool(undici, origin, options.proxy, connect)
    }))
  // Least recently used first.
  const origins = new Map<string, Origin>()
  let closed = false

  const originOf = (url: URL, createDispatcher: (origin: string) => Dispatcher): Origin => {
    const now = clock.monotonic()
    const known = origins.get(url.origin)
    if (known !== undefined) {
      origins.delete(url.origin)
      origins.set(url.origin, known)
      known.usedAt = now
      return known
    }
    const literal = literalAddress(url)
    const refusal = literal === undefined ? undefined : networks.refusal(literal)
    if (refusal !== undefined) throw new OutboundRefused(refusal)
    makeRoom(origins, now, options.originsMax ?? ORIGINS_MAX)
    const origin = { pool: createDispatcher(url.origin), inFlight: 0, usedAt: now }
    origins.set(url.origin, origin)
    return origin
  }

  return {
    ...(options.mark !== undefined && { mark: options.mark }),
    ...(secureContext !== undefined && { secureContext }),
    connect: (target) => sockets.connect(target),
    get origins() {
      return origins.size
    },
    async request(given) {
      const { method, url: address, headers = {}, body, timeoutMs = ATTEMPT_TIMEOUT_MS, maxResponseBytes = RESPONSE_BYTES_MAX } = given
      if (closed || given.signal?.aborted) throw new OutboundFailed('closed', 'outgoing connections are closed')
      const url = parseUrl(address)
      const createDispatcher = await open()
      // Closed while it was loaded.
      if (closed) throw new OutboundFailed('closed', 'outgoing connections are closed')
      const origin = originOf(url, createDispatcher)
      const deadline = new AbortController()
      const timer = clock.after(timeoutMs, () => deadline.abort())
      origin.inFlight++
      try {
        const response = await origin.pool.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: method as Dispatcher.HttpMethod,
          headers,
          body,
          signal: given.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, given.signal]),
          headersTimeout: 0,
          bodyTimeout: 0,
        })
        return {
          status: response.statusCode,
          headers: flatHeaders(response.headers),
          body: await readBody(response.body, maxResponseBytes),
        }
      } catch (error) {
        if (given.signal?.aborted) throw new OutboundFailed('closed', 'the request was given up')
        if (deadline.signal.aborted) throw new OutboundFailed('timeout', `no complete answer within ${timeoutMs} ms`)
        throw failureOf(error)
      } finally {
        timer.cancel()
        origin.inFlight--
        origin.usedAt = clock.monotonic()
      }
    },
    async close() {
      closed = true
      sockets.close()
      await Promise.all(
        [...origins.values()].map(({ pool }) => pool.destroy(new OutboundFailed('closed', 'outgoing connections are closed'))),
      )
      origins.clear()
    },
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new OutboundRefused('the target is no http or https URL')
  return url
}

/** URL has brought every spelling (hexadecimal, one number, short forms) into one. */
function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

function makeRoom(origins: Map<string, Origin>, now: number, max: number): void {
  for (const [name, { pool, inFlight, usedAt }] of origins) {
    const isIdle = inFlight === 0 && (origins.size >= max || now - usedAt >= ORIGIN_IDLE_MS)
    if (!isIdle) continue
    origins.delete(name)
    pool.destroy().catch(() => {})
  }
  if (origins.size >= max) throw new OutboundFailed('busy', `connections to ${origins.size} hosts are in use already`)
}

function createPool(
  { Pool, ProxyAgent }: typeof Undici,
  origin: string,
  proxy: string | undefined,
  connect: buildConnector.connector,
): Dispatcher {
  const shared = { connections: CONNECTIONS_PER_ORIGIN, pipelining: 1, allowH2: false }
  if (proxy === undefined) return new Pool(origin, { ...shared, connect })
  const { username, password, origin: uri } = new URL(proxy)
  const token =
    username === ''
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
  return new ProxyAgent({ ...shared, uri, token, requestTls: { secureContext: trusted.get(connect) } })
}

/** The trust of a connector, for connections that a proxy makes for us. */
const trusted = new WeakMap<buildConnector.connector, SecureContext>()

function checkedConnector(
  { buildConnector: build }: typeof Undici,
  { secureContext, lookup }: { readonly secureContext: SecureContext | undefined; readonly lookup: CheckedLookup },
  networks: Networks,
): buildConnector.connector {
  const connectTo = build({
    allowH2: false,
    timeout: ATTEMPT_TIMEOUT_MS,
    secureContext,
    lookup,
  })
  const connect: buildConnector.connector = (target, done) =>
    connectTo(target, (...[failure, socket]) => {
      if (failure !== null) return done(failure, null)
      const address = socket.remoteAddress
      const refusal = address === undefined ? undefined : networks.refusal(address)
      if (refusal === undefined) return done(null, socket)
      socket.destroy()
      done(new OutboundRefused(refusal), null)
    })
  if (secureContext !== undefined) trusted.set(connect, secureContext)
  return connect
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

async function readBody(body: AsyncIterable<Buffer>, max: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body) {
    parts.push(part.subarray(0, max - bytes))
    bytes += part.length
    // Leaving the loop closes the connection: nobody makes us read without end.
    if (bytes > max) break
  }
  return Buffer.concat(parts)
}

function flatHeaders(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ')
  return flat
}
