// Whether a trail may write where it is told to: bucket and topic exist, and their policies let CloudTrail in. Evaluated as the deliveries
// will be (CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail", "Amazon SNS topic policy for CloudTrail").
import { Readable } from 'node:stream'
import { evaluate } from '../../model/access-policy/evaluate.ts'
import { parseArn } from '../../model/arn.ts'
import { logFolder } from '../../model/log-file.ts'
import type { OutsideBucket } from '../../model/outside-bucket.ts'
import { servicePrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import type { Call } from '../../engine/operation.ts'
import { putOutside } from '../../engine/outside-bucket.ts'
import { policyOf } from '../../engine/policies.ts'
import type { TableReader } from '../../engine/tables.ts'
import { errors } from './errors.ts'

export const CLOUDTRAIL = 'cloudtrail.amazonaws.com'

const PREFIX_CHARS_MAX = 200
const TOPIC_CHARS_MAX = 256
const TOPIC_NAME = /^[A-Za-z0-9_-]{1,256}$/

export interface Destination {
  readonly trailArn: string
  readonly account: string
  readonly homeRegion: string
  readonly bucketName: string
  readonly keyPrefix: string
  readonly snsTopicArn?: string
}

/** Throws S3BucketDoesNotExist, InsufficientS3BucketPolicy, InvalidS3Prefix and InsufficientSnsTopicPolicy, in this order. */
export function checkDestinations(tables: TableReader, call: Call, to: Destination): void {
  if (outsideBucketOf(tables, to) === undefined) checkOwnBucket(tables, call, to)
  checkPrefix(to.keyPrefix)
  if (to.snsTopicArn !== undefined) checkTopic(tables, to, to.snsTopicArn)
}

/** The bucket of another S3 that the trail names, if its account may use one of that name. */
function outsideBucketOf(tables: TableReader, { bucketName, account }: Destination): OutsideBucket | undefined {
  const outside = tables.get(Table.outsideBuckets, bucketName)
  return outside?.accounts.includes(account) ? outside : undefined
}

/**
 * Asks another S3 whether it takes the trail's files, by writing the empty object that stands for their folder, as CloudTrail does. Throws
 * S3BucketDoesNotExist when the bucket is gone or does not answer, InsufficientS3BucketPolicy when it refuses.
 */
export async function probeOutside({ env }: Call, to: Destination): Promise<void> {
  const outside = outsideBucketOf(env.tables, to)
  if (outside === undefined) return
  const failure = await putOutside(env, outside, {
    key: `${logFolder(to.keyPrefix, to.account)}/CloudTrail/`,
    headers: { 'x-amz-acl': 'bucket-owner-full-control' },
    content: Readable.from([]),
  })
  if (failure === undefined) return
  const mayNot = failure.status >= 400 && failure.status < 500 && failure.code !== 'NoSuchBucket'
  throw mayNot ? errors.bucketPolicy(outside.name, failure.message) : errors.bucketMissing(outside.name, failure.message)
}

function checkOwnBucket(tables: TableReader, call: Call, to: Destination): void {
  const context = contextOf(to)
  const principal = servicePrincipal(CLOUDTRAIL, to.account)
  const bucket = tables.get(Table.buckets, to.bucketName)
  if (bucket === undefined) throw errors.bucketMissing(to.bucketName)
  const arn = `arn:${call.partition}:s3:::${bucket.name}`
  const policy = bucket.policy === undefined ? undefined : policyOf(bucket, bucket.policy)
  const may = (action: string, resource: string, more: Readonly<Record<string, string>> = {}): boolean =>
    evaluate({ principal, action, resource, context: { ...context, ...more } }, { resourceOwner: bucket.owner, resourcePolicy: policy })
      .allowed
  const folder = `${arn}/${logFolder(to.keyPrefix, to.account)}/CloudTrail/${to.homeRegion}/`
  if (!may('s3:GetBucketAcl', arn) || !may('s3:PutObject', folder, { 's3:x-amz-acl': 'bucket-owner-full-control' }))
    throw errors.bucketPolicy(bucket.name)
}

function checkTopic(tables: TableReader, to: Destination, topicArn: string): void {
  const topic = tables.get(Table.topics, topicArn)
  const text = topic?.attributes['Policy']
  if (topic === undefined || text === undefined) throw errors.snsPolicy()
  const decision = evaluate(
    { principal: servicePrincipal(CLOUDTRAIL, to.account), action: 'sns:Publish', resource: topicArn, context: contextOf(to) },
    { resourceOwner: topic.owner, resourcePolicy: policyOf(topic, text) },
  )
  if (!decision.allowed) throw errors.snsPolicy()
}

function contextOf(to: Destination): Readonly<Record<string, string>> {
  return {
    'aws:sourcearn': to.trailArn,
    'aws:sourceaccount': to.account,
    'aws:principalisawsservice': 'true',
    'aws:principalservicename': CLOUDTRAIL,
  }
}

/** Throws InvalidS3PrefixException. */
function checkPrefix(prefix: string): void {
  if (prefix.length > PREFIX_CHARS_MAX)
    throw errors.invalidPrefix(
      `S3 key prefix too long. Maximum allowed length: ${PREFIX_CHARS_MAX} characters. ` +
        `Specified prefix length: ${prefix.length} characters.`,
    )
  if (!/^[A-Za-z0-9!_.*'()/-]*$/.test(prefix))
    throw errors.invalidPrefix("S3 key prefix can only contain letters, numbers, and the characters ! - _ . * ' ( ) /.")
}

/** Slashes at the ends are not needed and would make empty folders. */
export function normalPrefix(prefix: string | undefined): string {
  return (prefix ?? '').replace(/^\/+|\/+$/g, '')
}

/** The ARN of the topic that a name or ARN means, in the trail's region and account. Throws InvalidSnsTopicNameException. */
export function topicArnOf(nameOrArn: string, call: Call): string {
  if (nameOrArn.length > TOPIC_CHARS_MAX) throw errors.invalidSnsTopic(nameOrArn)
  if (!nameOrArn.startsWith('arn:')) {
    if (!TOPIC_NAME.test(nameOrArn)) throw errors.invalidSnsTopic(nameOrArn)
    return `arn:${call.partition}:sns:${call.region}:${call.account}:${nameOrArn}`
  }
  const arn = parseArn(nameOrArn)
  if (arn === undefined || arn.service !== 'sns' || !/^\d{12}$/.test(arn.account) || arn.region === '' || !TOPIC_NAME.test(arn.resource))
    throw errors.invalidSnsTopic(nameOrArn)
  return nameOrArn
}

/** Tells the topic that a trail will notify it, as CloudTrail does when the topic is set. */
export async function validateTopic(call: Call, trailArn: string, topicArn: string): Promise<void> {
  const { env, account } = call
  const region = parseArn(topicArn)?.region ?? call.region
  const result = await env.invoke({
    service: 'sns',
    operation: 'Publish',
    input: { TopicArn: topicArn, Message: 'CloudTrail validation message.' },
    region,
    requestId: env.random.uuid(),
    arrivedAt: env.clock.now(),
    sourceIp: CLOUDTRAIL,
    userAgent: CLOUDTRAIL,
    host: `sns.${region}.amazonaws.com`,
    principal: servicePrincipal(CLOUDTRAIL, account),
    causedByTrail: trailArn,
  })
  if ('error' in result) throw result.error.status >= 500 ? result.error : errors.snsPolicy()
}
