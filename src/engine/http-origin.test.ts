// Connections of HTTP requests over real sockets: when they are used again, and what becomes of requests when one fails.
import assert from 'node:assert/strict'
import { type AddressInfo, type Server, type Socket, connect as connectSocket, createServer } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type TestContext, test } from 'node:test'
import { createAuthority } from '../../tests/certificates.ts'
import { until } from '../../tests/until.ts'
import { SimulatedClock } from '../base/clock.ts'
import { CONNECTIONS_PER_ORIGIN } from './http-origin.ts'
import { type FailureReason, OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import { type Outbound, type OutboundOptions, createOutbound } from './outbound.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

function outbound(t: TestContext, options: Partial<OutboundOptions> = {}) {
  const clock = new SimulatedClock(0)
  const out = createOutbound({ clock, allow: ['127.0.0.0/8', '::1/128'], ...options })
  t.after(() => out.close())
  return { out, clock }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** `answer`: to the request of that number on the connection of that number, both from 0. */
async function receiver(t: TestContext, answer: (socket: Socket, request: number, connection: number) => void) {
  const requests: string[] = []
  let connections = 0
  const server = createServer((socket) => {
    const connection = connections++
    let request = 0
    socket.on('data', (bytes: Buffer) => {
      requests.push(bytes.toString())
      answer(socket, request++, connection)
    })
  })
  const port = await listening(t, server)
  return { url: `http://127.0.0.1:${port}/`, requests, connections: () => connections }
}

const post = (out: Outbound, url: string, isRepeatable = false) => out.request({ method: 'POST', url, body: 'x', isRepeatable })
const failsFor = (reason: FailureReason) => (error: unknown) => error instanceof OutboundFailed && error.reason === reason

test('a connection is used again as long as the other side keeps it, and one second less', async (t) => {
  let line = ''
  const { url, connections } = await receiver(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\n${line}Content-Length: 0\r\n\r\n`))
  const { out, clock } = outbound(t)
  const after = async (milliseconds: number): Promise<number> => {
    clock.advance(milliseconds)
    await post(out, url)
    return connections()
  }
  assert.deepEqual([await after(0), await after(3999), await after(4000)], [1, 1, 2])
  line = 'Keep-Alive: timeout=10\r\n'
  assert.deepEqual([await after(0), await after(8999), await after(9000)], [2, 2, 3])
  line = 'Connection: close\r\n'
  assert.deepEqual([await after(0), await after(0)], [3, 4])
})

test('a kept connection that turns out to be closed: what may come twice is sent again, the rest fails', async (t) => {
  const { url, requests, connections } = await receiver(t, (socket, request) =>
    request === 0 ? socket.write(OK) : socket.resetAndDestroy(),
  )
  const { out } = outbound(t)
  await post(out, url)
  assert.equal((await post(out, url, true)).status, 200)
  assert.deepEqual([requests.length, connections()], [3, 2])
  await assert.rejects(post(out, url), failsFor('reset'))
  assert.deepEqual([requests.length, connections()], [4, 2])
})

test('a connection that is closed on its first request, or within an answer, is not tried again', async (t) => {
  const { url, requests } = await receiver(t, (socket, request, connection) =>
    connection === 0 ? socket.end() : request === 0 ? socket.write(OK) : socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  )
  const { out } = outbound(t)
  await assert.rejects(post(out, url, true), failsFor('reset'))
  assert.equal((await post(out, url, true)).status, 200)
  await assert.rejects(post(out, url, true), failsFor('reset'))
  assert.equal(requests.length, 3)
})

test('a request that is given up ends its connection, and no other', async (t) => {
  const sockets: Socket[] = []
  const { url, connections } = await receiver(t, (socket) => void sockets.push(socket))
  const { out, clock } = outbound(t)
  const first = assert.rejects(post(out, url), failsFor('timeout'))
  clock.advance(1000)
  const second = post(out, url)
  await until('both', () => (sockets.length === 2 ? true : undefined))
  clock.advance(14_000)
  await first
  await until('the first is closed', () => sockets.some(({ destroyed }) => destroyed) || undefined)
  for (const socket of sockets) socket.write(OK)
  assert.equal((await second).status, 200)
  assert.equal(connections(), 2)
})

test('a request that is given up before it went out is not sent, and those beside it are', async (t) => {
  const { url, requests } = await receiver(t, (socket) => void socket.write(OK))
  const { out } = outbound(t)
  await Promise.all([post(out, url), post(out, url)])
  const abort = new AbortController()
  const given = assert.rejects(out.request({ method: 'POST', url, body: 'given up', signal: abort.signal }), failsFor('closed'))
  const kept = post(out, url)
  abort.abort()
  await given
  assert.equal((await kept).status, 200)
  assert.deepEqual([requests.length, requests.some((text) => text.includes('given up'))], [3, false])
})

test('a dripping answer ends with its deadline, and so does one that never ends its head', async (t) => {
  for (const drip of ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'HTTP/1.1 200 OK\r\nx: ']) {
    const { url } = await receiver(t, (socket) => {
      socket.write(drip)
      const more = (): void => {
        if (socket.destroyed) return
        socket.write('y')
        clock.advance(1000)
        setImmediate(more)
      }
      more()
    })
    const { out, clock } = outbound(t)
    await assert.rejects(post(out, url), failsFor('timeout'))
    assert.equal(clock.monotonic(), 15_000)
  }
})

test('an endpoint gets so many connections, and what is more waits for one', async (t) => {
  const waiting: Socket[] = []
  const { url, connections } = await receiver(t, (socket) => void waiting.push(socket))
  const { out } = outbound(t)
  const all = Array.from({ length: CONNECTIONS_PER_ORIGIN + 10 }, () => post(out, url))
  await until('the connections', () => (waiting.length === CONNECTIONS_PER_ORIGIN ? true : undefined))
  for (let answered = 0; answered < all.length; answered++) {
    const socket = await until('a request', () => waiting.shift())
    socket.write(OK)
  }
  assert.deepEqual([...new Set((await Promise.all(all)).map(({ status }) => status))], [200])
  assert.equal(connections(), CONNECTIONS_PER_ORIGIN)
})

test('an answer that comes before the request is out is an answer, and the connection is done with', async (t) => {
  const { url, connections } = await receiver(t, (socket, request, connection) => {
    if (request > 0) return
    if (connection === 0) socket.pause()
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n')
  })
  const { out } = outbound(t)
  assert.equal((await out.request({ method: 'PUT', url, body: Buffer.alloc(20 * 1024 * 1024) })).status, 413)
  await post(out, url)
  assert.equal(connections(), 2)
})

test('what nobody asked for ends the connection', async (t) => {
  const { url, connections } = await receiver(t, (socket) => socket.write(OK + OK))
  const { out } = outbound(t)
  await post(out, url)
  await post(out, url)
  assert.equal(connections(), 2)
})

test('headers go as they are or not at all, and those of the connection are its own', async (t) => {
  const { url, requests } = await receiver(t, (socket) => socket.write(OK))
  const { out } = outbound(t)
  const request = (headers: Record<string, string>) => out.request({ method: 'POST', url, headers })
  await request({ 'X-A': 'b\u00fc', Host: 'elsewhere', 'Transfer-Encoding': 'chunked', 'content-length': '9', connection: 'close' })
  const host = new URL(url).host
  assert.equal(requests[0], `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\nX-A: b\ufffd\r\nContent-Length: 0\r\n\r\n`)
  const broken: Record<string, string>[] = [
    { a: 'b\r\nc: d' },
    { a: 'b\u0000' },
    { 'a b': 'c' },
    { 'a:': 'c' },
    { a: '\u20ac' },
    { '': 'c' },
  ]
  for (const headers of broken) await assert.rejects(request(headers), OutboundRefused, JSON.stringify(headers))
  await assert.rejects(out.request({ method: 'GET /x HTTP/1.1\r\n', url }), OutboundRefused)
  assert.equal(requests.length, 1)
})

test('a body goes out in UTF-8 with its length in bytes', async (t) => {
  const { url, requests } = await receiver(t, (socket) => socket.write(OK))
  await outbound(t).out.request({ method: 'POST', url, body: 'h\u00e4llo \u{1f600}' })
  assert.match(requests[0] ?? '', /\r\nContent-Length: 11\r\n\r\nhällo 😀$/)
})

test('TLS through a proxy is verified for the host behind it; a proxy that refuses says so', async (t) => {
  const authority = createAuthority()
  const target = await listening(
    t,
    createTlsServer(authority.issue(), (request, response) => response.end(request.url)),
  )
  const asked: string[] = []
  let status = '200 OK'
  const proxy = createHttpServer().on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
    const onward = connectSocket(target, '127.0.0.1', () => {
      socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
      if (status.startsWith('2')) socket.pipe(onward).pipe(socket)
      else socket.end()
    })
    onward.on('error', () => {})
    socket.on('error', () => {})
  })
  const port = await listening(t, proxy)
  const { out } = outbound(t, { allow: [], proxy: `http://me:p%40ss@127.0.0.1:${port}`, ca: authority.cert })
  const get = (url: string) => out.request({ method: 'GET', url })
  assert.equal((await get('https://localhost/a')).body.toString(), '/a')
  assert.equal((await get('https://localhost/b')).body.toString(), '/b')
  assert.deepEqual(asked, [`localhost:443 Basic ${Buffer.from('me:p@ss').toString('base64')}`])
  await assert.rejects(get('https://other.example/'), failsFor('tls'))
  status = '403 Forbidden'
  await assert.rejects(get('https://third.example/'), failsFor('unreachable'))
})
