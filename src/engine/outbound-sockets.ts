// Outgoing connections for protocols that are not HTTP/1.1 (mail, SMPP, HTTP/2): each is made to an address that is checked, verified where
// it is TLS, counted, and ended when the server stops.
import { type LookupFunction, type Socket, connect as connectTcp, isIP } from 'node:net'
import { type SecureContext, connect as connectTls, createSecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import type { Networks } from './networks.ts'
import { OutboundFailed, OutboundRefused, failureOf } from './outbound-failure.ts'

export interface TlsTarget {
  /** What is offered by ALPN. */
  readonly protocols?: readonly string[]
  /** Of ours, as PEM, where the other side asks for one; with its private key. */
  readonly cert?: string
  readonly key?: string
}

export interface ConnectTarget {
  /** A name, or an address (one of IPv6 without brackets). */
  readonly host: string
  readonly port: number
  /** TLS from the first byte on, its certificate verified for `host`. */
  readonly tls?: TlsTarget
  /** Until the connection stands, TLS included. */
  readonly timeoutMs?: number
}

/** Resolves a name to addresses that may be connected to, or fails with OutboundRefused. */
export type CheckedLookup = LookupFunction

export interface Sockets {
  connect(target: ConnectTarget): Promise<Socket>
  close(): void
}

const CONNECT_TIMEOUT_MS = 10_000

export function createSockets(parts: {
  readonly clock: Clock
  readonly networks: Networks
  readonly lookup: CheckedLookup
  readonly secureContext: SecureContext | undefined
  /** PEM, of those that are trusted; undefined: the usual ones. */
  readonly authorities: readonly string[] | undefined
  readonly socketsMax: number
}): Sockets {
  const { clock, networks, lookup, secureContext, authorities, socketsMax } = parts
  const open = new Set<Socket>()
  let isClosed = false

  /** An address that is no name is not looked up: it is checked here, and once more on the socket. */
  const check = (address: string | undefined): void => {
    const refusal = address === undefined || isIP(address) === 0 ? undefined : networks.refusal(address)
    if (refusal !== undefined) throw new OutboundRefused(refusal)
  }

  const keep = (socket: Socket, below?: Socket): void => {
    open.add(socket)
    // Nobody may be listening any more when all are ended.
    socket.on('error', () => {})
    socket.once('close', () => {
      open.delete(socket)
      below?.destroy()
    })
    if (below !== undefined) open.delete(below)
  }

  const contextOf = ({ cert, key }: TlsTarget): SecureContext | undefined =>
    cert === undefined ? secureContext : createSecureContext({ cert, key, ...(authorities !== undefined && { ca: [...authorities] }) })

  return {
    async connect({ host, port, tls, timeoutMs = CONNECT_TIMEOUT_MS }) {
      if (isClosed) throw new OutboundFailed('closed', 'outgoing connections are closed')
      if (open.size >= socketsMax) throw new OutboundFailed('busy', `${open.size} connections are open already`)
      check(host)
      const made: Socket[] = []
      const timer = clock.after(timeoutMs, () => {
        for (const socket of made) socket.destroy(new OutboundFailed('timeout', `no connection within ${timeoutMs} ms`))
      })
      try {
        const plain = connectTcp({ host, port, lookup, noDelay: true })
        made.push(plain)
        keep(plain)
        await ready(plain, 'connect')
        check(plain.remoteAddress)
        if (tls === undefined) return plain
        const context = contextOf(tls)
        const secured = connectTls({
          socket: plain,
          host,
          rejectUnauthorized: true,
          ...(isIP(host) === 0 && { servername: host }),
          ...(context !== undefined && { secureContext: context }),
          ...(tls.protocols !== undefined && { ALPNProtocols: [...tls.protocols] }),
        })
        made.push(secured)
        keep(secured, plain)
        await ready(secured, 'secureConnect')
        return secured
      } catch (error) {
        for (const socket of made) socket.destroy()
        throw failureOf(error)
      } finally {
        timer.cancel()
      }
    },
    close() {
      isClosed = true
      for (const socket of open) socket.destroy(new OutboundFailed('closed', 'outgoing connections are closed'))
    },
  }
}

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new OutboundFailed('reset', 'the connection was closed before it stood'))
    socket.once('error', reject).once('close', closed)
    socket.once(event, () => {
      socket.off('error', reject).off('close', closed)
      resolve()
    })
  })
}
