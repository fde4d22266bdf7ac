// needs: prlimit
// The disk refuses a write under a running server: a limit on the size of files makes every one fail, as a broken disk would.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { sendSigned } from './sign.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

function limitFileSize(processId: number | undefined, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(processId), `--fsize=${bytes}:`], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

test('invariant 9: after a failed write no call succeeds, health says why, and nothing that was acknowledged is lost', async (t) => {
  const folder = temporaryFolder()
  t.after(() => folder.remove())
  const server = await startTestServer({ data: folder.path })
  t.after(() => server.kill())
  const sns = new SNS(clientConfig(server.url))
  const { TopicArn = '' } = await sns.createTopic({ Name: 'kept' })
  await sns.publish({ TopicArn, Message: 'acknowledged' })

  const sqs = new SQS(clientConfig(server.url))
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: 'kept', Attributes: { VisibilityTimeout: '0' } })
  for (const MessageBody of ['stays', 'goes']) await sqs.sendMessage({ QueueUrl, MessageBody })
  const { Messages: held = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
  const handleOf = (body: string): string => held.find(({ Body }) => Body === body)?.ReceiptHandle ?? ''
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: handleOf('goes') })

  limitFileSize(server.child.pid, '0')
  for (let time = 0; time < 3; time++)
    await assert.rejects(sns.publish({ TopicArn, Message: 'never acknowledged' }), (error: { $metadata: { httpStatusCode?: number } }) => {
      assert.equal(error.$metadata.httpStatusCode, 503)
      return true
    })
  const form = await sendSigned(server.port, { body: 'Action=CreateTopic&Name=refused' })
  assert.equal(form.status, 503)
  assert.match(form.body, /^<ErrorResponse .*<Type>Receiver<\/Type><Code>ServiceUnavailable<\/Code>/)
  await assert.rejects(new SQS(clientConfig(server.url)).createQueue({ QueueName: 'refused' }), { name: 'ServiceUnavailable' })
  for (const refused of [
    () => sqs.sendMessage({ QueueUrl, MessageBody: 'never acknowledged' }),
    () => sqs.receiveMessage({ QueueUrl }),
    () => sqs.deleteMessage({ QueueUrl, ReceiptHandle: handleOf('stays') }),
    () => sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle: handleOf('stays'), VisibilityTimeout: 60 }),
  ])
    await assert.rejects(refused(), { name: 'ServiceUnavailable' })
  const health = (await (await fetch(`${server.url}/_sealcast/health`)).json()) as { status: string; why: string }
  assert.equal(health.status, 'read-only')
  assert.match(health.why, /EFBIG|file too large/i)
  assert.equal((await fetch(`${server.url}/_sealcast/ready`)).status, 503)
  assert.equal((await fetch(`${server.url}/_sealcast/live`)).status, 200)
  assert.match(server.log(), /"level":"error","message":"a write to the journal failed/)

  // A disk that seems well again is not trusted: only a restart, which recovers, ends it.
  limitFileSize(server.child.pid, 'unlimited')
  await assert.rejects(sns.publish({ TopicArn, Message: 'still refused' }), { name: 'ServiceUnavailable' })
  await server.stop()

  const again = await startTestServer({ data: folder.path })
  t.after(() => again.kill())
  const recovered = new SNS(clientConfig(again.url))
  assert.deepEqual((await recovered.listTopics({})).Topics, [{ TopicArn }])
  const { Messages } = await new SQS(clientConfig(again.url)).receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
  assert.deepEqual(
    Messages?.map(({ Body }) => Body),
    ['stays'],
  )
  await recovered.publish({ TopicArn, Message: 'acknowledged again' })
  const { output } = await runCommand([
    'query',
    '--data',
    folder.path,
    '--json',
    `SELECT count(*) AS n FROM events WHERE eventname = 'Publish' AND errorcode IS NULL`,
  ])
  assert.equal(Number((JSON.parse(output) as { n: unknown }).n), 2)
})
