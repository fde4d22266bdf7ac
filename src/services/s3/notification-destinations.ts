// Whether a bucket may notify whom it is told to: the queue or topic is there, and its policy lets S3 in on behalf of the bucket (S3 user
// guide, "Granting permissions to publish event notification messages to a destination"). A new one is sent S3's test event.
import { evaluate } from '../../model/access-policy/evaluate.ts'
import { parseArn } from '../../model/arn.ts'
import type { Bucket } from '../../model/bucket.ts'
import { servicePrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import { sendAsS3 } from '../../engine/bucket-sender.ts'
import type { Call } from '../../engine/operation.ts'
import { policyOf } from '../../engine/policies.ts'
import type { TableReader } from '../../engine/tables.ts'
import { errors } from './errors.ts'

const S3 = 's3.amazonaws.com'

/** Throws InvalidArgument that names each destination which cannot be used, and why. */
export function checkDestinations(tables: TableReader, call: Call, bucket: Bucket, arns: readonly string[]): void {
  const refused = arns.flatMap((arn) => {
    const why = refusalOf(tables, call, bucket, arn)
    return why === undefined ? [] : [{ arn, why }]
  })
  if (refused.length > 0) throw errors.destinations(refused)
}

/** Sends S3's test event. Throws the same where one is refused. */
export async function testDestinations(call: Call, bucket: Bucket, arns: readonly string[]): Promise<void> {
  const { env } = call
  for (const arn of arns) {
    const message = JSON.stringify({
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: new Date(env.clock.now()).toISOString(),
      Bucket: bucket.name,
      RequestId: call.requestId,
      HostId: env.random.bytes(48).toString('base64'),
    })
    const result = await sendAsS3(env, bucket, arn, message)
    if ('error' in result) throw result.error.status >= 500 ? result.error : errors.destinations([{ arn, why: result.error.message }])
  }
}

function refusalOf(tables: TableReader, call: Call, bucket: Bucket, arn: string): string | undefined {
  const parsed = parseArn(arn)
  const isQueue = parsed?.service === 'sqs'
  const kind = isQueue ? 'queue' : 'topic'
  if (parsed?.region !== bucket.region) return 'The notification destination service region is not valid for the bucket location constraint'
  if (parsed.resource.endsWith('.fifo')) return `A FIFO ${kind} cannot be a destination of event notifications`
  const found = tables.get(isQueue ? Table.queues : Table.topics, arn)
  if (found === undefined) return `The destination ${kind} does not exist`
  const policy = found.attributes['Policy']
  const decision = evaluate(
    {
      principal: servicePrincipal(S3, bucket.owner),
      action: isQueue ? 'sqs:SendMessage' : 'sns:Publish',
      resource: arn,
      context: {
        'aws:sourcearn': `arn:${call.partition}:s3:::${bucket.name}`,
        'aws:sourceaccount': bucket.owner,
        'aws:principalisawsservice': 'true',
        'aws:principalservicename': S3,
        'aws:securetransport': 'true',
      },
    },
    { resourceOwner: found.owner, resourcePolicy: policy === undefined || policy === '' ? undefined : policyOf(found, policy) },
  )
  return decision.allowed ? undefined : `Permissions on the destination ${kind} do not allow S3 to publish notifications from this bucket`
}
