import assert from 'node:assert/strict'
import test from 'node:test'
import { missingMembers, nullMembersError } from './missing-members.ts'
import { linkModel } from './shape.ts'

const model = linkModel({
  service: 'test',
  version: '1',
  protocol: 'awsQuery',
  xmlNamespace: 'x',
  operations: { Act: { input: 'ActInput' }, Rest: {} },
  shapes: {
    ActInput: {
      type: 'structure',
      members: {
        TopicArn: { shape: 'string', required: true },
        Tags: { shape: { type: 'list', member: 'Tag' } },
        Values: { shape: { type: 'map', value: 'Tag' } },
        Names: { shape: { type: 'list', member: 'string' } },
        Inner: { shape: 'Tag' },
      },
    },
    Tag: { type: 'structure', members: { Key: { shape: 'string', required: true }, Next: { shape: 'Tag' } } },
  },
  errors: {},
})
const act = model.operations.Act
assert.ok(act !== undefined)

test('finds what is absent at any depth, in recursive shapes too', () => {
  assert.deepEqual(missingMembers(act, {}), ['topicArn'])
  assert.deepEqual(missingMembers(act, { TopicArn: '', Names: ['a'], Tags: [] }), [])
  assert.deepEqual(
    missingMembers(act, { TopicArn: 'a', Tags: [{ Key: 'k' }, {}], Values: { x: {} }, Inner: { Key: 'k', Next: { Next: {} } } }),
    ['tags.2.member.key', 'values.x.member.key', 'inner.next.key', 'inner.next.next.key'],
  )
  assert.deepEqual(model.operations.Rest && missingMembers(model.operations.Rest, {}), [])
})

test('says it as AWS does', () => {
  const one = nullMembersError(['attributes'])
  assert.equal(one.message, "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null")
  assert.deepEqual([one.code, one.status, one.shape], ['ValidationError', 400, 'ValidationException'])
  assert.match(nullMembersError(['a', 'b']).message, /^2 validation errors detected: .*'a'.*; .*'b'/)
})

test('a model that names a shape it lacks is refused', () => {
  assert.throws(
    () =>
      linkModel({
        service: 's',
        version: '1',
        protocol: 'awsQuery',
        xmlNamespace: 'x',
        operations: { A: { input: 'B' } },
        shapes: {},
        errors: {},
      }),
    /a shape B/,
  )
})
