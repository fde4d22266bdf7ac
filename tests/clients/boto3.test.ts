// needs: boto3
// boto3, unchanged, through a topic's whole life and on queues: tour.py and queues.py fail with the first thing that is not as on AWS.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFileServer } from '../file-server.ts'
import { awsEnvironment } from '../server.ts'
import { runProgram } from './shell.ts'

const { server, folder } = await startFileServer({ words: ['--set', 'trail.deliveryIntervalSeconds=1'] })

test('boto3: queues by its resources, standard and FIFO, dead letters, errors', async () => {
  const { code, output, notes } = await runProgram('python3', [join(import.meta.dirname, 'queues.py')], {
    folder,
    environment: { ...awsEnvironment(server.url), AWS_ENDPOINT_URL_SQS: server.url },
  })
  assert.equal(code, 0, notes)
  assert.equal(output.trim(), 'all as on AWS')
})

test('boto3: topic, queue, receiver, publish, batch, paging, trail, unsubscribe, delete', async () => {
  const { code, output, notes } = await runProgram('python3', [join(import.meta.dirname, 'tour.py')], {
    folder,
    environment: awsEnvironment(server.url),
  })
  assert.equal(code, 0, notes)
  assert.equal(output.trim().split('\n').at(-1), 'all as on AWS')
})
