// Mail through a whole server and a real mail server with STARTTLS and a password: confirmed by the link in the mail, unsubscribed by the
// link in its header.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { createAuthority } from './certificates.ts'
import { type MailServer, answer, startMailServer } from './mail-server.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder, type TestServer } from './server.ts'

const PASSWORD = 'planted-password-Zu7fPq3LmX'
const folder = temporaryFolder()
const authority = createAuthority()
let mails: MailServer
let server: TestServer
let sns: SNS

before(async () => {
  mails = await startMailServer({
    ...authority.issue(),
    authOptional: false,
    onAuth: ({ username, password }, _session, done) =>
      username === 'mailer' && password === PASSWORD ? done(null, { user: username }) : done(answer(535, 'no')),
  })
  writeFileSync(join(folder.path, 'ca.pem'), authority.cert)
  writeFileSync(join(folder.path, 'password'), `${PASSWORD}\n`)
  const settings = {
    'email.provider': 'smtp',
    'email.smtpUrl': `smtp://localhost:${mails.port}`,
    'email.from': 'notifications@sealcast.test',
    'email.user': 'mailer',
    'email.passwordFile': join(folder.path, 'password'),
    'outbound.caFile': join(folder.path, 'ca.pem'),
  }
  server = await startTestServer({
    data: join(folder.path, 'data'),
    words: Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  })
  sns = new SNS(clientConfig(server.url))
})
after(async () => {
  await server.stop()
  await mails.close()
  folder.remove()
})

const linkIn = (text: string, action: string): string =>
  new RegExp(`${server.url}/\\?Action=${action}[^\\s>]*`).exec(text)?.[0] ?? assert.fail(`no ${action} in ${text}`)

test('an address is asked, confirms by the link, gets what is published, and leaves by one click', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'orders', Attributes: { DisplayName: 'Orders & more' } })
  const subscribed = await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'bob@example.com' })
  assert.equal(subscribed.SubscriptionArn, 'pending confirmation')
  const asked = await mails.next('bob@example.com')
  assert.equal(asked.headers['subject'], 'AWS Notification - Subscription Confirmation')
  assert.match(asked.headers['from'] ?? '', /^AWS Notifications </)
  assert.match(asked.text, new RegExp(`^You have chosen to subscribe to the topic:\r?\n${TopicArn}\r?\n`))
  assert.equal(asked.headers['list-unsubscribe'], undefined)
  await sns.publish({ TopicArn, Message: 'too early' })
  const confirmed = await fetch(linkIn(asked.text, 'ConfirmSubscription'))
  assert.equal(confirmed.status, 200)
  const [, SubscriptionArn = ''] = /<SubscriptionArn>([^<]*)</.exec(await confirmed.text()) ?? []
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn })
  assert.deepEqual([Attributes?.['PendingConfirmation'], Attributes?.['ConfirmationWasAuthenticated']], ['false', 'false'])
  const { MessageId = '' } = await sns.publish({ TopicArn, Subject: 'Shipped', Message: 'It is on its way ✉' })
  const mail = await mails.next('bob@example.com')
  assert.deepEqual([mail.headers['subject'], mail.isSecure, mail.user], ['Shipped', true, 'mailer'])
  assert.match(mail.headers['from'] ?? '', /^"?Orders & more"? <notifications@sealcast\.test>$/)
  assert.match(mail.text, /^It is on its way ✉\r?\n\r?\n--\r?\nIf you wish to stop receiving notifications from this topic, please click/)
  assert.equal(mail.headers['x-amz-sns-message-id'], MessageId)
  // RFC 8058: a POST with this body, nothing asked.
  const link = linkIn(mail.headers['list-unsubscribe'] ?? '', 'Unsubscribe')
  assert.ok(mail.text.includes(link))
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await fetch(link, { method: 'POST', headers, body: 'List-Unsubscribe=One-Click' })).status, 200)
  await assert.rejects(sns.getSubscriptionAttributes({ SubscriptionArn }), { name: 'NotFoundException' })
})

test('a person who opens the links in a browser sees pages', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'people' })
  await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'carol@example.com' })
  const link = linkIn((await mails.next('carol@example.com')).text, 'ConfirmSubscription')
  const open = async (url: string) => {
    const response = await fetch(url, { headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' } })
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
    assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
    return { status: response.status, text: await response.text() }
  }
  const confirmed = await open(link)
  assert.match(confirmed.text, /<h1>Subscription confirmed<\/h1>/)
  const [, away = ''] = /<a href="([^"]*)">unsubscribe<\/a>/.exec(confirmed.text) ?? []
  const bogus = await open(`${server.url}/?Action=ConfirmSubscription&TopicArn=${TopicArn}&Token=<b>x`)
  assert.deepEqual([bogus.status, bogus.text.includes('<b>'), bogus.text.includes('<h1>This did not work</h1>')], [400, false, true])
  const removed = await open(new URL(away.replaceAll('&amp;', '&'), server.url).href)
  assert.match(removed.text, /<h1>Subscription removed<\/h1>/)
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, [])
})

test('email-json: the confirmation and the message are envelopes', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'machines' })
  await sns.subscribe({ TopicArn, Protocol: 'email-json', Endpoint: 'json@example.com' })
  const asked = JSON.parse((await mails.next('json@example.com')).text) as Record<string, string>
  assert.deepEqual([asked['Type'], asked['TopicArn']], ['SubscriptionConfirmation', TopicArn])
  await fetch(asked['SubscribeURL'] ?? '')
  await sns.publish({ TopicArn, Message: 'für alle', MessageAttributes: { a: { DataType: 'Number', StringValue: '8' } } })
  const { headers, text } = await mails.next('json@example.com')
  const told = JSON.parse(text) as Record<string, unknown>
  assert.deepEqual(
    [told['Type'], told['Message'], told['MessageAttributes']],
    ['Notification', 'für alle', { a: { Type: 'Number', Value: '8' } }],
  )
  assert.match(String(told['Signature']), /^[A-Za-z0-9+/]{342}==$/)
  assert.equal(headers['subject'], 'AWS Notification Message')
})

test('no address and no password stands in events, in the log, or in what is told of deliveries', async () => {
  const asked = await runCommand([
    'query',
    '--data',
    join(folder.path, 'data'),
    '--json',
    'SELECT * FROM events UNION ALL BY NAME SELECT * FROM deliveries',
  ])
  assert.equal(asked.code, 0, asked.notes)
  assert.match(asked.output, /\*\*\*@example\.com/)
  assert.match(asked.output, /HIDDEN_DUE_TO_SECURITY_REASONS|REDACTED/)
  for (const secret of ['bob@', 'json@', 'carol@', PASSWORD]) assert.ok(!(asked.output + server.log()).includes(secret), secret)
})

test('what is missing or wrong is told at the start, all at once, by name', async () => {
  const start = async (...set: string[]): Promise<string> => {
    const words = ['--data', join(folder.path, 'other'), '--set', 'email.provider=smtp', ...set.flatMap((one) => ['--set', one])]
    const { code, notes } = await runCommand(['serve', '--port', '0', ...words])
    assert.equal(code, 1, notes)
    return notes
  }
  const bare = await start('email.user=mailer')
  for (const part of [
    'has 3 problem(s)',
    'needs email.smtpUrl',
    'needs email.from',
    'email.user and a password (email.passwordFile or SEALCAST_EMAIL_PASSWORD) go together',
  ])
    assert.ok(bare.includes(part), bare)
  const wrong = await start('email.smtpUrl=smtp://localhost', 'email.from=Bob <bob@x>', 'email.user=u', 'email.passwordFile=/none/there')
  for (const part of ['email.from: Bob <bob@x> is no address', 'email.passwordFile cannot be read: ENOENT'])
    assert.ok(wrong.includes(part), wrong)
  assert.match(
    await start('email.smtpUrl=smtp://user:secret@localhost'),
    /email\.smtpUrl must be smtp:\/\/HOST:PORT .* without user or password/,
  )
})
