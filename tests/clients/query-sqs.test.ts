// needs: query-botocore
// botocore from before SQS spoke JSON, unchanged, through every operation: query_sqs.py fails with the first thing that is not as on AWS.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { awsEnvironment, startTestServer, temporaryFolder } from '../server.ts'
import { runProgram } from './shell.ts'

const folder = temporaryFolder()
const server = await startTestServer({ data: folder.path })
after(async () => {
  await server.kill()
  folder.remove()
})

test('SQS over the query protocol: queues, messages, batches, permissions, move tasks, refusals', async () => {
  const { code, output, notes } = await runProgram('python3', [join(import.meta.dirname, 'query_sqs.py')], {
    folder: folder.path,
    environment: awsEnvironment(server.url),
  })
  assert.equal(code, 0, notes)
  assert.equal(output.trim(), 'all as on AWS')
})
