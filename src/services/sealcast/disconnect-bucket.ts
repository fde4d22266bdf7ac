// DisconnectBucket: forgets a bucket of another S3. What lies in it stays there.
import { Table } from '../../model/tables.ts'
import { badRequest, conflict } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export interface DisconnectBucketInput {
  readonly BucketName?: unknown
}

const TRAILS_NAMED = 5

export const disconnectBucket: SealcastOperation<DisconnectBucketInput, { BucketName: string }> = () => ({
  name: 'DisconnectBucket',
  access: 'write',
  record: { parameters: ({ BucketName: bucketName }) => ({ bucketName }), response: () => null },
  run(tx, { BucketName: name }) {
    if (typeof name !== 'string' || tx.get(Table.outsideBuckets, name) === undefined)
      throw badRequest('BucketName: no bucket of that name is connected; `sealcast buckets list` shows those that are')
    const trails = tx
      .range(Table.trails, {})
      .filter(({ value }) => value.bucketName === name)
      .map(({ value }) => value.trailArn)
    if (trails.length > 0) {
      const more = trails.length > TRAILS_NAMED ? `, and ${trails.length - TRAILS_NAMED} more` : ''
      throw conflict(
        `trails write to ${name}: ${trails.slice(0, TRAILS_NAMED).join(', ')}${more}. Give them another bucket, or delete them`,
      )
    }
    const waiting = tx.range(Table.trailPlans, {}).filter(({ value }) => value.kind === 'file' && value.bucketName === name).length
    if (waiting > 0)
      throw conflict(`${waiting} log files of trails that were deleted still wait for ${name}. Try again when they are there`)
    tx.delete(Table.outsideBuckets, name)
    return { BucketName: name }
  },
})
