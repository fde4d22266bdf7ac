// The retention report of trails whose bucket has rules, locks, holds and an archive.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { DAY_MS } from '../../model/lifecycle.ts'
import { Table } from '../../model/tables.ts'
import type { Trail } from '../../model/trail.ts'
import { s3 } from '../s3/index.ts'
import { trailRetention } from './retention-report.ts'

const FOLDER = `AWSLogs/${ACCOUNT}/`
const trail = (bucketName: string) => ({ trailArn: 'arn:aws:cloudtrail:t', bucketName, keyPrefix: '', account: ACCOUNT }) as Trail

test('what is kept until when, by which rule, and what goes next', async () => {
  const server = await createHarness(() => ({ s3 }))
  const { tables, commits, clock } = server.env
  const call = (operation: string, input: object) => server.call('s3', operation, { Bucket: 'logs', ...input })
  const put = (key: string) =>
    server.call('s3', 'PutObject', { Bucket: 'logs', Key: FOLDER + key }, undefined, { stream: Readable.from([Buffer.from('0123456789')]) })
  const lock = (key: string, changes: object) =>
    commits.commit((tx) => {
      const object = tables.get(Table.objects, `logs/${FOLDER}${key}`)
      if (object !== undefined) tx.put(Table.objects, `logs/${FOLDER}${key}`, { ...object, ...changes })
    }).done
  try {
    assert.equal((await trailRetention(tables, trail('logs'), clock.now())).place, 'missing')
    await call('CreateBucket', {})
    await call('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled' } })
    const start = clock.now()
    await put('CloudTrail/one.gz')
    await put('CloudTrail/one.gz')
    server.clock.advance(DAY_MS)
    await put('CloudTrail/two.gz')
    await put('CloudTrail/held.gz')
    await put('CloudTrail-Digest/d.gz')
    await server.call('s3', 'PutObject', { Bucket: 'logs', Key: 'other' }, undefined, { stream: Readable.from([]) })
    const before = await trailRetention(tables, trail('logs'), clock.now())
    assert.deepEqual([before.rules, before.nextRemoval, before.oldVersions], [[], undefined, 1])
    await lock('CloudTrail/one.gz', { retention: { mode: 'COMPLIANCE', until: start + 900 * DAY_MS } })
    await lock('CloudTrail/held.gz', { hasLegalHold: true, storageClass: 'GLACIER_IR' })
    const rule = (ID: string, Prefix: string, more: object) => ({ ID, Status: 'Enabled', Filter: { Prefix }, ...more })
    await call('PutBucketLifecycleConfiguration', {
      LifecycleConfiguration: {
        Rules: [
          rule('year', 'AWSLogs/', { Expiration: { Days: 365 }, NoncurrentVersionExpiration: { NoncurrentDays: 400 } }),
          rule('digests', `${FOLDER}CloudTrail-Digest/`, { Transitions: [{ Days: 30, StorageClass: 'GLACIER_IR' }] }),
          rule('elsewhere', 'other/', { Expiration: { Days: 1 } }),
        ],
      },
      TransitionDefaultMinimumObjectSize: 'varies_by_storage_class',
    })
    const report = await trailRetention(tables, trail('logs'), clock.now())
    const midnight = (days: number) => Math.ceil((start + days * DAY_MS) / DAY_MS) * DAY_MS
    assert.deepEqual(report, {
      trailArn: 'arn:aws:cloudtrail:t',
      bucketName: 'logs',
      prefix: FOLDER,
      place: 'here',
      logFiles: { files: 3, bytes: 30, archived: 1, oldestAt: start, newestAt: start + DAY_MS },
      digests: { files: 1, bytes: 10, archived: 0, oldestAt: start + DAY_MS, newestAt: start + DAY_MS },
      oldVersions: 1,
      locked: { versions: 1, held: 1, firstEndsAt: start + 900 * DAY_MS, lastEndsAt: start + 900 * DAY_MS },
      rules: [
        { ruleId: 'year', prefix: 'AWSLogs/', isForAll: true, expiresAfterDays: 365, oldVersionsExpireAfterDays: 400 },
        { ruleId: 'digests', prefix: `${FOLDER}CloudTrail-Digest/`, isForAll: false, movesAfterDays: 30 },
      ],
      nextRemoval: { at: midnight(366), key: `${FOLDER}CloudTrail-Digest/d.gz`, ruleId: 'year' },
      nextMove: { at: midnight(31), key: `${FOLDER}CloudTrail-Digest/d.gz`, ruleId: 'digests' },
    })
  } finally {
    await server.close()
  }
})
