import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { createSeal } from '../../engine/seal.ts'
import { seededRandom } from '../../base/random.ts'
import { anonymous, operatorPrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import { sts } from './index.ts'

test('GetCallerIdentity names the account of a root key, and is on the record', async (t) => {
  const harness = await createHarness(() => ({ sts }))
  t.after(() => harness.close())
  assert.deepEqual(await harness.call('sts', 'GetCallerIdentity'), {
    UserId: ACCOUNT,
    Account: ACCOUNT,
    Arn: `arn:aws:iam::${ACCOUNT}:root`,
  })
  const [event] = await harness.events()
  assert.equal(event?.record['eventSource'], 'sts.amazonaws.com')
  assert.equal(event?.record['requestParameters'], null)
  assert.equal(event?.record['responseElements'], null)
  assert.equal(event?.record['readOnly'], true)
})

test('GetCallerIdentity tells an operator apart', async (t) => {
  const harness = await createHarness(() => ({ sts }))
  t.after(() => harness.close())
  const identity = await harness.call('sts', 'GetCallerIdentity', {}, operatorPrincipal('ada', ACCOUNT))
  assert.deepEqual(identity, { UserId: 'sealcast-operator/ada', Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root` })
})

test('GetAccessKeyInfo finds the account of a key, and refuses one that was never issued', async (t) => {
  const harness = await createHarness(() => ({ sts }))
  t.after(() => harness.close())
  const sealedSecret = createSeal(Buffer.alloc(32), seededRandom(1)).seal('secret', 'x')
  await harness.env.commits.commit((tx) =>
    tx.put(Table.accessKeys, 'AKIAX', { accessKeyId: 'AKIAX', account: '000000000042', sealedSecret, createdAt: tx.now }),
  ).done
  assert.deepEqual(await harness.call('sts', 'GetAccessKeyInfo', { AccessKeyId: 'AKIAX' }), { Account: '000000000042' })
  await assert.rejects(harness.call('sts', 'GetAccessKeyInfo', { AccessKeyId: 'AKIAY' }), { code: 'ValidationError' })
  await assert.rejects(harness.call('sts', 'GetAccessKeyInfo', { AccessKeyId: 'AKIAX' }, anonymous), { code: 'AccessDenied' })
})
