// The access policy of a topic: what SNS takes as one, and the one that is in force.
import { defaultTopicPolicy } from '../../model/access-policy/policy-edits.ts'
import { PolicyError } from '../../model/access-policy/policy-error.ts'
import { actionsOf, compilePolicy, principalsOf } from '../../model/access-policy/policy.ts'
import { compileTextPattern } from '../../model/access-policy/text-pattern.ts'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import type { ResourcePolicy } from '../../engine/operation.ts'
import { policyOf } from '../../engine/policies.ts'
import type { TableReader } from '../../engine/tables.ts'
import { topicOfSubscription } from './arns.ts'
import { snsModel } from './model.ts'

export const OUT_OF_SCOPE = 'Policy statement action out of service scope!'

/** "Amazon SNS API permissions": what a topic's policy can allow. `Receive` is of old. */
export const TOPIC_ACTIONS: ReadonlySet<string> = new Set([
  'AddPermission',
  'DeleteTopic',
  'GetDataProtectionPolicy',
  'GetTopicAttributes',
  'ListSubscriptionsByTopic',
  'ListTagsForResource',
  'Publish',
  'PutDataProtectionPolicy',
  'Receive',
  'RemovePermission',
  'SetTopicAttributes',
  'Subscribe',
])

/** "Allowed values in topic policies": 1 to 200 principals. */
const PRINCIPALS_MAX = 200

/** What is wrong with a policy for a topic, in AWS's words, or undefined. */
export function topicPolicyProblem(text: string): string | undefined {
  try {
    const policy = compilePolicy(text, { kind: 'resource' })
    if (!actionsOf(policy).every(isTopicAction)) return OUT_OF_SCOPE
    return principalsOf(policy).length > PRINCIPALS_MAX ? 'Policy Error: null' : undefined
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.element.endsWith('.Principal.AWS') ? 'Policy Error: PrincipalNotFound' : 'Policy Error: null'
  }
}

/** A pattern is expanded over all actions of SNS; none that a topic does not have may be among them. */
function isTopicAction(action: string): boolean {
  const pattern = /^sns:(.+)$/i.exec(action)?.[1]
  if (pattern === undefined) return false
  const matches = compileTextPattern(pattern, { element: 'Action', wildcards: true, variables: false, ignoreCase: true })
  const named = [...new Set([...Object.keys(snsModel().operations), ...TOPIC_ACTIONS])].filter((name) => matches(name, {}))
  return named.length > 0 && named.every((name) => TOPIC_ACTIONS.has(name))
}

/** The policy in force: the owner's, else the one AWS gives every topic. */
export function topicPolicy(topic: Topic): string {
  return topic.attributes['Policy'] ?? defaultTopicPolicy(topic.topicArn, topic.owner)
}

/** Who owns a topic or subscription, and the topic's policy. A subscription belongs to whoever subscribed. */
export function resourcePolicyOf(tables: TableReader, arn: string): ResourcePolicy | undefined {
  const own = tables.get(Table.topics, arn)
  if (own !== undefined) return policyOfTopic(own)
  const subscription = tables.get(Table.subscriptions, arn)
  const topic = tables.get(Table.topics, topicOfSubscription(arn))
  if (topic === undefined) return subscription === undefined ? undefined : { owner: subscription.owner, policy: undefined }
  return subscription === undefined ? policyOfTopic(topic) : { ...policyOfTopic(topic), owner: subscription.owner }
}

function policyOfTopic(topic: Topic): ResourcePolicy {
  return { owner: topic.owner, policy: policyOf(topic, () => topicPolicy(topic)) }
}
