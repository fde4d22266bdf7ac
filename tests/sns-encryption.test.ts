// Topics with a KmsMasterKeyId: what waits for an endpoint lies sealed, arrives as it was published, and needs its key.
import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { untilTrue } from './until.ts'

const ACCOUNT = '000000000000'
const folder = temporaryFolder()
let isUp = false
const receiver = await openReceiver({ answer: (post) => (isUp || post.text.includes('"SubscriptionConfirmation"') ? 200 : 500) })
const server = await startTestServer({ data: folder.path })
let running = server
after(async () => {
  await receiver.close()
  await running.kill()
  folder.remove()
})

const clients = (url: string) => ({ sns: new SNS(clientConfig(url)), sqs: new SQS(clientConfig(url)) })
const { sns } = clients(server.url)

async function encryptedTopic(Name: string, KmsMasterKeyId: string): Promise<string> {
  return (await sns.createTopic({ Name, Attributes: { KmsMasterKeyId } })).TopicArn ?? ''
}

/** The bytes of the data directory, one text. */
function everythingOnDisk(): string {
  return globSync('**/*', { cwd: folder.path })
    .filter((path) => statSync(join(folder.path, path)).isFile())
    .map((path) => readFileSync(join(folder.path, path)).toString('latin1'))
    .join('\n')
}

test('a message for an endpoint outside lies sealed, through retries and a SIGKILL, and arrives as it was published', async () => {
  const TopicArn = await encryptedTopic('sealed', 'alias/aws/sns')
  assert.equal((await sns.getTopicAttributes({ TopicArn })).Attributes?.['KmsMasterKeyId'], 'alias/aws/sns')
  const subscribe = async (path: string, more: Record<string, string> = {}) => {
    const DeliveryPolicy = JSON.stringify({ healthyRetryPolicy: { numRetries: 100, minDelayTarget: 1, maxDelayTarget: 1 } })
    await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: `${receiver.url}/${path}`, Attributes: { DeliveryPolicy, ...more } })
    const { Token = '' } = await receiver.next('SubscriptionConfirmation')
    await sns.confirmSubscription({ TopicArn, Token })
  }
  await subscribe('all')
  const scope = { FilterPolicyScope: 'MessageBody' }
  await subscribe('wanted', { ...scope, FilterPolicy: '{"kind":["secret"]}' })
  await subscribe('unwanted', { ...scope, FilterPolicy: '{"kind":["public"]}' })
  const Message = '{"kind":"secret","text":"nobody-reads-this"}'
  await sns.publish({ TopicArn, Message, MessageAttributes: { open: { DataType: 'String', StringValue: 'as-on-AWS' } } })
  await untilTrue('a refused attempt', () => receiver.posts.some(({ text }) => text.includes('nobody-reads-this')))
  await server.kill()
  const onDisk = everythingOnDisk()
  assert.ok(onDisk.includes('as-on-AWS'), 'what is looked for can be found')
  assert.ok(!onDisk.includes('nobody-reads-this'))
  isUp = true
  const asked = receiver.posts.length
  running = await startTestServer({ data: folder.path })
  await untilTrue('both deliveries', () => receiver.posts.length >= asked + 2)
  const delivered = receiver.posts.slice(asked).filter(({ headers }) => headers['x-amz-sns-message-type'] === 'Notification')
  assert.deepEqual(new Set(delivered.map(({ path }) => path)), new Set(['/all', '/wanted']))
  for (const { text } of delivered) assert.equal((JSON.parse(text) as { Message: string }).Message, Message)
})

test("queues keep what comes from such a topic as they ask, and the topic's key may refuse", async () => {
  const { sns: again, sqs: queues } = clients(running.url)
  const made = await runCommand(['keys', 'create', '--alias', 'topics', '--data', folder.path])
  assert.equal(made.code, 0, made.notes)
  const TopicArn = (await again.createTopic({ Name: 'keyed', Attributes: { KmsMasterKeyId: 'alias/topics' } })).TopicArn ?? ''
  const queueArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:keyed`
  const { QueueUrl } = await queues.createQueue({ QueueName: 'keyed', Attributes: { Policy: topicsMaySend(queueArn) } })
  await again.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes: { RawMessageDelivery: 'true' } })
  await again.publish({ TopicArn, Message: 'to a queue' })
  const { Messages } = await queues.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 })
  assert.deepEqual(
    Messages?.map(({ Body }) => Body),
    ['to a queue'],
  )
  const setKey = (AttributeValue: string) => again.setTopicAttributes({ TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue })
  const publish = () => refusalOf(again.publish({ TopicArn, Message: 'x' }))
  await setKey('alias/absent')
  assert.deepEqual(await publish(), ['KMSNotFoundException', 400, "Invalid keyId 'alias/absent'"])
  const batch = again.publishBatch({ TopicArn, PublishBatchRequestEntries: [{ Id: '1', Message: 'x' }] })
  assert.deepEqual((await refusalOf(batch))[0], 'KMSNotFoundException')
  const second = await runCommand(['keys', 'create', '--alias', 'disabled', '--data', folder.path])
  assert.equal(second.code, 0, second.notes)
  assert.equal((await runCommand(['keys', 'disable', 'alias/disabled', '--data', folder.path])).code, 0)
  await setKey('alias/disabled')
  const [name, status, message] = await publish()
  assert.deepEqual([name, status], ['KMSDisabledException', 400])
  assert.match(message, /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36} is disabled\.$/)
  assert.deepEqual(await refusalOf(setKey('not a key')), invalid('KmsMasterKeyId: must be the id, ARN or alias of a key'))
  await setKey('')
  assert.equal((await again.getTopicAttributes({ TopicArn })).Attributes?.['KmsMasterKeyId'], undefined)
  await again.publish({ TopicArn, Message: 'x' })
})

test('the key that AWS keeps for SNS serves no other account', async () => {
  const { sns: owner } = clients(running.url)
  const { output } = await runCommand(['accounts', 'create', '111122223333', '--data', folder.path, '--json'])
  const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(output) as Record<string, string>
  const guest = new SNS(clientConfig(running.url, { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }))
  const TopicArn = (await owner.createTopic({ Name: 'shared', Attributes: { KmsMasterKeyId: 'alias/aws/sns' } })).TopicArn ?? ''
  await owner.addPermission({ TopicArn, Label: 'guest', AWSAccountId: ['111122223333'], ActionName: ['Publish'] })
  const [name, status, message] = await refusalOf(guest.publish({ TopicArn, Message: 'x' }))
  assert.deepEqual([name, status], ['KMSAccessDeniedException', 400])
  assert.match(message, /belongs to another account\.$/)
  await owner.publish({ TopicArn, Message: 'x' })
})
