// The SMS sandbox with somebody who sends: the code goes out, comes back, wears out; and the opt-out list with numbers on it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, type Harness, OTHER_ACCOUNT, createHarness } from '../../../../tests/harness.ts'
import type { Outcome } from '../../../engine/deliverer.ts'
import type { Sms, SmsSender } from '../../../engine/sms-sender.ts'
import { rootPrincipal } from '../../../model/principal.ts'
import { optOutKey } from '../../../model/sms.ts'
import { Table } from '../../../model/tables.ts'
import { createSns } from '../index.ts'
import { createSnsLimits, type SnsLimits } from '../limits.ts'

interface World extends Harness {
  readonly sent: Sms[]
  outcome: Outcome
  sns(operation: string, input?: object, as?: string): Promise<Record<string, unknown>>
}

/** AWS's limits without its rates. */
const UNPACED: Partial<SnsLimits> = { paced: (operation) => operation }

/** `limits`: where they are not those of AWS; without it there are none. */
async function worldFor(t: TestContext, limits?: Partial<SnsLimits>): Promise<World> {
  const sent: Sms[] = []
  const state: { outcome: Outcome } = { outcome: { kind: 'delivered' } }
  const sms: SmsSender = {
    isInSandbox: (account) => account === ACCOUNT,
    originationNumbers: Array.from({ length: 31 }, (_, at) => ({
      phoneNumber: `+1555555${String(at).padStart(4, '0')}`,
      country: 'US',
      route: 'Transactional',
    })),
    send(text) {
      if (state.outcome.kind === 'delivered') sent.push(text)
      return Promise.resolve(state.outcome)
    },
  }
  const harness = await createHarness((env) => ({
    sns: createSns({
      tables: env.tables,
      protocols: {},
      sms,
      ...(limits !== undefined && { limits: { ...createSnsLimits(env), ...limits } }),
    }),
  }))
  t.after(() => harness.close())
  return Object.assign(state, harness, {
    sent,
    sns: (operation: string, input: object = {}, as = ACCOUNT) =>
      harness.call('sns', operation, input, rootPrincipal(as, 'AKIATEST')) as Promise<Record<string, unknown>>,
  })
}

const PhoneNumber = '+15555550100'
const codeIn = (sms: Sms | undefined): string => /\d{6}$/.exec(sms?.text ?? '')?.[0] ?? ''
const WRONG = { code: 'VerificationException', status: 400, message: 'The one-time password is invalid or has expired' }

test('a number is verified by the code that was sent to it, once', async (t) => {
  const world = await worldFor(t)
  await world.sns('SetSMSAttributes', { attributes: { DefaultSenderID: 'Acme' } })
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber, LanguageCode: 'de-DE' })
  const [{ messageId: _id, ...sms } = { messageId: '' }] = world.sent
  const code = codeIn(world.sent[0])
  assert.deepEqual(sms, {
    isVerification: true,
    account: ACCOUNT,
    region: 'us-east-1',
    to: PhoneNumber,
    text: `Ihr Bestätigungscode lautet: ${code}`,
    type: 'Transactional',
    senderId: 'Acme',
  })
  const list = async () => (await world.sns('ListSMSSandboxPhoneNumbers'))['PhoneNumbers']
  assert.deepEqual(await list(), [{ PhoneNumber, Status: 'Pending' }])
  const verify = (OneTimePassword: string) => world.sns('VerifySMSSandboxPhoneNumber', { PhoneNumber, OneTimePassword })
  await assert.rejects(verify(code === '000000' ? '000001' : '000000'), WRONG)
  await verify(code)
  assert.deepEqual(await list(), [{ PhoneNumber, Status: 'Verified' }])
  await assert.rejects(verify(code), WRONG)
  await world.sns('DeleteSMSSandboxPhoneNumber', { PhoneNumber })
  assert.deepEqual(await list(), [])
  const stored = JSON.stringify((await world.events()).map(({ record }) => record))
  for (const personal of [code, PhoneNumber.slice(1)]) assert.ok(!stored.includes(personal), personal)
})

test('a code runs out after a while, and after guesses; a fresh one is taken', async (t) => {
  const world = await worldFor(t)
  const verify = (OneTimePassword: string) => world.sns('VerifySMSSandboxPhoneNumber', { PhoneNumber, OneTimePassword })
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber })
  const code = codeIn(world.sent[0])
  for (let guess = 0; guess < 5; guess++) await assert.rejects(verify(String(10_000_000 + guess)), WRONG)
  await assert.rejects(verify(code), WRONG)
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber })
  world.clock.advance(15 * 60 * 1000)
  await assert.rejects(verify(codeIn(world.sent[1])), WRONG)
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber })
  world.clock.advance(15 * 60 * 1000 - 1)
  await verify(codeIn(world.sent[2]))
  assert.equal(new Set(world.sent.map(({ text }) => text)).size, 3)
})

test('a number that could not be texted is not on the list', async (t) => {
  const world = await worldFor(t)
  world.outcome = { kind: 'refused', reason: 'the provider answered 403' }
  await assert.rejects(world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber }), {
    code: 'UserError',
    status: 400,
    message: 'The verification code could not be sent: the provider answered 403',
  })
  assert.deepEqual((await world.sns('ListSMSSandboxPhoneNumbers'))['PhoneNumbers'], [])
  assert.equal((await world.sns('GetSMSSandboxAccountStatus'))['IsInSandbox'], true)
  assert.equal((await world.sns('GetSMSSandboxAccountStatus', {}, OTHER_ACCOUNT))['IsInSandbox'], false)
})

test('numbers of the sandbox and of the provider come in pages; ten are its limit on AWS alone', async (t) => {
  const world = await worldFor(t, { ...UNPACED, sandboxNumbersMax: 3 })
  const numbers = [1, 2, 3].map((at) => `+1555555010${at}`)
  for (const number of numbers) await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber: number })
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber: numbers[0] })
  await assert.rejects(world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber }), {
    code: 'UserError',
    message: 'The sandbox holds at most 3 phone numbers',
  })
  const first = await world.sns('ListSMSSandboxPhoneNumbers', { MaxResults: 2 })
  const rest = await world.sns('ListSMSSandboxPhoneNumbers', { MaxResults: 2, NextToken: first['NextToken'] })
  const found = [first, rest].flatMap((page) => page['PhoneNumbers'] as { PhoneNumber: string }[])
  assert.deepEqual(
    found,
    numbers.map((number) => ({ PhoneNumber: number, Status: 'Pending' })),
  )
  assert.equal(rest['NextToken'], undefined)

  const page = await world.sns('ListOriginationNumbers')
  const next = await world.sns('ListOriginationNumbers', { NextToken: page['NextToken'] })
  assert.equal((page['PhoneNumbers'] as object[]).length, 30)
  assert.deepEqual(next, {
    PhoneNumbers: [
      {
        PhoneNumber: '+15555550030',
        Status: 'Active',
        Iso2CountryCode: 'US',
        RouteType: 'Transactional',
        NumberCapabilities: ['SMS'],
      },
    ],
    NextToken: undefined,
  })
  for (const NextToken of ['x', '31', '-1'])
    await assert.rejects(world.sns('ListOriginationNumbers', { NextToken }), { code: 'InvalidParameter' })
})

test('a number that opted out is told, is texted no more, and comes back by an opt-in; on AWS once in 30 days', async (t) => {
  const world = await worldFor(t, UNPACED)
  const optOut = (account: string, phoneNumber = PhoneNumber) =>
    world.env.commits.commit((tx) => {
      const known = tx.get(Table.smsNumbers, optOutKey(account, phoneNumber))
      const optedInAt = known?.kind === 'opted-out' ? known.optedInAt : undefined
      tx.put(Table.smsNumbers, optOutKey(account, phoneNumber), {
        kind: 'opted-out',
        phoneNumber,
        optedOutAt: tx.now,
        ...(optedInAt !== undefined && { optedInAt }),
      })
    }).done
  const isOut = async (as?: string) => (await world.sns('CheckIfPhoneNumberIsOptedOut', { phoneNumber: PhoneNumber }, as))['isOptedOut']
  const list = async () => (await world.sns('ListPhoneNumbersOptedOut'))['phoneNumbers']
  await optOut(ACCOUNT)
  assert.deepEqual([await isOut(), await isOut(OTHER_ACCOUNT), await list()], [true, false, [PhoneNumber]])
  await assert.rejects(world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber }), { code: 'OptedOut', status: 400 })
  await world.sns('OptInPhoneNumber', { phoneNumber: PhoneNumber.slice(1) })
  assert.deepEqual([await isOut(), await list()], [false, []])
  await world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber })
  await optOut(ACCOUNT)
  await assert.rejects(world.sns('OptInPhoneNumber', { phoneNumber: PhoneNumber }), {
    message: 'Invalid parameter: PhoneNumber Reason: a number can be opted in once in 30 days',
  })
  world.clock.advance(30 * 24 * 3600 * 1000)
  await world.sns('OptInPhoneNumber', { phoneNumber: PhoneNumber })
  assert.equal(await isOut(), false)
  for (let at = 0; at < 101; at++) await optOut(ACCOUNT, `+1555${String(at).padStart(6, '0')}`)
  const first = await world.sns('ListPhoneNumbersOptedOut')
  const rest = await world.sns('ListPhoneNumbersOptedOut', { nextToken: first['nextToken'] })
  assert.deepEqual(
    [(first['phoneNumbers'] as string[]).length, (rest['phoneNumbers'] as string[]).length, rest['nextToken']],
    [100, 1, undefined],
  )
})

test('with the limits of AWS a throttled call sends nothing', async (t) => {
  const world = await worldFor(t, {})
  const results = await Promise.allSettled(
    [1, 2].map((at) => world.sns('CreateSMSSandboxPhoneNumber', { PhoneNumber: `+1555555010${at}` })),
  )
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(world.sent.length, 1)
})
