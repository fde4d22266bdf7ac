// Copies of events from outside: a target that fails, and a server that is killed, lose none of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { openReceiver } from './receiver.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder, type TestServer } from './server.ts'
import { untilTrue } from './until.ts'

interface Copy {
  readonly id: string
  readonly 'detail-type': string
  readonly detail: { readonly eventID: string; readonly requestParameters: { readonly name: string } }
}

test('what was called while the target failed arrives after a SIGKILL, with the header it asks for', async (t) => {
  const folder = temporaryFolder()
  const data = `${folder.path}/data`
  let isUp = false
  const receiver = await openReceiver({ answer: () => (isUp ? 200 : 503) })
  const servers: TestServer[] = []
  t.after(async () => {
    for (const server of servers) await server.kill()
    await receiver.close()
    folder.remove()
  })
  const start = async (): Promise<TestServer> => {
    const words = ['--set', `events.target=${receiver.url}/in`]
    const server = await startTestServer({ data, words, environment: { SEALCAST_EVENTS_AUTHORIZATION: 'Bearer of the test' } })
    servers.push(server)
    return server
  }
  const first = await start()
  const names = ['a', 'b', 'c']
  const sns = new SNS(clientConfig(first.url))
  for (const Name of names) await sns.createTopic({ Name })
  await sns.listTopics({})
  await untilTrue('a try that failed', () => receiver.posts.length > 0)
  await first.kill()
  isUp = true
  const failed = receiver.posts.length
  const second = await start()
  await untilTrue('all copies', () => receiver.posts.length >= failed + names.length)
  const copies = receiver.posts.slice(failed).map(({ text }) => JSON.parse(text) as Copy)
  assert.deepEqual(
    copies.map(({ detail }) => detail.requestParameters.name),
    names,
  )
  for (const copy of copies) assert.deepEqual([copy.id, copy['detail-type']], [copy.detail.eventID, 'AWS API Call via CloudTrail'])
  assert.equal(receiver.posts.at(-1)?.headers.authorization, 'Bearer of the test')
  assert.equal(await second.stop(), 0)
})

test('a target that is no URL, and a header that is none, are refused by name', async () => {
  const folder = temporaryFolder()
  const words = ['serve', '--data', `${folder.path}/data`, '--port', '0']
  const target = await runCommand([...words, '--set', 'events.target=ftp://x'])
  assert.equal(target.code, 1)
  assert.match(target.notes, /events\.target must be an http\(s\) URL without a user or password/)
  const header = await runCommand([...words, '--set', 'events.target=http://127.0.0.1:1'], { SEALCAST_EVENTS_AUTHORIZATION: 'a\nb' })
  assert.equal(header.code, 1)
  assert.match(header.notes, /the Authorization header of events\.target must be one line/)
  const file = await runCommand([...words, '--set', `events.authorizationFile=${folder.path}/none`])
  assert.match(file.notes, /events\.authorizationFile cannot be read/)
  folder.remove()
})
