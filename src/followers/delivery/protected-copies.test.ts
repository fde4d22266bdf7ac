import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  elapse,
  LATER,
  letters,
  NEVER,
  POLICY,
  putQueue,
  putTopic,
  REDRIVE,
  subscribe,
  told,
  topicArn,
  world,
  type World,
} from '../../../tests/delivery-world.ts'
import type { Audience } from '../../model/data-protection/audience.ts'

const GUEST = { owner: '111122223333', principal: 'arn:aws:iam::111122223333:root' }
const THIRD = { owner: '444455556666', principal: 'arn:aws:iam::444455556666:root' }
const statements: Audience['statements'] = [[GUEST.principal], [THIRD.principal]]

/** As a topic publishes it: whole, then the copy with less in it, in one frame. */
async function publishCopies({ commits, clock }: World, messageId: string): Promise<void> {
  const header = { type: 'Notification', messageId, topicArn, publishedAt: clock.now() } as const
  await commits.commit((tx) => {
    tx.message({ ...header, audience: { statements, gets: [' http'], denied: ['1 http'] } }, '{"mail":"a@b.example"}')
    tx.message({ ...header, audience: { statements, gets: ['0 http'], isCopy: true } }, '{"mail":"###"}')
  }).done
}

async function subscribers(t: TestContext) {
  const here = await world(t)
  await putTopic(here, { HTTPFailureFeedbackRoleArn: 'arn:aws:iam::000000000001:role/r' })
  const FilterPolicy = JSON.stringify({ mail: ['a@b.example'] })
  await subscribe(here, 'http://ours/')
  await subscribe(here, 'http://theirs/', { ...REDRIVE, RawMessageDelivery: 'true', FilterPolicy, FilterPolicyScope: 'MessageBody' }, GUEST)
  await subscribe(here, 'http://masked/', { FilterPolicy: '{"mail":["###"]}', FilterPolicyScope: 'MessageBody' }, GUEST)
  await subscribe(here, 'http://denied/', REDRIVE, THIRD)
  await putQueue(here, { Policy: POLICY })
  return here
}

const sent = ({ outside }: World) => outside.attempts.map(({ endpoint, notification }) => [endpoint, notification.message])

test('each gets the copy that is meant for it, by filters on what was published; who is denied fails at once', async (t) => {
  const here = await subscribers(t)
  here.outside.answer = () => NEVER
  await publishCopies(here, 'm1')
  await elapse(here, 100)
  assert.deepEqual(sent(here), [
    ['http://ours/', '{"mail":"a@b.example"}'],
    ['http://theirs/', '{"mail":"###"}'],
  ])
  assert.deepEqual(
    letters(here).map(({ body }) => body),
    ['{"mail":"###"}'],
  )
  const denied = told(here).filter(({ endpoint }) => endpoint === 'http://denied/')
  assert.deepEqual(
    denied.map(({ outcome, status, attempt, messageId }) => [outcome, status, attempt, messageId]),
    [['refused', 403, 1, 'm1']],
  )
  assert.match(denied[0]?.reason ?? '', /^The topic's data protection policy prohibits this message from being delivered to arn:aws:sns:/)
  assert.match(denied[0]?.statusLog ?? '', /"messageMD5Sum":.*"attempts":1,"statusCode":403\},"status":"FAILURE"/)
})

test('what waits for its next attempt is the copy, also behind a restart; a denial is told once', async (t) => {
  const here = await subscribers(t)
  here.outside.answer = () => LATER
  await publishCopies(here, 'm1')
  await elapse(here, 100)
  const again = await world(t, {}, {}, here)
  again.outside.answer = () => NEVER
  await elapse(again, 60_000)
  assert.ok(again.outside.to('http://theirs/').length > 0)
  for (const { notification } of again.outside.to('http://theirs/')) assert.equal(notification.message, '{"mail":"###"}')
  for (const { notification } of again.outside.to('http://ours/')) assert.equal(notification.message, '{"mail":"a@b.example"}')
  assert.deepEqual(
    letters(again).map(({ body }) => body),
    ['{"mail":"###"}'],
  )
  assert.equal(told(again).filter(({ endpoint }) => endpoint === 'http://denied/').length, 1)
})
