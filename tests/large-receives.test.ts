// Ten messages of the largest size in one receive of the stock SDK.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { clientConfig } from './server.ts'

const { server } = await startFileServer()
const sqs = new SQS(clientConfig(server.url))

const MIB = 1024 * 1024
const bodyOf = (at: number): string => `${at} "é" ${String.fromCharCode(97 + at)}`.padEnd(MIB - 1, at % 2 === 0 ? 'x' : '\n')

test('ten messages of 1 MiB come whole in one receive', async () => {
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'large' })
  for (let at = 0; at < 10; at++) await sqs.sendMessage({ QueueUrl, MessageBody: bodyOf(at) })
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
  assert.equal(Messages.length, 10)
  for (const [at, { Body = '', MD5OfBody }] of Messages.entries()) {
    assert.ok(Body === bodyOf(at), `body ${at} is as it was sent`)
    assert.equal(MD5OfBody, hash('md5', Body, 'hex'))
  }
})
