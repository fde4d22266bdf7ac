import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  abortOf,
  DAY_MS,
  expirationOf,
  type Lifecycle,
  type LifecycleRule,
  markerExpirationOf,
  noncurrentExpirationOf,
  noncurrentTransitionOf,
  transitionOf,
} from './lifecycle.ts'

const MIDNIGHT = Date.UTC(2026, 0, 10)
const HOUR_MS = 3_600_000

function lifecycle(rule: Partial<LifecycleRule>, keepsSmallObjects = true): Lifecycle {
  return { rules: [{ ID: 'r', Status: 'Enabled', Filter: {}, ...rule }], keepsSmallObjects }
}
const object = (more: object = {}) => ({ key: 'a/b', bytes: 200_000, modifiedAt: MIDNIGHT + HOUR_MS, ...more })

test('days end at the midnight that follows', () => {
  const rules = lifecycle({ Expiration: { Days: 3 } })
  assert.deepEqual(expirationOf(rules, object()), { at: MIDNIGHT + 4 * DAY_MS, ruleId: 'r' })
  assert.deepEqual(expirationOf(rules, object({ modifiedAt: MIDNIGHT })), { at: MIDNIGHT + 3 * DAY_MS, ruleId: 'r' })
  assert.equal(expirationOf(lifecycle({ Expiration: { Date: 5 } }), object())?.at, 5)
  assert.equal(expirationOf(lifecycle({ Expiration: { Days: 3 }, Status: 'Disabled' }), object()), undefined)
})

test('of several rules the one that says so first counts', () => {
  const rules = [
    { ID: 'later', Status: 'Enabled', Filter: {}, Expiration: { Days: 9 } },
    { ID: 'first', Status: 'Enabled', Prefix: 'a/', Expiration: { Days: 2 } },
    { ID: 'other', Status: 'Enabled', Prefix: 'b/', Expiration: { Days: 1 } },
  ] as const
  assert.equal(expirationOf({ rules, keepsSmallObjects: true }, object())?.ruleId, 'first')
})

test('filters: prefix, tag, sizes, and all of them', () => {
  const isFor = (Filter: object, more: object = {}) =>
    expirationOf(lifecycle({ Filter, Expiration: { Days: 1 } }), object(more)) !== undefined
  assert.ok(isFor({ Prefix: 'a/' }))
  assert.ok(!isFor({ Prefix: 'b/' }))
  assert.ok(!isFor({ Tag: { Key: 'k', Value: 'v' } }))
  assert.ok(isFor({ Tag: { Key: 'k', Value: 'v' } }, { tags: { k: 'v' } }))
  assert.ok(!isFor({ ObjectSizeGreaterThan: 200_000 }))
  assert.ok(isFor({ ObjectSizeGreaterThan: 199_999 }))
  assert.ok(!isFor({ ObjectSizeLessThan: 200_000 }))
  assert.ok(isFor({ ObjectSizeLessThan: 200_001 }))
  const all = {
    And: {
      Prefix: 'a',
      Tags: [
        { Key: 'k', Value: 'v' },
        { Key: 'l', Value: 'w' },
      ],
      ObjectSizeGreaterThan: 1,
    },
  }
  assert.ok(!isFor(all, { tags: { k: 'v' } }))
  assert.ok(isFor(all, { tags: { k: 'v', l: 'w' } }))
})

test('small objects stay where they are, unless the bucket or the rule says otherwise', () => {
  const rule = { Transitions: [{ Days: 0, StorageClass: 'GLACIER_IR' }] } as const
  assert.ok(transitionOf(lifecycle(rule), object({ bytes: 128 * 1024 })))
  assert.equal(transitionOf(lifecycle(rule), object({ bytes: 128 * 1024 - 1 })), undefined)
  assert.ok(transitionOf(lifecycle(rule, false), object({ bytes: 1 })))
  assert.ok(transitionOf(lifecycle({ ...rule, Filter: { ObjectSizeGreaterThan: 0 } }), object({ bytes: 1 })))
  const noncurrent = { NoncurrentVersionTransitions: [{ NoncurrentDays: 1, StorageClass: 'GLACIER_IR' }] } as const
  assert.equal(noncurrentTransitionOf(lifecycle(noncurrent), object({ bytes: 1 }), { since: 0, newer: 0 }), undefined)
  assert.deepEqual(noncurrentTransitionOf(lifecycle(noncurrent), object(), { since: 1, newer: 0 })?.at, 2 * DAY_MS)
})

test('a version that is not current counts from when it was replaced, and the newest ones are kept', () => {
  const rules = lifecycle({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } })
  assert.equal(noncurrentExpirationOf(rules, object(), { since: MIDNIGHT, newer: 1 }), undefined)
  assert.equal(noncurrentExpirationOf(rules, object(), { since: MIDNIGHT, newer: 2 })?.at, MIDNIGHT + DAY_MS)
})

test('a delete marker over nothing goes at once when asked for, else with age; a filter by tag or size never means one', () => {
  const marker = { key: 'a/b', modifiedAt: MIDNIGHT + 1 }
  assert.equal(markerExpirationOf(lifecycle({ Expiration: { ExpiredObjectDeleteMarker: true } }), marker)?.at, MIDNIGHT + 1)
  assert.equal(markerExpirationOf(lifecycle({ Expiration: { Days: 2 } }), marker)?.at, MIDNIGHT + 3 * DAY_MS)
  assert.equal(markerExpirationOf(lifecycle({ Expiration: { ExpiredObjectDeleteMarker: false } }), marker), undefined)
  for (const Filter of [{ ObjectSizeGreaterThan: 0 }, { ObjectSizeLessThan: 9 }, { Tag: { Key: 'a', Value: 'b' } }])
    assert.equal(markerExpirationOf(lifecycle({ Filter, Expiration: { Days: 2 } }), marker), undefined)
})

test('uploads in parts are aborted by prefix and age', () => {
  const rules = lifecycle({ Prefix: 'a/', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } })
  assert.equal(abortOf(rules, { key: 'a/x', startedAt: MIDNIGHT })?.at, MIDNIGHT + 7 * DAY_MS)
  assert.equal(abortOf(rules, { key: 'b/x', startedAt: MIDNIGHT }), undefined)
})
