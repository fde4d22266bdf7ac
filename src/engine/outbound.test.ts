import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type IncomingMessage, type RequestListener, type Server, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect as connectSocket, createServer as createSocketServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { SimulatedClock, systemClock } from '../base/clock.ts'
import { createCertificate } from './certificate.ts'
import { type FailureReason, OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import { type Outbound, type OutboundOptions, createOutbound } from './outbound.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']

function outbound(t: TestContext, options: Partial<OutboundOptions> = {}): Outbound {
  const created = createOutbound({ clock: systemClock, allow: LOOPBACK, ...options })
  t.after(() => created.close())
  return created
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const http = (t: TestContext, answer: RequestListener): Promise<number> => listen(t, createServer(answer))

function failsWith(reason: FailureReason): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OutboundFailed, String(error))
    assert.equal(error.reason, reason, error.message)
    return true
  }
}

test('a request arrives as it was given, and its answer comes back; the connection is used again', async (t) => {
  const seen: { request: IncomingMessage; body: string; port: number | undefined }[] = []
  const port = await http(t, (request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      seen.push({ request, body, port: request.socket.remotePort })
      response.writeHead(201, { 'x-a': '1', 'set-cookie': ['a', 'b'] }).end('done')
    })
  })
  const out = outbound(t)
  const url = `http://user:secret@127.0.0.1:${port}/path?q=1`
  const answer = await out.request({ method: 'POST', url, headers: { 'Content-Type': 'text/plain', 'x-b': 'ü' }, body: 'hällo' })
  await new Promise((resolve) => setImmediate(resolve))
  await out.request({ method: 'GET', url })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['x-a'], '1')
  assert.equal(answer.headers['set-cookie'], 'a, b')
  assert.equal(answer.body.toString(), 'done')
  const [first, second] = seen
  assert.equal(first?.request.url, '/path?q=1')
  assert.equal(first.request.headers.host, `127.0.0.1:${port}`)
  assert.equal(first.request.headers['content-length'], '6')
  assert.equal(first.request.headers.authorization, undefined)
  assert.equal(first.body, 'hällo')
  assert.equal(first.port, second?.port)
})

test('redirects are answers, not orders', async (t) => {
  let calls = 0
  const port = await http(t, (_, response) => {
    calls++
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end()
  })
  assert.equal((await outbound(t).request({ method: 'POST', url: `http://127.0.0.1:${port}/`, body: '' })).status, 302)
  assert.equal(calls, 1)
})

test('inside addresses are refused in every spelling, before a socket is opened', async (t) => {
  let connections = 0
  const server = createServer().on('connection', () => connections++)
  const port = await listen(t, server)
  const out = outbound(t, { allow: [] })
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    'localhost',
    '0.0.0.0',
    '[::]',
  ])
    await assert.rejects(out.request({ method: 'GET', url: `http://${host}:${port}/` }), OutboundRefused, host)
  assert.equal(connections, 0)
  await assert.rejects(
    out.request({ method: 'GET', url: `http://127.0.0.1:${port}/` }),
    /127\.0\.0\.1 .*outbound\.allow: \["127\.0\.0\.0\/8"\]/,
  )
})

test('metadata addresses are refused although their network is allowed', async (t) => {
  const out = outbound(t, { allow: ['169.254.0.0/16', 'fd00::/8'] })
  for (const host of ['169.254.169.254', '[fd00:ec2::254]', '[::ffff:169.254.169.254]', '0xa9fea9fe'])
    await assert.rejects(
      out.request({ method: 'GET', url: `http://${host}/latest/meta-data/` }),
      /outbound\.allow: \["[^"]*\/(32|128)"\]/,
      host,
    )
})

test('a name is judged by the address of each connection, so rebinding leads nowhere', async (t) => {
  let connections = 0
  const server = createServer((_, response) => void response.writeHead(200, { connection: 'close' }).end())
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  let lookups = 0
  const out = outbound(t, {
    allow: ['127.0.0.1/32'],
    lookup: (_, done) => done(null, [{ address: ++lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]),
  })
  const request = () => out.request({ method: 'GET', url: `http://rebind.example:${port}/` })
  assert.equal((await request()).status, 200)
  assert.equal(lookups, 1)
  await assert.rejects(request(), /^OutboundRefused: rebind\.example: 127\.0\.0\.2 is a loopback address/)
  assert.equal(connections, 1)
})

test('of a name with several addresses only the permitted ones are used', async (t) => {
  const port = await http(t, (_, response) => response.end('here'))
  const out = outbound(t, {
    lookup: (_, done) =>
      done(null, [
        { address: '10.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]),
  })
  assert.equal((await out.request({ method: 'GET', url: `http://mixed.example:${port}/` })).body.toString(), 'here')
})

test('no answer in time is a timeout, from the clock that was handed in', async (t) => {
  const clock = new SimulatedClock(0)
  const arrived = Promise.withResolvers<void>()
  const port = await http(t, () => arrived.resolve())
  const request = assert.rejects(
    outbound(t, { clock }).request({ method: 'GET', url: `http://127.0.0.1:${port}/`, timeoutMs: 15_000 }),
    failsWith('timeout'),
  )
  await arrived.promise
  clock.advance(15_000)
  await request
})

test('an answer that starts and does not end is a timeout too', async (t) => {
  const clock = new SimulatedClock(0)
  const port = await http(t, (_, response) => {
    response.writeHead(200).write('part')
    setImmediate(() => clock.advance(15_000))
  })
  await assert.rejects(outbound(t, { clock }).request({ method: 'GET', url: `http://127.0.0.1:${port}/` }), failsWith('timeout'))
})

test('an endless answer is cut', async (t) => {
  const port = await http(t, (_, response) => {
    const more = (): void => {
      let goesOn = true
      while (goesOn && !response.destroyed) goesOn = response.write(Buffer.alloc(10_000))
    }
    response.on('drain', more)
    more()
  })
  const answer = await outbound(t).request({ method: 'GET', url: `http://127.0.0.1:${port}/`, maxResponseBytes: 1000 })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.length, 1000)
})

test('each way to fail has its reason', async (t) => {
  const out = outbound(t, {
    lookup: (host, done) =>
      host === 'empty.example' ? done(null, []) : done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []),
  })
  const resetting = createSocketServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
  const babbling = createSocketServer((socket) => socket.once('data', () => socket.end('this is not HTTP\r\n\r\n')))
  const ports = await Promise.all(
    [resetting, babbling].map((server) => {
      t.after(() => server.close())
      return new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
    }),
  )
  const gone = await http(t, () => {})
  const closing = createServer()
  const closedPort = await new Promise<number>((resolve) =>
    closing.listen(0, '127.0.0.1', () => resolve((closing.address() as AddressInfo).port)),
  )
  await new Promise((resolve) => closing.close(resolve))
  assert.notEqual(gone, closedPort)
  const request = (url: string) => out.request({ method: 'GET', url })
  await assert.rejects(request(`http://127.0.0.1:${closedPort}/`), failsWith('refused'))
  await assert.rejects(request(`http://127.0.0.1:${ports[0]}/`), failsWith('reset'))
  await assert.rejects(request(`http://127.0.0.1:${ports[1]}/`), failsWith('protocol'))
  await assert.rejects(request('http://nowhere.example/'), failsWith('dns'))
  await assert.rejects(request('http://empty.example/'), failsWith('dns'))
  await assert.rejects(request(`https://127.0.0.1:${gone}/`), failsWith('tls'))
  await assert.rejects(request('ftp://127.0.0.1/'), OutboundRefused)
})

test('TLS: a certificate of the configured authority for the right host passes, everything else fails', async (t) => {
  const { privateKey: authorityKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const [notBefore, notAfter] = [Date.UTC(2020, 0, 1), Date.UTC(2049, 11, 31)]
  const ca = createCertificate({
    commonName: 'authority',
    subjectKey: authorityKey,
    isAuthority: true,
    serial: Buffer.from([1]),
    notBefore,
    notAfter,
  })
  const issue = (hosts: string[], until = notAfter): string =>
    createCertificate({
      commonName: 'receiver',
      hosts,
      subjectKey: publicKey,
      issuer: { commonName: 'authority', key: authorityKey },
      serial: Buffer.from([2]),
      notBefore,
      notAfter: until,
    })
  const serve = (cert: string): Promise<number> =>
    listen(
      t,
      createTlsServer({ key, cert }, (_, response) => response.end('secret')),
    )
  const [good, other, expired] = await Promise.all([
    serve(issue(['127.0.0.1'])),
    serve(issue(['127.0.0.2'])),
    serve(issue(['127.0.0.1'], Date.UTC(2021, 0, 1))),
  ])
  const out = outbound(t, { ca })
  const request = (by: Outbound, port: number) => by.request({ method: 'GET', url: `https://127.0.0.1:${port}/` })
  assert.equal((await request(out, good)).body.toString(), 'secret')
  await assert.rejects(request(out, other), failsWith('tls'))
  await assert.rejects(request(out, expired), failsWith('tls'))
  await assert.rejects(request(outbound(t), good), failsWith('tls'))
})

test('the number of origins is bounded: idle ones give way, busy ones do not', async (t) => {
  const waiting: (() => void)[] = []
  const answer: RequestListener = (request, response) =>
    request.url === '/hang' ? void waiting.push(() => response.end()) : void response.end()
  const ports = await Promise.all(Array.from({ length: 3 }, () => http(t, answer)))
  const out = outbound(t, { originsMax: 2 })
  for (const port of ports) await out.request({ method: 'GET', url: `http://127.0.0.1:${port}/` })
  assert.equal(out.origins, 2)
  const busy = ports.slice(0, 2).map((port) => out.request({ method: 'GET', url: `http://127.0.0.1:${port}/hang` }))
  await assert.rejects(out.request({ method: 'GET', url: `http://127.0.0.1:${ports[2]}/` }), failsWith('busy'))
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
  for (const end of waiting) end()
  await Promise.all(busy)
  assert.equal((await out.request({ method: 'GET', url: `http://127.0.0.1:${ports[2]}/` })).status, 200)
})

test('close ends what is in flight and refuses what comes after', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const port = await http(t, () => arrived.resolve())
  const out = createOutbound({ clock: systemClock, allow: LOOPBACK })
  const hanging = assert.rejects(out.request({ method: 'GET', url: `http://127.0.0.1:${port}/` }), failsWith('closed'))
  await arrived.promise
  await out.close()
  await hanging
  await assert.rejects(out.request({ method: 'GET', url: `http://127.0.0.1:${port}/` }), failsWith('closed'))
})

test('a configured proxy carries the requests; addresses in URLs are judged all the same', async (t) => {
  const target = await http(t, (_, response) => response.end('through'))
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('through')
  }).on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`)
    const onward = connectSocket(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
  })
  const port = await listen(t, proxy)
  const out = outbound(t, { allow: [], proxy: `http://me:pass@127.0.0.1:${port}` })
  assert.equal((await out.request({ method: 'GET', url: 'http://somewhere.example/' })).body.toString(), 'through')
  assert.equal(asked.length, 1)
  await assert.rejects(out.request({ method: 'GET', url: 'http://10.0.0.1/' }), OutboundRefused)
})
