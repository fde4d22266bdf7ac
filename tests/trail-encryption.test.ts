// Log files under a trail's key: written with it, delayed while it is disabled, sealed also while they wait.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobsOf } from '../src/model/packed-body.ts'
import { Table } from '../src/model/tables.ts'
import { ACCOUNT, REGION } from './harness.ts'
import { assertComplete, INTERVAL_SECONDS, makeTrail, TRAIL_ARN, type World, withWorld } from './trail-world.ts'

async function makeKey({ server: { env } }: World) {
  const { result, done } = env.commits.commit((tx) => env.keys.create(tx, { account: ACCOUNT, region: REGION }))
  await done
  return result
}

test("a trail's files are encrypted with its key, its ARN and the object's bound in", () =>
  withWorld(async (world) => {
    const key = await makeKey(world)
    await makeTrail(world, { KmsKeyId: key.keyId })
    await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
    await world.pass(2 * INTERVAL_SECONDS)
    const rows = world.server.env.tables.range(Table.objects, { prefix: 'logs/' })
    assert.ok(rows.length > 0)
    for (const { value } of rows) {
      const context = { 'aws:cloudtrail:arn': TRAIL_ARN }
      assert.deepEqual(value.encryption, { algorithm: 'aws:kms', keyArn: key.arn, context })
      assert.deepEqual(blobsOf(value)[0]?.seal?.context, { ...context, 'aws:s3:arn': `arn:aws:s3:::logs/${value.key}` })
    }
    await assertComplete(world)
  }))

test('while the key is disabled files wait, sealed, and the status says why', () =>
  withWorld(async (world) => {
    const { env } = world.server
    const key = await makeKey(world)
    await makeTrail(world, { KmsKeyId: key.arn })
    await world.call('cloudtrail', 'StartLogging', { Name: 'all' })
    await env.commits.commit((tx) => env.keys.setEnabled(tx, key.keyId, false)).done
    await world.pass(2 * INTERVAL_SECONDS)
    assert.equal((await world.status())['LatestDeliveryError'], 'KMS.DisabledException')
    const held = env.tables.range(Table.trailPlans, {}).flatMap(({ value }) => (value.kind === 'file' ? [value] : []))
    assert.ok(held.length > 0)
    for (const { spooled = '' } of held) {
      const bytes = Buffer.concat(await env.blobs.read(spooled).toArray())
      assert.equal(bytes.toString('latin1', 0, 8), 'SEALBLOB')
    }
    await env.commits.commit((tx) => env.keys.setEnabled(tx, key.keyId, true)).done
    await world.pass(600)
    await assertComplete(world)
    assert.equal((await world.status())['LatestDeliveryError'], undefined)
  }))
