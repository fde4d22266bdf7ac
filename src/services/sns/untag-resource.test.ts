import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { createSns } from './index.ts'

test('UntagResource takes the named tags off a topic, and nothing where they are absent', async () => {
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) }))
  const ResourceArn = `arn:aws:sns:us-east-1:${ACCOUNT}:orders`
  try {
    const Tags = ['a', 'b', 'c'].map((Key) => ({ Key, Value: '1' }))
    await server.call('sns', 'CreateTopic', { Name: 'orders', Tags })
    await server.call('sns', 'UntagResource', { ResourceArn, TagKeys: ['a', 'c', 'absent'] })
    await server.call('sns', 'UntagResource', { ResourceArn, TagKeys: [] })
    assert.deepEqual(await server.call('sns', 'ListTagsForResource', { ResourceArn }), { Tags: [{ Key: 'b', Value: '1' }] })
    await assert.rejects(server.call('sns', 'UntagResource', { ResourceArn: `${ResourceArn}x`, TagKeys: ['a'] }), {
      code: 'ResourceNotFound',
      status: 404,
    })
  } finally {
    await server.close()
  }
})
