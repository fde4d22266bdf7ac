// needs: query-botocore
// botocore from before SQS spoke JSON, unchanged, through every operation: query_sqs.py fails with the first thing that is not as on AWS.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { runProgram } from './shell.ts'

const { server, folder } = await startFileServer()

test('SQS over the query protocol: queues, messages, batches, permissions, move tasks, refusals', async () => {
  const { code, output, notes } = await runProgram('python3', [join(import.meta.dirname, 'query_sqs.py')], {
    folder,
    environment: awsEnvironment(server.url),
  })
  assert.equal(code, 0, notes)
  assert.equal(output.trim(), 'all as on AWS')
})
