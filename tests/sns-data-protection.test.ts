// Data protection policies of topics: what a message meets on its way in. On its way out: tests/sns-outgoing-protection.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand } from './server.ts'

const { server, data } = await startFileServer()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))

const managed = (name: string) => `arn:aws:dataprotection::aws:data-identifier/${name}`
const statement = (Operation: object, ...DataIdentifier: readonly string[]) => ({
  DataDirection: 'Inbound',
  Principal: ['*'],
  DataIdentifier,
  Operation,
})
const policyOf = (Statement: readonly object[], more: object = {}) =>
  JSON.stringify({ Name: 'guard', Version: '2021-06-01', Statement, ...more })
const MASK = { Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } }
const REDACT = { Deidentify: { RedactConfig: {} } }
const DENY_EMAIL = policyOf([statement({ Deny: {} }, managed('EmailAddress'))])
const DENIED = [
  'AuthorizationErrorException',
  403,
  'The message holds sensitive data, which the data protection policy of the topic denies.',
]

/** A topic and what arrives in a queue that subscribes to it. */
async function protectedTopic(Name: string, DataProtectionPolicy: string) {
  const { TopicArn = '' } = await sns.createTopic({ Name, DataProtectionPolicy })
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: Name })
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['QueueArn'] })
  const Resource = Attributes?.['QueueArn'] ?? ''
  await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: topicsMaySend(Resource) } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: Resource, Attributes: { RawMessageDelivery: 'true' } })
  const arrived = async () => (await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })).Messages?.map(({ Body }) => Body) ?? []
  return { TopicArn, arrived }
}

test('a policy is put, read, replaced and taken away, and a bad one refused', async () => {
  const { TopicArn: ResourceArn = '' } = await sns.createTopic({ Name: 'policies' })
  assert.equal((await sns.getDataProtectionPolicy({ ResourceArn })).DataProtectionPolicy, undefined)
  const policy = DENY_EMAIL
  await sns.putDataProtectionPolicy({ ResourceArn, DataProtectionPolicy: policy })
  assert.equal((await sns.getDataProtectionPolicy({ ResourceArn })).DataProtectionPolicy, policy)
  assert.equal((await sns.getTopicAttributes({ TopicArn: ResourceArn })).Attributes?.['DataProtectionPolicy'], undefined)
  await sns.setTopicAttributes({ TopicArn: ResourceArn, AttributeName: 'DisplayName', AttributeValue: 'kept' })
  assert.equal((await sns.createTopic({ Name: 'policies', DataProtectionPolicy: policy })).TopicArn, ResourceArn)
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'policies', DataProtectionPolicy: policyOf([statement(REDACT, managed('EmailAddress'))]) })),
    invalid('DataProtectionPolicy Reason: Topic already exists with a different data protection policy'),
  )
  assert.deepEqual(
    await refusalOf(sns.putDataProtectionPolicy({ ResourceArn, DataProtectionPolicy: policyOf([statement(MASK, managed('Name'))]) })),
    invalid(
      'DataProtectionPolicy Reason: Statement[0].DataIdentifier[0] ' +
        'the managed data identifier Name is not offered by this version of Sealcast',
    ),
  )
  assert.deepEqual(
    await refusalOf(
      sns.putDataProtectionPolicy({
        ResourceArn,
        DataProtectionPolicy: policyOf([{ ...statement(MASK, managed('EmailAddress')), DataDirection: 'Both' }]),
      }),
    ),
    invalid('DataProtectionPolicy Reason: Statement[0].DataDirection must be "Inbound" or "Outbound"'),
  )
  await sns.putDataProtectionPolicy({ ResourceArn, DataProtectionPolicy: '' })
  assert.equal((await sns.getDataProtectionPolicy({ ResourceArn })).DataProtectionPolicy, undefined)
  assert.deepEqual((await refusalOf(sns.getDataProtectionPolicy({ ResourceArn: `${ResourceArn}-none` })))[0], 'NotFoundException')
})

test('a denied message is refused, an entry of a batch by itself', async () => {
  const { TopicArn, arrived } = await protectedTopic('denying', policyOf([statement({ Deny: {} }, managed('CreditCardNumber'))]))
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: 'pay with 4111 1111 1111 1111' })), DENIED)
  await sns.publish({ TopicArn, Message: 'pay with 4111 1111 1111 1112' })
  const { Successful, Failed } = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [
      { Id: 'bad', Message: '378282246310005' },
      { Id: 'good', Message: 'nothing' },
    ],
  })
  assert.deepEqual(Failed, [{ Id: 'bad', Code: 'AuthorizationError', Message: DENIED[2], SenderFault: true }])
  assert.deepEqual(
    Successful?.map(({ Id }) => Id),
    ['good'],
  )
  assert.deepEqual(new Set(await arrived()), new Set(['nothing', 'pay with 4111 1111 1111 1112']))
})

test('masks and redacts what is stored and sent, also of a JSON structure, and in 256 KiB', async () => {
  const policy = policyOf([statement(MASK, managed('EmailAddress'), 'EmployeeId'), statement(REDACT, managed('IpAddress'))], {
    Configuration: { CustomDataIdentifier: [{ Name: 'EmployeeId', Regex: 'EID-\\d{9}-US' }] },
  })
  const { TopicArn, arrived } = await protectedTopic('masking', policy)
  await sns.publish({ TopicArn, Message: 'a@b.example, EID-123456789-US from 10.0.0.1.' })
  assert.deepEqual(await arrived(), ['###########, ################ from .'])
  await sns.publish({ TopicArn, MessageStructure: 'json', Message: '{"default":"d","sqs":"{\\"m\\":\\"a@b.example\\"}","http":7}' })
  assert.deepEqual(await arrived(), ['{"m":"###########"}'])
  const long = 'x '.repeat(131_000)
  await sns.publish({ TopicArn, Message: `${long}a@b.example` })
  assert.deepEqual(await arrived(), [`${long}###########`])
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: '10.0.0.1' })), [
    'AuthorizationErrorException',
    403,
    'The message holds nothing but sensitive data, which the data protection policy of the topic takes out.',
  ])
})

test('statements hold for their principals alone', async () => {
  const other = { ...statement({ Deny: {} }, managed('EmailAddress')), Principal: ['arn:aws:iam::111122223333:user/Other'] }
  const { TopicArn, arrived } = await protectedTopic('principals', policyOf([other]))
  await sns.publish({ TopicArn, Message: 'a@b.example' })
  assert.deepEqual(await arrived(), ['a@b.example'])
  const mine = { ...other, Principal: ['arn:aws:iam::000000000000:root'] }
  await sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy: policyOf([mine]) })
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn, Message: 'a@b.example' })), DENIED)
})

test('audits tell identifiers and counts with the message, and nothing of what was said', async () => {
  const audit = (more: object) => policyOf([statement({ Audit: { SampleRate: '99', ...more } }, managed('EmailAddress'))])
  const { TopicArn = '' } = await sns.createTopic({ Name: 'audited', DataProtectionPolicy: audit({ FindingsDestination: {} }) })
  const told = new Set<string>()
  // One of a hundred is left out: thirty that all are would be chance beyond belief.
  for (let at = 0; at < 30; at++)
    told.add((await sns.publish({ TopicArn, Message: 'nobody@hears.example of a@b.example' })).MessageId ?? '')
  const quiet = (await sns.publish({ TopicArn, Message: 'nothing' })).MessageId ?? ''
  await sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy: audit({ NoFindingsDestination: {} }) })
  for (let at = 0; at < 30; at++) await sns.publish({ TopicArn, Message: 'nothing at all' })
  await sns.publish({ TopicArn, Message: 'nobody@hears.example' })
  await assert.rejects(sns.publish({ TopicArn: (await protectedTopic('told', DENY_EMAIL)).TopicArn, Message: 'a@b.example' }))
  await server.kill()
  const sql = `SELECT eventname, CAST(serviceeventdetails AS VARCHAR) AS details, errormessage FROM events
    WHERE eventname IN ('SensitiveDataFound', 'NoSensitiveDataFound', 'Publish')`
  const { output } = await runCommand(['query', '--data', data, '--json', sql])
  assert.ok(!output.includes('hears.example'))
  const rows = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly eventname: string; readonly details: string; readonly errormessage: string | null })
  const of = (name: string) => rows.filter(({ eventname }) => eventname === name)
  const found = of('SensitiveDataFound').map(({ details }) => JSON.parse(details) as Record<string, unknown>)
  assert.ok(found.length >= 20 && found.length <= 30, String(found.length))
  for (const { messageId, ...details } of found) {
    assert.ok(told.has(String(messageId)))
    assert.deepEqual(details, {
      resourceArn: TopicArn,
      callerPrincipal: 'arn:aws:iam::000000000000:root',
      dataIdentifiers: [{ name: managed('EmailAddress'), count: 2 }],
    })
  }
  const none = of('NoSensitiveDataFound')
  assert.ok(none.length >= 20 && none.length <= 30 && !none.some(({ details }) => details.includes(quiet)), String(none.length))
  assert.ok(rows.some(({ errormessage }) => errormessage?.endsWith(`Found: ${managed('EmailAddress')} (1)`)))
})
