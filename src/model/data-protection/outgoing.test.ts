import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { placeIn } from './audience.ts'
import { protectOutgoing } from './outgoing.ts'
import type { ProtectionStatement } from './policy.ts'

const subscriber = (account: string, protocol = 'sqs', name = 'root') => ({
  ...{ owner: account, protocol, endpoint: '', principal: `arn:aws:iam::${account}:${name}` },
})
const ANN = subscriber('000000000001')
const BEN = subscriber('000000000002')
const CAT = subscriber('000000000003', 'sqs', 'user/Cat')

const statement = (
  operation: ProtectionStatement['operation'],
  identifier: string,
  ...principals: readonly string[]
): ProtectionStatement => ({
  ...{ sid: undefined, direction: 'outbound', identifiers: new Set([identifier]), operation, principals },
})
const DENY = { kind: 'deny' } as const
const mask = (maskWith?: string) => ({ kind: 'deidentify', maskWith }) as const

/** What each subscriber gets of a text in which X and Y are found; undefined: nothing. */
function copiesOf(text: string, statements: readonly ProtectionStatement[], ...subscribers: readonly (typeof ANN)[]) {
  const spans = (letter: string) => [...text.matchAll(new RegExp(letter, 'g'))].flatMap(({ index }) => [index, index + 1])
  const found = new Map(['X', 'Y'].map((letter) => [letter, spans(letter)] as const).filter(([, places]) => places.length > 0))
  const making = protectOutgoing(statements, new Map([[undefined, text]]), new Map([[undefined, found]]), subscribers)
  let step = making.next()
  while (step.done !== true) step = making.next()
  const outgoing = step.value
  if (outgoing === undefined) return undefined
  const all = [{ body: text, gets: outgoing.gets }, ...outgoing.copies]
  return {
    copies: outgoing.copies.length,
    texts: subscribers.map((one) => all.find(({ gets }) => placeIn({ ...outgoing, denied: [], gets }, one) === 'gets')?.body),
    denied: subscribers.map((one) => placeIn({ ...outgoing, gets: [] }, one) === 'denied'),
  }
}

test('where nothing is found, or nobody is meant, everybody gets the message as it is', () => {
  assert.equal(copiesOf('abc', [statement(DENY, 'X', '*')], ANN), undefined)
  assert.equal(copiesOf('aXc', [statement(DENY, 'Y', '*')], ANN), undefined)
  assert.equal(copiesOf('aXc', [statement(DENY, 'X', BEN.principal)], ANN), undefined)
  assert.equal(copiesOf('aXc', [{ ...statement(DENY, 'X', '*'), direction: 'inbound' }], ANN), undefined)
})

test('statements hold for their principals; all who get the same text share a copy', () => {
  const statements = [statement(mask('#'), 'X', BEN.principal, 'arn:aws:iam::000000000003:root'), statement(mask('-'), 'Y', '*')]
  assert.deepEqual(copiesOf('aXc', statements, ANN, BEN, CAT), { copies: 1, texts: ['aXc', 'a#c', 'a#c'], denied: [false, false, false] })
  assert.deepEqual(copiesOf('XY', statements, ANN, BEN, CAT)?.texts, ['X-', '#-', '#-'])
  assert.equal(copiesOf('Y.', statements, ANN, BEN, CAT)?.copies, 1)
})

test('a denial comes before all else, and what would be empty is denied', () => {
  const statements = [statement(mask('#'), 'X', '*'), statement(DENY, 'Y', CAT.principal), statement(mask(), 'X', BEN.principal)]
  assert.deepEqual(copiesOf('XY', statements, ANN, BEN, CAT), {
    copies: 2,
    texts: ['#Y', 'Y', undefined],
    denied: [false, false, true],
  })
  assert.deepEqual(copiesOf('X', statements, ANN, BEN)?.denied, [false, true])
})

test('each gets what the statements that hold for it leave, as if it were alone, and no text lies there twice', () => {
  const people = [ANN, BEN, CAT]
  const principal = fc.constantFrom('*', ...people.map((one) => one.principal))
  const someStatement = fc
    .tuple(
      fc.constantFrom(DENY, mask('#'), mask('-'), mask()),
      fc.constantFrom('X', 'Y'),
      fc.array(principal, { minLength: 1, maxLength: 2 }),
    )
    .map(([operation, identifier, principals]) => statement(operation, identifier, ...principals))
  const text = fc.array(fc.constantFrom('a', 'X', 'Y'), { minLength: 1, maxLength: 8 }).map((letters) => letters.join(''))
  /** Letter by letter: no finding is longer. */
  const alone = (given: string, statements: readonly ProtectionStatement[], { principal: own }: typeof ANN): string | undefined => {
    const held = statements.filter(({ principals }) => principals.includes('*') || principals.includes(own))
    const of = (letter: string) => held.flatMap(({ identifiers, operation }) => (identifiers.has(letter) ? [operation] : []))
    if ([...given].some((letter) => of(letter).some(({ kind }) => kind === 'deny'))) return undefined
    const left = [...given].map((letter) => {
      const masks = of(letter).flatMap((operation) => (operation.kind === 'deidentify' ? [operation.maskWith] : []))
      return masks.length === 0 ? letter : masks.includes(undefined) ? '' : (masks[0] ?? '')
    })
    return left.join('') === '' ? undefined : left.join('')
  }
  fc.assert(
    fc.property(text, fc.array(someStatement, { maxLength: 4 }), (given, statements) => {
      const made = copiesOf(given, statements, ...people)
      const expected = people.map((one) => alone(given, statements, one))
      assert.deepEqual(made?.texts ?? people.map(() => given), expected)
      if (made === undefined) return
      assert.deepEqual(
        made.denied,
        expected.map((one) => one === undefined),
      )
      assert.equal(made.copies, new Set(expected.filter((one) => one !== undefined && one !== given)).size)
    }),
  )
})

test('a push platform has its text, and what it gets is what counts', () => {
  const push = (platform: string) => ({
    ...subscriber('000000000002', 'application'),
    endpoint: `arn:aws:sns:us-east-1:000000000002:endpoint/${platform}/app/0f3c9c2e-0000-4000-8000-000000000001`,
  })
  const texts = new Map([
    ['default', 'X'],
    ['FCM', 'X'],
    ['APNS', 'fine'],
  ])
  const findings = new Map([...texts].map(([name, text]) => [name, text === 'X' ? new Map([['X', [0, 1]]]) : new Map()]))
  const subscribers = [push('GCM'), push('APNS'), push('ADM'), ANN]
  const step = protectOutgoing([statement(DENY, 'X', BEN.principal)], texts, findings, subscribers).next()
  assert.ok(step.done === true && step.value !== undefined)
  const { statements, gets, denied } = step.value
  assert.deepEqual(
    subscribers.map((one) => placeIn({ statements, gets, denied }, one)),
    ['denied', 'gets', 'denied', 'gets'],
  )
})

test('who came later is in no audience', () => {
  const outgoing = { statements: [[BEN.principal]], gets: [' sqs'], denied: [] }
  assert.equal(placeIn(outgoing, ANN), 'gets')
  assert.equal(placeIn(outgoing, BEN), undefined)
  assert.equal(placeIn(outgoing, { ...ANN, protocol: 'http' }), undefined)
})
