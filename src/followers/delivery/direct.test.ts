import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED, LATER, NEVER, type World, acts, elapse, pending, publish, told, world } from '../../../tests/delivery-world.ts'

const sender = 'arn:aws:sns:us-east-1:000000000001:DirectPublishToPhoneNumber'
const number = '+15555550101'
const text = (here: World, body = 'hello', endpoint = number) =>
  publish(here, body, { topicArn: undefined, direct: { protocol: 'sms', endpoint, sender } })

test('what is published straight is one delivery, without a topic, told without the number', async (t) => {
  const here = await world(t)
  here.outside.answer = () => DELIVERED
  await text(here)
  await elapse(here, 100)
  const [attempt] = here.outside.attempts
  assert.deepEqual(
    [attempt?.endpoint, attempt?.raw, attempt?.number, attempt?.notification.message, attempt?.notification.topicArn],
    [number, false, 1, 'hello', ''],
  )
  const [record] = told(here)
  assert.deepEqual(
    [record?.topicArn, record?.subscriptionArn, record?.endpoint, record?.protocol, record?.account, record?.outcome],
    ['', sender, '***', 'sms', '000000000001', 'delivered'],
  )
})

test('it is tried again as AWS does with texts: 50 times in six hours and more, also across a restart; a refusal ends it', async (t) => {
  const here = await world(t)
  here.outside.answer = ({ endpoint }) => (endpoint === number ? LATER : NEVER)
  await text(here)
  await elapse(here, 3 * 3600 * 1000)
  const again = await world(t, {}, {}, here)
  again.outside.answer = () => LATER
  await elapse(again, 6 * 3600 * 1000)
  const all = told(again)
  assert.deepEqual([all.length, all.at(-1)?.outcome, pending(again).length], [51, 'exhausted', 0])
  const pauses = all.slice(1).map(({ startedAt }, at) => (startedAt - (all[at]?.startedAt ?? 0)) / 1000)
  const isLike = (pause: number | undefined, seconds: number): boolean => pause !== undefined && pause >= seconds && pause <= seconds * 1.11
  assert.ok(isLike(pauses[0], 10) && isLike(pauses[1], 10), String(pauses.slice(0, 2)))
  assert.ok(pauses.slice(11).filter((pause) => !isLike(pause, 600)).length <= 1, 'the restart alone may shift one')
  const other = await world(t)
  other.outside.answer = () => NEVER
  await text(other)
  await elapse(other, 3600 * 1000)
  assert.deepEqual(
    told(other).map(({ outcome }) => outcome),
    ['refused'],
  )
})

test('a provider that is down is parked under the name of who sends', async (t) => {
  const here = await world(t)
  here.outside.answer = () => LATER
  for (let at = 0; at < 40; at++) await text(here, `m${at}`, `+1555555${String(at).padStart(4, '0')}`)
  await elapse(here, 3600 * 1000)
  const parked = acts(here).filter(({ eventName }) => eventName === 'EndpointParked')
  assert.equal(parked[0]?.serviceEventDetails['subscriptionArn'], sender)
  assert.ok(!JSON.stringify(acts(here)).includes('+1555555'))
})
