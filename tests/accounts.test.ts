// Two accounts on one server: kept apart, let in by policy, and told of in both records.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { STS } from '@aws-sdk/client-sts'
import { startFileServer } from './file-server.ts'
import { clientConfig, runCommand } from './server.ts'

const OWNER = '000000000000'
const GUEST = '111122223333'
const { server, data } = await startFileServer()

const guestKey = await createAccount(GUEST)
const owner = new SNS(clientConfig(server.url))
const guest = new SNS(clientConfig(server.url, guestKey))

async function createAccount(id: string): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const { code, output, notes } = await runCommand(['accounts', 'create', id, '--data', data, '--json'])
  assert.equal(code, 0, notes)
  const { AccountId, AccessKeyId, SecretAccessKey } = JSON.parse(output) as Record<string, string>
  assert.equal(AccountId, id)
  return { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' }
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', sql])
  assert.equal(code, 0, notes)
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

test('an account made by the command has a key of its own, and its own topics under the same names', async () => {
  assert.equal((await new STS(clientConfig(server.url, guestKey)).getCallerIdentity({})).Account, GUEST)
  const [ours, theirs] = await Promise.all([owner.createTopic({ Name: 'same' }), guest.createTopic({ Name: 'same' })])
  assert.notEqual(ours.TopicArn, theirs.TopicArn)
  assert.deepEqual((await guest.listTopics({})).Topics, [{ TopicArn: theirs.TopicArn }])
  assert.deepEqual((await owner.listTopics({})).Topics, [{ TopicArn: ours.TopicArn }])
  const far = new SNS({ ...clientConfig(server.url, guestKey), region: 'eu-west-1' })
  assert.deepEqual((await far.listTopics({})).Topics, [], 'regions are kept apart as well')
  const { output } = await runCommand(['accounts', 'list', '--data', data])
  assert.match(output, new RegExp(`^${OWNER}  \\w+\n${GUEST}  ${guestKey.accessKeyId}\n$`))
})

test('a second key of an account works beside the first; a malformed id is refused', async () => {
  const second = await createAccount(GUEST)
  assert.notEqual(second.accessKeyId, guestKey.accessKeyId)
  for (const key of [guestKey, second]) assert.equal((await new STS(clientConfig(server.url, key)).getCallerIdentity({})).Account, GUEST)
  const refused = await runCommand(['accounts', 'create', '123', '--data', data])
  assert.equal(refused.code, 1)
  assert.match(refused.notes, /AccountId: an account id has 12 digits/)
})

test('a publish from another account is refused until the topic lets it in, and is told to both', async () => {
  const { TopicArn = '' } = await owner.createTopic({ Name: 'guarded' })
  await assert.rejects(guest.publish({ TopicArn, Message: 'may I?' }), {
    name: 'AuthorizationErrorException',
    message:
      `User: arn:aws:iam::${GUEST}:root is not authorized to perform: SNS:Publish on resource: ${TopicArn} ` +
      'because no resource-based policy allows the SNS:Publish action',
  })
  const allow = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${GUEST}:root` }, Action: 'SNS:Publish', Resource: TopicArn }
  await owner.setTopicAttributes({
    TopicArn,
    AttributeName: 'Policy',
    AttributeValue: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
  })
  const { MessageId, $metadata } = await guest.publish({ TopicArn, Message: 'thank you' })
  await assert.rejects(guest.deleteTopic({ TopicArn }), { name: 'AuthorizationErrorException' })

  const rows = await query(
    `SELECT recipientaccountid, sharedeventid, eventid, useridentity.type AS type, useridentity.arn AS arn,
       useridentity.accountid AS caller,
       useridentity.accesskeyid AS key, responseelements, resources[1].accountid AS owner
     FROM events WHERE requestid = '${$metadata.requestId}' ORDER BY recipientaccountid`,
  )
  assert.equal(rows.length, 2)
  const [ofOwner, ofGuest] = rows
  assert.deepEqual([ofOwner?.['recipientaccountid'], ofGuest?.['recipientaccountid']], [OWNER, GUEST])
  assert.match(String(ofOwner?.['sharedeventid']), /^[0-9a-f-]{36}$/)
  assert.equal(ofOwner?.['sharedeventid'], ofGuest?.['sharedeventid'])
  assert.notEqual(ofOwner?.['eventid'], ofGuest?.['eventid'])
  assert.deepEqual([ofGuest?.['type'], ofGuest?.['arn'], ofGuest?.['key']], ['Root', `arn:aws:iam::${GUEST}:root`, guestKey.accessKeyId])
  assert.deepEqual(
    [ofOwner?.['type'], ofOwner?.['caller'], ofOwner?.['arn'], ofOwner?.['key']],
    ['AWSAccount', GUEST, null, null],
    'the owner learns the account, not who in it',
  )
  for (const row of rows) {
    assert.equal(row['owner'], OWNER)
    assert.deepEqual(JSON.parse(String(row['responseelements'])), { messageId: MessageId })
  }
})

test('an explicit deny beats the owner, and a queue of another account takes part once both sides agree', async () => {
  const { TopicArn = '' } = await owner.createTopic({ Name: 'across' })
  const sqs = new SQS(clientConfig(server.url, guestKey))
  const arn = `arn:aws:sqs:us-east-1:${GUEST}:across`
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: arn },
    { Effect: 'Allow', Principal: { AWS: OWNER }, Action: 'sqs:SendMessage', Resource: arn },
  ]
  const { QueueUrl } = await sqs.createQueue({
    QueueName: 'across',
    Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
  })
  assert.equal(QueueUrl, `${server.url}/${GUEST}/across`)
  const ownersQueues = new SQS(clientConfig(server.url))
  await ownersQueues.sendMessage({ QueueUrl, MessageBody: 'from next door' })
  await assert.rejects(ownersQueues.receiveMessage({ QueueUrl }), { name: 'AccessDenied' })
  const { Messages } = await sqs.receiveMessage({ QueueUrl })
  assert.deepEqual(
    Messages?.map(({ Body }) => Body),
    ['from next door'],
  )

  const Deny = [{ Effect: 'Deny', Principal: '*', Action: 'SNS:Publish', Resource: TopicArn }]
  await owner.setTopicAttributes({
    TopicArn,
    AttributeName: 'Policy',
    AttributeValue: JSON.stringify({ Version: '2012-10-17', Statement: Deny }),
  })
  await assert.rejects(owner.publish({ TopicArn, Message: 'x' }), {
    name: 'AuthorizationErrorException',
    message: /with an explicit deny in a resource-based policy$/,
  })
})
