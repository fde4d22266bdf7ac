// PutBucketNotificationConfiguration: replaces who is told of the bucket's events; an empty one tells nobody.
import type { Operation } from '../../engine/operation.ts'
import type { BucketNotification } from '../../model/bucket-notification.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { type NotificationConfiguration, readNotifications } from './notification-configuration.ts'
import { checkDestinations, testDestinations } from './notification-destinations.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Input extends BucketInput {
  readonly NotificationConfiguration: NotificationConfiguration
  readonly SkipDestinationValidation?: boolean
}

export const putBucketNotificationConfiguration: Operation<Input, undefined, readonly BucketNotification[]> = {
  name: 'PutBucketNotificationConfiguration',
  eventName: 'PutBucketNotification',
  access: 'write',
  action: 'PutBucketNotification',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { notification: '', NotificationConfiguration: input.NotificationConfiguration }),
    resources: bucketResources,
  },
  async prepare(call, input) {
    const { tables, random } = call.env
    const bucket = existingBucket(tables, input)
    const notifications = readNotifications(input.NotificationConfiguration, random)
    if (input.SkipDestinationValidation === true) return notifications
    const arns = [...new Set(notifications.map(({ destinationArn }) => destinationArn))]
    checkDestinations(tables, call, bucket, arns)
    const known = new Set((bucket.notifications ?? []).map(({ destinationArn }) => destinationArn))
    await testDestinations(
      call,
      bucket,
      arns.filter((arn) => !known.has(arn)),
    )
    return notifications
  },
  run(tx, input, _call, wanted) {
    const { notifications, ...bucket } = existingBucket(tx, input)
    if (wanted.length > 0) tx.put(Table.buckets, bucket.name, { ...bucket, notifications: wanted })
    else if (notifications !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
