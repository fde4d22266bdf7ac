// Platform applications and endpoints through the stock SDK, in the words of AWS.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { createAuthority } from './certificates.ts'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand } from './server.ts'
import { until } from './until.ts'

const ACCOUNT = '000000000000'
// Credentials are those of nobody: nothing signs in with them.
const { server, data } = await startFileServer({ words: ['--set', 'push.provider=capture'] })
const sns = new SNS(clientConfig(server.url))

const ADM = { PlatformPrincipal: 'client-id', PlatformCredential: 'client-secret' }
const arnOf = (resource: string): string => `arn:aws:sns:us-east-1:${ACCOUNT}:${resource}`
const NO_APPLICATION = ['NotFoundException', 404, 'PlatformApplication does not exist']
const NO_ENDPOINT = ['NotFoundException', 404, 'Endpoint does not exist']
const NO_ATTRIBUTES = [
  'ValidationError',
  400,
  "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null",
]
const SLASHES = 'Reason: Wrong number of slashes in relative portion of the ARN.'
const reason = (text: string) => invalid(`Attributes Reason: ${text}`)

const create = (Name: string, Platform = 'ADM', Attributes: Record<string, string> = ADM) =>
  sns.createPlatformApplication({ Name, Platform, Attributes })
const applicationNamed = async (name: string, platform?: string, attributes?: Record<string, string>): Promise<string> =>
  (await create(name, platform, attributes)).PlatformApplicationArn ?? ''
const attributesOf = async (PlatformApplicationArn: string) =>
  (await sns.getPlatformApplicationAttributes({ PlatformApplicationArn })).Attributes
const endpointAttributes = async (EndpointArn: string) => (await sns.getEndpointAttributes({ EndpointArn })).Attributes

test('names, platforms and credentials of applications', async () => {
  assert.deepEqual(await refusalOf(create('')), invalid(' Reason: cannot be empty'))
  const long = 'x'.repeat(257)
  assert.deepEqual(await refusalOf(create(long)), invalid(`${long} Reason: must be at most 256 characters long`))
  for (const name of ['a b', 'a/b', 'ä'])
    assert.deepEqual(
      await refusalOf(create(name)),
      invalid(`${name} Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'`),
    )
  assert.equal(await applicationNamed('a.b_c-D1'), arnOf('app/ADM/a.b_c-D1'))
  assert.equal(await applicationNamed('x'.repeat(256)), arnOf(`app/ADM/${'x'.repeat(256)}`))
  assert.deepEqual(await refusalOf(create('a', 'PIGEON')), invalid('Platform Reason: PIGEON is not supported'))
  assert.deepEqual(await refusalOf(create('a', 'ADM', {})), NO_ATTRIBUTES)
  const [PlatformPrincipal, PlatformCredential] = ['p', 'c']
  assert.deepEqual(
    await refusalOf(create('a', 'ADM', { PlatformPrincipal })),
    reason('PlatformPrincipal attribute provided without PlatformCredential'),
  )
  assert.deepEqual(
    await refusalOf(create('a', 'APNS', { PlatformCredential })),
    reason('PlatformCredential attribute provided without PlatformPrincipal'),
  )
  for (const platform of ['ADM', 'GCM'])
    assert.deepEqual(await refusalOf(create('a', platform, { Enabled: 'true' })), reason('PlatformCredential attribute required'))
  assert.deepEqual(await refusalOf(create('a', 'ADM', { ...ADM, Colour: 'red' })), reason('Invalid attribute name: Colour'))
  assert.deepEqual(
    await refusalOf(create('a', 'ADM', { ...ADM, SuccessFeedbackSampleRate: '101' })),
    reason('Invalid value for attribute: SuccessFeedbackSampleRate: 101 value provided is not an integer between 0-100'),
  )
  assert.deepEqual(
    await refusalOf(create('a', 'APNS', { PlatformCredential, PlatformPrincipal: '-----BEGIN CERTIFICATE-----\nno\n' })),
    reason('Platform credentials are invalid'),
  )
})

test('credentials are never told, and what is told of them follows from them', async () => {
  assert.deepEqual(await attributesOf(await applicationNamed('adm')), { Enabled: 'true' })
  assert.deepEqual(await attributesOf(await applicationNamed('fcm', 'GCM', { PlatformCredential: '{"client_email":"x"}' })), {
    Enabled: 'true',
    AuthenticationMethod: 'token',
  })
  assert.deepEqual(await attributesOf(await applicationNamed('legacy', 'GCM', { PlatformCredential: 'key' })), {
    Enabled: 'true',
    AuthenticationMethod: 'key',
  })
  const apple = { ApplePlatformTeamID: 'TEAM123456', ApplePlatformBundleID: 'com.example.app' }
  const token = await applicationNamed('token', 'APNS', {
    PlatformCredential: '-----BEGIN PRIVATE KEY-----',
    PlatformPrincipal: 'KEY1234567',
    ...apple,
  })
  assert.deepEqual(await attributesOf(token), { Enabled: 'true', AuthenticationMethod: 'token', ...apple })
  const { cert, key } = createAuthority().issue()
  const certificate = await applicationNamed('certificate', 'APNS_SANDBOX', { PlatformCredential: key, PlatformPrincipal: cert })
  assert.deepEqual(await attributesOf(certificate), {
    Enabled: 'true',
    AuthenticationMethod: 'certificate',
    AppleCertificateExpiryDate: '2049-01-01T00:00:00Z',
  })
  const listed = (await sns.listPlatformApplications({})).PlatformApplications ?? []
  assert.deepEqual(listed.find(({ PlatformApplicationArn }) => PlatformApplicationArn === token)?.Attributes, await attributesOf(token))
})

test('creating an application again: the same ARN for the same properties, also under a new root key', async () => {
  const arn = await applicationNamed('again')
  assert.equal(await applicationNamed('again'), arn)
  const other = invalid('Name Reason: An application with the same name but different properties already exists')
  assert.deepEqual(await refusalOf(create('again', 'ADM', { ...ADM, PlatformCredential: 'other' })), other)
  assert.deepEqual(await refusalOf(create('again', 'ADM', { ...ADM, Enabled: 'false' })), other)
  assert.equal(await applicationNamed('again', 'BAIDU'), arnOf('app/BAIDU/again'), 'another platform, another application')
  const { code, notes } = await runCommand(['keys', 'rotate', '--root', '--data', data])
  assert.equal(code, 0, notes)
  assert.equal(await applicationNamed('again'), arn)
})

test('the attributes of an application: replaced by name, and told to nobody who asks for one that is not there', async () => {
  const PlatformApplicationArn = await applicationNamed('attributes')
  const set = (Attributes: Record<string, string>, arn = PlatformApplicationArn) =>
    sns.setPlatformApplicationAttributes({ PlatformApplicationArn: arn, Attributes })
  await set({ Enabled: 'FALSE' })
  await set({ PlatformCredential: 'new', PlatformPrincipal: 'new' })
  assert.deepEqual(await attributesOf(PlatformApplicationArn), { Enabled: 'false' })
  assert.deepEqual(await refusalOf(set({})), NO_ATTRIBUTES)
  const absent = arnOf('app/ADM/absent')
  assert.deepEqual(await refusalOf(set({}, absent)), NO_ATTRIBUTES, 'what is missing comes first')
  for (const call of [
    () => set({ Enabled: 'true' }, absent),
    () => sns.getPlatformApplicationAttributes({ PlatformApplicationArn: absent }),
    () => sns.listEndpointsByPlatformApplication({ PlatformApplicationArn: absent }),
    () => sns.createPlatformEndpoint({ PlatformApplicationArn: absent, Token: 't' }),
  ])
    assert.deepEqual(await refusalOf(call()), NO_APPLICATION)
  assert.deepEqual(await refusalOf(set({ Enabled: 'maybe' })), reason('Invalid value for attribute: Enabled: must be true or false'))
  assert.deepEqual(await refusalOf(set({ ApplePlatformTeamID: 'x' })), reason('Invalid attribute name: ApplePlatformTeamID'))
  assert.deepEqual(
    await refusalOf(set({ EventEndpointCreated: 'arn:aws:sns:us-east-1:111122223333:theirs' })),
    reason("Invalid value for attribute: EventEndpointCreated: must be the ARN of a topic of the application's account and region"),
  )
  assert.deepEqual(
    await refusalOf(set({ EventEndpointCreated: arnOf('absent') })),
    reason('Invalid value for attribute: EventEndpointCreated: Topic does not exist'),
  )
  for (const [arn, text] of [
    ['', 'PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1'],
    ['a:b', 'PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 2'],
    [arnOf('app/ADM'), `PlatformApplicationArn ${SLASHES}`],
    [arnOf('endpoint/ADM/attributes/x'), `PlatformApplicationArn ${SLASHES}`],
    [PlatformApplicationArn.replace('us-east-1', 'eu-west-1'), 'PlatformApplicationArn'],
  ] as const)
    assert.deepEqual(await refusalOf(sns.getPlatformApplicationAttributes({ PlatformApplicationArn: arn })), invalid(text))
})

test('an endpoint belongs to its token: created once, and its famous text for another with the same one', async () => {
  const PlatformApplicationArn = await applicationNamed('endpoints')
  const join = async (Token: string, Attributes?: Record<string, string>, CustomUserData?: string) =>
    (await sns.createPlatformEndpoint({ PlatformApplicationArn, Token, Attributes, CustomUserData })).EndpointArn ?? ''
  const arn = await join('token-1')
  assert.match(arn, new RegExp(`^${arnOf('endpoint/ADM/endpoints/')}[0-9a-f-]{36}$`))
  assert.deepEqual(await endpointAttributes(arn), { Enabled: 'true', Token: 'token-1' })
  const sames: (Record<string, string> | undefined)[] = [undefined, {}, { Enabled: 'true' }, { Enabled: 'True', Token: 'token-1' }]
  for (const same of sames) assert.equal(await join('token-1', same), arn)
  const text = invalid(`Token Reason: Endpoint ${arn} already exists with the same Token, but different attributes.`)
  assert.deepEqual(await refusalOf(join('token-1', { Enabled: 'false' })), text)
  assert.deepEqual(await refusalOf(join('token-1', {}, 'user 7')), text)

  const second = await join('token-2', { CustomUserData: 'from the attributes' }, 'from the parameter')
  assert.deepEqual(await endpointAttributes(second), { Enabled: 'true', Token: 'token-2', CustomUserData: 'from the attributes' })
  assert.deepEqual(
    await refusalOf(join('token-2')),
    invalid(`Token Reason: Endpoint ${second} already exists with the same Token, but different attributes.`),
  )

  await sns.setEndpointAttributes({ EndpointArn: arn, Attributes: { Enabled: 'false', Token: 'token-3', CustomUserData: 'x' } })
  assert.deepEqual(await endpointAttributes(arn), { Enabled: 'false', Token: 'token-3', CustomUserData: 'x' })
  assert.equal(await join('token-3', {}, 'x'), arn, 'found by its new token, disabled as it is')
  assert.notEqual(await join('token-1'), arn, 'its former token is free')
  assert.deepEqual(
    await refusalOf(sns.setEndpointAttributes({ EndpointArn: arn, Attributes: { Token: 'token-2' } })),
    invalid(`Token Reason: Endpoint ${second} already exists with the same Token, but different attributes.`),
  )
  await sns.setEndpointAttributes({ EndpointArn: arn, Attributes: { CustomUserData: '' } })
  assert.deepEqual(await endpointAttributes(arn), { Enabled: 'false', Token: 'token-3' })

  await sns.deleteEndpoint({ EndpointArn: arn })
  await sns.deleteEndpoint({ EndpointArn: arn })
  assert.deepEqual(await refusalOf(endpointAttributes(arn)), NO_ENDPOINT)
  assert.deepEqual(await refusalOf(sns.setEndpointAttributes({ EndpointArn: arn, Attributes: { Enabled: 'true' } })), NO_ENDPOINT)
  assert.notEqual(await join('token-3'), arn)
})

test('what endpoints refuse', async () => {
  const PlatformApplicationArn = await applicationNamed('refusals')
  const join = (Token: string, Attributes?: Record<string, string>, CustomUserData?: string) =>
    sns.createPlatformEndpoint({ PlatformApplicationArn, Token, Attributes, CustomUserData })
  assert.deepEqual(await refusalOf(join('')), invalid('Token Reason: cannot be empty'))
  assert.deepEqual(await refusalOf(join('x'.repeat(4097))), invalid('Token Reason: must be at most 4096 characters long'))
  assert.deepEqual(await refusalOf(join('t', { Token: '' })), reason('Invalid value for attribute: Token: cannot be empty'))
  assert.deepEqual(await refusalOf(join('t', { Colour: 'red' })), reason('Invalid attribute name: Colour'))
  const tooLong = reason('Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding')
  assert.deepEqual(await refusalOf(join('t', { CustomUserData: 'ä'.repeat(1025) })), tooLong)
  assert.deepEqual(await refusalOf(join('t', {}, 'x'.repeat(2049))), tooLong)
  const EndpointArn = (await join('t', {}, 'x'.repeat(2048))).EndpointArn ?? ''
  assert.deepEqual(await refusalOf(sns.setEndpointAttributes({ EndpointArn, Attributes: {} })), NO_ATTRIBUTES)
  assert.deepEqual(
    await refusalOf(sns.setEndpointAttributes({ EndpointArn: arnOf('endpoint/ADM/refusals/x'), Attributes: {} })),
    NO_ATTRIBUTES,
  )
  assert.deepEqual(await refusalOf(sns.setEndpointAttributes({ EndpointArn, Attributes: { CustomUserData: 'x'.repeat(2049) } })), tooLong)
  for (const [arn, text] of [
    [arnOf('endpoint/ADM/refusals'), `EndpointArn ${SLASHES}`],
    [PlatformApplicationArn, `EndpointArn ${SLASHES}`],
    [`${EndpointArn}invalid`, 'EndpointArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters.'],
    ['x', 'EndpointArn Reason: An ARN must have at least 6 elements, not 1'],
  ] as const)
    for (const call of ['deleteEndpoint', 'getEndpointAttributes'] as const)
      assert.deepEqual(await refusalOf(sns[call]({ EndpointArn: arn })), invalid(text))
  assert.deepEqual(
    await refusalOf(sns.createPlatformEndpoint({ PlatformApplicationArn: arnOf('app/ADM/a/b'), Token: 't' })),
    invalid(`PlatformApplicationArn ${SLASHES}`),
  )
  const apple = await applicationNamed('refusals', 'APNS', { PlatformCredential: 'c', PlatformPrincipal: 'p' })
  for (const Token of ['not hexadecimal', 'a'.repeat(401)])
    assert.deepEqual(
      await refusalOf(sns.createPlatformEndpoint({ PlatformApplicationArn: apple, Token })),
      invalid('Token Reason: iOS device tokens must be no more than 400 hexadecimal characters'),
    )
  const iphone = await sns.createPlatformEndpoint({ PlatformApplicationArn: apple, Token: 'ABCDEF01' })
  assert.deepEqual(await endpointAttributes(iphone.EndpointArn ?? ''), { Enabled: 'true', Token: 'abcdef01' })
})

test('endpoints go with their application, and do not come back with another of the same name', async () => {
  const PlatformApplicationArn = await applicationNamed('goes')
  const { EndpointArn = '' } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 't' })
  await sns.deletePlatformApplication({ PlatformApplicationArn })
  await sns.deletePlatformApplication({ PlatformApplicationArn })
  assert.deepEqual(await refusalOf(endpointAttributes(EndpointArn)), NO_ENDPOINT)
  await applicationNamed('goes')
  assert.deepEqual((await sns.listEndpointsByPlatformApplication({ PlatformApplicationArn })).Endpoints, [])
  assert.deepEqual(await refusalOf(endpointAttributes(EndpointArn)), NO_ENDPOINT)
  const again = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 't' })
  assert.notEqual(again.EndpointArn, EndpointArn)
})

test('applications and endpoints come in pages of a hundred', async () => {
  const far = new SNS({ ...clientConfig(server.url), region: 'eu-north-1' })
  await Promise.all(
    Array.from({ length: 101 }, (_, at) => far.createPlatformApplication({ Name: `a${at}`, Platform: 'ADM', Attributes: ADM })),
  )
  const first = await far.listPlatformApplications({})
  const rest = await far.listPlatformApplications({ NextToken: first.NextToken })
  assert.deepEqual([first.PlatformApplications?.length, rest.PlatformApplications?.length, rest.NextToken], [100, 1, undefined])
  const PlatformApplicationArn = first.PlatformApplications?.[0]?.PlatformApplicationArn
  await Promise.all(Array.from({ length: 101 }, (_, at) => far.createPlatformEndpoint({ PlatformApplicationArn, Token: `t${at}` })))
  const page = await far.listEndpointsByPlatformApplication({ PlatformApplicationArn })
  const end = await far.listEndpointsByPlatformApplication({ PlatformApplicationArn, NextToken: page.NextToken })
  assert.deepEqual([page.Endpoints?.length, end.Endpoints?.length, end.NextToken], [100, 1, undefined])
  const tokens = [...(page.Endpoints ?? []), ...(end.Endpoints ?? [])].map(({ Attributes }) => Attributes?.['Token'])
  assert.equal(new Set(tokens).size, 101)
  assert.deepEqual(
    await refusalOf(far.listEndpointsByPlatformApplication({ PlatformApplicationArn, NextToken: first.NextToken })),
    invalid('NextToken'),
  )
})

test('topics are told when endpoints come, change and go', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'told' })
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  const sqs = new SQS(clientConfig(server.url))
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'told', Attributes: { Policy: topicsMaySend(queueArn) } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn })
  const topics = { EventEndpointCreated: TopicArn, EventEndpointUpdated: TopicArn, EventEndpointDeleted: TopicArn }
  const PlatformApplicationArn = await applicationNamed('telling', 'ADM', { ...ADM, ...topics })
  assert.deepEqual(await attributesOf(PlatformApplicationArn), { Enabled: 'true', ...topics })
  const { EndpointArn } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 'told' })
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { Enabled: 'false' } })
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes: { EventEndpointUpdated: '' } })
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { Enabled: 'true' } })
  await sns.deleteEndpoint({ EndpointArn })
  const told: Record<string, unknown>[] = []
  await until('three events', async () => {
    const { Messages } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
    for (const { Body } of Messages ?? []) told.push(JSON.parse(Body ?? '') as Record<string, unknown>)
    return told.length >= 3 ? true : undefined
  })
  const event = (type: string, isEnabled: boolean) => ({
    subject: `${type} event for app telling (ADM)`,
    Attributes: { Enabled: String(isEnabled), Token: 'told' },
    EndpointArn,
    EventType: type,
    Resource: PlatformApplicationArn,
    Service: 'SNS',
  })
  const read = told.map(({ Subject, Message }) => {
    const { Time, ...others } = JSON.parse(String(Message)) as Record<string, unknown>
    assert.match(String(Time), /^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/)
    return { subject: Subject, ...others }
  })
  const byType = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  assert.deepEqual(
    read.toSorted(byType),
    [event('EndpointCreated', true), event('EndpointUpdated', false), event('EndpointDeleted', true)].toSorted(byType),
  )
})

test('publishing to an endpoint that is unknown or disabled, or whose application is', async () => {
  const PlatformApplicationArn = await applicationNamed('publishing')
  const { EndpointArn: TargetArn = '' } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 't' })
  const publish = (arn = TargetArn) => refusalOf(sns.publish({ TargetArn: arn, Message: 'hello' }))
  const unknown = `${TargetArn.slice(0, -8)}00000000`
  assert.deepEqual(await publish(unknown), invalid('TargetArn Reason: No endpoint found for the target arn specified'))
  await sns.setEndpointAttributes({ EndpointArn: TargetArn, Attributes: { Enabled: 'false' } })
  assert.deepEqual(await publish(), ['EndpointDisabledException', 400, 'Endpoint is disabled'])
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes: { Enabled: 'false' } })
  assert.deepEqual(await publish(), ['PlatformApplicationDisabledException', 400, 'Platform application is disabled'])
  assert.deepEqual(await publish(arnOf('endpoint/ADM/publishing')), invalid(`TargetArn ${SLASHES}`))
})
