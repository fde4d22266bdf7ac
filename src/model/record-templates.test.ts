import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Place, placesOf } from './record-places.ts'
import { EventClass } from './entry.ts'
import { RecordTemplates } from './record-templates.ts'
import { EventLeaves, eventLeaf } from './tlog/event-leaf.ts'
import { encodeBundle } from './tlog/tiles.ts'

const uuids = fc.uuid()
const words = fc.oneof(fc.string({ maxLength: 12, unit: 'binary' }), fc.constantFrom('x', '"},"readOnly":true,"y":{"', '\\', 'ä€'))
const records = fc.record({
  userIdentity: fc.record({ arn: words }),
  eventTime: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
    .map((date) => date.toISOString().slice(0, 19) + 'Z'),
  eventSource: fc.constantFrom('sns.amazonaws.com', 'sqs.amazonaws.com'),
  awsRegion: fc.constantFrom('us-east-1', 'eu-west-1'),
  requestParameters: fc.oneof(fc.constant(null), fc.record({ topicArn: words, messageDeduplicationId: fc.oneof(uuids, words) })),
  responseElements: fc.oneof(fc.constant(null), fc.record({ messageId: uuids })),
  requestID: uuids,
  eventID: uuids,
  readOnly: fc.boolean(),
  resources: fc.array(fc.record({ type: fc.constantFrom('AWS::SNS::Topic', 'AWS::S3::Object'), ARN: words }), { maxLength: 2 }),
  recipientAccountId: fc.constantFrom('000000000001', '000000000002'),
  eventCategory: fc.constantFrom('Data', 'Management'),
})

/** What does not vary within a form. */
function selected(event: object): string {
  const free = new Set(['eventTime', 'eventID', 'requestID', 'requestParameters', 'responseElements'])
  return JSON.stringify(Object.entries(event).filter(([name]) => !free.has(name)))
}

test('what a template says of a record is what parsing says', () => {
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 60 }), (many) => {
      const templates = new RecordTemplates()
      // Twice, so that most of them meet a template.
      for (const record of [...many, ...many]) {
        const json = Buffer.from(`[${JSON.stringify(record)}]`)
        const { event, eventTime, eventId } = templates.match(json, 1, json.length - 1)
        const { eventTime: time, eventID: id } = record
        assert.equal(selected(event), selected(record))
        const text = (place: typeof eventTime): string => json.toString('utf8', 1 + (place?.start ?? 0), 1 + (place?.end ?? 0))
        assert.equal(text(eventTime), time)
        assert.equal(text(eventId), id)
      }
    }),
    { numRuns: 300 },
  )
})

test('lines of the tree are the same by template and by the bytes alone', () => {
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 30 }), (many) => {
      const lines = new EventLeaves()
      const expected: string[] = []
      for (const record of [...many, ...many]) {
        const json = Buffer.from(` ${JSON.stringify(record)}`)
        for (const eventClass of [EventClass.aws, EventClass.own])
          for (const isCaused of [false, true]) {
            lines.add(eventClass, isCaused, json, 1, json.length)
            expected.push(eventLeaf(eventClass, json.subarray(1), isCaused))
          }
      }
      assert.equal(lines.count, expected.length)
      assert.deepEqual(lines.take(), encodeBundle(expected.map((line) => Buffer.from(line))))
      assert.deepEqual([lines.count, lines.take().length], [0, 0])
    }),
  )
})

test('records that differ in time and ids share a template', () => {
  const templates = new RecordTemplates()
  const record = (second: number, id: string): Buffer =>
    Buffer.from(
      JSON.stringify({
        eventTime: `2026-01-02T03:04:0${second}Z`,
        responseElements: { messageId: id.replace('0', '1') },
        additionalEventData: { SignatureVersion: 'SigV4', 'x-amz-id-2': `${second}+/Az09=`, bytesTransferredIn: 5 },
        requestID: id.replace('0', '2'),
        eventID: id,
        readOnly: false,
      }),
    )
  const [one, two] = [record(1, '00000000-0000-4000-8000-000000000000'), record(2, 'aaaaaaaa-0aaa-4aaa-8aaa-aaaaaaaaaaaa')]
  assert.equal(templates.match(one, 0, one.length), templates.match(two, 0, two.length))
})

test('many forms of one length and of many lengths are told apart', () => {
  const templates = new RecordTemplates()
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < 5000; at++) {
      const json = Buffer.from(JSON.stringify({ eventName: `${at % 50}${'x'.repeat(at % 3000)}` }))
      assert.deepEqual(templates.match(json, 0, json.length).event, JSON.parse(json.toString()))
    }
})

const names = new Set(['eventTime', 'eventID', 'requestParameters'] as const)

test('places of members are where parsing finds them, and arbitrary bytes give none or some, never a hang', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(words, fc.constantFrom('eventTime', 'eventID', 'requestParameters')), fc.jsonValue()),
      fc.nat(2),
      (object, indent) => {
        const json = Buffer.from(JSON.stringify(object, null, indent))
        const places = placesOf(json, names)
        assert.ok(places !== undefined)
        const parsed = JSON.parse(json.toString()) as Record<string, unknown>
        for (const name of names) {
          const place: Place | undefined = places[name]
          assert.equal(place !== undefined, Object.hasOwn(parsed, name))
          if (place !== undefined) assert.deepEqual(JSON.parse(json.toString('utf8', place.start, place.end)), parsed[name])
        }
      },
    ),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void placesOf(Buffer.from(bytes), names)))
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', ' '), maxLength: 60 }),
      (text) => void placesOf(Buffer.from(text), names),
    ),
  )
})
