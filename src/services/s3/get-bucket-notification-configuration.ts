// GetBucketNotificationConfiguration: who is told of the bucket's events; empty where nobody is.
import type { Operation } from '../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { type NotificationConfiguration, notificationConfiguration } from './notification-configuration.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const getBucketNotificationConfiguration: Operation<BucketInput, NotificationConfiguration> = {
  name: 'GetBucketNotificationConfiguration',
  eventName: 'GetBucketNotification',
  access: 'read',
  action: 'GetBucketNotification',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { notification: '' }), resources: bucketResources },
  run: (tx, input) => notificationConfiguration(existingBucket(tx, input).notifications ?? []),
}
