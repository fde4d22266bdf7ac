// Who is at the other end of a connection.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

export interface TlsFacts {
  readonly version: string
  readonly cipher: string
}

const MAPPED = '::ffff:'

export function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address
}

const tlsFacts = new WeakMap<Socket, TlsFacts>()

export function tlsOf(socket: Socket): TlsFacts | undefined {
  if (!('encrypted' in socket)) return undefined
  let facts = tlsFacts.get(socket)
  if (facts === undefined) {
    const { getProtocol, getCipher } = socket as TLSSocket
    facts = { version: getProtocol.call(socket) ?? '', cipher: getCipher.call(socket).standardName }
    tlsFacts.set(socket, facts)
  }
  return facts
}
