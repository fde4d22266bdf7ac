// Who is told of what happens to a bucket's objects: one entry for each configuration of a queue or a topic.

export interface BucketNotification {
  readonly id: string
  /** ARN of the queue or topic. */
  readonly destinationArn: string
  /** `s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete`, ... */
  readonly events: readonly string[]
  /** Of the object's key; absent: any. */
  readonly prefix?: string
  readonly suffix?: string
}
