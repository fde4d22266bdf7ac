// The SNS service: its operations by name.
import { topicPolicy } from './topic-attributes.ts'
import { policyOf } from '../../engine/policies.ts'
import type { AnyOperation, Service } from '../../engine/operation.ts'
import type { Tables } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import { topicOfSubscription } from './arns.ts'
import { confirmSubscription } from './confirm-subscription.ts'
import { createTopic } from './create-topic.ts'
import { deleteTopic } from './delete-topic.ts'
import { authorizationError, internalError, missingMembers } from './errors.ts'
import { getSubscriptionAttributes } from './get-subscription-attributes.ts'
import { getTopicAttributes } from './get-topic-attributes.ts'
import { listSubscriptions } from './list-subscriptions.ts'
import { listSubscriptionsByTopic } from './list-subscriptions-by-topic.ts'
import { listTagsForResource } from './list-tags-for-resource.ts'
import { listTopics } from './list-topics.ts'
import { snsModel } from './model.ts'
import type { SnsParts } from './operation.ts'
import { publishBatch } from './publish-batch.ts'
import { publish } from './publish.ts'
import { setSubscriptionAttributes } from './set-subscription-attributes.ts'
import { setTopicAttributes } from './set-topic-attributes.ts'
import { subscribe } from './subscribe.ts'
import { createSubscriberIndex } from './subscribers.ts'
import { tagResource } from './tag-resource.ts'
import { unsubscribe } from './unsubscribe.ts'
import { untagResource } from './untag-resource.ts'

const operations = {
  ConfirmSubscription: confirmSubscription,
  CreateTopic: createTopic,
  DeleteTopic: deleteTopic,
  GetSubscriptionAttributes: getSubscriptionAttributes,
  GetTopicAttributes: getTopicAttributes,
  ListSubscriptions: listSubscriptions,
  ListSubscriptionsByTopic: listSubscriptionsByTopic,
  ListTagsForResource: listTagsForResource,
  ListTopics: listTopics,
  Publish: publish,
  PublishBatch: publishBatch,
  SetSubscriptionAttributes: setSubscriptionAttributes,
  SetTopicAttributes: setTopicAttributes,
  Subscribe: subscribe,
  TagResource: tagResource,
  Unsubscribe: unsubscribe,
  UntagResource: untagResource,
} satisfies Record<string, (parts: SnsParts) => AnyOperation>

export function createSns(parts: { readonly tables: Tables; readonly protocols: SnsParts['protocols'] }): Service {
  const made: SnsParts = { subscribers: createSubscriberIndex(parts.tables), protocols: parts.protocols }
  return {
    name: 'sns',
    eventSource: 'sns.amazonaws.com',
    actionPrefix: 'SNS',
    model: snsModel,
    operations: Object.fromEntries(Object.entries(operations).map(([name, make]) => [name, make(made)])),
    resourcePolicy(tables, arn) {
      const topic = tables.get(Table.topics, arn) ?? tables.get(Table.topics, topicOfSubscription(arn))
      return topic === undefined ? undefined : { owner: topic.owner, policy: policyOf(topic, () => topicPolicy(topic)) }
    },
    accessDenied: authorizationError,
    internalError,
    recordsDataEvents: 'always',
    missing: missingMembers,
  }
}
