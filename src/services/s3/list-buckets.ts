// ListBuckets: the caller's own, in the order of their names.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { canonicalUserId } from './canonical-user-id.ts'
import { readToken, writeToken } from './continuation-token.ts'
import { errors } from './errors.ts'

interface Input {
  readonly MaxBuckets?: number
  readonly ContinuationToken?: string
  readonly Prefix?: string
  readonly BucketRegion?: string
}

interface Output {
  readonly Buckets: readonly { Name: string; CreationDate: Date; BucketRegion: string }[]
  readonly Owner: { readonly ID: string }
  readonly Prefix?: string
  readonly ContinuationToken?: string
}

export const listBuckets: Operation<Input, Output> = {
  name: 'ListBuckets',
  access: 'read',
  action: 'ListAllMyBuckets',
  record: {
    parameters: (input, call) => ({
      Host: call.host,
      ...(input.Prefix !== undefined && { prefix: input.Prefix }),
      ...(input.MaxBuckets !== undefined && { 'max-buckets': input.MaxBuckets }),
      ...(input.BucketRegion !== undefined && { 'bucket-region': input.BucketRegion }),
    }),
  },
  run(tx, input, call) {
    const { MaxBuckets: max = BUCKETS_MAX, Prefix: prefix } = input
    if (!Number.isInteger(max) || max < 1 || max > BUCKETS_MAX)
      throw errors.invalidArgument('max-buckets', String(max), `max-buckets must be between 1 and ${BUCKETS_MAX}`)
    const after = input.ContinuationToken === undefined ? undefined : readToken(input.ContinuationToken).after
    const own = tx
      .range(Table.buckets, { ...(prefix !== undefined && { prefix }), ...(after !== undefined && { after }) })
      .map(({ value }) => value)
      .filter((bucket) => bucket.owner === call.account && (input.BucketRegion === undefined || bucket.region === input.BucketRegion))
    const page = own.slice(0, max)
    const last = page.at(-1)
    return {
      Buckets: page.map((bucket) => ({
        Name: bucket.name,
        CreationDate: new Date(bucket.createdAt),
        BucketRegion: bucket.region,
      })),
      Owner: { ID: canonicalUserId(call.account) },
      ...(prefix !== undefined && { Prefix: prefix }),
      ...(own.length > page.length && last !== undefined && { ContinuationToken: writeToken({ after: last.name, skipsPrefix: false }) }),
    }
  },
}

const BUCKETS_MAX = 10_000
