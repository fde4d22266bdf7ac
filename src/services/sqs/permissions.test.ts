import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, other, refusal } from '../../../tests/sqs-world.ts'

const ARN = `arn:aws:sqs:us-east-1:${ACCOUNT}:q`
const ROOT = `arn:aws:iam::${OTHER_ACCOUNT}:root`

test('a permission becomes a statement of the policy and lets the account in, until it is removed', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const send = () => world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, other)
  assert.equal((await refusal(send())).code, 'AccessDenied')
  const accounts = [OTHER_ACCOUNT, '000000000003']
  await world.sqs('AddPermission', { QueueUrl, Label: 'both', AWSAccountIds: accounts, Actions: ['SendMessage', 'ReceiveMessage'] })
  const policy = async () => JSON.parse((await world.attribute(QueueUrl, 'Policy')) ?? 'null') as { Statement: unknown[] } | null
  assert.deepEqual(await policy(), {
    Version: '2008-10-17',
    Id: `${ARN}/SQSDefaultPolicy`,
    Statement: [
      {
        Sid: 'both',
        Effect: 'Allow',
        Principal: { AWS: [ROOT, 'arn:aws:iam::000000000003:root'] },
        Action: ['SQS:SendMessage', 'SQS:ReceiveMessage'],
        Resource: ARN,
      },
    ],
  })
  await send()
  await world.sqs('SendMessageBatch', { QueueUrl, Entries: [{ Id: 'a', MessageBody: 'x' }] }, other)
  assert.equal((await refusal(world.sqs('PurgeQueue', { QueueUrl }, other))).code, 'AccessDenied')
  await world.sqs('AddPermission', { QueueUrl, Label: 'all', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['*'] })
  assert.deepEqual((await policy())?.Statement[1], {
    Sid: 'all',
    Effect: 'Allow',
    Principal: { AWS: ROOT },
    Action: 'SQS:*',
    Resource: ARN,
  })
  await world.sqs('PurgeQueue', { QueueUrl }, other)
  await world.sqs('RemovePermission', { QueueUrl, Label: 'both' })
  assert.equal((await policy())?.Statement.length, 1)
  await send()
  await world.sqs('RemovePermission', { QueueUrl, Label: 'all' })
  assert.equal(await policy(), null)
  assert.equal((await refusal(send())).code, 'AccessDenied')
})

test('labels, accounts and actions that do not hold are refused as AWS refuses them', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const good = { QueueUrl, Label: 'a', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['SendMessage'] }
  const add = (more: object) => world.sqs('AddPermission', { ...good, ...more })
  await add({})
  await add({ Label: 'x'.repeat(80) })
  const seven = [
    'SendMessage',
    'ReceiveMessage',
    'DeleteMessage',
    'ChangeMessageVisibility',
    'GetQueueAttributes',
    'GetQueueUrl',
    'PurgeQueue',
  ]
  await add({ Label: 'seven', Actions: seven })
  for (const [more, code, message] of [
    [{}, 'InvalidParameterValue', 'Value a for parameter Label is invalid. Reason: Already exists.'],
    [{ Label: 'x'.repeat(81) }, 'InvalidParameterValue', /parameter Label is invalid/],
    [{ Label: 'a b' }, 'InvalidParameterValue', /parameter Label is invalid/],
    [
      { Label: 'b', AWSAccountIds: ['12'] },
      'InvalidParameterValue',
      'Value [12] for parameter PrincipalId is invalid. Reason: Unable to verify principal.',
    ],
    [
      { Label: 'b', AWSAccountIds: [] },
      'InvalidParameterValue',
      'Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.',
    ],
    [{ Label: 'b', Actions: [] }, 'MissingParameter', 'The request must contain the parameter Actions.'],
    [{ Label: 'b', Actions: [...seven, 'ListDeadLetterSourceQueues'] }, 'OverLimit', '8 Actions were found, maximum allowed is 7.'],
    [
      { Label: 'b', Actions: ['DeleteQueue'] },
      'InvalidParameterValue',
      'Value SQS:DeleteQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.',
    ],
    [
      { Label: 'b', Actions: ['SendMessageBatch'] },
      'InvalidParameterValue',
      /^Value SQS:SendMessageBatch for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid/,
    ],
  ] as const) {
    const refused = await refusal(add(more))
    assert.equal(refused.code, code)
    if (typeof message === 'string') assert.equal(refused.message, message)
    else assert.match(refused.message, message)
  }
  const unknown = await refusal(world.sqs('RemovePermission', { QueueUrl, Label: 'none' }))
  assert.equal(unknown.message, "Value none for parameter Label is invalid. Reason: can't find label.")
  const full = { QueueUrl: await world.create('full') }
  for (let at = 0; at < 20; at++) await add({ ...full, Label: `l${at}` })
  const over = await refusal(add({ ...full, Label: 'l20' }))
  assert.deepEqual([over.code, over.status, over.message], ['OverLimit', 403, '21 Statements were found, maximum allowed is 20.'])
})

test('only the owner changes permissions, whatever the policy gives', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  await world.sqs('AddPermission', { QueueUrl, Label: 'all', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['*'] })
  const more = { Label: 'b', AWSAccountIds: [OTHER_ACCOUNT], Actions: ['*'] }
  assert.equal((await refusal(world.sqs('AddPermission', { QueueUrl, ...more }, other))).code, 'AccessDenied')
  assert.equal((await refusal(world.sqs('RemovePermission', { QueueUrl, Label: 'all' }, other))).code, 'AccessDenied')
})

test('a policy is taken with the actions of SQS alone, and up to its quotas', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const statement = (more: object = {}) => ({ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: ARN, ...more })
  const set = (...Statement: object[]) =>
    world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } })
  const seven = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'GetQueueUrl', 'PurgeQueue', 'DeleteQueue', 'TagQueue'].map(
    (name) => `sqs:${name}`,
  )
  const accounts = (count: number) => ({ Principal: { AWS: Array.from({ length: count }, (_, at) => String(at).padStart(12, '0')) } })
  const conditions = (count: number) => ({
    Condition: Object.fromEntries(
      ['StringEquals', 'StringLike'].map((operator, half) => [
        operator,
        Object.fromEntries(
          Array.from({ length: half === 0 ? Math.ceil(count / 2) : Math.floor(count / 2) }, (_, at) => [`aws:PrincipalTag/${at}`, 'x']),
        ),
      ]),
    ),
  })
  await set(statement({ Action: '*' }), statement({ Action: 'SQS:*' }), statement({ Action: 'sqs:Get*' }), statement({ Action: seven }))
  await set(...Array.from({ length: 20 }, () => statement()))
  await set(statement(accounts(50)))
  await set(statement(conditions(10)))
  const emptyBytes = Buffer.byteLength(JSON.stringify({ Version: '2012-10-17', Statement: [statement({ Sid: '' })] }))
  await set(statement({ Sid: 's'.repeat(8192 - emptyBytes) }))
  for (const [statements, message] of [
    [Array.from({ length: 21 }, () => statement()), '21 Statements were found, maximum allowed is 20.'],
    [[statement({ Action: [...seven, 'sqs:UntagQueue'] })], '8 Actions were found, maximum allowed is 7.'],
    [[statement(accounts(51))], '51 Principals were found, maximum allowed is 50.'],
    [[statement(conditions(11))], '11 Conditions were found, maximum allowed is 10.'],
    [[statement({ Sid: 's'.repeat(8193 - emptyBytes) })], '8193 Bytes were found, maximum allowed is 8192.'],
  ] as const) {
    const refused = await refusal(set(...statements))
    assert.deepEqual([refused.code, refused.message], ['OverLimit', message])
  }
  for (const Action of ['sqs:SendMessageBatch', 'sqs:Fly', 'sns:Publish', 'sqs:Fly*'])
    assert.match(
      (await refusal(set(statement({ Action })))).message,
      new RegExp(`^Value ${RegExp.escape(Action)} for parameter ActionName is invalid`),
    )
})
