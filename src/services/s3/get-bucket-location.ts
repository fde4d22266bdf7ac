// GetBucketLocation. Quirk: us-east-1 is told by an empty answer (GetBucketLocation, "LocationConstraint").
import type { Operation } from '../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Output {
  readonly LocationConstraint?: string
}

export const getBucketLocation: Operation<BucketInput, Output> = {
  name: 'GetBucketLocation',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { location: '' }), resources: bucketResources },
  run(tx, input) {
    const { region } = existingBucket(tx, input)
    return region === 'us-east-1' ? {} : { LocationConstraint: region }
  },
}
