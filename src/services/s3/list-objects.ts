// ListObjects, the first version: pages continue behind a marker.
import type { Operation } from '../../engine/operation.ts'
import { bucketResource, existingBucket } from './existing-bucket.ts'
import { encoderOf, keysMaxOf, listConditions, type ListInput, type ListOutput, listOutput, listParameters } from './list-objects-common.ts'
import { endsRolledUp, listObjectsOf } from './object-listing.ts'
import { bucketContentResources } from './record.ts'

interface Input extends ListInput {
  readonly Marker?: string
}

interface Output extends ListOutput {
  readonly Marker: string
  readonly NextMarker?: string
}

export const listObjects: Operation<Input, Output, Output> = {
  name: 'ListObjects',
  access: 'read',
  data: true,
  action: 'ListBucket',
  resource: bucketResource,
  conditions: listConditions,
  record: { parameters: (input, call) => listParameters(input, call, { marker: input.Marker }), resources: bucketContentResources },
  async prepare({ env: { tables } }, input) {
    existingBucket(tables, input)
    const keysMax = keysMaxOf(input)
    const encode = encoderOf(input)
    const { Marker: marker = '', Delimiter: delimiter = '', Prefix: prefix = '' } = input
    const listing = await listObjectsOf(tables, {
      bucket: input.Bucket,
      prefix,
      delimiter,
      keysMax,
      from: marker === '' ? undefined : { after: marker, skipsPrefix: endsRolledUp(marker, prefix, delimiter) },
    })
    return {
      ...listOutput(input, keysMax, listing, true),
      Marker: encode(marker),
      // Quirk: NextMarker comes only with a delimiter; else the last key serves (ListObjects, "NextMarker").
      ...(listing.next !== undefined && delimiter !== '' && { NextMarker: encode(listing.next.after) }),
    }
  },
  run: (_tx, _input, _call, listed) => listed,
}
