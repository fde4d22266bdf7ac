// KmsMasterKeyId: taken where all that is kept of messages lies sealed, refused where it would lie open.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Harness, createHarness } from '../../../tests/harness.ts'
import { memoryFiles } from '../../storage/memory/files.ts'
import { createSns } from './index.ts'

const REMEDY =
  'what is kept of messages would lie open here; have the server seal its stores journal, queues and records (setting seal.stores)'

async function worldFor(t: TestContext, isSealedAtRest: boolean, files = memoryFiles(), seed = 1): Promise<Harness> {
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {}, isSealedAtRest }) }), { files, seed })
  t.after(() => server.close())
  return server
}

test('with sealed stores a topic takes any name of a key, and tells it until it is cleared', async (t) => {
  const server = await worldFor(t, true)
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'a', Attributes: { KmsMasterKeyId: 'alias/aws/sns' } })
  const set = (AttributeValue: string) =>
    server.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue })
  const told = async () => {
    const { Attributes } = await server.call('sns', 'GetTopicAttributes', { TopicArn })
    return (Attributes as unknown as Record<string, string>)['KmsMasterKeyId']
  }
  assert.equal(await told(), 'alias/aws/sns')
  await set('arn:aws:kms:us-east-1:000000000001:key/1234abcd-12ab-34cd-56ef-1234567890ab')
  await assert.rejects(set('not a key'), { message: 'Invalid parameter: KmsMasterKeyId: must be the id, ARN or alias of a key' })
  await server.call('sns', 'Publish', { TopicArn, Message: 'x' })
  await set('')
  assert.equal(await told(), undefined)
})

test('without, it is refused; and a topic that was made with it takes no message', async (t) => {
  const files = memoryFiles()
  const sealed = await worldFor(t, true, files)
  const { TopicArn } = await sealed.call('sns', 'CreateTopic', { Name: 'a', Attributes: { KmsMasterKeyId: 'alias/aws/sns' } })
  await sealed.close()
  const open = await worldFor(t, false, files, 2)
  await assert.rejects(open.call('sns', 'CreateTopic', { Name: 'b', Attributes: { KmsMasterKeyId: 'alias/aws/sns' } }), {
    message: `Invalid parameter: Attributes Reason: KmsMasterKeyId: ${REMEDY}`,
  })
  const refusal = { code: 'KMSInvalidState', status: 400, message: `The topic asks for encryption, but ${REMEDY}` }
  await assert.rejects(open.call('sns', 'Publish', { TopicArn, Message: 'x' }), refusal)
  const PublishBatchRequestEntries = [{ Id: '1', Message: 'x' }]
  await assert.rejects(open.call('sns', 'PublishBatch', { TopicArn, PublishBatchRequestEntries }), refusal)
  await open.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue: '' })
  await open.call('sns', 'Publish', { TopicArn, Message: 'x' })
})
