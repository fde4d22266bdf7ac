// How the limits relate.
import assert from 'node:assert/strict'
import test from 'node:test'
import { WIRE } from './limits.ts'

const MIB = 1024 * 1024

test('what AWS accepts fits through the door', () => {
  // SNS and SQS take 1 MiB a batch; percent-encoding may triple it, and base64 attributes add a third before that.
  assert.ok(WIRE.bodyBytesMax >= 4 * MIB)
  // S3 takes 1000 keys of 1024 bytes in a DeleteObjects, each with a version: five elements an object.
  assert.ok(WIRE.xmlNodesMax >= 1000 * 5)
  // CompleteMultipartUpload names up to 10,000 parts, three elements each.
  assert.ok(WIRE.xmlNodesMax >= 10_000 * 3)
  // Ten entries of a batch with ten attributes of three parameters, and five more each.
  assert.ok(WIRE.formParametersMax >= 10 * (10 * 3 + 5))
  assert.ok(WIRE.urlBytesMax < WIRE.headerBytesMax)
})

test('many bodies fit beside each other, and one cannot take the budget alone', () => {
  assert.ok(WIRE.bodyBytesInFlightMax >= 16 * WIRE.bodyBytesMax)
})

test('a kept connection outlives the pauses of clients, and is not cut while its headers may still come', () => {
  assert.ok(WIRE.keepAliveTimeoutMs > 60_000)
  assert.ok(WIRE.headersTimeoutMs <= WIRE.keepAliveTimeoutMs)
})

test('signing keys are kept for more callers than can be busy at once', () => {
  assert.ok(WIRE.signingKeysCached >= 1000)
  assert.ok(WIRE.presignedSecondsMax * 1000 > WIRE.signatureSkewMs)
})
