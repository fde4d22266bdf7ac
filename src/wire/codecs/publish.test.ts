// The hand-written codec gives what the schema codec gives, or leaves the form to it.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../model/service-error.ts'
import { testModel, testOperation } from '../test-world.ts'
import { decodeQuery, encodeQuery } from './aws-query.ts'
import { parseForm } from './form.ts'
import { decodePublish, decodePublishBatch, encodePublish, encodePublishBatch } from './publish.ts'

const RUNS = { numRuns: 1500 }
const { xmlNamespace } = testModel('sns')

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', 'a&b=c', '100 %', '+', 'é'),
)
const value = fc.record(
  { DataType: text, StringValue: text, BinaryValue: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
  { requiredKeys: [], noNullPrototype: true },
)
const attributes = fc
  .dictionary(
    text.filter((name) => name !== '__proto__'),
    value,
    { maxKeys: 3, noNullPrototype: true },
  )
  .filter((map) => Object.values(map).every((attribute) => Object.keys(attribute).length > 0))
const message = {
  Message: text,
  Subject: text,
  MessageStructure: text,
  MessageAttributes: attributes,
  MessageDeduplicationId: text,
  MessageGroupId: text,
}
const publish = fc.record({ TopicArn: text, TargetArn: text, PhoneNumber: text, ...message }, { requiredKeys: [], noNullPrototype: true })
const entry = fc.record({ Id: text, ...message }, { requiredKeys: ['Id'], noNullPrototype: true })
const batch = fc.record(
  { TopicArn: text, PublishBatchRequestEntries: fc.array(entry, { minLength: 1, maxLength: 12 }) },
  { noNullPrototype: true },
)

test('what clients send takes the fast way and means the same', () => {
  fc.assert(
    fc.property(publish, (input) => {
      const form = toForm('Publish', input)
      const fast = decodePublish(form)
      assert.deepEqual(fast, withoutEmptyMaps(input))
      assert.deepEqual(fast, viaSchema('Publish', form))
    }),
    RUNS,
  )
  fc.assert(
    fc.property(batch, (input) => {
      const form = toForm('PublishBatch', input)
      const fast = decodePublishBatch(form)
      assert.deepEqual(fast, { ...input, PublishBatchRequestEntries: input.PublishBatchRequestEntries.map(withoutEmptyMaps) })
      assert.deepEqual(fast, viaSchema('PublishBatch', form))
    }),
    { numRuns: 500 },
  )
})

test('on mutated forms the fast codec agrees with the schema codec or steps back', () => {
  const mutations = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom('&', '=', '%', '+', '.', '1', '2', '0', '%41', 'é', '\0', 'x', ''), fc.nat(2)),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  let taken = 0
  const agree = (name: 'Publish' | 'PublishBatch', form: Buffer) => {
    const fast = name === 'Publish' ? decodePublish(form) : decodePublishBatch(form)
    if (fast === undefined) return
    taken++
    assert.deepEqual(fast, viaSchema(name, form))
  }
  fc.assert(
    fc.property(publish, mutations, (input, edits) => agree('Publish', mutate(toForm('Publish', input), edits))),
    RUNS,
  )
  fc.assert(
    fc.property(batch, mutations, (input, edits) => agree('PublishBatch', mutate(toForm('PublishBatch', input), edits))),
    { numRuns: 500 },
  )
  assert.ok(taken > 100, `only ${taken} mutated forms took the fast way: the property says nothing`)
})

test('shuffled and repeated parameters are left to the schema codec or mean the same', () => {
  const shuffled = publish.chain((input) => {
    const pairs = toForm('Publish', input).toString().split('&')
    return fc.tuple(fc.shuffledSubarray(pairs), fc.subarray(pairs)).map(([some, again]) => Buffer.from([...some, ...again].join('&')))
  })
  fc.assert(
    fc.property(shuffled, (form) => {
      const fast = decodePublish(form)
      if (fast !== undefined) assert.deepEqual(fast, viaSchema('Publish', form))
    }),
    RUNS,
  )
})

for (const [what, form] of [
  ['a broken escape', 'Action=Publish&Message=%zz'],
  ['broken UTF-8', 'Action=Publish&Message=%ff'],
  ['broken base64', 'Action=Publish&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.BinaryValue=!'],
  ['an entry without its name', 'Action=Publish&MessageAttributes.entry.1.Value.DataType=String'],
  ['a message twice', 'Action=Publish&Message=a&Message=b'],
] as const) {
  test(`${what} is left to the schema codec, which refuses it`, () => {
    assert.equal(decodePublish(Buffer.from(form)), undefined)
    assert.throws(() => viaSchema('Publish', Buffer.from(form)), ServiceError)
  })
}

test('another action or version is never read as a Publish', () => {
  assert.equal(decodePublish(Buffer.from('Action=PublishX&Message=a')), undefined)
  assert.equal(decodePublish(Buffer.from('Action=Publish&Version=2012-11-05&Message=a')), undefined)
  assert.equal(decodePublish(Buffer.from('Action=Publish&Action=DeleteTopic&Message=a')), undefined)
  assert.equal(decodePublishBatch(Buffer.from('Action=Publish&PublishBatchRequestEntries.member.1.Id=a')), undefined)
})

test('the encoders write what the schema codec writes', () => {
  const id = fc.option(text, { nil: undefined })
  fc.assert(
    fc.property(fc.record({ MessageId: id, SequenceNumber: id }), (output) => {
      assert.equal(encodePublish(xmlNamespace, output, 'r'), encodeQuery(testModel('sns'), testOperation('sns', 'Publish'), output, 'r'))
    }),
    { numRuns: 200 },
  )
  const rows = fc.option(fc.array(fc.record({ Id: id, MessageId: id, SequenceNumber: id }), { maxLength: 3 }), { nil: undefined })
  const failures = fc.option(
    fc.array(fc.record({ Id: id, Code: id, Message: id, SenderFault: fc.option(fc.boolean(), { nil: undefined }) }), { maxLength: 3 }),
    { nil: undefined },
  )
  fc.assert(
    fc.property(fc.record({ Successful: rows, Failed: failures }), (output) => {
      const fast = encodePublishBatch(xmlNamespace, output, 'r')
      assert.deepEqual(elements(fast), elements(encodeQuery(testModel('sns'), testOperation('sns', 'PublishBatch'), output, 'r')))
    }),
    { numRuns: 200 },
  )
})

/** The pieces of a document regardless of the order of its elements. */
function elements(xml: string): string[] {
  return xml.split(/(?=<)/).toSorted()
}

function viaSchema(name: 'Publish' | 'PublishBatch', form: Buffer): unknown {
  return decodeQuery(testOperation('sns', name), parseForm(form))
}

function withoutEmptyMaps<Entry extends { MessageAttributes?: object }>(entry: Entry): Entry {
  const { MessageAttributes, ...rest } = entry
  return (MessageAttributes === undefined || Object.keys(MessageAttributes).length === 0 ? rest : entry) as Entry
}

function toForm(action: string, input: object): Buffer {
  const pairs: string[] = [`Action=${action}`, 'Version=2010-03-31']
  const add = (name: string, given: unknown): void => {
    if (given instanceof Uint8Array) pairs.push(`${name}=${encodeURIComponent(Buffer.from(given).toString('base64'))}`)
    else if (typeof given === 'string') pairs.push(`${name}=${encodeURIComponent(given).replaceAll('%20', '+')}`)
    else if (Array.isArray(given)) given.forEach((element, at) => add(`${name}.member.${at + 1}`, element))
    else if (name.endsWith('MessageAttributes')) {
      Object.entries(given as object).forEach(([key, attribute], at) => {
        add(`${name}.entry.${at + 1}.Name`, key)
        add(`${name}.entry.${at + 1}.Value`, attribute)
      })
    } else for (const [member, inner] of Object.entries(given as object)) add(name === '' ? member : `${name}.${member}`, inner)
  }
  add('', input)
  return Buffer.from(pairs.join('&'))
}

function mutate(form: Buffer, edits: readonly (readonly [number, string, number])[]): Buffer {
  return edits.reduce((bytes, [at, insert, remove]) => {
    const position = at % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, position), Buffer.from(insert), bytes.subarray(Math.min(position + remove, bytes.length))])
  }, form)
}
