import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { actionsOf, compilePolicy, namesService, principalsOf, resourcesOf } from './policy.ts'
import type { PolicyKind } from './policy-document.ts'
import { PolicyError } from './policy-error.ts'

const GOOD = { Sid: 'one', Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Resource: '*' }

function elementOf(document: unknown, kind: PolicyKind = 'resource'): string | undefined {
  try {
    compilePolicy(typeof document === 'string' ? document : JSON.stringify(document), { kind })
    return undefined
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    return error.element
  }
}

function statement(change: Record<string, unknown>): unknown {
  return { Version: '2012-10-17', Statement: [GOOD, { ...GOOD, Sid: 'two', ...change }] }
}

test('accepts the forms that the grammar allows', () => {
  const accepted: readonly unknown[] = [
    { Statement: GOOD },
    { Version: '2008-10-17', Id: 'x', Statement: [GOOD] },
    statement({ Principal: { AWS: ['111122223333', 'arn:aws:iam::111122223333:role/a/b', 'arn:aws:sts::111122223333:assumed-role/a/s'] } }),
    statement({ Principal: { Service: 'sns.amazonaws.com', Federated: 'accounts.google.com', CanonicalUser: 'ab'.repeat(32) } }),
    statement({ Principal: undefined, NotPrincipal: { AWS: '111122223333' }, Effect: 'Deny' }),
    statement({ Action: ['*', '*:*', 's3:Get?bject*'] }),
    statement({ Action: undefined, NotAction: 'iam:*', Resource: undefined, NotResource: ['arn:aws:s3:::b', 'arn:aws:s3:*'] }),
    statement({ Condition: {} }),
    statement({ Condition: { Bool: { 'aws:SecureTransport': false }, NumericLessThan: { 's3:max-keys': [10, '20'] } } }),
    statement({ Sid: '' }),
  ]
  for (const document of accepted) assert.equal(elementOf(document), undefined, JSON.stringify(document))
  assert.equal(elementOf({ Statement: { Effect: 'Allow', Action: 'sns:*', Resource: '*' } }, 'identity'), undefined)
  assert.equal(
    elementOf({ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' } } }, 'trust'),
    undefined,
  )
})

test('names the element that is wrong', () => {
  const refused: readonly (readonly [unknown, string])[] = [
    ['', 'Policy'],
    ['{"Statement":', 'Policy'],
    [[], 'Policy'],
    [null, 'Policy'],
    [{}, 'Statement'],
    [{ Statement: [] }, 'Statement'],
    [{ Statement: [7] }, 'Statement[0]'],
    [{ Version: '2012-10-18', Statement: GOOD }, 'Version'],
    [{ Id: 3, Statement: GOOD }, 'Id'],
    [{ Statement: GOOD, Extra: 1 }, 'Extra'],
    [{ Statement: { ...GOOD, Efect: 'Allow' } }, 'Statement.Efect'],
    [statement({ Effect: 'allow' }), 'Statement[1].Effect'],
    [statement({ Sid: 'one' }), 'Statement[1].Sid'],
    [statement({ Sid: 1 }), 'Statement[1].Sid'],
    [statement({ Principal: undefined }), 'Statement[1].Principal'],
    [statement({ Principal: 'arn:aws:iam::111122223333:root' }), 'Statement[1].Principal'],
    [statement({ Principal: {} }), 'Statement[1].Principal'],
    [statement({ Principal: { AWS: [] } }), 'Statement[1].Principal'],
    [statement({ Principal: { Aws: '*' } }), 'Statement[1].Principal.Aws'],
    [statement({ Principal: { constructor: '*' } }), 'Statement[1].Principal.constructor'],
    [statement({ Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } }), 'Statement[1].Principal.AWS'],
    [statement({ Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } }), 'Statement[1].Principal.AWS'],
    [statement({ Principal: { AWS: 'somebody' } }), 'Statement[1].Principal.AWS'],
    [statement({ Principal: { Service: 'sns' } }), 'Statement[1].Principal.Service'],
    [statement({ Principal: { CanonicalUser: 'x' } }), 'Statement[1].Principal.CanonicalUser'],
    [statement({ NotPrincipal: { AWS: '*' } }), 'Statement[1].NotPrincipal'],
    [statement({ Principal: undefined, NotPrincipal: { AWS: '111122223333' } }), 'Statement[1].NotPrincipal'],
    [statement({ Action: undefined }), 'Statement[1].Action'],
    [statement({ Action: [] }), 'Statement[1].Action'],
    [statement({ Action: 'Publish' }), 'Statement[1].Action'],
    [statement({ NotAction: 'sns:Publish' }), 'Statement[1].NotAction'],
    [statement({ Resource: undefined }), 'Statement[1].Resource'],
    [statement({ Resource: 'orders' }), 'Statement[1].Resource'],
    [statement({ Resource: 'arn:aws:sns' }), 'Statement[1].Resource'],
    [statement({ Resource: 'arn:aws:s3:::${aws:username' }), 'Statement[1].Resource'],
    [statement({ Condition: [] }), 'Statement[1].Condition'],
    [statement({ Condition: { StringEquals: 'x' } }), 'Statement[1].Condition.StringEquals'],
    [statement({ Condition: { StringEquals: { key: 'x' } } }), 'Statement[1].Condition.StringEquals.key'],
    [statement({ Condition: { StringEquals: { 'aws:x': null } } }), 'Statement[1].Condition.StringEquals.aws:x'],
    [statement({ Condition: { StringEqual: { 'aws:x': 'y' } } }), 'Statement[1].Condition.StringEqual.aws:x'],
  ]
  for (const [document, element] of refused) assert.equal(elementOf(document), element, JSON.stringify(document))
  assert.equal(elementOf({ Statement: GOOD }, 'identity'), 'Statement.Principal')
  assert.equal(elementOf({ Statement: GOOD }, 'trust'), 'Statement.Resource')
})

test('keeps its limits', () => {
  const compile = (limits: object) => (): unknown =>
    compilePolicy(JSON.stringify(statement({ Action: ['sns:a', 'sns:b'] })), { kind: 'resource', ...limits })
  assert.throws(compile({ textBytesMax: 100 }), /Policy: is \d+ bytes long; at most 100/)
  assert.throws(compile({ statementsMax: 1 }), /Statement: holds 2 statements; at most 1/)
  assert.throws(compile({ valuesMax: 6 }), /Statement: lists 7 values; at most 6/)
  assert.doesNotThrow(compile({ statementsMax: 2, valuesMax: 7 }))
})

test('lists what it names', () => {
  const policy = compilePolicy(
    JSON.stringify(
      statement({
        Principal: { AWS: ['arn:aws:iam::111122223333:root', '111122223333'], Service: 'sns.amazonaws.com' },
        Action: ['sns:Publish', 'sns:Get*'],
      }),
    ),
    { kind: 'resource' },
  )
  assert.deepEqual(principalsOf(policy), [
    { kind: 'everyone', value: '*' },
    { kind: 'account', value: '111122223333' },
    { kind: 'service', value: 'sns.amazonaws.com' },
  ])
  assert.deepEqual(actionsOf(policy), ['sns:Publish', 'sns:Get*'])
  assert.deepEqual(resourcesOf(policy), ['*'])
  const named = compilePolicy(JSON.stringify({ Statement: { ...GOOD, Principal: { Service: 'sns.amazonaws.com' } } }), { kind: 'resource' })
  assert.equal(namesService(named, 'sns.amazonaws.com'), true)
  assert.equal(namesService(named, 'sqs.amazonaws.com'), false)
  assert.equal(namesService(policy, 'sqs.amazonaws.com'), true)
})

test('whatever the text, reading it ends in a policy or a PolicyError', () => {
  const name = fc.constantFrom(
    'Version',
    'Id',
    'Statement',
    'Sid',
    'Effect',
    'Principal',
    'NotPrincipal',
    'Action',
    'NotAction',
    'Resource',
    'NotResource',
    'Condition',
  )
  const words = fc.constantFrom(
    'AWS',
    'Service',
    '*',
    'Allow',
    'Deny',
    'sns:Publish',
    'StringLike',
    'aws:x',
    '2012-10-17',
    'arn:aws:s3:::b/${aws:x}',
    '__proto__',
    'constructor',
  )
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 6 }, words, fc.string(), fc.integer(), fc.constant(null), fc.boolean(), tie('list'), tie('object')),
    list: fc.array(tie('node'), { maxLength: 4 }),
    object: fc.dictionary(fc.oneof(name, words, fc.string()), tie('node'), { maxKeys: 6 }),
  }))
  const nearly = fc.record(
    { Effect: fc.constantFrom('Allow', 'Deny'), Principal: node, Action: node, Resource: node, Condition: node },
    { requiredKeys: ['Effect'] },
  )
  const kinds = fc.constantFrom<PolicyKind>('identity', 'resource', 'trust')
  const documents = fc
    .oneof(
      node,
      nearly.map((one) => ({ Statement: one })),
    )
    .map((value) => JSON.stringify(value))
  fc.assert(
    fc.property(fc.oneof(documents, fc.string(), fc.json()), kinds, (text, kind) => {
      try {
        compilePolicy(text, { kind })
      } catch (error) {
        assert.ok(error instanceof PolicyError, String(error))
        assert.notEqual(error.element, '')
      }
    }),
    { numRuns: 3000 },
  )
  assert.equal(elementOf('['.repeat(30_000)), 'Policy')
})
