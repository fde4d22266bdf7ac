// The hand-written codecs give what the schema codec gives, or leave the request to it.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { missingMembers } from '../../model/missing-members.ts'
import { ServiceError } from '../../model/service-error.ts'
import { testOperation } from '../test-world.ts'
import { decodeJson, encodeJson } from './aws-json.ts'
import { SQS_CODECS, type SqsCodec, sqsCodec } from './sqs.ts'

const RUNS = { numRuns: 250 }

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', '"', '\\', 'é', '\u2028', '\0', '\ud800', '__proto__'),
)
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const base64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const attribute = fc.record(
  { DataType: text, StringValue: text, BinaryValue: base64 },
  { requiredKeys: ['DataType'], noNullPrototype: true },
)
const attributes = fc.dictionary(
  text.filter((name) => name !== '__proto__'),
  attribute,
  { maxKeys: 3, noNullPrototype: true },
)
const message = {
  MessageBody: text,
  DelaySeconds: number,
  MessageAttributes: attributes,
  MessageSystemAttributes: attributes,
  MessageDeduplicationId: text,
  MessageGroupId: text,
}
const texts = fc.array(text, { maxLength: 3 })
const batchOf = <T>(entry: fc.Arbitrary<T>) => fc.record({ QueueUrl: text, Entries: fc.array(entry, { maxLength: 11 }) })

/** What clients send, to each operation. */
const USUAL: Readonly<Record<string, fc.Arbitrary<object>>> = {
  SendMessage: fc.record({ QueueUrl: text, ...message }, { requiredKeys: ['QueueUrl', 'MessageBody'], noNullPrototype: true }),
  SendMessageBatch: batchOf(fc.record({ Id: text, ...message }, { requiredKeys: ['Id', 'MessageBody'], noNullPrototype: true })),
  ReceiveMessage: fc.record(
    {
      QueueUrl: text,
      AttributeNames: texts,
      MessageSystemAttributeNames: texts,
      MessageAttributeNames: texts,
      MaxNumberOfMessages: number,
      VisibilityTimeout: number,
      WaitTimeSeconds: number,
      ReceiveRequestAttemptId: text,
    },
    { requiredKeys: ['QueueUrl'], noNullPrototype: true },
  ),
  DeleteMessage: fc.record({ QueueUrl: text, ReceiptHandle: text }),
  DeleteMessageBatch: batchOf(fc.record({ Id: text, ReceiptHandle: text })),
  ChangeMessageVisibility: fc.record({ QueueUrl: text, ReceiptHandle: text, VisibilityTimeout: number }),
  ChangeMessageVisibilityBatch: batchOf(
    fc.record(
      { Id: text, ReceiptHandle: text, VisibilityTimeout: number },
      { requiredKeys: ['Id', 'ReceiptHandle'], noNullPrototype: true },
    ),
  ),
}

const codecOf = (name: string): SqsCodec => {
  const codec = sqsCodec(name)
  assert.ok(codec !== undefined, name)
  return codec
}

test('they are found by name and by target', () => {
  assert.deepEqual(
    [...SQS_CODECS].map(([target, { name }]) => [target, name]),
    Object.keys(USUAL).map((name) => [`AmazonSQS.${name}`, name]),
  )
  assert.equal(sqsCodec('CreateQueue'), undefined)
})

for (const [name, usual] of Object.entries(USUAL)) {
  const operation = testOperation('sqs', name)
  const { decode } = codecOf(name)
  const agrees = (bytes: Buffer): boolean => {
    const fast = decode(bytes)
    if (fast === undefined) return false
    assert.deepEqual(fast, decodeJson(operation, bytes))
    assert.deepEqual(missingMembers(operation, fast), [])
    return true
  }

  test(`${name}: what clients send takes the fast way and means the same`, () => {
    fc.assert(
      fc.property(usual, fc.boolean(), (input, isSpaced) => {
        const bytes = Buffer.from(JSON.stringify(input, null, isSpaced ? 2 : undefined))
        // A lone surrogate is written as an escape, so that all of it is UTF-8.
        assert.ok(agrees(bytes))
      }),
      RUNS,
    )
  })

  test(`${name}: on anything else it agrees with the schema codec or steps back`, () => {
    const odd = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      text,
      number,
      fc.jsonValue({ maxDepth: 2 }).map((value) => value as unknown),
    )
    const path = fc.array(fc.nat({ max: 9 }), { maxLength: 4 })
    let taken = 0
    fc.assert(
      fc.property(usual, path, odd, fc.boolean(), (input, at, value, isExtra) => {
        const changed = JSON.parse(JSON.stringify(input)) as object
        replace(changed, at, value, isExtra)
        if (agrees(Buffer.from(JSON.stringify(changed)))) taken++
      }),
      RUNS,
    )
    assert.ok(taken > 10, `only ${taken} took the fast way: the property says nothing`)
    fc.assert(
      fc.property(
        usual,
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', ':', '1', 'null', '\\', '\xff'),
        fc.nat(2),
        (input, at, insert, cut) => {
          const json = Buffer.from(JSON.stringify(input))
          const place = at % (json.length + 1)
          const parts = [json.subarray(0, place), Buffer.from(insert, 'latin1'), json.subarray(Math.min(json.length, place + cut))]
          agrees(Buffer.concat(parts))
        },
      ),
      RUNS,
    )
  })

  test(`${name}: bytes that are no JSON object are left to the schema codec`, () => {
    for (const body of ['', '[]', '1', 'null', '"x"', '{', '{"QueueUrl":"\\ud8"}', `{"QueueUrl":${'['.repeat(100)}`])
      assert.equal(decode(Buffer.from(body)), undefined, body)
    assert.equal(decode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), undefined)
    const deep = Buffer.from(`{"QueueUrl":"q","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)
    assert.equal(decode(deep), undefined)
    assert.throws(() => decodeJson(operation, deep), ServiceError)
  })
}

test('the encoders write what the schema codec writes', () => {
  const value = (arbitrary: fc.Arbitrary<unknown>) => fc.option(arbitrary, { nil: undefined })
  const bytes = fc.uint8Array({ maxLength: 12 })
  const shown = fc.dictionary(text, fc.record({ DataType: text, StringValue: value(text), BinaryValue: value(bytes) }), { maxKeys: 3 })
  const received = fc.record({
    MessageId: text,
    ReceiptHandle: text,
    MD5OfBody: text,
    Body: text,
    Attributes: value(fc.dictionary(text, text, { maxKeys: 3 })),
    MD5OfMessageAttributes: value(text),
    MessageAttributes: value(shown),
  })
  const md5s = { MD5OfMessageBody: text, MD5OfMessageAttributes: value(text), MD5OfMessageSystemAttributes: value(text) }
  const sent = { ...md5s, MessageId: text, SequenceNumber: value(text) }
  const failed = fc.record({ Id: text, SenderFault: fc.boolean(), Code: text, Message: value(text) })
  const batch = (entry: fc.Arbitrary<object>) =>
    fc.record({ Successful: value(fc.array(entry, { maxLength: 3 })), Failed: value(fc.array(failed, { maxLength: 3 })) })
  const outputs: Readonly<Record<string, fc.Arbitrary<object>>> = {
    SendMessage: fc.record(sent),
    SendMessageBatch: batch(fc.record({ Id: text, ...sent })),
    ReceiveMessage: fc.record({ Messages: value(fc.array(received, { maxLength: 3 })) }),
    DeleteMessage: fc.constant({}),
    DeleteMessageBatch: batch(fc.record({ Id: text })),
    ChangeMessageVisibility: fc.constant({}),
    ChangeMessageVisibilityBatch: batch(fc.record({ Id: text })),
  }
  for (const [name, output] of Object.entries(outputs)) {
    const { encode } = codecOf(name)
    fc.assert(
      fc.property(output, (given) => {
        const record = given as Readonly<Record<string, unknown>>
        assert.equal(encode(record), encodeJson(testOperation('sqs', name), record), name)
      }),
      RUNS,
    )
  }
})

test('a large answer comes in pieces of a message each, together the same text', () => {
  const { encode, pieces } = codecOf('ReceiveMessage')
  const received = (...sizes: number[]) => ({ Messages: sizes.map((size, at) => ({ MessageId: `m${at}`, Body: '"é'.repeat(size / 2) })) })
  assert.equal(pieces?.({}), undefined)
  assert.equal(pieces?.(received()), undefined)
  assert.equal(pieces?.(received(256 * 1024, 256 * 1024)), undefined)
  for (const large of [received(524_290), received(2, 1_048_576, 0, 1_048_576)]) {
    const parts = [...(pieces?.(large) ?? [])]
    assert.equal(parts.length, large.Messages.length + 1)
    assert.equal(parts.join(''), encode(large))
  }
})

/** Puts `value` at a place that is found by counting members from the top; `isExtra`: under a new name beside it. */
function replace(target: object, path: readonly number[], value: unknown, isExtra: boolean): void {
  const members = target as Record<string, unknown>
  const names = Object.keys(members)
  const name = names[(path[0] ?? 0) % Math.max(1, names.length)]
  if (name === undefined) return
  const inner = members[name]
  if (path.length > 1 && typeof inner === 'object' && inner !== null) replace(inner, path.slice(1), value, isExtra)
  else if (isExtra && !Array.isArray(target)) members['Extra'] = value
  else members[name] = value
}
