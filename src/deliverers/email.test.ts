// Mail to real servers, and to servers that fail in every way there is; simulated time.
import assert from 'node:assert/strict'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { SMTPServerOptions } from 'smtp-server'
import { createAuthority } from '../../tests/certificates.ts'
import {
  elapse,
  letters,
  later,
  pending,
  publish,
  putQueue,
  putTopic,
  REDRIVE,
  subscribe,
  told,
  topicArn,
  type World,
  world,
} from '../../tests/delivery-world.ts'
import { type MailServer, answer, startMailServer } from '../../tests/mail-server.ts'
import { SimulatedClock } from '../base/clock.ts'
import type { DelivererParts, Outcome } from '../engine/deliverer.ts'
import { type Outbound, type OutboundOptions, createOutbound } from '../engine/outbound.ts'
import type { SmtpProvider } from '../engine/providers.ts'
import { createNotification, formatEnvelope } from '../model/notification.ts'
import { createMail } from './email.ts'

const authority = createAuthority()
const starttls: SMTPServerOptions = { ...authority.issue() }
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`
const ENVELOPE = {
  envelope: (notification: Parameters<typeof formatEnvelope>[0]) => Promise.resolve(formatEnvelope(notification, undefined)),
}

function providerAt(port: number, more: Partial<SmtpProvider> = {}): SmtpProvider {
  return { kind: 'smtp', host: 'localhost', port, isTls: false, needsTls: true, from: 'notifications@sealcast.test', ...more }
}

function outboundFor(t: TestContext, options: Partial<OutboundOptions> & Pick<OutboundOptions, 'clock'>): Outbound {
  const outbound = createOutbound({ allow: ['127.0.0.0/8', '::1/128'], ca: authority.cert, ...options })
  t.after(() => outbound.close())
  return outbound
}

interface Sending {
  readonly clock: SimulatedClock
  send(to?: string, message?: string): Promise<Outcome>
}

function sending(t: TestContext, provider: SmtpProvider, options: Partial<OutboundOptions> = {}): Sending {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 2))
  const outbound = outboundFor(t, { clock, ...options })
  const parts = { clock, outbound, providers: { email: provider }, tables: { get: () => undefined, range: () => [] } }
  const { email } = createMail(parts as unknown as DelivererParts)
  const header = { type: 'Notification', messageId: 'M', topicArn, publishedAt: clock.now() } as const
  return {
    clock,
    send: (endpoint = 'bob@example.com', message = 'text') =>
      email.deliver(
        {
          notification: createNotification(header, message, { protocol: 'email', subscriptionArn, baseUrl: 'http://sealcast' }),
          ...{ endpoint, raw: false },
        },
        { outbound, ...ENVELOPE, now: () => clock.now() },
      ),
  }
}

async function mailServer(t: TestContext, options: SMTPServerOptions = starttls): Promise<MailServer> {
  const server = await startMailServer(options)
  t.after(() => server.close())
  return server
}

/** Talks as it likes. */
async function plainServer(t: TestContext, talk: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('over STARTTLS and over TLS from the start, with a password and without', async (t) => {
  const onAuth: SMTPServerOptions['onAuth'] = ({ username = '', password }, _session, done) =>
    password === 'pass:wörd ' ? done(null, { user: username }) : done(answer(535, '5.7.8 no'))
  const credentials = { user: 'mailer', password: 'pass:wörd ' }
  const open = await mailServer(t)
  assert.deepEqual(await sending(t, providerAt(open.port)).send(), { kind: 'delivered', status: 250 })
  assert.deepEqual(
    [open.mails[0]?.isSecure, open.mails[0]?.from, open.mails[0]?.to],
    [true, 'notifications@sealcast.test', ['bob@example.com']],
  )
  const closed = await mailServer(t, { ...starttls, authOptional: false, onAuth })
  assert.deepEqual(await sending(t, providerAt(closed.port, { credentials })).send(), { kind: 'delivered', status: 250 })
  assert.equal(closed.mails[0]?.user, 'mailer')
  const implicit = await mailServer(t, { ...authority.issue(), secure: true, authOptional: false, onAuth })
  assert.deepEqual(await sending(t, providerAt(implicit.port, { isTls: true, credentials })).send(), { kind: 'delivered', status: 250 })
  assert.equal(implicit.mails[0]?.isSecure, true)
  // A wrong password is for the operator to mend: nothing is lost by it.
  const wrong = { user: 'mailer', password: 'x' }
  assert.deepEqual(await sending(t, providerAt(closed.port, { credentials: wrong })).send(), {
    ...{ kind: 'retry', reason: 'the mail server answered AUTH with 535 (5.7.8)', status: 535 },
  })
})

test('a server without TLS gets mails only where that is allowed, and never a password', async (t) => {
  const server = await mailServer(t, {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => done(null, { user: 'x' }),
  })
  const noTls = { kind: 'retry', status: 500, reason: 'the mail server answered STARTTLS with 500' }
  assert.equal((await sending(t, providerAt(server.port)).send()).kind, noTls.kind)
  assert.deepEqual(await sending(t, providerAt(server.port, { needsTls: false })).send(), { kind: 'delivered', status: 250 })
  assert.equal(server.mails.length, 1)
})

test('a certificate that does not hold ends it before a word is said', async (t) => {
  const foreign = await mailServer(t, { ...createAuthority('somebody else').issue(), secure: true })
  const starting = await mailServer(t, { ...createAuthority('somebody else').issue() })
  const reason = 'TLS to the mail server failed: certificate, protocol, or not offered'
  assert.deepEqual(await sending(t, providerAt(foreign.port, { isTls: true })).send(), { kind: 'retry', reason })
  assert.deepEqual(await sending(t, providerAt(starting.port)).send(), { kind: 'retry', reason })
  // Offered, and not to be had: mails do not go around it.
  assert.deepEqual(await sending(t, providerAt(starting.port, { needsTls: false })).send(), { kind: 'retry', reason })
  // Another name than the certificate's.
  const named = await mailServer(t)
  const lookup: OutboundOptions['lookup'] = (_host, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
  assert.deepEqual(await sending(t, providerAt(named.port, { host: 'mail.other.test' }), { lookup }).send(), { kind: 'retry', reason })
  assert.deepEqual([...foreign.mails, ...starting.mails, ...named.mails], [])
})

test('what the server answers of a mail for good ends it; what it answers for now, or of the session, does not', async (t) => {
  const cases: readonly (readonly [string, number, SMTPServerOptions, Outcome])[] = [
    [
      'RCPT TO',
      550,
      { onRcptTo: (_a, _s, done) => done(answer(550, '5.1.1 <bob@example.com> unknown')) },
      { kind: 'refused', reason: '5.1.1' },
    ],
    [
      'RCPT TO',
      450,
      { onRcptTo: (_a, _s, done) => done(answer(450, '4.2.0 greylisted, bob@example.com')) },
      { kind: 'retry', reason: '4.2.0' },
    ],
    ['DATA', 554, { onData: (_a, _s, done) => done(answer(554, '5.7.1 spam')) }, { kind: 'refused', reason: '5.7.1' }],
    ['DATA', 452, { onData: (_a, _s, done) => done(answer(452, '4.3.1 full')) }, { kind: 'retry', reason: '4.3.1' }],
    ['MAIL FROM', 550, { onMailFrom: (_a, _s, done) => done(answer(550, '5.7.1 not you')) }, { kind: 'retry', reason: '5.7.1' }],
    ['MAIL FROM', 552, { onMailFrom: (_a, _s, done) => done(answer(552, '5.3.4 too big')) }, { kind: 'refused', reason: '5.3.4' }],
    ['the connection', 554, { onConnect: (_s, done) => done(answer(554, 'go away')) }, { kind: 'retry', reason: '' }],
  ]
  for (const [step, status, options, { kind, ...told }] of cases) {
    const server = await mailServer(t, { ...starttls, ...options })
    const { reason: code } = told as { reason: string }
    const reason = `the mail server answered ${step} with ${status}${code === '' ? '' : ` (${code})`}`
    assert.deepEqual(await sending(t, providerAt(server.port)).send(), { kind, reason, status }, `${step} ${status}`)
  }
  const small = await mailServer(t, { ...starttls, size: 500 })
  assert.equal((await sending(t, providerAt(small.port)).send('bob@example.com', 'x'.repeat(1000))).kind, 'refused')
})

test('a server that refuses, resets, is none, hangs or drips is tried again', async (t) => {
  const gone = await plainServer(t, (socket) => socket.resetAndDestroy())
  assert.deepEqual(await sending(t, providerAt(gone)).send(), {
    ...{ kind: 'retry', reason: 'the mail server closed the connection before its answer' },
  })
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  assert.deepEqual(await sending(t, providerAt(port)).send(), { kind: 'retry', reason: 'the connection to the mail server was refused' })
  const web = await plainServer(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  assert.deepEqual(await sending(t, providerAt(web)).send(), { kind: 'retry', reason: 'what answered is no mail server' })
  const inside = await sending(t, providerAt(web, { host: '10.0.0.1' }), { allow: [] }).send()
  assert.ok(inside.kind === 'retry' && inside.reason.startsWith('the mail server may not be reached: 10.0.0.1 is a private address'))
  const late = { kind: 'retry', reason: 'the mail server did not answer in time' }
  const hangs: Readonly<Record<string, (socket: Socket) => void>> = {
    'says nothing': () => {},
    'hangs after its greeting': (socket) => socket.write('220 here\r\n'),
    drips: (socket) => {
      const drip = setInterval(() => socket.write('2'), 1)
      socket.on('close', () => clearInterval(drip))
    },
    'drips whole lines': (socket) => {
      const drip = setInterval(() => socket.write('220-still here\r\n'), 1)
      socket.on('close', () => clearInterval(drip))
    },
  }
  for (const [name, talk] of Object.entries(hangs)) {
    const met = Promise.withResolvers<void>()
    const here = sending(t, providerAt(await plainServer(t, (socket) => (talk(socket), met.resolve()))))
    const outcome = here.send()
    await met.promise
    for (let turn = 0; turn < 20; turn++) await later()
    here.clock.advance(14_000)
    assert.deepEqual(await outcome, late, name)
  }
})

test('mails take turns: ten connections at once, and who waits too long comes again', async (t) => {
  let connections = 0
  const port = await plainServer(t, () => connections++)
  const here = sending(t, providerAt(port))
  const outcomes = Array.from({ length: 12 }, () => here.send())
  while (connections < 10) await later()
  for (let turn = 0; turn < 20; turn++) await later()
  assert.equal(connections, 10)
  here.clock.advance(14_000)
  const reasons = (await Promise.all(outcomes)).map((outcome) => (outcome.kind === 'retry' ? outcome.reason : outcome.kind))
  assert.equal(reasons.filter((reason) => reason === 'too many mails are under way').length, 2)
})

test('texts, names and subjects arrive as they were given, in any script; nothing in them makes a header', async (t) => {
  const server = await mailServer(t)
  const { here } = await following(t, server)
  await putTopic(here, { DisplayName: 'Bestellungen "Grün", 注文 ✉' })
  await subscribe(here, 'bob@example.com', {}, { protocol: 'email' })
  const message = 'Grüße, 世界 \u{1f600}\n.\n..dots\r\nBcc: eve@example.com\n' + 'long '.repeat(400)
  await publish(here, message, { subject: 'Shipped: 3 items' })
  await until(here, () => server.mails.length > 0)
  const mail = await server.next('bob@example.com')
  assert.equal(mail.headers['subject'], 'Shipped: 3 items')
  assert.match(mail.headers['from'] ?? '', /^"?Bestellungen \\?"Grün\\?", 注文 ✉"? <notifications@sealcast\.test>$/)
  assert.equal(mail.text.replaceAll('\r\n', '\n').split('\n\n--\n')[0], message.replaceAll('\r\n', '\n'))
  const { 'list-unsubscribe': link = '', 'auto-submitted': auto, to, date, 'message-id': id = '' } = mail.headers
  assert.match(link, /^<http:\/\/sealcast\/\?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:[^>]*>$/)
  assert.ok(mail.raw.includes(`\r\nList-Unsubscribe: ${link}\r\n`), 'on one line')
  assert.deepEqual([auto, to, new Date(date ?? '').getTime()], ['auto-generated', 'bob@example.com', Date.UTC(2026, 0, 2)])
  assert.match(id, /^<message-\d+\.[0-9a-f-]{36}@sealcast\.test>$/)
  assert.deepEqual([mail.headers['bcc'], mail.to], [undefined, ['bob@example.com']])
})

async function until(here: World, isSo: () => boolean): Promise<void> {
  while (!isSo()) await elapse(here, 1)
}

/** The follower, with mail as its outside. */
async function following(t: TestContext, { port }: { readonly port: number }) {
  const made: { parts?: DelivererParts } = {}
  const parts = (): DelivererParts => made.parts ?? assert.fail('not yet')
  const deliverers = {
    email: {
      protocols: ['email'],
      validate: () => undefined,
      deliver: (...given: Parameters<ReturnType<typeof createMail>['email']['deliver']>) =>
        (mail ??= createMail(parts())).email.deliver(...given),
    },
  }
  let mail: ReturnType<typeof createMail> | undefined
  const here = await world(t, {}, { deliverers })
  const outbound = outboundFor(t, { clock: here.clock })
  made.parts = { ...here, outbound, providers: { email: providerAt(port) } } as unknown as DelivererParts
  return { here }
}

/** How a mail to a server ends that fails in one way, as the follower tells it. */
const ends: Readonly<
  Record<string, { readonly server: (t: TestContext) => Promise<number>; readonly reason: string; readonly isStalled?: true }>
> = {
  'refuses connections': {
    async server() {
      const free = createServer()
      await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
      const { port } = free.address() as AddressInfo
      await new Promise((resolve) => free.close(resolve))
      return port
    },
    reason: 'the connection to the mail server was refused',
  },
  'resets connections': {
    server: (t) => plainServer(t, (socket) => socket.resetAndDestroy()),
    reason: 'the mail server closed the connection before its answer',
  },
  hangs: { server: (t) => plainServer(t, () => {}), reason: 'the mail server did not answer in time', isStalled: true },
  'has a foreign certificate': {
    server: async (t) => (await mailServer(t, { ...createAuthority('somebody else').issue() })).port,
    reason: 'TLS to the mail server failed: certificate, protocol, or not offered',
  },
  'says not now': {
    server: async (t) =>
      (await mailServer(t, { ...starttls, onRcptTo: (_address, _session, done) => done(answer(451, 'bob@example.com')) })).port,
    reason: 'the mail server answered RCPT TO with 451',
  },
}

for (const [name, { server, reason, isStalled }] of Object.entries(ends))
  test(`a server that ${name} is tried again at the times of the policy`, async (t) => {
    const { here } = await following(t, { port: await server(t) })
    await subscribe(here, 'bob@example.com', {}, { protocol: 'email' })
    await publish(here, 'later')
    while (told(here).length < 3) {
      await elapse(here, isStalled === true ? 1000 : 1)
      const due = pending(here)[0]?.dueAt
      if (due !== undefined && due > here.clock.now()) await elapse(here, due - here.clock.now())
    }
    for (const { outcome, reason: given, endpoint, startedAt, durationMs, nextAttemptAt = 0 } of told(here).slice(0, 3)) {
      assert.deepEqual([outcome, given, endpoint], ['retry', reason, '***@example.com'])
      // "Amazon SNS message delivery retries": ten seconds at first, and up to a tenth more so that not all come at once.
      const pause = nextAttemptAt - startedAt - durationMs
      assert.ok(pause >= 9_990 && pause <= 11_010, `${pause} ms`)
    }
  })

test('an address that is refused for good is over at once; the dead letter is what was published', async (t) => {
  const server = await mailServer(t, { ...starttls, onRcptTo: (_address, _session, done) => done(answer(550, 'no bob@example.com')) })
  const { here } = await following(t, server)
  await putQueue(here)
  await subscribe(here, 'bob@example.com', REDRIVE, { protocol: 'email' })
  await publish(here, 'for nobody', { subject: 'subject' })
  await until(here, () => letters(here).length > 0)
  assert.deepEqual(
    told(here).map(({ outcome, status, reason }) => [outcome, status, reason]),
    [['dead-lettered', 550, 'the mail server answered RCPT TO with 550']],
  )
  const { Message, Subject } = JSON.parse(letters(here)[0]?.body ?? '') as Record<string, string>
  assert.deepEqual([Message, Subject], ['for nobody', 'subject'])
})

test('six hours of failures, and the mail is a dead letter', async (t) => {
  const { here } = await following(t, { port: await (ends['refuses connections'] ?? assert.fail('above')).server(t) })
  await putQueue(here)
  await subscribe(here, 'bob@example.com', REDRIVE, { protocol: 'email' })
  const from = here.clock.now()
  await publish(here, 'too late')
  while (letters(here).length === 0 && here.clock.now() - from < 9 * 3600_000) await elapse(here, 30_000)
  const hours = (here.clock.now() - from) / 3600_000
  assert.ok(hours > 5.5 && hours < 8, `${hours} hours`)
  assert.equal(told(here).at(-1)?.outcome, 'dead-lettered')
  assert.equal((JSON.parse(letters(here)[0]?.body ?? '') as { Message: string }).Message, 'too late')
})

test('what was subscribed waits for its provider; nothing new is', async () => {
  const { email } = createMail({ providers: { email: { kind: 'none' } } } as DelivererParts)
  const reason = 'nothing delivers email here: set email.provider to smtp (with email.smtpUrl and email.from) or to capture'
  assert.equal(email.unconfigured, `Protocol Reason: ${reason}`)
  const [attempt, tools] = [{}, {}] as unknown as Parameters<typeof email.deliver>
  assert.deepEqual(await email.deliver(attempt, tools), { kind: 'retry', reason })
})
