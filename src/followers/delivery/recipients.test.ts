import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED, type World, elapse, publish, subscribe, told, topicArn, world } from '../../../tests/delivery-world.ts'
import { FILTER_CHANGES, withFormerFilter } from '../../model/filter-policy/former-filters.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'

const KIND = (kind: string) => JSON.stringify({ kind: [kind] })
const of = (kind: string): Partial<MessageHeader> => ({ attributes: { kind: { type: 'String', value: kind } } })

/** As SetSubscriptionAttributes does. */
async function setFilter(here: World, { subscriptionArn }: Subscription, attributes: Record<string, string>): Promise<void> {
  await here.commits.commit((tx) => {
    const before = tx.get(Table.subscriptions, subscriptionArn)
    assert.ok(before !== undefined)
    tx.put(
      Table.subscriptions,
      subscriptionArn,
      withFormerFilter(before, { ...before, attributes }, tx.now, () => tx.nextNumber(FILTER_CHANGES)),
    )
  }).done
}

/** As Publish does on a topic where somebody outside has, or had, a policy. */
function publishFiltered(here: World, body: string, more: Partial<MessageHeader>): Promise<string> {
  return publish(here, body, { filterChanges: (here.tables.get(Table.counters, FILTER_CHANGES)?.next ?? 1) - 1, ...more })
}

const arrived = (here: World) => here.outside.attempts.map(({ endpoint, notification }) => `${endpoint} ${notification.message}`).sort()

test('a message goes to whom it passes the policy of, and is no attempt to anyone else', async (t) => {
  const here = await world(t)
  here.outside.answer = () => DELIVERED
  await subscribe(here, 'http://all/')
  await subscribe(here, 'http://a/', { FilterPolicy: KIND('a') })
  await subscribe(here, 'http://body/', { FilterPolicy: KIND('b'), FilterPolicyScope: 'MessageBody' })
  await publish(here, '1', of('a'))
  await publish(here, '{"kind":"b"}', of('b'))
  await publish(here, JSON.stringify({ default: '{"kind":"a"}', http: '{"kind":"b"}' }), { structure: 'json' })
  await elapse(here, 100)
  assert.deepEqual(arrived(here), [
    'http://a/ 1',
    'http://all/ 1',
    'http://all/ {"kind":"b"}',
    'http://all/ {"kind":"b"}',
    'http://body/ {"kind":"b"}',
    'http://body/ {"kind":"b"}',
  ])
  assert.equal(told(here).length, 6)
})

test('a policy that comes, changes or goes counts for what is published from then on, with others beside it', async (t) => {
  const here = await world(t)
  here.outside.answer = () => DELIVERED
  await subscribe(here, 'http://other/', { FilterPolicy: KIND('b') })
  const one = await subscribe(here, 'http://one/')
  const changes: readonly (Record<string, string> | undefined)[] = [undefined, { FilterPolicy: KIND('b') }, { FilterPolicy: KIND('a') }, {}]
  for (const [at, attributes] of changes.entries()) {
    if (attributes !== undefined) await setFilter(here, one, attributes)
    await publishFiltered(here, String(at), of('a'))
    await elapse(here, 50)
  }
  assert.deepEqual(arrived(here), ['http://one/ 0', 'http://one/ 2', 'http://one/ 3'])
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, one.subscriptionArn)).done
  await publishFiltered(here, '4', of('b'))
  await elapse(here, 50)
  assert.deepEqual(arrived(here).slice(3), ['http://other/ 4'])
})

for (const restarts of [false, true])
  test(`what was published before a change of policy goes by the policy of then${restarts ? ', after a restart too' : ''}`, async (t) => {
    let here = await world(t)
    const one = await subscribe(here, 'http://one/')
    const two = await subscribe(here, 'http://two/', { FilterPolicy: KIND('a') })
    // Nothing is looked at before all of this is committed: time stands still.
    await publishFiltered(here, '0', of('a'))
    await setFilter(here, one, { FilterPolicy: KIND('b') })
    await setFilter(here, two, { FilterPolicy: KIND('b') })
    await publishFiltered(here, '1', of('a'))
    await setFilter(here, two, { FilterPolicy: '{"kind":["a"]}', FilterPolicyScope: 'MessageBody' })
    await publishFiltered(here, '{"kind":"a"}', of('b'))
    await setFilter(here, one, {})
    await publishFiltered(here, '3', of('c'))
    if (restarts) here = await world(t, {}, {}, here)
    here.outside.answer = () => DELIVERED
    await elapse(here, 100)
    assert.deepEqual(arrived(here), [
      'http://one/ 0',
      'http://one/ 3',
      'http://one/ {"kind":"a"}',
      'http://two/ 0',
      'http://two/ {"kind":"a"}',
    ])
  })

test('a subscription that comes with a policy filters what was published before it, too', async (t) => {
  const here = await world(t)
  await publish(here, '0', of('a'))
  await subscribe(here, 'http://one/', { FilterPolicy: KIND('b') })
  here.outside.answer = () => DELIVERED
  await elapse(here, 100)
  assert.deepEqual(arrived(here), [])
})

test('thousands of subscriptions come and change without being read again each time', async (t) => {
  const here = await world(t)
  here.outside.answer = () => DELIVERED
  await publish(here, 'before', of('k7'))
  await elapse(here, 50)
  const range = t.mock.method(here.tables, 'range')
  await here.commits.commit((tx) => {
    for (let at = 0; at < 2000; at++) {
      const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-9000-${String(at).padStart(12, '0')}`
      const attributes = { FilterPolicy: KIND(`k${at}`) }
      const fields = { topicArn, protocol: 'http', endpoint: `http://${at}/`, owner: '000000000001', principal: '', createdAt: tx.now }
      const state = { state: 'confirmed', confirmationWasAuthenticated: false, authenticateOnUnsubscribe: false, route: 0 } as const
      tx.put(Table.subscriptions, subscriptionArn, { subscriptionArn, attributes, ...fields, ...state })
    }
  }).done
  await publish(here, 'after', of('k7'))
  await elapse(here, 50)
  assert.deepEqual(arrived(here), ['http://7/ after'])
  assert.equal(range.mock.calls.filter(({ arguments: [table] }) => table === Table.subscriptions).length, 0)
})
