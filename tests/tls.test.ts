// TLS from both sides: a server with a certificate of a test authority, and receivers with a good and a bad one.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Agent, globalAgent } from 'node:https'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type DetailedPeerCertificate, connect } from 'node:tls'
import { SNS } from '@aws-sdk/client-sns'
import { type Issued, createAuthority } from './certificates.ts'
import { type Message, openReceiver } from './receiver.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until, untilTrue } from './until.ts'

type Validator = new (host: RegExp) => { validate(text: string, done: (failure: Error | null, message: Message) => void): void }
const MessageValidator = createRequire(import.meta.url)('sns-validator') as Validator

const authority = createAuthority()
const stranger = createAuthority('an authority nobody knows')
const folder = temporaryFolder()
const file = (name: string): string => join(folder.path, name)
writeFileSync(file('ca.pem'), authority.cert)
const first = authority.issue()
install(first)
const server = await startTestServer({
  data: file('data'),
  words: ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem'), '--set', `outbound.caFile=${file('ca.pem')}`],
})
const trusted = await openReceiver({ tls: authority.issue() })
const untrusted = await openReceiver({ tls: stranger.issue() })
const sns = new SNS({
  ...clientConfig(server.url),
  requestHandler: { httpsAgent: new Agent({ ca: authority.cert }) },
})
after(async () => {
  await trusted.close()
  await untrusted.close()
  await server.kill()
  folder.remove()
})

function install({ cert, key }: Issued): void {
  writeFileSync(file('cert.pem'), cert)
  writeFileSync(file('key.pem'), key)
}

/** What a new connection is shown. */
function certificateNow(): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: authority.cert }, () => {
      resolve(socket.getPeerCertificate(true))
      socket.end()
    })
    socket.on('error', reject)
  })
}

function validate(text: string, host: RegExp): Promise<Message> {
  return new Promise((resolve, reject) => {
    new MessageValidator(host).validate(text, (failure, message) => (failure === null ? resolve(message) : reject(failure)))
  })
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', file('data'), '--json', sql])
  assert.equal(code, 0, notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

test('TLS: a client that knows the authority is served, and the record tells of the connection', async () => {
  assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
  const { $metadata } = await sns.createTopic({ Name: 'sealed' })
  const [row] = await query(
    `SELECT tlsdetails.tlsversion AS version, tlsdetails.ciphersuite AS cipher, tlsdetails.clientprovidedhostheader AS host
     FROM events WHERE requestid = '${$metadata.requestId}'`,
  )
  assert.deepEqual(row, { version: 'TLSv1.3', cipher: row?.['cipher'], host: new URL(server.url).host })
  assert.match(String(row?.['cipher']), /^TLS_\w+$/)
  const ignorant = new SNS(clientConfig(server.url))
  await assert.rejects(ignorant.listTopics({}), /certificate/)
  await assert.rejects(fetch(server.url.replace('https:', 'http:')), 'plain HTTP is not answered on that port')
})

test("TLS: AWS's own validator verifies what a receiver with a good certificate gets", async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'sealed' })
  await sns.subscribe({ TopicArn, Protocol: 'https', Endpoint: trusted.url })
  const invitation = await trusted.nextPost('SubscriptionConfirmation')
  globalAgent.options.ca = authority.cert
  const host = /^127\.0\.0\.1(:\d+)?$/
  const { Token } = await validate(invitation.text, host)
  await sns.confirmSubscription({ TopicArn, Token })
  for (const SignatureVersion of ['1', '2']) {
    await sns.setTopicAttributes({ TopicArn, AttributeName: 'SignatureVersion', AttributeValue: SignatureVersion })
    await sns.publish({ TopicArn, Subject: 'a subject', Message: `version ${SignatureVersion} ✓` })
    const post = await trusted.nextPost('Notification')
    const message = await validate(post.text, host)
    assert.equal(message['Message'], `version ${SignatureVersion} ✓`)
    assert.equal(message['SignatureVersion'], SignatureVersion)
    assert.match(message['SigningCertURL'] ?? '', new RegExp(`^${server.url}/SimpleNotificationService-[0-9a-f]{32}\\.pem$`))
    const forged = post.text.replace('a subject', 'b subject')
    await assert.rejects(validate(forged, host), /signature/i)
    await assert.rejects(validate(post.text, /^sns\.example\.com$/), /host|domain|located/i)
  }
})

test('TLS: a receiver whose certificate nobody vouches for gets nothing, and the record says why', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'unsealed' })
  await sns.subscribe({ TopicArn, Protocol: 'https', Endpoint: untrusted.url })
  const row = await until(
    'an attempt in the deliveries',
    async () => (await query(`SELECT * FROM deliveries WHERE topic_arn = '${TopicArn}'`))[0],
  )
  assert.notEqual(row['outcome'], 'delivered')
  assert.match(String(row['reason']), /certificate|self.signed|UNABLE_TO_VERIFY/i)
  assert.deepEqual(untrusted.posts, [])
})

test('TLS: SIGHUP takes a new certificate in without a restart, and keeps the old one while the new is unusable', async () => {
  const before = await certificateNow()
  const second = authority.issue()
  install(second)
  assert.equal((await certificateNow()).serialNumber, before.serialNumber, 'the files alone change nothing')
  server.child.kill('SIGHUP')
  await untilTrue('the new certificate', async () => (await certificateNow()).serialNumber !== before.serialNumber)
  assert.equal((await sns.listTopics({})).$metadata.httpStatusCode, 200)
  const renewed = (await certificateNow()).serialNumber

  writeFileSync(file('cert.pem'), 'not a certificate')
  server.child.kill('SIGHUP')
  await untilTrue('a word about it in the log', () =>
    server
      .log()
      .split('\n')
      .some((line) => line.includes('"level":"error"') && /TLS/.test(line)),
  )
  assert.equal((await certificateNow()).serialNumber, renewed)
})
