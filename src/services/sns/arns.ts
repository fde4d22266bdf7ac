// ARNs in SNS requests: their grammar, and the things they name.
import { formatArn, parseArn } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription, Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { invalidParameter, notFound } from './errors.ts'

/** The topic ARN of a request, or AWS's refusal of its form. `parameter` is the name in the text. */
export function topicArnOf(text: string | undefined, call: Call, parameter = 'TopicArn'): string {
  const parsed = text === undefined ? undefined : parseArn(text)
  if (text === undefined || parsed === undefined) throw arnRefusal(text, parameter)
  if (parsed.service !== 'sns' || parsed.region !== call.region || parsed.resource.includes(':')) throw invalidParameter(parameter)
  return text
}

/** What the ARNs of all topics of an account in a region begin with. */
export function topicPrefix({ partition, region, account }: Call): string {
  return formatArn({ partition, service: 'sns', region, account, resource: '' })
}

/** At least six elements, else AWS's complaint with the count; an empty text counts as one. */
export function checkArn(text: string | undefined, parameter: string): string {
  if (text === undefined || text.split(':').length < 6) throw arnRefusal(text, parameter)
  return text
}

function arnRefusal(text: string | undefined, parameter: string): Error {
  if (text === undefined) return invalidParameter(`${parameter} Reason: no value for required parameter`)
  const elements = text.split(':').length
  return elements < 6
    ? invalidParameter(`${parameter} Reason: An ARN must have at least 6 elements, not ${elements}`)
    : invalidParameter(parameter)
}

export function requireTopic(tables: TableReader, topicArn: string): Topic {
  const topic = tables.get(Table.topics, topicArn)
  if (topic === undefined) throw notFound('Topic')
  return topic
}

/** A subscription ARN has seven elements: that of its topic, and a UUID. */
export function subscriptionArnOf(text: string | undefined): string {
  const arn = checkArn(text, 'SubscriptionArn')
  if (arn.split(':').length !== 7) throw invalidParameter('SubscriptionId')
  return arn
}

export function requireSubscription(tables: TableReader, subscriptionArn: string): Subscription {
  const subscription = tables.get(Table.subscriptions, subscriptionArn)
  if (subscription === undefined) throw notFound('Subscription')
  return subscription
}

/** The topic's ARN in front of a subscription's. */
export function topicOfSubscription(subscriptionArn: string): string {
  return subscriptionArn.slice(0, subscriptionArn.lastIndexOf(':'))
}
