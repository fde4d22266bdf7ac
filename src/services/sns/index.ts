// The SNS service: its operations by name.
import type { Env } from '../../engine/env.ts'
import type { AnyOperation, Service } from '../../engine/operation.ts'
import type { TellPlatformEvent } from '../../engine/platform-events.ts'
import type { Tables } from '../../engine/tables.ts'
import { addPermission } from './add-permission.ts'
import { confirmSubscription } from './confirm-subscription.ts'
import { createTopic } from './create-topic.ts'
import { deleteTopic } from './delete-topic.ts'
import { authorizationError, internalError, missingMembers } from './errors.ts'
import { getDataProtectionPolicy } from './get-data-protection-policy.ts'
import { getSubscriptionAttributes } from './get-subscription-attributes.ts'
import { getTopicAttributes } from './get-topic-attributes.ts'
import { LatestMessages } from './latest-messages.ts'
import { listSubscriptions } from './list-subscriptions.ts'
import { listSubscriptionsByTopic } from './list-subscriptions-by-topic.ts'
import { listTagsForResource } from './list-tags-for-resource.ts'
import { listTopics } from './list-topics.ts'
import { snsModel } from './model.ts'
import type { SnsParts } from './operation.ts'
import { publishBatch } from './publish-batch.ts'
import { publish } from './publish.ts'
import { createPlatformApplication } from './push/create-platform-application.ts'
import { createPlatformEndpoint } from './push/create-platform-endpoint.ts'
import { deleteEndpoint } from './push/delete-endpoint.ts'
import { deletePlatformApplication } from './push/delete-platform-application.ts'
import { getEndpointAttributes } from './push/get-endpoint-attributes.ts'
import { getPlatformApplicationAttributes } from './push/get-platform-application-attributes.ts'
import { listEndpointsByPlatformApplication } from './push/list-endpoints-by-platform-application.ts'
import { listPlatformApplications } from './push/list-platform-applications.ts'
import { createPlatformEvents } from './push/platform-events.ts'
import { setEndpointAttributes } from './push/set-endpoint-attributes.ts'
import { setPlatformApplicationAttributes } from './push/set-platform-application-attributes.ts'
import { checkIfPhoneNumberIsOptedOut } from './sms/check-if-phone-number-is-opted-out.ts'
import { createSMSSandboxPhoneNumber } from './sms/create-sms-sandbox-phone-number.ts'
import { deleteSMSSandboxPhoneNumber } from './sms/delete-sms-sandbox-phone-number.ts'
import { getSMSAttributes } from './sms/get-sms-attributes.ts'
import { getSMSSandboxAccountStatus } from './sms/get-sms-sandbox-account-status.ts'
import { listOriginationNumbers } from './sms/list-origination-numbers.ts'
import { listPhoneNumbersOptedOut } from './sms/list-phone-numbers-opted-out.ts'
import { listSMSSandboxPhoneNumbers } from './sms/list-sms-sandbox-phone-numbers.ts'
import { optInPhoneNumber } from './sms/opt-in-phone-number.ts'
import { setSMSAttributes } from './sms/set-sms-attributes.ts'
import { verifySMSSandboxPhoneNumber } from './sms/verify-sms-sandbox-phone-number.ts'
import { putDataProtectionPolicy } from './put-data-protection-policy.ts'
import { removePermission } from './remove-permission.ts'
import { setSubscriptionAttributes } from './set-subscription-attributes.ts'
import { setTopicAttributes } from './set-topic-attributes.ts'
import { subscribe } from './subscribe.ts'
import { createSubscriberIndex } from './subscribers.ts'
import { tagResource } from './tag-resource.ts'
import { resourcePolicyOf } from './topic-policy.ts'
import { unsubscribe } from './unsubscribe.ts'
import { untagResource } from './untag-resource.ts'

const operations = {
  AddPermission: addPermission,
  CheckIfPhoneNumberIsOptedOut: checkIfPhoneNumberIsOptedOut,
  ConfirmSubscription: confirmSubscription,
  CreatePlatformApplication: createPlatformApplication,
  CreatePlatformEndpoint: createPlatformEndpoint,
  CreateSMSSandboxPhoneNumber: createSMSSandboxPhoneNumber,
  CreateTopic: createTopic,
  DeleteEndpoint: deleteEndpoint,
  DeletePlatformApplication: deletePlatformApplication,
  DeleteSMSSandboxPhoneNumber: deleteSMSSandboxPhoneNumber,
  DeleteTopic: deleteTopic,
  GetDataProtectionPolicy: getDataProtectionPolicy,
  GetEndpointAttributes: getEndpointAttributes,
  GetPlatformApplicationAttributes: getPlatformApplicationAttributes,
  GetSMSAttributes: getSMSAttributes,
  GetSMSSandboxAccountStatus: getSMSSandboxAccountStatus,
  GetSubscriptionAttributes: getSubscriptionAttributes,
  GetTopicAttributes: getTopicAttributes,
  ListEndpointsByPlatformApplication: listEndpointsByPlatformApplication,
  ListOriginationNumbers: listOriginationNumbers,
  ListPhoneNumbersOptedOut: listPhoneNumbersOptedOut,
  ListPlatformApplications: listPlatformApplications,
  ListSMSSandboxPhoneNumbers: listSMSSandboxPhoneNumbers,
  ListSubscriptions: listSubscriptions,
  ListSubscriptionsByTopic: listSubscriptionsByTopic,
  ListTagsForResource: listTagsForResource,
  ListTopics: listTopics,
  OptInPhoneNumber: optInPhoneNumber,
  Publish: publish,
  PublishBatch: publishBatch,
  PutDataProtectionPolicy: putDataProtectionPolicy,
  RemovePermission: removePermission,
  SetEndpointAttributes: setEndpointAttributes,
  SetPlatformApplicationAttributes: setPlatformApplicationAttributes,
  SetSMSAttributes: setSMSAttributes,
  SetSubscriptionAttributes: setSubscriptionAttributes,
  SetTopicAttributes: setTopicAttributes,
  Subscribe: subscribe,
  TagResource: tagResource,
  Unsubscribe: unsubscribe,
  UntagResource: untagResource,
  VerifySMSSandboxPhoneNumber: verifySMSSandboxPhoneNumber,
} satisfies Record<string, (parts: SnsParts) => AnyOperation>

/** What SNS is put together of: what it remembers it makes itself. */
export type SnsOptions = Omit<SnsParts, 'subscribers' | 'latest'> & { readonly tables: Tables }

export interface Sns extends Service {
  readonly platformEvents: (env: Env) => TellPlatformEvent
  readonly latest: LatestMessages
}

export function createSns({ tables, ...parts }: SnsOptions): Sns {
  const made: SnsParts = { ...parts, subscribers: createSubscriberIndex(tables), latest: new LatestMessages() }
  const paced = (operation: AnyOperation): AnyOperation => parts.limits?.paced(operation) ?? operation
  return {
    name: 'sns',
    eventSource: 'sns.amazonaws.com',
    actionPrefix: 'SNS',
    model: snsModel,
    operations: Object.fromEntries(Object.entries(operations).map(([name, make]) => [name, paced(make(made))])),
    resourcePolicy: resourcePolicyOf,
    accessDenied: authorizationError,
    internalError,
    recordsDataEvents: 'always',
    missing: missingMembers,
    platformEvents: (env) => createPlatformEvents(env, made),
    latest: made.latest,
  }
}
