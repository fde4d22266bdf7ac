// SMS attributes, opt-outs and the sandbox through the stock SDK, in the words of AWS. No provider is connected: what would have to be
// sent is refused by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const { server, data } = await startFileServer()
const sns = new SNS(clientConfig(server.url))

const plain = (message: string) => ['InvalidParameterException', 400, message]
const unfit = (...faults: readonly (readonly [value: string, path: string, constraint: string])[]) => [
  'ValidationError',
  400,
  `${faults.length} validation error${faults.length === 1 ? '' : 's'} detected: ` +
    faults.map(([value, path, constraint]) => `Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`).join('; '),
]

test('attributes: the default, what is set, what is asked for, and each region for itself', async () => {
  const set = (attributes: Record<string, string>) => sns.setSMSAttributes({ attributes })
  const get = async (...attributes: string[]) => (await sns.getSMSAttributes({ attributes })).attributes
  assert.deepEqual(await get(), { MonthlySpendLimit: '1' })
  await set({ DefaultSMSType: 'Transactional', DefaultSenderID: 'test2' })
  await set({ MonthlySpendLimit: '25' })
  assert.deepEqual(await get(), { MonthlySpendLimit: '25', DefaultSMSType: 'Transactional', DefaultSenderID: 'test2' })
  assert.deepEqual(await get('DefaultSMSType'), { DefaultSMSType: 'Transactional' })
  assert.deepEqual((await new SNS({ ...clientConfig(server.url), region: 'eu-west-1' }).getSMSAttributes({})).attributes, {
    MonthlySpendLimit: '1',
  })
  // Terraform's provider names them all, empty where nothing is asked.
  await set({ DefaultSenderID: '', MonthlySpendLimit: '0', UsageReportS3Bucket: '', DeliveryStatusIAMRole: '' })
  assert.deepEqual(await get(), { MonthlySpendLimit: '0', DefaultSMSType: 'Transactional' })
  for (const [attributes, text] of [
    [{ DefaultSendID: 'x' }, 'DefaultSendID is not a valid attribute'],
    [{ MonthlySpendLimit: '7', Colour: 'red' }, 'Colour is not a valid attribute'],
    [{ DefaultSMSType: 'Loud' }, 'DefaultSMSType is invalid'],
    [{ DefaultSenderID: 'testSenderID' }, 'DefaultSenderID is invalid'],
    [{ DefaultSenderID: '12345' }, 'DefaultSenderID is invalid'],
    [{ MonthlySpendLimit: '-1' }, 'MonthlySpendLimit is invalid'],
    [{ MonthlySpendLimit: 'ten' }, 'MonthlySpendLimit is invalid'],
    [{ DeliveryStatusSuccessSamplingRate: '101' }, 'DeliveryStatusSuccessSamplingRate is invalid'],
    [{ DeliveryStatusIAMRole: 'role' }, 'DeliveryStatusIAMRole is invalid'],
  ] as const)
    assert.deepEqual(await refusalOf(set(attributes as unknown as Record<string, string>)), plain(text))
  assert.deepEqual(
    await refusalOf(set({ UsageReportS3Bucket: 'absent' })),
    invalid('UsageReportS3Bucket Reason: The bucket you provided does not exist'),
  )
  await new S3({ ...clientConfig(server.url), forcePathStyle: true }).createBucket({ Bucket: 'reports' })
  assert.deepEqual(
    await refusalOf(set({ UsageReportS3Bucket: 'reports' })),
    plain('UsageReportS3Bucket is not offered by this version of Sealcast'),
  )
  assert.deepEqual(await refusalOf(set({})), [
    'ValidationError',
    400,
    "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null",
  ])
  assert.equal((await get())?.['MonthlySpendLimit'], '0', 'a refusal changes nothing')
})

test('the opt-out list: nobody is on it, and malformed numbers are refused', async () => {
  const number = { phoneNumber: '+15555550100' }
  assert.equal((await sns.checkIfPhoneNumberIsOptedOut(number)).isOptedOut, false)
  assert.deepEqual((await sns.listPhoneNumbersOptedOut({})).phoneNumbers, [])
  await sns.optInPhoneNumber(number)
  const malformed = invalid('PhoneNumber Reason: input incorrectly formatted')
  for (const phoneNumber of ['', '+15555550100x', '+0123', '+1-555-555-0100', '+1234567890123456']) {
    assert.deepEqual(await refusalOf(sns.checkIfPhoneNumberIsOptedOut({ phoneNumber })), malformed, phoneNumber)
    assert.deepEqual(await refusalOf(sns.optInPhoneNumber({ phoneNumber })), malformed, phoneNumber)
  }
  assert.deepEqual(await refusalOf(sns.listPhoneNumbersOptedOut({ nextToken: 'nonsense' })), invalid('NextToken'))
})

test('the sandbox without a provider: what it takes, what it refuses, and why nothing can be verified', async () => {
  assert.equal((await sns.getSMSSandboxAccountStatus({})).IsInSandbox, true)
  assert.deepEqual((await sns.listSMSSandboxPhoneNumbers({})).PhoneNumbers, [])
  assert.deepEqual((await sns.listOriginationNumbers({})).PhoneNumbers, [])
  const pattern = 'Member must satisfy regular expression pattern: ^(\\+[0-9]{8,}|[0-9]{0,9})$'
  const tooLong = 'Member must have length less than or equal to 20'
  for (const [PhoneNumber, ...constraints] of [
    ['invalid phone number', pattern],
    ['1234567890', pattern],
    ['+1234567', pattern],
    ['+94489347594376598435346594365943695348562987', tooLong],
    ['no phone number at all', tooLong, pattern],
  ] as const) {
    const refused = unfit(...constraints.map((constraint) => [PhoneNumber, 'phoneNumber', constraint] as const))
    for (const call of [
      () => sns.createSMSSandboxPhoneNumber({ PhoneNumber }),
      () => sns.deleteSMSSandboxPhoneNumber({ PhoneNumber }),
      () => sns.verifySMSSandboxPhoneNumber({ PhoneNumber, OneTimePassword: '12345' }),
    ])
      assert.deepEqual(await refusalOf(call()), refused)
  }
  assert.deepEqual(
    await refusalOf(sns.createSMSSandboxPhoneNumber({ PhoneNumber: '+15555550100', LanguageCode: 'tlh' as 'en-US' })),
    unfit([
      'tlh',
      'languageCode',
      'Member must satisfy enum value set: ' +
        '[en-US, en-GB, es-419, es-ES, de-DE, fr-CA, fr-FR, it-IT, ja-JP, pt-BR, kr-KR, zh-CN, zh-TW]',
    ]),
  )
  assert.deepEqual(await refusalOf(sns.createSMSSandboxPhoneNumber({ PhoneNumber: '+15555550100' })), [
    'UserErrorException',
    400,
    'Nothing sends SMS here, so that no verification code can reach the phone number: set sms.provider',
  ])
  const absent = ['ResourceNotFoundException', 404, 'Resource does not exist']
  const PhoneNumber = '+15555550100'
  assert.deepEqual(await refusalOf(sns.verifySMSSandboxPhoneNumber({ PhoneNumber, OneTimePassword: '12345' })), absent)
  assert.deepEqual(await refusalOf(sns.deleteSMSSandboxPhoneNumber({ PhoneNumber })), absent)
  for (const [OneTimePassword, constraint] of [
    ['1234', 'Member must have length greater than or equal to 5'],
    ['123456789', 'Member must have length less than or equal to 8'],
    ['12a45', 'Member must satisfy regular expression pattern: ^[0-9]+$'],
  ] as const)
    assert.deepEqual(
      await refusalOf(sns.verifySMSSandboxPhoneNumber({ PhoneNumber, OneTimePassword })),
      unfit([OneTimePassword, 'oneTimePassword', constraint]),
    )
  const less = 'Member must have value greater than or equal to 1'
  assert.deepEqual(await refusalOf(sns.listSMSSandboxPhoneNumbers({ MaxResults: 0 })), unfit(['0', 'maxResults', less]))
  assert.deepEqual(
    await refusalOf(sns.listSMSSandboxPhoneNumbers({ MaxResults: 101 })),
    unfit(['101', 'maxResults', 'Member must have value less than or equal to 100']),
  )
  await sns.listSMSSandboxPhoneNumbers({ MaxResults: 100 })
  assert.deepEqual(await refusalOf(sns.listOriginationNumbers({ MaxResults: 0 })), unfit(['0', 'maxResults', less]))
  assert.deepEqual(
    await refusalOf(sns.listOriginationNumbers({ MaxResults: 31 })),
    unfit(['31', 'maxResults', 'Member must have value less than or equal to 30']),
  )
  await sns.listOriginationNumbers({ MaxResults: 30 })
})

test('publishing to a phone number: malformed, and nobody to send it', async () => {
  for (const PhoneNumber of ['InvalidPhoneNumber', '+1555x', ''])
    assert.deepEqual(
      await refusalOf(sns.publish({ PhoneNumber, Message: 'x' })),
      invalid(`PhoneNumber Reason: ${PhoneNumber} is not valid to publish to`),
    )
  assert.deepEqual(
    await refusalOf(sns.publish({ PhoneNumber: '+15555550100', Message: 'x' })),
    invalid(
      'Protocol Reason: nothing delivers sms here: ' +
        'set sms.provider to twilio or smpp (with sms.credentialsFile and sms.from) or to capture',
    ),
  )
})

test('with the limits of AWS, calls beyond the rate are throttled in the form of the SMS operations', async () => {
  const limits = temporaryFolder()
  const limited = await startTestServer({ data: limits.path, words: ['--set', 'limits.profile=aws'] })
  try {
    const client = new SNS(clientConfig(limited.url))
    const set = () => client.setSMSAttributes({ attributes: { DefaultSMSType: 'Promotional' } })
    const results = await Promise.allSettled([set(), set(), set()])
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error & { name: string }] : []))
    assert.ok(refused.length >= 1)
    for (const { name, message } of refused) assert.deepEqual([name, message], ['ThrottledException', 'Rate exceeded'])
  } finally {
    await limited.kill()
    limits.remove()
  }
})

test('what quotes a number or a code to the caller tells neither to the record', async () => {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', 'SELECT * FROM events'])
  assert.equal(code, 0, notes)
  assert.ok(output.includes('CreateSMSSandboxPhoneNumber'))
  for (const personal of ['15555550100', '+1-555', '1234567890', 'InvalidPhoneNumber', '12a45', '+1555x'])
    assert.ok(!output.includes(personal), personal)
  assert.match(output, /Value '\*\*\*' at 'phoneNumber' failed to satisfy constraint/)
})
