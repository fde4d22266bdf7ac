import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, type Harness, REGION, createHarness } from '../../../tests/harness.ts'
import { type TwilioServer, startTwilioServer } from '../../../tests/twilio-server.ts'
import { untilTrue } from '../../../tests/until.ts'
import type { Outcome } from '../../engine/deliverer.ts'
import type { Sms, SmsSender } from '../../engine/sms-sender.ts'
import { optOutKey, sandboxKey, smsAccountKey } from '../../model/sms.ts'
import { Table } from '../../model/tables.ts'
import { type SenderParts, createSmsSender } from './sender.ts'
import { createTwilio } from './twilio.ts'

const TOKEN = 'a-token-of-this-test-only'
const SID = `AC${'0'.repeat(32)}`
const STOPPED = '+15555550199'
const TO = '+15555550101'

interface World extends Harness {
  readonly provider: TwilioServer
  readonly sender: SmsSender
  text(more?: Partial<Sms>): Promise<Outcome>
}

async function world(
  t: TestContext,
  parts: Partial<SenderParts> & { readonly price?: string; readonly token?: string } = {},
): Promise<World> {
  const { price, token = TOKEN, ...others } = parts
  const provider = await startTwilioServer({
    ...{ account: SID, token: TOKEN, optedOut: new Set([STOPPED]) },
    ...(price !== undefined && { price }),
  })
  const harness = await createHarness(() => ({}))
  const { env, clock } = harness
  const sender = createSmsSender({
    ...env,
    now: () => clock.now(),
    gateway: createTwilio({ outbound: env.outbound, now: () => clock.now(), url: provider.url, account: SID, token }),
    ...{ priceUsd: 0, isSandbox: false, originationNumbers: [], from: '+15550000000' },
    ...others,
  })
  t.after(async () => {
    await harness.close()
    await provider.close()
  })
  const sms = { messageId: 'm', account: ACCOUNT, region: REGION, to: TO, text: 'hello', type: 'Promotional', senderId: undefined } as const
  return { ...harness, provider, sender, text: (more) => sender.send({ ...sms, ...more }) }
}

const put = async ({ env }: World, limit: string): Promise<void> => {
  const row = { attributes: { MonthlySpendLimit: limit } }
  await env.commits.commit((tx) => tx.put(Table.smsAccounts, smsAccountKey({ account: ACCOUNT, region: REGION }), row)).done
}
const spent = ({ env }: World) => env.tables.get(Table.smsAccounts, smsAccountKey({ account: ACCOUNT, region: REGION }))?.spent?.microUsd

test('a text is posted as Twilio wants it: from a number, a name or a messaging service', async (t) => {
  const here = await world(t)
  assert.deepEqual(await here.text({ text: 'Grüße & more ✉' }), {
    ...{ kind: 'delivered', status: 201 },
    told: {
      ...{ priceInUSD: 0, numberOfMessageParts: 1, providerResponse: 'Message has been accepted by phone carrier' },
      smsType: 'Promotional',
    },
  })
  await here.text({ senderId: 'Acme' })
  await here.text({ senderId: 'Acme', originationNumber: '12345' })
  const service = await world(t, { from: `MG${'a'.repeat(32)}` })
  await service.text()
  assert.deepEqual(
    [...here.provider.received, ...service.provider.received],
    [
      { to: TO, from: '+15550000000', service: undefined, body: 'Grüße & more ✉' },
      { to: TO, from: 'Acme', service: undefined, body: 'hello' },
      { to: TO, from: '12345', service: undefined, body: 'hello' },
      { to: TO, from: undefined, service: `MG${'a'.repeat(32)}`, body: 'hello' },
    ],
  )
})

test("the provider's refusals: what is final, and what the operator can mend", async (t) => {
  const { provider, text } = await world(t)
  const ends = async (status: number, code?: number, headers?: Record<string, string>) => {
    provider.fault = () => ({ kind: 'answer', status, ...(code && { body: { code } }), ...(headers && { headers }) })
    const outcome = await text()
    return [outcome.kind, 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined]
  }
  for (const code of [21211, 21614, 21612, 21617]) assert.deepEqual(await ends(400, code), ['refused', undefined], String(code))
  for (const code of [21606, 21408]) assert.deepEqual(await ends(400, code), ['retry', undefined], String(code))
  for (const [status, code] of [
    [401, 20003],
    [403, 20003],
    [404, 20404],
    [500, 20500],
    [503, undefined],
  ] as const)
    assert.deepEqual(await ends(status, code), ['retry', undefined], String(status))
  assert.deepEqual(await ends(429, 20429, { 'retry-after': '12' }), ['retry', 12_000])
  assert.deepEqual(await ends(307, undefined, { location: 'http://10.0.0.1/' }), ['refused', undefined])
  const wrong = await world(t, { token: 'wrong' })
  const refused = await wrong.text()
  assert.deepEqual([refused.kind, 'status' in refused && refused.status], ['retry', 401])
  assert.ok(!JSON.stringify(refused).includes('wrong'))
})

test('connections that are reset, answers that do not come or not whole: they come again, after 15 s at the latest', async (t) => {
  for (const kind of ['reset', 'hang', 'drip'] as const) {
    const { provider, text, clock } = await world(t)
    provider.fault = () => ({ kind })
    const ended = text()
    await untilTrue('the text arrived', () => provider.received.length > 0)
    if (kind !== 'reset') clock.advance(15_000)
    const reason = kind === 'reset' ? 'the connection was closed before the answer' : 'no complete answer in time'
    assert.deepEqual(await ended, { kind: 'retry', reason: `the SMS provider: ${reason}`, told: { smsType: 'Promotional' } })
  }
})

test('a number that replied STOP is on the list from then on, and asked no more', async (t) => {
  const here = await world(t)
  const optedOut = { kind: 'refused', reason: 'Phone number is opted out', told: { smsType: 'Promotional' } }
  assert.deepEqual(await here.text({ to: STOPPED }), optedOut)
  const row = here.env.tables.get(Table.smsNumbers, optOutKey(ACCOUNT, STOPPED))
  assert.equal(row?.kind === 'opted-out' && row.optedOutAt, here.clock.now())
  assert.deepEqual(await here.text({ to: STOPPED }), optedOut)
  assert.equal(here.provider.received.length, 1)
  const acts = (await here.events()).filter(({ record }) => record['eventName'] === 'PhoneNumberOptedOut')
  assert.equal(acts.length, 1)
  assert.ok(!JSON.stringify(acts).includes('5555550199'))
})

test('in the sandbox a text goes to verified numbers alone, but for the code that verifies one', async (t) => {
  const here = await world(t, { isSandbox: true })
  const refused = { kind: 'refused', reason: 'Sandboxed account unable to send to number', told: { smsType: 'Promotional' } }
  assert.deepEqual(await here.text(), refused)
  assert.equal((await here.text({ isVerification: true })).kind, 'delivered')
  const number = { kind: 'sandbox', account: ACCOUNT, region: REGION, phoneNumber: TO } as const
  for (const status of ['Pending', 'Verified'] as const) {
    await here.env.commits.commit((tx) => tx.put(Table.smsNumbers, sandboxKey(number, TO), { ...number, status })).done
    assert.equal((await here.text()).kind, status === 'Pending' ? 'refused' : 'delivered')
  }
  assert.equal(here.sender.isInSandbox(ACCOUNT), true)
})

test('what was spent is counted by parts, or as the provider says, until the limit of the month', async (t) => {
  const here = await world(t, { priceUsd: 0.25 })
  const quota = { kind: 'refused', reason: 'No quota left for account', told: { smsType: 'Promotional' } }
  assert.equal((await here.text({ text: 'x'.repeat(161) })).kind, 'delivered')
  assert.equal(spent(here), 500_000)
  // Those under way count as well: of four at once two are paid for.
  const kinds = await Promise.all([1, 2, 3, 4].map(async () => (await here.text()).kind))
  assert.deepEqual(kinds, ['delivered', 'delivered', 'refused', 'refused'])
  assert.equal(spent(here), 1_000_000)
  assert.deepEqual(await here.text(), quota)
  here.clock.advance(31 * 24 * 3600 * 1000)
  assert.equal((await here.text()).kind, 'delivered')
  assert.equal(spent(here), 250_000)
  await put(here, '0')
  assert.deepEqual(await here.text(), quota)

  const told = await world(t, { price: '0.0075', priceUsd: 0.25 })
  await told.text()
  assert.equal(spent(told), 7500)
  // What failed cost nothing.
  told.provider.fault = () => ({ kind: 'answer', status: 500 })
  assert.equal((await told.text()).kind, 'retry')
  assert.equal(spent(told), 7500)
  const price = { kind: 'refused', reason: 'This delivery would exceed max price', told: { smsType: 'Promotional' } }
  assert.deepEqual(await told.text({ maxPriceUsd: 0.24 }), price)
  told.provider.fault = () => undefined
  assert.equal((await told.text({ maxPriceUsd: 0.25 })).kind, 'delivered')
})
