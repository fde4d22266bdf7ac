// Protocols whose provider is `capture`: subscribed and published to through the SDK, found by `sealcast inbox` and over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import type { CapturedMessage } from '../src/model/captured.ts'
import { type TestServer, clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const DEV_KEY = { accessKeyId: 'test', secretAccessKey: 'test' }
let server: TestServer
let sns: SNS

before(async () => {
  server = await startTestServer({})
  sns = new SNS(clientConfig(server.url, DEV_KEY))
})
after(() => server.stop())

async function inbox(query: string): Promise<{ readonly status: number; readonly messages?: CapturedMessage[]; readonly error?: string }> {
  const response = await fetch(`${server.url}/_sealcast/inbox?${query}`)
  return { status: response.status, ...((await response.json()) as { messages?: CapturedMessage[]; error?: string }) }
}

const command = (...words: string[]) => runCommand(['inbox', '--url', server.url, ...words])

test('a mail to a development server is confirmed at once, captured, and waited for', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'orders', Attributes: { DisplayName: 'Grüße' } })
  const { SubscriptionArn = '' } = await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'bob@example.com' })
  assert.match(SubscriptionArn, /^arn:/)
  const waiting = inbox('to=bob@example.com&waitSeconds=20')
  const { MessageId } = await sns.publish({ TopicArn, Subject: 'Shipped', Message: 'It is on its way ✉' })
  const [mail] = (await waiting).messages ?? []
  assert.ok(mail !== undefined)
  assert.deepEqual(
    { ...mail, at: '', id: 0, body: '' },
    {
      ...{
        id: 0,
        at: '',
        protocol: 'email',
        to: 'bob@example.com',
        messageId: MessageId,
        topicArn: TopicArn,
        subscriptionArn: SubscriptionArn,
      },
      subject: 'Shipped',
      body: '',
      headers: {
        From: 'Grüße',
        'Auto-Submitted': 'auto-generated',
        'x-amz-sns-message-id': MessageId,
        'x-amz-sns-topic-arn': TopicArn,
        'x-amz-sns-subscription-arn': SubscriptionArn,
        'List-Unsubscribe': `<${server.url}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}>`,
      },
    },
  )
  assert.match(mail.body, /^It is on its way ✉\n\n--\nIf you wish to stop receiving notifications from this topic, /)
  assert.ok(mail.body.includes(`${server.url}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}\n`))
})

test('email-json is the envelope; MessageStructure chooses per protocol', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'structured' })
  await sns.subscribe({ TopicArn, Protocol: 'email-json', Endpoint: 'json@example.com' })
  await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'text@example.com' })
  const Message = JSON.stringify({ default: 'for all', email: 'for mail' })
  await sns.publish({ TopicArn, MessageStructure: 'json', Message })
  const [json] = (await inbox('to=json@example.com&waitSeconds=20')).messages ?? []
  assert.equal((JSON.parse(json?.body ?? '') as { Message: string }).Message, 'for all')
  assert.equal(json?.subject, 'AWS Notification Message')
  const [text] = (await inbox('to=text@example.com&waitSeconds=20')).messages ?? []
  assert.match(text?.body ?? '', /^for mail\n\n--\n/)
  assert.equal(text?.headers?.['From'], 'structured')
})

test('the command lists for people and for programs, and says when nothing came', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'command' })
  await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'carol@example.com' })
  await sns.publish({ TopicArn, Subject: 'one', Message: 'first\u001b[2J' })
  const json = await command('--to', 'carol@example.com', '--wait', '20s', '--json')
  assert.equal(json.code, 0, json.notes)
  const message = JSON.parse(json.output) as CapturedMessage
  assert.equal(message.subject, 'one')
  const shown = await command('--to', 'carol@example.com')
  assert.match(shown.output, /^── \d+ {2}\S+Z {2}email {2}carol@example\.com ──\nFrom: command\nSubject: one\n\n/)
  assert.match(shown.output, /first␛\[2J/)
  const none = await command('--to', 'carol@example.com', '--after', String(message.id), '--wait', '50ms')
  assert.deepEqual([none.code, none.output, none.notes], [1, '', 'nothing came within 50ms\n'])
  for (const words of [['--wait', '2h'], ['--wait', '61s'], ['--wait', 'x'], ['x'], ['--url', 'x'], ['--data', 'x']])
    assert.equal((await command(...words)).code, 2, words.join(' '))
  assert.match((await command('--limit', '0')).notes, /limit: must be a whole number from 1 to 1000/)
})

test('what cannot be asked is refused by name', async () => {
  for (const [query, error] of [
    ['to=', 'to: must be a text'],
    ['waitSeconds=61', 'waitSeconds: must be a number from 0 to 60'],
    ['waitSeconds=x', 'waitSeconds: must be a number from 0 to 60'],
    ['limit=1001', 'limit: must be a whole number from 1 to 1000'],
    ['after=1.5', `after: must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`],
    ['x=1', 'x: there is no such parameter; there are to, protocol, after, waitSeconds, limit'],
  ] as const)
    assert.deepEqual(await inbox(query), { status: 400, error }, query)
  for (const query of ['limit=1000&waitSeconds=0', 'limit=1&after=0']) assert.equal((await inbox(query)).status, 200, query)
})

test('addresses are taken as AWS takes them', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'addresses' })
  const subscribe = (Endpoint: string) => sns.subscribe({ TopicArn, Protocol: 'email', Endpoint })
  for (const address of ['a+b.c@example.co.uk', `${'l'.repeat(64)}@example.com`]) await subscribe(address)
  for (const address of [
    'a',
    'a@b',
    '@example.com',
    'a@example.com,b@example.com',
    'A <a@example.com>',
    'a@example.com\r\nBcc: b@example.com',
    `${'l'.repeat(65)}@example.com`,
    `a@${'d'.repeat(60)}.${'d.'.repeat(100)}com`,
  ])
    await assert.rejects(subscribe(address), { name: 'InvalidParameterException', message: 'Invalid parameter: Email address' }, address)
})

test("outside of --dev nothing is captured unless it is asked for, and the inbox is the operator's", async () => {
  const folder = temporaryFolder()
  after(() => folder.remove())
  let running = await startTestServer({ data: folder.path })
  try {
    let client = new SNS(clientConfig(running.url))
    const { TopicArn = '' } = await client.createTopic({ Name: 'mails' })
    const subscribe = () => client.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'dora@example.com' })
    await assert.rejects(subscribe(), {
      name: 'InvalidParameterException',
      message: /^Invalid parameter: Protocol Reason: nothing delivers email here: set email.provider to /,
    })
    await running.stop()
    running = await startTestServer({ data: folder.path, words: ['--set', 'email.provider=capture'] })
    client = new SNS(clientConfig(running.url))
    await subscribe()
    const { MessageId = '' } = await client.publish({ TopicArn, Message: 'kept' })
    const asked = await runCommand(['inbox', '--data', folder.path, '--to', 'dora@example.com', '--wait', '20s', '--json'])
    assert.match((JSON.parse(asked.output) as CapturedMessage).body, /^kept\n/)
    const response = await fetch(`${running.url}/_sealcast/inbox`)
    assert.equal(response.status, 403)
    assert.equal((await fetch(`${running.url}/_sealcast/clock`)).status, 403)
    const move = { method: 'POST', body: '{"seconds":1}' }
    assert.equal((await fetch(`${running.url}/_sealcast/clock`, move)).status, 403)
    const sql = `SELECT outcome, reason, endpoint FROM deliveries WHERE message_id = '${MessageId}'`
    const told = await runCommand(['query', '--data', folder.path, '--json', sql])
    assert.deepEqual(JSON.parse(told.output), { outcome: 'delivered', reason: 'captured', endpoint: '***@example.com' })
    await running.stop()
    // Nobody serves: the directory itself is asked.
    const later = await runCommand(['inbox', '--data', folder.path, '--json'])
    assert.equal((JSON.parse(later.output) as CapturedMessage).to, 'dora@example.com')
  } finally {
    await running.kill()
  }
})
