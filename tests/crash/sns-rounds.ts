// What SNS was told, under SIGKILL: settings of every kind are set again and again while batches are published past a filter policy and a
// data protection policy; a kill at a random moment, a restart, a look. What was acknowledged holds; what was not is whole or not at all.
import assert from 'node:assert/strict'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { seededRandom } from '../../src/base/random.ts'
import { topicsMaySend } from '../queue-policy.ts'
import { type TestServer, clientConfig, startTestServer } from '../server.ts'
import { pause, untilTrue } from '../until.ts'
import { type CrashRun, endClean } from './crash-run.ts'

export interface SnsCrashOptions extends CrashRun {
  readonly rounds: number
}

export interface SnsCrashReport {
  readonly settings: number
  readonly batches: number
  /** Set or published without an answer, and there all the same. */
  readonly unansweredKept: number
}

const KILL_AFTER_MS_SPREAD = 300
const BATCH = 10
const PUBLISHERS = 3
const ACCOUNT = '000000000000'
/** Credentials are those of nobody: nothing signs in with them. */
const CAPTURED = ['--set', 'push.provider=capture']

/** One thing that can be set: values follow each other by number. */
interface Setting {
  readonly name: string
  valueOf(number: number): string
  set(sns: SNS, value: string): Promise<unknown>
  get(sns: SNS): Promise<string | undefined>
  /** The last that was acknowledged, and the one under way. */
  held: string | undefined
  asked: string | undefined
  number: number
}

export async function runSnsCrashRounds(options: SnsCrashOptions): Promise<SnsCrashReport> {
  const { folder, rounds, seed, report } = options
  const random = seededRandom(seed)
  let server = await startTestServer({ data: folder, words: CAPTURED })
  const again = ['--port', String(server.port), ...CAPTURED]
  const counts = { settings: 0, batches: 0, unansweredKept: 0 }
  try {
    const { settings, topicArn } = await setUp(server)
    for (let round = 1; round <= rounds; round++) {
      const before = { ...counts }
      /** Batches that were answered; those whose number is not among them were under way. */
      const answered = new Set<number>()
      let batch = round * 1_000_000
      const clients: SNS[] = []
      const untilDead = async (act: (sns: SNS) => Promise<void>): Promise<void> => {
        const sns = new SNS(clientConfig(server.url))
        clients.push(sns)
        try {
          for (;;) await act(sns)
        } catch (error) {
          // Killed: what is refused has an answer, and is a failure of its own.
          assert.equal((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode, undefined, String(error))
        }
      }
      const working = Promise.all([
        ...settings.map((setting) =>
          untilDead(async (sns) => {
            setting.asked = setting.valueOf(++setting.number)
            await setting.set(sns, setting.asked)
            setting.held = setting.asked
            setting.asked = undefined
            counts.settings++
          }),
        ),
        ...Array.from({ length: PUBLISHERS }, () =>
          untilDead(async (sns) => {
            const number = batch++
            await publish(sns, topicArn, number)
            answered.add(number)
            counts.batches++
          }),
        ),
      ])
      await Promise.race([
        working,
        untilTrue(`round ${round}: work`, () => counts.settings - before.settings > settings.length && answered.size > PUBLISHERS),
      ])
      await pause(random.below(KILL_AFTER_MS_SPREAD))
      await server.kill()
      await working
      for (const sns of clients) sns.destroy()
      server = await startTestServer({ data: folder, words: again })
      counts.unansweredKept += (await checkSettings(server, settings, round)) + (await checkBatches(server, answered, round))
      report(`round ${round}: ${counts.settings - before.settings} settings, ${answered.size} batches`)
    }
    await endClean(server, options)
    return counts
  } finally {
    await server.kill().catch(() => {})
  }
}

async function setUp({ url }: TestServer): Promise<{ readonly settings: readonly Setting[]; readonly topicArn: string }> {
  const sns = new SNS(clientConfig(url))
  const sqs = new SQS(clientConfig(url))
  const topicArn = (await sns.createTopic({ Name: 'settings' })).TopicArn ?? ''
  const queueArn = topicArn.replace(':sns:', ':sqs:')
  await sqs.createQueue({ QueueName: 'settings', Attributes: { Policy: topicsMaySend(queueArn) } })
  const subscription = await sns.subscribe({
    ...{ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn },
    Attributes: { RawMessageDelivery: 'true', FilterPolicy: '{"kind":["wanted"]}' },
  })
  await sns.putDataProtectionPolicy({ ResourceArn: topicArn, DataProtectionPolicy: protection(0) })
  const { TopicArn: other = '' } = await sns.createTopic({ Name: 'set-again-and-again' })
  const Endpoint = `${queueArn}-of-others`
  const { SubscriptionArn = '' } = await sns.subscribe({ TopicArn: other, Protocol: 'sqs', Endpoint })
  const application = { Name: 'app', Platform: 'ADM', Attributes: { PlatformPrincipal: 'p', PlatformCredential: 'c' } }
  const { PlatformApplicationArn } = await sns.createPlatformApplication(application)
  const { EndpointArn } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 'token' })
  assert.ok(subscription.SubscriptionArn !== undefined)
  const setting = (name: string, parts: Pick<Setting, 'valueOf' | 'set' | 'get'>): Setting => ({
    ...{ name, held: undefined, asked: undefined, number: 0 },
    ...parts,
  })
  const ofTopic = (name: string, valueOf: Setting['valueOf']): Setting =>
    setting(name, {
      valueOf,
      set: (by, AttributeValue) => by.setTopicAttributes({ TopicArn: other, AttributeName: name, AttributeValue }),
      get: async (by) => (await by.getTopicAttributes({ TopicArn: other })).Attributes?.[name],
    })
  const ofSubscription = (name: string, valueOf: Setting['valueOf']): Setting =>
    setting(name, {
      valueOf,
      set: (by, AttributeValue) => by.setSubscriptionAttributes({ SubscriptionArn, AttributeName: name, AttributeValue }),
      get: async (by) => (await by.getSubscriptionAttributes({ SubscriptionArn })).Attributes?.[name],
    })
  const settings = [
    ofTopic('DisplayName', (number) => `name ${number}`),
    ofTopic('DeliveryPolicy', (number) => {
      const defaultThrottlePolicy = { maxReceivesPerSecond: number }
      return JSON.stringify({ http: { disableSubscriptionOverrides: false, defaultThrottlePolicy } })
    }),
    ofSubscription('FilterPolicy', (number) => JSON.stringify({ kind: ['a', { prefix: `b${number}` }] })),
    ofSubscription('RedrivePolicy', (number) => JSON.stringify({ deadLetterTargetArn: `${queueArn}-${number}` })),
    setting('data protection policy', {
      valueOf: protection,
      set: (by, DataProtectionPolicy) => by.putDataProtectionPolicy({ ResourceArn: other, DataProtectionPolicy }),
      get: async (by) => (await by.getDataProtectionPolicy({ ResourceArn: other })).DataProtectionPolicy,
    }),
    setting('tag', {
      valueOf: String,
      set: (by, Value) => by.tagResource({ ResourceArn: other, Tags: [{ Key: 'number', Value }] }),
      get: async (by) => (await by.listTagsForResource({ ResourceArn: other })).Tags?.[0]?.Value,
    }),
    setting('endpoint', {
      valueOf: (number) => `user ${number}`,
      set: (by, CustomUserData) => by.setEndpointAttributes({ EndpointArn, Attributes: { CustomUserData } }),
      get: async (by) => (await by.getEndpointAttributes({ EndpointArn })).Attributes?.['CustomUserData'],
    }),
    setting('application', {
      valueOf: (number) => String(number % 2 === 0),
      set: (by, Enabled) => by.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes: { Enabled } }),
      get: async (by) => (await by.getPlatformApplicationAttributes({ PlatformApplicationArn })).Attributes?.['Enabled'],
    }),
    setting('SMS', {
      valueOf: (number) => `Sender${number % 1000}`,
      set: (by, DefaultSenderID) => by.setSMSAttributes({ attributes: { DefaultSenderID } }),
      get: async (by) => (await by.getSMSAttributes({})).attributes?.['DefaultSenderID'],
    }),
  ]
  sns.destroy()
  sqs.destroy()
  return { settings, topicArn }
}

function protection(number: number): string {
  const DataIdentifier = ['arn:aws:dataprotection::aws:data-identifier/EmailAddress']
  const Operation = { Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } }
  const Statement = [{ Sid: `s${number}`, DataDirection: 'Inbound', Principal: ['*'], DataIdentifier, Operation }]
  return JSON.stringify({ Name: 'protection', Version: '2021-06-01', Statement })
}

/** Half of a batch is wanted, and each message has what must not be seen. */
async function publish(sns: SNS, TopicArn: string, number: number): Promise<void> {
  const { Failed } = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: Array.from({ length: BATCH }, (_, at) => ({
      ...{ Id: String(at), Message: `${number} ${at} someone@example.com` },
      MessageAttributes: { kind: { DataType: 'String', StringValue: at % 2 === 0 ? 'wanted' : 'other' } },
    })),
  })
  assert.deepEqual(Failed, [])
}

/** How many hold that nobody was told of. */
async function checkSettings({ url }: TestServer, settings: readonly Setting[], round: number): Promise<number> {
  const sns = new SNS(clientConfig(url))
  let kept = 0
  for (const setting of settings) {
    const { name, held, asked } = setting
    const found = await setting.get(sns)
    assert.ok(found === held || (asked !== undefined && found === asked), `round ${round}: ${name} is ${found}, not ${held} or ${asked}`)
    if (found !== held) kept++
    setting.held = found
    setting.asked = undefined
  }
  sns.destroy()
  return kept
}

/** How many batches are there that nobody was told of. */
async function checkBatches({ url }: TestServer, answered: ReadonlySet<number>, round: number): Promise<number> {
  const sqs = new SQS(clientConfig(url))
  const QueueUrl = `${url}/${ACCOUNT}/settings`
  const found = new Map<number, number[]>()
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
    if (Messages.length === 0) break
    for (const { Body = '' } of Messages) {
      const [, number, at] = /^(\d+) (\d) #{19}$/.exec(Body) ?? assert.fail(`round ${round}: not masked: ${Body}`)
      found.set(Number(number), [...(found.get(Number(number)) ?? []), Number(at)])
    }
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
    assert.deepEqual((await sqs.deleteMessageBatch({ QueueUrl, Entries })).Failed ?? [], [])
  }
  sqs.destroy()
  for (const number of answered) assert.ok(found.has(number), `round ${round}: batch ${number} was acknowledged and is gone`)
  for (const [number, entries] of found)
    assert.deepEqual(
      entries.toSorted((a, b) => a - b),
      [0, 2, 4, 6, 8],
      `round ${round}: of batch ${number} what is wanted, once`,
    )
  return found.size - answered.size
}
