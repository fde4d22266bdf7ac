// How a connection comes about that carries HTTP: straight to the host or by way of the configured proxy, to an address that is checked,
// with TLS that is verified.
import { type Socket, connect as connectTcp, isIP } from 'node:net'
import { type SecureContext, connect as connectTls } from 'node:tls'
import { AnswerReader } from './http-answer.ts'
import type { Networks } from './networks.ts'
import { OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import type { CheckedLookup } from './outbound-sockets.ts'

/** Where a socket puts its bytes: the buffer is used again for the next ones. */
export interface Reading {
  readonly buffer: Buffer
  readonly callback: (bytes: number, buffer: Buffer) => boolean
}

/** Opens a connection; nothing comes of one that is aborted. The caller listens to its errors and destroys it. */
export type Dial = (reading: Reading, signal: AbortSignal) => Promise<Socket>

/** How requests to one origin go. */
export interface Route {
  readonly dial: Dial
  /** What stands before the path in the request line: a proxy is told the whole URL. */
  readonly prefix: string
  /** Header lines for the proxy, CR LF after each. */
  readonly headers: string
}

export interface RouteParts {
  readonly networks: Networks
  readonly lookup: CheckedLookup
  readonly secureContext: SecureContext | undefined
  /** URL of the proxy. It resolves names, and its own address is the operator's choice. */
  readonly proxy: string | undefined
}

interface Place {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

/** `origin`: of a URL with http or https. */
export function routeTo(origin: URL, { networks, lookup, secureContext, proxy }: RouteParts): Route {
  const place = placeOf(origin)
  if (proxy === undefined) {
    const dial: Dial = async (reading, signal) => {
      const socket = await connected(place, { lookup, secureContext, reading }, signal)
      const refusal = socket.remoteAddress === undefined ? undefined : networks.refusal(socket.remoteAddress)
      if (refusal === undefined) return socket
      socket.destroy()
      throw new OutboundRefused(refusal)
    }
    return { dial, prefix: '', headers: '' }
  }
  const by = new URL(proxy)
  const authorization = proxyAuthorization(by)
  const proxyPlace = placeOf(by)
  if (!place.isTls)
    return {
      dial: (reading, signal) => connected(proxyPlace, { secureContext, reading }, signal),
      prefix: origin.origin,
      headers: authorization,
    }
  return {
    dial: async (reading, signal) => {
      const socket = await connected(proxyPlace, { secureContext }, signal)
      await tunnelled(socket, `${origin.hostname}:${place.port}`, authorization, signal)
      return ready(secured(place, { socket, secureContext, reading }), signal)
    },
    prefix: '',
    headers: '',
  }
}

function placeOf({ hostname, port, protocol }: URL): Place {
  const isTls = protocol === 'https:'
  return { host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname, port: Number(port === '' ? (isTls ? 443 : 80) : port), isTls }
}

function proxyAuthorization({ username, password }: URL): string {
  if (username === '' && password === '') return ''
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  return `Proxy-Authorization: Basic ${credentials.toString('base64')}\r\n`
}

interface Means {
  readonly lookup?: CheckedLookup
  readonly secureContext: SecureContext | undefined
  readonly reading?: Reading
}

function connected(place: Place, means: Means, signal: AbortSignal): Promise<Socket> {
  const { lookup, reading } = means
  const target = { host: place.host, port: place.port, noDelay: true, lookup, onread: reading }
  return ready(place.isTls ? secured(place, { ...means, target }) : connectTcp(target), signal)
}

function secured(
  { host }: Place,
  { secureContext, socket, reading, target }: Means & { readonly socket?: Socket; readonly target?: object },
): Socket {
  const tls = connectTls({
    ...(target ?? { socket }),
    host,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 && { servername: host }),
    ...(secureContext !== undefined && { secureContext }),
  })
  if (socket === undefined) return tls
  socket.on('error', () => {})
  tls.once('close', () => socket.destroy())
  // A socket upon another gives its bytes as events alone.
  return reading === undefined ? tls : tls.on('data', (bytes: Buffer) => void reading.callback(bytes.length, bytes))
}

/** Resolves when the connection stands, its TLS included. */
function ready(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const event = 'encrypted' in socket ? 'secureConnect' : 'connect'
    const aborted = (): void => void socket.destroy(new OutboundFailed('closed', 'nobody waits for the connection any more'))
    const closed = (): void => reject(new OutboundFailed('reset', 'the connection was closed before it stood'))
    signal.addEventListener('abort', aborted, { once: true })
    socket.once('error', reject).once('close', closed)
    socket.once(event, () => {
      signal.removeEventListener('abort', aborted)
      socket.off('error', reject).off('close', closed)
      resolve(socket)
    })
    if (signal.aborted) aborted()
  })
}

/** Asks the proxy for a way to `authority` (RFC 9110, 9.3.6). */
async function tunnelled(socket: Socket, authority: string, headers: string, signal: AbortSignal): Promise<void> {
  const answer = new AnswerReader()
  answer.expect({ method: 'CONNECT', bodyBytesMax: 0 })
  const given = Promise.withResolvers<number>()
  const aborted = (): void => void socket.destroy(new OutboundFailed('closed', 'nobody waits for the connection any more'))
  const closed = (): void => {
    const status = answer.close()?.status
    if (status === undefined) given.reject(new OutboundFailed('reset', 'the proxy closed the connection'))
    else given.resolve(status)
  }
  const take = (bytes: Buffer): void => {
    try {
      const whole = answer.take(bytes)
      if (whole !== undefined) given.resolve(whole.status)
    } catch (error) {
      given.reject(error as Error)
    }
  }
  signal.addEventListener('abort', aborted, { once: true })
  socket.on('data', take).once('error', given.reject).once('close', closed)
  try {
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${headers}\r\n`, 'latin1')
    const status = await given.promise
    if (status < 200 || status > 299) throw new OutboundFailed('unreachable', `the proxy answered with status ${status}`)
  } catch (error) {
    socket.on('error', () => {}).destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', aborted)
    socket.off('data', take).off('error', given.reject).off('close', closed)
  }
}
