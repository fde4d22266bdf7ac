// The server over real sockets: what reaches the handler, and what a client sees when things go wrong.
import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, Agent, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import test, { type TestContext } from 'node:test'
import { SimulatedClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { createCertificate } from '../engine/certificate.ts'
import { WIRE } from '../model/limits.ts'
import type { HttpResponse } from './answer.ts'
import { createHttpServer, type HttpRequest, type HttpServerOptions } from './http.ts'
import { LARGE_BODY_BYTES } from './large-turns.ts'

const KIB = 1024

interface World {
  readonly port: number
  readonly clock: SimulatedClock
  readonly server: ReturnType<typeof createHttpServer>
  readonly send: (method: string, path: string, body?: string | Buffer, headers?: Record<string, string | number>) => Promise<Answer>
}
interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function start(t: TestContext, options: Partial<HttpServerOptions> = {}): Promise<World> {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1))
  const server = createHttpServer({
    handler: async (request) => ({
      status: 200,
      headers: { 'x-path': request.path, 'x-query': request.query },
      body: await textOf(request),
    }),
    admit: ({ path }) => (path.startsWith('/stream') ? 'stream' : 'collect'),
    refuse: (_, error) => ({ status: error.status, headers: { ...error.headers }, body: error.code }),
    clock,
    log: silentLog,
    ...options,
    limits: { bodyBytesMax: 64 * KIB, bodyBytesInFlightMax: 128 * KIB, ...options.limits },
  })
  const port = await server.listen(0, '127.0.0.1')
  const agent = new Agent({ keepAlive: true })
  t.after(async () => {
    agent.destroy()
    const closed = server.close(1)
    clock.advance(10)
    await closed
  })
  const send: World['send'] = (method, path, body = '', headers = {}) =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
        void collect(response).then((text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }), reject)
      })
      request.on('error', reject)
      request.end(body)
    })
  return { port, clock, server, send }
}

async function textOf({ body, stream }: HttpRequest): Promise<string> {
  return body === undefined ? collect(stream as AsyncIterable<Uint8Array>) : body.toString()
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function open(port: number, text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return { socket, received: () => received }
}

/** Resolves once what was received holds `text`. */
async function until(connection: { socket: Socket; received: () => string }, text: string): Promise<void> {
  while (!connection.received().includes(text)) await once(connection.socket, 'data')
}

test('a body arrives whole, with path and query as they were sent', async (t) => {
  const { send } = await start(t)
  const { status, headers, body } = await send('POST', '/a%20b/?c=d%26&e', 'x'.repeat(40 * KIB))
  assert.equal(status, 200)
  assert.equal(headers['x-path'], '/a%20b/')
  assert.equal(headers['x-query'], 'c=d%26&e')
  assert.equal(body.length, 40 * KIB)
  assert.equal((await send('GET', '/')).body, '')
})

test('a body beyond the limit is refused, whether its length is declared or not', async (t) => {
  const { send, server } = await start(t)
  const large = Buffer.alloc(65 * KIB)
  assert.deepEqual(await bodyOf(send('POST', '/', large)), [413, 'RequestEntityTooLarge'])
  assert.deepEqual(await bodyOf(send('POST', '/', large, { 'transfer-encoding': 'chunked' })), [413, 'RequestEntityTooLarge'])
  assert.deepEqual(await bodyOf(send('POST', '/', Buffer.alloc(64 * KIB, 'a'), { 'transfer-encoding': 'chunked' })), [
    200,
    'a'.repeat(64 * KIB),
  ])
  assert.equal(server.bodyBytes, 0)
})

test('beyond the budget for all bodies the server says when to come back', async (t) => {
  const { send, port, server } = await start(t, { limits: { bodyBytesMax: 100, bodyBytesInFlightMax: 150 } })
  const slow = await open(port, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc')
  const other = await open(port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await until(other, '200 OK')
  const refused = await send('POST', '/', 'x'.repeat(60))
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await send('POST', '/', 'x'.repeat(50))).status, 200)
  slow.socket.write('x'.repeat(97))
  await until(slow, '200 OK')
  assert.equal((await send('POST', '/', 'x'.repeat(60))).status, 200)
  assert.equal(server.bodyBytes, 0)
  slow.socket.destroy()
  other.socket.destroy()
})

test('a client that goes away gives its bytes back', async (t) => {
  const { port, server, send } = await start(t)
  const { socket } = await open(port, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc')
  while (server.bodyBytes === 0) await send('GET', '/')
  socket.destroy()
  while (server.bodyBytes > 0 || server.inFlight > 0) await send('GET', '/')
})

test('a body that does not come is given up after its time', async (t) => {
  const { port, clock, server, send } = await start(t)
  const connection = await open(port, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc')
  while (server.bodyBytes === 0) await send('GET', '/')
  clock.advance(WIRE.bodyTimeoutMs - 5000)
  await send('GET', '/')
  assert.equal(connection.received(), '')
  clock.advance(10_000)
  await until(connection, 'RequestTimeout')
  assert.match(connection.received(), /^HTTP\/1.1 400 /)
  assert.equal(server.bodyBytes, 0)
})

test('100 Continue comes when the body is wanted, and not when it is refused', async (t) => {
  const { port } = await start(t, {
    handler: async (request) => {
      if (request.path === '/stream/no') return { status: 403, headers: {}, body: 'no' }
      return { status: 200, headers: {}, body: `got ${await textOf(request)}` }
    },
  })
  const head = (path: string, length = 3) => `PUT ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`
  for (const path of ['/', '/stream/yes']) {
    const accepted = await open(port, head(path))
    await until(accepted, '100 Continue')
    accepted.socket.write('abc')
    await until(accepted, 'got abc')
    accepted.socket.destroy()
  }
  for (const refused of [await open(port, head('/', 1_000_000)), await open(port, head('/stream/no'))]) {
    await once(refused.socket, 'close')
    assert.match(refused.received(), /^HTTP\/1.1 (?:413|403) /)
    assert.doesNotMatch(refused.received(), /100 Continue/)
  }
})

test('an upload that is refused while it comes still gets its answer', async (t) => {
  const { send } = await start(t, {
    handler: async ({ stream }) => {
      for await (const _ of stream ?? []) return { status: 400, headers: {}, body: 'enough' }
      return { status: 200, headers: {}, body: '' }
    },
  })
  const answer = await send('PUT', '/stream', Buffer.alloc(300 * KIB))
  assert.deepEqual([answer.status, answer.body], [400, 'enough'])
})

test('a stream of a client that goes away fails instead of ending', async (t) => {
  let failure: unknown
  const seen = Promise.withResolvers<undefined>()
  const failed = Promise.withResolvers<undefined>()
  const { port } = await start(t, {
    async handler({ stream }): Promise<HttpResponse> {
      try {
        for await (const _ of stream ?? []) seen.resolve(undefined)
      } catch (error) {
        failure = error
        failed.resolve(undefined)
      }
      return { status: 200, headers: {}, body: '' }
    },
  })
  const { socket } = await open(port, 'PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc')
  await seen.promise
  socket.destroy()
  await failed.promise
  assert.equal((failure as { code?: string }).code, 'IncompleteBody')
})

test('answers: streams, HEAD without a body, and bytes', async (t) => {
  const { send } = await start(t, {
    handler: ({ path }) => ({
      status: 200,
      headers: {},
      body: path === '/stream' ? Readable.from([Buffer.from('ab'), Buffer.from('c')]) : path === '/bytes' ? Buffer.from('abc') : 'äbc',
    }),
  })
  assert.equal((await send('GET', '/stream')).body, 'abc')
  assert.equal((await send('GET', '/bytes')).body, 'abc')
  const text = await send('GET', '/')
  assert.deepEqual([text.body, text.headers['content-length']], ['äbc', '4'])
  const head = await send('HEAD', '/bytes')
  assert.deepEqual([head.body, head.headers['content-length']], ['', '3'])
})

test('a handler that throws answers 500 and the connection lives on', async (t) => {
  const { send } = await start(t, {
    handler(request) {
      if (request.path === '/sync') throw new Error('sync')
      return request.path === '/async' ? Promise.reject(new Error('async')) : { status: 200, headers: {}, body: 'fine' }
    },
  })
  assert.deepEqual(await bodyOf(send('GET', '/sync')), [500, 'InternalFailure'])
  assert.deepEqual(await bodyOf(send('GET', '/async')), [500, 'InternalFailure'])
  assert.deepEqual(await bodyOf(send('GET', '/')), [200, 'fine'])
})

test('what is no HTTP, and too much of it, is answered and cut', async (t) => {
  const { port, send } = await start(t, { limits: { headerBytesMax: 4 * KIB, urlBytesMax: KIB } })
  for (const [text, status] of [
    ['NONSENSE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(5 * KIB)}\r\n\r\n`, 431],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ] as const) {
    const connection = await open(port, text)
    await once(connection.socket, 'close')
    assert.match(connection.received(), new RegExp(`^HTTP/1.1 ${status} `))
  }
  assert.equal((await send('GET', `/?${'x'.repeat(2 * KIB)}`)).status, 414)
})

test('closing finishes what is in flight and accepts nothing new', async (t) => {
  const begun = Promise.withResolvers<undefined>()
  const finish = Promise.withResolvers<undefined>()
  const { port, server } = await start(t, {
    async handler() {
      begun.resolve(undefined)
      await finish.promise
      return { status: 200, headers: {}, body: 'finished' }
    },
  })
  const connection = await open(port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await begun.promise
  assert.equal(server.inFlight, 1)
  const closed = server.close(60_000)
  const late = connect(port, '127.0.0.1')
  await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' })
  finish.resolve(undefined)
  await closed
  await until(connection, 'finished').catch(() => {})
  assert.match(connection.received(), /Connection: close[\s\S]*finished$/i)
})

test('TLS: the request says what was negotiated, and a new certificate needs no restart', async (t) => {
  const { port, server } = await start(t, {
    tls: material('one.test', 1),
    handler: ({ tls }) => ({ status: 200, headers: {}, body: JSON.stringify(tls) }),
  })
  const ask = async (): Promise<{ subject: string | undefined; answer: string }> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const subject = socket.getPeerCertificate().subject.CN
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    return { subject: typeof subject === 'string' ? subject : subject?.[0], answer: await collect(socket) }
  }
  const first = await ask()
  assert.equal(first.subject, 'one.test')
  assert.match(first.answer, /"version":"TLSv1.3","cipher":"TLS_/)
  server.renewTls(material('two.test', 2))
  assert.equal((await ask()).subject, 'two.test')
})

function material(commonName: string, serial: number): { readonly cert: string; readonly key: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const cert = createCertificate({
    commonName,
    subjectKey: privateKey,
    serial: Buffer.alloc(16, serial),
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2099, 0, 1),
  })
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

for (const tls of [undefined, material('large.test', 1)])
  test(`large bodies arrive as they were sent, hashed on the way, ${tls === undefined ? 'plain' : 'over TLS'}`, async (t) => {
    const { port } = await start(t, {
      tls,
      handler: ({ body, bodySha256 }) => ({ status: 200, headers: {}, body: `${bodySha256} ${hash('sha256', body ?? '', 'hex')}` }),
      limits: { bodyBytesMax: 4 * KIB * KIB, bodyBytesInFlightMax: 16 * KIB * KIB },
    })
    const post = (bytes: Buffer): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { port, host: '127.0.0.1', method: 'POST', rejectUnauthorized: false }
        const send = tls === undefined ? httpRequest : httpsRequest
        const request = send(options, (response) => void collect(response).then(resolve, reject))
        request.on('error', reject)
        request.end(bytes)
      })
    const bodies = [LARGE_BODY_BYTES, LARGE_BODY_BYTES + 1, KIB * KIB, 4 * KIB * KIB].map((length) => randomBytes(length))
    for (const [at, answer] of (await Promise.all(bodies.map(post))).entries()) {
      const own = hash('sha256', bodies[at] ?? '', 'hex')
      assert.equal(answer, `${at === 0 ? undefined : own} ${own}`)
    }
  })

test('a large request whose client goes away while it waits for its turn is not handled', async (t) => {
  const handled: string[] = []
  const { port, clock, server, send } = await start(t, {
    handler: ({ path }) => (handled.push(path), { status: 200, headers: {}, body: '' }),
    limits: { bodyBytesMax: 256 * KIB, bodyBytesInFlightMax: KIB * KIB },
  })
  const large = 'x'.repeat(LARGE_BODY_BYTES + 1)
  await send('POST', '/first', large)
  await send('POST', '/small', 'x')
  const gone = await open(port, `POST /gone HTTP/1.1\r\nHost: h\r\nContent-Length: ${large.length}\r\n\r\n${large}`)
  while (server.bodyBytes < large.length) await send('GET', '/')
  const last = send('POST', '/last', large)
  while (server.inFlight < 2) await send('GET', '/')
  gone.socket.destroy()
  while (server.inFlight > 1) await send('GET', '/')
  clock.advance(1000)
  await last
  assert.deepEqual(
    handled.filter((path) => path !== '/'),
    ['/first', '/small', '/last'],
  )
})

async function bodyOf(answer: Promise<Answer>): Promise<[number, string]> {
  const { status, body } = await answer
  return [status, body]
}

for (const end of ['the client goes', 'the server closes'] as const) {
  test(`patience is over when ${end}, and for nobody before`, async (t) => {
    const waits: { over: boolean }[] = []
    const { port, server, clock, send } = await start(t, {
      handler: ({ patience, path }) =>
        new Promise((resolve) => {
          const wait = { over: false }
          waits.push(wait)
          const answer = () => resolve({ status: 200, headers: {}, body: String(patience?.isOver) })
          if (path === '/at-once') return answer()
          const stop = patience?.onceOver(() => assert.fail('nobody listens any more'))
          stop?.()
          patience?.onceOver(() => {
            wait.over = true
            answer()
          })
        }),
    })
    assert.equal((await send('POST', '/at-once')).body, 'false')
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    while (waits.length < 2) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(waits[1]?.over, false)
    if (end === 'the client goes') {
      socket.destroy()
      while (server.inFlight > 0) await new Promise((resolve) => setImmediate(resolve))
    } else {
      const closed = server.close(10_000)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*connection: close[^]*true$/i)
      clock.advance(1)
      await closed
    }
    assert.equal(waits[1]?.over, true)
  })
}
