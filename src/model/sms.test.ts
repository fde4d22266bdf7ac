import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SmsAccount, isPhoneNumber, isSmsEndpoint, leftToSpend, optOutKey, smsSettings, textingProblem, withSpending } from './sms.ts'

test('numbers as AWS takes them', () => {
  for (const number of ['+15555550100', '15555550100', '+12', '+123456789012345']) assert.ok(isPhoneNumber(number), number)
  for (const number of ['', '+', '+1', '+05555550100', '+1234567890123456', '+1555-555', '+15555550100x', '＋15555550100'])
    assert.ok(!isPhoneNumber(number), number)
  for (const number of ['+12/34-567.890', '+15555550100', '1 555 555 0100']) assert.ok(isSmsEndpoint(number), number)
  for (const number of ['+15--551234567', 'NAA+15551234567', '+15551234567.', '/+15551234567', '+1/5/'])
    assert.ok(!isSmsEndpoint(number), number)
  assert.equal(optOutKey('000000000001', '1-555'), optOutKey('000000000001', '+1555'))
})

test('a month has its limit, and the next one begins anew', () => {
  const june = Date.UTC(2026, 5, 30, 23, 59)
  const july = Date.UTC(2026, 6, 1)
  let account: SmsAccount | undefined
  assert.equal(leftToSpend(account, june), 1)
  for (let sent = 0; sent < 3; sent++) account = withSpending(account, june, 0.3)
  assert.equal(leftToSpend(account, june).toFixed(6), '0.100000')
  assert.equal(leftToSpend(withSpending(account, june, 0.2), june), 0)
  assert.equal(leftToSpend(account, july), 1)
  assert.equal(leftToSpend(withSpending(account, july, 0.25), july), 0.75)
  assert.equal(leftToSpend({ attributes: { MonthlySpendLimit: '50' }, spent: { month: '2026-06', microUsd: 1_000_000 } }, june), 49)
})

test("what is not set is AWS's own", () => {
  assert.deepEqual(smsSettings(undefined), { senderId: undefined, type: 'Promotional', spendLimitUsd: 1 })
  assert.deepEqual(smsSettings({ attributes: { DefaultSenderID: 'Acme', DefaultSMSType: 'Transactional', MonthlySpendLimit: '7' } }), {
    senderId: 'Acme',
    type: 'Transactional',
    spendLimitUsd: 7,
  })
})

test('who may not be texted', () => {
  const number = { account: 'a', region: 'r', phoneNumber: '+1555' }
  const verified = { kind: 'sandbox', ...number, status: 'Verified' } as const
  const out = { kind: 'opted-out', phoneNumber: '+1555', optedOutAt: 1 } as const
  assert.equal(textingProblem(out, verified, false), 'opted-out')
  assert.equal(textingProblem({ kind: 'opted-out', phoneNumber: '+1555', optedInAt: 2 }, undefined, false), undefined)
  assert.equal(textingProblem(undefined, undefined, true), 'not-verified')
  assert.equal(textingProblem(undefined, { ...verified, status: 'Pending' }, true), 'not-verified')
  assert.equal(textingProblem(undefined, verified, true), undefined)
  assert.equal(textingProblem(undefined, undefined, false), undefined)
})
