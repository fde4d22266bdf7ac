// Connections for protocols that are not HTTP/1.1, to servers on loopback.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Server, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { TLSSocket, createServer as createTlsServer } from 'node:tls'
import { createAuthority } from '../../tests/certificates.ts'
import { SimulatedClock, systemClock } from '../base/clock.ts'
import { OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import { type Outbound, type OutboundOptions, createOutbound } from './outbound.ts'

function outbound(t: TestContext, options: Partial<OutboundOptions> = {}): Outbound {
  const created = createOutbound({ clock: systemClock, allow: ['127.0.0.0/8', '::1/128'], ...options })
  t.after(() => created.close())
  return created
}

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const greeting = (): Server => createServer((socket) => socket.on('error', () => {}).end('hello'))
const failsFor = (reason: string) => (error: unknown) => error instanceof OutboundFailed && error.reason === reason
const isRefused = (error: unknown): boolean => error instanceof OutboundRefused

const authority = createAuthority()
const tlsServer = (): Server =>
  createTlsServer({ ...authority.issue(), ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => socket.on('error', () => {}).end('hello')).on(
    'tlsClientError',
    () => {},
  )

test('a connection stands to a name and to an address', async (t) => {
  const port = await listening(t, greeting())
  for (const host of ['localhost', '127.0.0.1']) {
    const socket = await outbound(t).connect({ host, port })
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    assert.equal(bytes.toString(), 'hello')
  }
})

test('inside addresses are refused, as addresses and behind names', async (t) => {
  const port = await listening(t, greeting())
  const out = outbound(t, { allow: [], lookup: (_host, done) => done(null, [{ address: '10.1.2.3', family: 4 }]) })
  await assert.rejects(out.connect({ host: '127.0.0.1', port }), isRefused)
  await assert.rejects(out.connect({ host: '::ffff:7f00:1', port }), isRefused)
  await assert.rejects(out.connect({ host: 'mail.example.com', port }), isRefused)
})

test('TLS is verified for the name, offers what it is told, and trusts the authorities of the configuration', async (t) => {
  const port = await listening(t, tlsServer())
  const socket = await outbound(t, { ca: authority.cert }).connect({ host: 'localhost', port, tls: { protocols: ['h2'] } })
  assert.ok(socket instanceof TLSSocket)
  assert.deepEqual([socket.authorized, socket.alpnProtocol], [true, 'h2'])
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  assert.equal(bytes.toString(), 'hello')
  await assert.rejects(outbound(t).connect({ host: 'localhost', port, tls: {} }), failsFor('tls'))
  const lookup: OutboundOptions['lookup'] = (_host, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
  await assert.rejects(outbound(t, { ca: authority.cert, lookup }).connect({ host: 'other.test', port, tls: {} }), failsFor('tls'))
})

test('who refuses, hangs or closes is told apart, and a handshake that hangs ends in time', async (t) => {
  const gone = createServer()
  const free = await listening(t, gone)
  await new Promise((resolve) => gone.close(resolve))
  await assert.rejects(outbound(t).connect({ host: '127.0.0.1', port: free }), failsFor('refused'))
  const silent = await listening(
    t,
    createServer((socket) => socket.on('error', () => {}).unref()),
  )
  const clock = new SimulatedClock(0)
  const hung = outbound(t, { clock }).connect({ host: '127.0.0.1', port: silent, tls: {}, timeoutMs: 3000 })
  while (clock.nextTimerAt() === undefined) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(3000)
  await assert.rejects(hung, failsFor('timeout'))
  const closing = await listening(
    t,
    createServer((socket) => socket.destroy()),
  )
  await assert.rejects(outbound(t).connect({ host: '127.0.0.1', port: closing, tls: {} }), failsFor('reset'))
})

test('connections are bounded, and all end at the close', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => socket.on('error', () => {})),
  )
  const out = outbound(t, { socketsMax: 2 })
  const sockets = [await out.connect({ host: '127.0.0.1', port }), await out.connect({ host: '127.0.0.1', port })]
  await assert.rejects(out.connect({ host: '127.0.0.1', port }), failsFor('busy'))
  sockets[0]?.destroy()
  await once(sockets[0] ?? assert.fail('two'), 'close')
  sockets.push(await out.connect({ host: '127.0.0.1', port }))
  const ends = sockets.slice(1).map((socket) => once(socket, 'error'))
  await out.close()
  for (const [error] of await Promise.all(ends)) assert.ok(failsFor('closed')(error))
  await assert.rejects(out.connect({ host: '127.0.0.1', port }), failsFor('closed'))
})
