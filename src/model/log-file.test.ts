// Names of log files against the form that readers of CloudTrail expect.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import { LOG_FILE_BYTES_MAX, LOG_FILE_RECORD_BYTES_MAX, logFileKey, logFolder, uniquePart } from './log-file.ts'

test('a key has the folders and the name that CloudTrail gives', () => {
  const name = { account: '111122223333', region: 'eu-west-1', deliveredAt: Date.UTC(2026, 2, 4, 5, 6, 59), unique: 'AbCdEfGhIjKlMnOp' }
  const file =
    'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/04/111122223333_CloudTrail_eu-west-1_20260304T0505Z_AbCdEfGhIjKlMnOp.json.gz'
  assert.equal(logFileKey({ ...name, keyPrefix: '' }), file)
  assert.equal(logFileKey({ ...name, keyPrefix: 'a/b' }), `a/b/${file}`)
  assert.ok(logFileKey({ ...name, keyPrefix: 'a/b' }).startsWith(`${logFolder('a/b', name.account)}/`))
})

test('unique parts are sixteen letters and digits, and differ', () => {
  const random = seededRandom(5)
  const parts = Array.from({ length: 200 }, () => uniquePart(random))
  for (const part of parts) assert.match(part, /^[A-Za-z0-9]{16}$/)
  assert.equal(new Set(parts).size, parts.length)
})

test('records that do not compress at all still fit a file', () => {
  // DEFLATE stores what it cannot compress in blocks of at most 65,535 bytes with five bytes each (RFC 1951, section 3.2.4).
  assert.ok(LOG_FILE_RECORD_BYTES_MAX * (1 + 6 / 16_384) + 1024 < LOG_FILE_BYTES_MAX)
})
