// Archives of FIFO topics and their replays by the stock SDK, against a server process that is killed in the middle of a replay, backed up
// and restored, and whose files are damaged.
import assert from 'node:assert/strict'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder, type TestServer } from './server.ts'
import { flip } from './strikes.ts'
import { untilTrue } from './until.ts'

const ACCOUNT = '000000000000'
const TopicArn = `arn:aws:sns:us-east-1:${ACCOUNT}:orders.fifo`
const MESSAGES = 1000
const GROUPS = 20
const folder = temporaryFolder()
const data = join(folder.path, 'data')
const servers: TestServer[] = []
after(async () => {
  for (const server of servers) await server.kill()
  folder.remove()
})

interface World {
  readonly server: TestServer
  readonly sns: SNS
  readonly sqs: SQS
}

async function serverOn(path: string): Promise<World> {
  const server = await startTestServer({ data: path })
  servers.push(server)
  return { server, sns: new SNS(clientConfig(server.url)), sqs: new SQS(clientConfig(server.url)) }
}

/** A new queue, with the replay of all there is begun. */
async function replayTo({ sns, sqs }: World, QueueName: string, from: string, raw: boolean): Promise<string> {
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName, Attributes: { FifoQueue: 'true', Policy: topicsMaySend('*') } })
  const { SubscriptionArn = '' } = await sns.subscribe({
    ...{ TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:${QueueName}` },
    Attributes: { RawMessageDelivery: String(raw), ReplayPolicy: JSON.stringify({ PointType: 'Timestamp', StartingPoint: from }) },
  })
  assert.match(SubscriptionArn, /orders\.fifo:/)
  assert.match(QueueUrl, /\/\d+\//)
  return SubscriptionArn
}

const urlOf = ({ server }: World, name: string): string => `${server.url}/${ACCOUNT}/${name}`

async function waitingIn(world: World, name: string): Promise<number> {
  const wanted = { QueueUrl: urlOf(world, name), AttributeNames: ['ApproximateNumberOfMessages' as const] }
  return Number((await world.sqs.getQueueAttributes(wanted)).Attributes?.['ApproximateNumberOfMessages'])
}

async function statusOf({ sns }: World, SubscriptionArn: string): Promise<string | undefined> {
  return (await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes?.['ReplayStatus']
}

/** Everything that waits, by group in the order it came. */
async function take(world: World, name: string, see: (message: Message) => string): Promise<Map<string, number[]>> {
  const groups = new Map<string, number[]>()
  for (;;) {
    const QueueUrl = urlOf(world, name)
    const wanted = { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['MessageGroupId' as const], MessageAttributeNames: ['All'] }
    const { Messages = [] } = await world.sqs.receiveMessage({ QueueUrl, ...wanted })
    if (Messages.length === 0) return groups
    for (const message of Messages) {
      const group = message.Attributes?.MessageGroupId ?? ''
      groups.set(group, [...(groups.get(group) ?? []), Number(see(message))])
    }
    await world.sqs.deleteMessageBatch({
      QueueUrl,
      Entries: Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle })),
    })
  }
}

function assertWhole(groups: ReadonlyMap<string, readonly number[]>, messages = MESSAGES): void {
  assert.equal(groups.size, GROUPS)
  for (const [group, numbers] of groups) {
    const first = Number(group.slice(1))
    assert.deepEqual(
      numbers,
      Array.from({ length: messages / GROUPS }, (_, at) => first + at * GROUPS),
      group,
    )
  }
}

const rawText = ({ Body = '', MessageAttributes }: Message): string => {
  assert.equal(MessageAttributes?.['Replayed']?.StringValue, 'true')
  return Body
}
const envelopeText = ({ Body = '' }: Message): string => {
  const { Message: text, Replayed } = JSON.parse(Body) as { Message: string; Replayed: boolean }
  assert.equal(Replayed, true)
  return text
}

test(
  'a replay goes on where a SIGKILL met it; a backup holds the archive; damage is named and salvaged',
  { timeout: 120_000 },
  async () => {
    let world = await serverOn(data)
    const ArchivePolicy = '{"MessageRetentionPeriod":"7"}'
    await world.sns.createTopic({ Name: 'orders.fifo', Attributes: { FifoTopic: 'true', ArchivePolicy } })
    const { Attributes } = await world.sns.getTopicAttributes({ TopicArn })
    const from = Attributes?.['BeginningArchiveTime'] ?? ''
    assert.match(from, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(Attributes?.['ArchivePolicy'], ArchivePolicy)
    for (let at = 0; at < MESSAGES; at += 10)
      await world.sns.publishBatch({
        TopicArn,
        PublishBatchRequestEntries: Array.from({ length: 10 }, (_, n) => ({
          ...{ Id: String(n), Message: String(at + n), MessageGroupId: `g${(at + n) % GROUPS}`, MessageDeduplicationId: String(at + n) },
        })),
      })

    const killed = await replayTo(world, 'killed.fifo', from, true)
    let come = 0
    while (come === 0) come = await waitingIn(world, 'killed.fifo')
    await world.server.kill()
    world = await serverOn(data)
    await untilTrue('the replay is complete', async () => (await statusOf(world, killed)) === 'Completed')
    assertWhole(await take(world, 'killed.fifo', rawText))

    // Beside it, and to whom it may concern: what the server keeps, and of what it tells.
    const status = JSON.parse((await runCommand(['status', '--json', '--data', data])).output) as { bytes: Record<string, number> }
    assert.ok((status.bytes['topicArchives'] ?? 0) > MESSAGES * 100)
    assert.match((await runCommand(['retention', '--data', data])).output, /topicArchives.*ArchivePolicy/)
    const acts = "SELECT eventname FROM events WHERE eventname LIKE 'Replay%' ORDER BY position"
    assert.match((await runCommand(['query', '--json', acts, '--data', data])).output, /ReplayStarted[^]*ReplayEnded/)

    const backups = join(folder.path, 'backups')
    assert.equal((await runCommand(['backup', backups, '--data', data, '--with-root-key'])).code, 0)
    await world.sns.publish({ TopicArn, Message: 'behind the backup', MessageGroupId: 'other', MessageDeduplicationId: 'other' })
    assert.equal((await runCommand(['backup', backups, '--data', data, '--with-root-key'])).code, 0)
    assert.equal(await world.server.stop(), 0)
    const checked = await runCommand(['fsck', '--data', data])
    assert.equal(checked.code, 0, checked.output)

    const restored = join(folder.path, 'restored')
    const restore = await runCommand(['restore', backups, '--data', restored, '--at', '1'])
    assert.equal(restore.code, 0, restore.notes)
    world = await serverOn(restored)
    // Sequences of after the backup come anew; the archive takes them for what they are.
    await world.sns.publish({ TopicArn, Message: '0', MessageGroupId: 'new', MessageDeduplicationId: 'new' })
    const later = await replayTo(world, 'later.fifo', from, false)
    await untilTrue('the replay with the new message is complete', async () => (await statusOf(world, later)) === 'Completed')
    const groups = await take(world, 'later.fifo', envelopeText)
    assert.deepEqual([groups.get('new'), groups.delete('new')], [[0], true])
    assertWhole(groups)
    await world.server.stop()

    const broken = join(folder.path, 'broken')
    cpSync(restored, broken, { recursive: true })
    const [name = ''] = readdirSync(join(broken, 'topic-archives'))
    flip(join(broken, 'topic-archives', name), 300)
    const damaged = await runCommand(['fsck', '--data', broken])
    assert.equal(damaged.code, 1)
    assert.match(damaged.output, /topic-archives.*fail their checksum/)
    assert.equal((await runCommand(['fsck', '--salvage', '--data', broken])).code, 0)
    world = await serverOn(broken)
    await world.sns.publish({ TopicArn, Message: '7', MessageGroupId: 'salvaged', MessageDeduplicationId: 'salvaged' })
    const salvaged = await replayTo(world, 'salvaged.fifo', from, true)
    await untilTrue('the replay of what was salvaged is complete', async () => (await statusOf(world, salvaged)) === 'Completed')
    assert.deepEqual((await take(world, 'salvaged.fifo', rawText)).get('salvaged'), [7])
  },
)
