// What records say of versions and of the parts of uploads: found where it holds, and told where it does not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { chainKey, digestedFileKey } from '../../model/digest-chain.ts'
import { createUploadId, partRow, uploadRow } from '../../model/multipart-upload.ts'
import { nullVersionRow, versionRow } from '../../model/object-version.ts'
import { packBlobs } from '../../model/packed-body.ts'
import { Table } from '../../model/tables.ts'
import { createBlobId } from '../blobs.ts'
import { References } from './references.ts'

const random = seededRandom(1)
const blob = () => ({ blobId: createBlobId(random, 1, 5), bytes: 5 })
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const body = (blobs: readonly object[]) => ({ blobs, bytes: 5 })

test('older versions, delete markers and parts are known, with their blobs', () => {
  const references = new References()
  const [current, older, part] = [blob(), blob(), blob()]
  const uploadId = createUploadId(random, 1)
  references.change(Table.buckets, 'box', json({ name: 'box' }))
  references.change(Table.objects, 'box/k', json(body([current])))
  references.change(Table.objectVersions, versionRow('box', 'k', 7), json(body([older])))
  references.change(Table.objectVersions, versionRow('box', 'k', 8), json({ isDeleteMarker: true, order: 8 }))
  references.change(Table.objectVersions, nullVersionRow('box', 'k'), json({ order: 7 }))
  references.change(Table.multipartUploads, uploadRow('box', 'k', uploadId) ?? '', json({ uploadId }))
  references.change(Table.uploadedParts, partRow(uploadId, 1), json(body([part])))
  assert.deepEqual([...references.blobs().keys()].toSorted(), [current, older, part].map(({ blobId }) => blobId).toSorted())
  const problems = (isGood: (id: string) => boolean) =>
    [...references.problems({ start: 0, durable: 0 }, isGood)].map(({ table, severity, what }) => `${table} ${severity} ${what}`)
  assert.deepEqual(
    problems(() => true),
    [],
  )
  // What says where the null version lies goes with it, so that a salvage leaves nothing that points nowhere.
  assert.deepEqual(
    problems((id) => id !== older.blobId),
    [`17 damage its blob ${older.blobId} is missing or has another size`, '17 damage the version that it points to does not exist'],
  )
  const joined = [blob(), blob()]
  references.change(Table.objects, 'box/joined', json({ blobs: packBlobs(joined), bytes: 10 }))
  assert.ok(joined.every(({ blobId }) => references.blobs().has(blobId)))
  assert.deepEqual(
    problems((id) => id !== joined[1]?.blobId),
    [`12 damage its blob ${joined[1]?.blobId} is missing or has another size`],
  )
  references.change(Table.objects, 'box/joined', undefined)
  references.change(Table.multipartUploads, uploadRow('box', 'k', uploadId) ?? '', undefined)
  assert.deepEqual(
    problems(() => true),
    ['19 info its upload is over'],
  )
  references.change(Table.buckets, 'box', undefined)
  assert.equal(problems(() => true).filter((problem) => problem.endsWith('its bucket box does not exist')).length, 4)
})

test('a log file that waits for a digest has its chain', () => {
  const references = new References()
  const place = { trailArn: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/all', region: 'eu-west-1', chain: 3 }
  references.change(Table.digests, chainKey(place), json({ kind: 'chain' }))
  references.change(Table.digests, digestedFileKey(place, 7), json({ kind: 'file' }))
  const problems = () => [...references.problems({ start: 0, durable: 0 }, () => true)].map(({ key }) => key)
  assert.deepEqual(problems(), [])
  references.change(Table.digests, chainKey(place), undefined)
  assert.deepEqual(problems(), [digestedFileKey(place, 7)])
})

test('a waiting delivery has its body, and a body somebody who waits with it', () => {
  const references = new References()
  const problems = () =>
    [...references.problems({ start: 0, durable: 0 }, () => true)].map(({ table, severity, what }) => `${table} ${severity} ${what}`)
  references.change(Table.subscriptions, 's', json({ topicArn: 't', route: 0 }))
  references.change(Table.topics, 't', json({}))
  references.change(Table.pendingDeliveries, 's/1', json({ subscriptionArn: 's', body: '', bodyKey: 'm/1' }))
  references.change(Table.pendingDeliveries, 's/2', json({ subscriptionArn: 's', body: 'x' }))
  references.change(Table.pendingBodies, 'm/1', json({ body: 'x' }))
  references.change(Table.pendingBodyUses, 'm/1', json({ uses: 1 }))
  assert.deepEqual(problems(), [])
  references.change(Table.pendingBodies, 'm/1', undefined)
  references.change(Table.pendingBodies, 'm/2', json({ body: 'x' }))
  assert.deepEqual(problems(), ['10 damage its body m/1 does not exist', '43 info no delivery waits with it'])
})
