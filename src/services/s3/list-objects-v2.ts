// ListObjectsV2: pages continue by an opaque token.
import type { Operation } from '../../engine/operation.ts'
import { readToken, writeToken } from './continuation-token.ts'
import { bucketResource, existingBucket } from './existing-bucket.ts'
import { encoderOf, keysMaxOf, listConditions, type ListInput, type ListOutput, listOutput, listParameters } from './list-objects-common.ts'
import { listObjectsOf } from './object-listing.ts'
import { bucketContentResources } from './record.ts'

interface Input extends ListInput {
  readonly ContinuationToken?: string
  readonly FetchOwner?: boolean
  readonly StartAfter?: string
}

interface Output extends ListOutput {
  readonly KeyCount: number
  readonly ContinuationToken?: string
  readonly NextContinuationToken?: string
  readonly StartAfter?: string
}

export const listObjectsV2: Operation<Input, Output, Output> = {
  name: 'ListObjectsV2',
  eventName: 'ListObjects',
  access: 'read',
  data: true,
  action: 'ListBucket',
  resource: bucketResource,
  conditions: listConditions,
  record: {
    parameters: (input, call) =>
      listParameters(input, call, { 'list-type': '2', 'start-after': input.StartAfter, 'fetch-owner': input.FetchOwner }),
    resources: bucketContentResources,
  },
  async prepare({ env: { tables } }, input) {
    existingBucket(tables, input)
    const keysMax = keysMaxOf(input)
    const encode = encoderOf(input)
    const { ContinuationToken: token, StartAfter: startAfter } = input
    const from = token !== undefined ? readToken(token) : startAfter ? { after: startAfter, skipsPrefix: false } : undefined
    const { Bucket: bucket, Prefix: prefix = '', Delimiter: delimiter = '' } = input
    const listing = await listObjectsOf(tables, { bucket, prefix, delimiter, keysMax, from })
    return {
      ...listOutput(input, keysMax, listing, input.FetchOwner === true),
      KeyCount: listing.objects.length + listing.commonPrefixes.length,
      ...(token !== undefined && { ContinuationToken: token }),
      ...(listing.next !== undefined && { NextContinuationToken: writeToken(listing.next) }),
      ...(startAfter !== undefined && { StartAfter: encode(startAfter) }),
    }
  },
  run: (_tx, _input, _call, listed) => listed,
}
