import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDataProtectionPolicy } from './policy.ts'

const EMAIL = 'arn:aws:dataprotection::aws:data-identifier/EmailAddress'
const statement = (more: object = {}) => ({
  DataDirection: 'Inbound',
  Principal: ['*'],
  DataIdentifier: [EMAIL],
  Operation: { Deny: {} },
  ...more,
})
const policy = (more: object = {}) => JSON.stringify({ Name: 'p', Version: '2021-06-01', Statement: [statement()], ...more })
const operation = (Operation: object) => policy({ Statement: [statement({ Operation })] })
const custom = (entries: readonly object[]) => policy({ Configuration: { CustomDataIdentifier: entries } })
const AUDIT = { SampleRate: '99', FindingsDestination: {} }

test('takes each operation with its settings', () => {
  const kinds = (text: string) => parseDataProtectionPolicy(text).statements.map(({ operation }) => operation)
  assert.deepEqual(kinds(policy()), [{ kind: 'deny' }])
  assert.deepEqual(kinds(operation({ Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } })), [{ kind: 'deidentify', maskWith: '#' }])
  assert.deepEqual(kinds(operation({ Deidentify: { RedactConfig: {} } })), [{ kind: 'deidentify', maskWith: undefined }])
  assert.deepEqual(kinds(operation({ Audit: AUDIT })), [{ kind: 'audit', sampleRate: 99, tellsFindings: true, tellsNoFindings: false }])
  assert.deepEqual(kinds(operation({ Audit: { SampleRate: 0, NoFindingsDestination: {} } })), [
    { kind: 'audit', sampleRate: 0, tellsFindings: false, tellsNoFindings: true },
  ])
})

test('takes statements of both directions', () => {
  const both = policy({ Statement: [statement(), statement({ DataDirection: 'Outbound' })] })
  assert.deepEqual(
    parseDataProtectionPolicy(both).statements.map(({ direction }) => direction),
    ['inbound', 'outbound'],
  )
})

test('refuses by place and remedy', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{', /^the policy is no JSON$/],
    ['[]', /^the policy must be a JSON object$/],
    [`${policy()}${' '.repeat(30_721 - policy().length)}`, /at most 30720 characters, and has 30721/],
    [policy({ Extra: 1 }), /^Extra is no member/],
    [policy({ Name: undefined }), /^Name must be a text/],
    [policy({ Version: '2012-10-17' }), /^Version must be "2021-06-01"$/],
    [policy({ Statement: [] }), /^Statement must be a list/],
    [policy({ Statement: [statement({ DataDirection: 'In' })] }), /^Statement\[0\]\.DataDirection must be "Inbound" or "Outbound"$/],
    [policy({ Statement: [statement({ Principal: ['me'] })] }), /^Statement\[0\]\.Principal\[0\] must be/],
    [
      policy({ Statement: [statement({ DataIdentifier: ['EmployeeId'] })] }),
      /^Statement\[0\]\.DataIdentifier\[0\] "EmployeeId" is neither/,
    ],
    [
      policy({ Statement: [statement({ DataIdentifier: ['arn:aws:dataprotection::aws:data-identifier/Name'] })] }),
      /the managed data identifier Name is not offered/,
    ],
    [operation({}), /exactly one of Audit/],
    [operation({ Deny: {}, Audit: AUDIT }), /exactly one of Audit/],
    [operation({ Deidentify: {} }), /exactly one of MaskConfig/],
    [operation({ Deidentify: { MaskConfig: { MaskWithCharacter: '##' } } }), /MaskWithCharacter must be one/],
    [operation({ Deidentify: { MaskConfig: { MaskWithCharacter: '"' } } }), /MaskWithCharacter must be one/],
    [operation({ Audit: { ...AUDIT, SampleRate: '100' } }), /SampleRate must be a whole number from 0 to 99$/],
    [operation({ Audit: { SampleRate: '1' } }), /must have FindingsDestination or/],
    [operation({ Audit: { ...AUDIT, FindingsDestination: { S3: { Bucket: 'b' } } } }), /FindingsDestination\.S3 is not offered/],
    [policy({ Statement: [statement({ Operation: { Audit: AUDIT } }), statement({ Operation: { Audit: AUDIT } })] }), /more than one with/],
    [custom(Array.from({ length: 11 }, (_, at) => ({ Name: `n${at}`, Regex: 'a' }))), /at most 10 entries, and has 11/],
    [custom([{ Name: 'a b', Regex: 'a' }]), /\[0\]\.Name must have 1 to 128/],
    [custom([{ Name: 'a', Regex: '(a+)+' }]), /\[0\]\.Regex the character '\(' is not allowed/],
    [custom([1, 2].map(() => ({ Name: 'a', Regex: 'a' }))), /\[1\]\.Name a is there twice/],
  ]
  for (const [text, message] of wrong)
    assert.throws(() => parseDataProtectionPolicy(text), { name: 'DataProtectionPolicyError', message }, text)
  parseDataProtectionPolicy(`${policy()}${' '.repeat(30_720 - policy().length)}`)
  parseDataProtectionPolicy(custom(Array.from({ length: 10 }, (_, at) => ({ Name: `n${at}`, Regex: 'a' }))))
})
