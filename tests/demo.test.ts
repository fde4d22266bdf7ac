// `sealcast demo`, for someone without an AWS CLI.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { clientConfig, runCommand, temporaryFolder } from './server.ts'

const DEMO_MS_MAX = 10_000
const { server, data } = await startFileServer({ words: ['--set', 'trail.deliveryIntervalSeconds=1'] })

test('the demo shows everything in under ten seconds, and takes it away again', async () => {
  const started = performance.now()
  const { code, output, notes } = await runCommand(['demo', '--data', data])
  const took = performance.now() - started
  assert.equal(code, 0, notes)
  assert.equal(notes, '')
  assert.ok(took < DEMO_MS_MAX, `${took} ms`)
  for (const shown of [
    /topic +arn:aws:sns:us-east-1:000000000000:sealcast-demo-/,
    /receiver +http:\/\/127\.0\.0\.1:\d+\/ got its token and confirmed/,
    /receiver +got it: "This text is in no event and no log line\."/,
    /queue +got it: "This text is in no event and no log line\."/,
    /a stranger's publish: SignatureDoesNotMatch/,
    /sns +Publish +ok/,
    /sns +Publish +SignatureDoesNotMatch/,
    /The trail wrote \d+ records to s3:\/\/sealcast-demo-\w+\/AWSLogs\//,
  ])
    assert.match(output, shown)
  assert.deepEqual((await new SNS(clientConfig(server.url)).listTopics({})).Topics, [])
  assert.ok(!server.log().includes('This text is in no event'))
})

test('without a server the demo says how to start one', async () => {
  const empty = temporaryFolder()
  try {
    const { code, notes } = await runCommand(['demo', '--data', empty.path])
    assert.equal(code, 1)
    assert.match(notes, /no server runs on .*; start one with: sealcast serve/)
  } finally {
    empty.remove()
  }
})
