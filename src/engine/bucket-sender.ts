// One message of S3 to a queue or a topic, as a call like any other: by S3's own principal, on behalf of the bucket, authorised by the
// destination's policy and recorded.
import { parseArn, partitionOf } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'
import { servicePrincipal } from '../model/principal.ts'
import type { CallResult } from './call.ts'
import type { Env } from './env.ts'

const S3 = 's3.amazonaws.com'
const SUBJECT = 'Amazon S3 Notification'

export function sendAsS3(
  env: Env,
  bucket: Pick<Bucket, 'name' | 'owner' | 'region'>,
  destinationArn: string,
  message: string,
  causedByTrail?: string,
): Promise<CallResult> {
  const { service = '', region = bucket.region, account = '', resource = '' } = parseArn(destinationArn) ?? {}
  const isQueue = service === 'sqs'
  const host = `${service}.${region}.amazonaws.com`
  return env.invoke({
    service,
    operation: isQueue ? 'SendMessage' : 'Publish',
    input: isQueue
      ? { QueueUrl: `https://${host}/${account}/${resource}`, MessageBody: message }
      : { TopicArn: destinationArn, Subject: SUBJECT, Message: message },
    region,
    host,
    requestId: env.random.uuid(),
    arrivedAt: env.clock.now(),
    sourceIp: S3,
    userAgent: S3,
    principal: servicePrincipal(S3, bucket.owner),
    sourceArn: `arn:${partitionOf(bucket.region)}:s3:::${bucket.name}`,
    ...(causedByTrail !== undefined && { causedByTrail }),
  })
}
