// Messages without a topic: delivered as to a subscription of their own, and told of where their sender asks for it.
import type { TableReader } from '../../engine/tables.ts'
import { parseArn } from '../../model/arn.ts'
import type { DirectRecipient } from '../../model/message.ts'
import { applicationOfEndpoint } from '../../model/platform.ts'
import { smsAccountKey } from '../../model/sms.ts'
import { originOf } from '../../model/delivery.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'

/** No topic, no attributes: no dead letters, the protocol's own retries. */
export function directSubscription({ protocol, endpoint, sender }: DirectRecipient): Subscription {
  return {
    ...{ subscriptionArn: sender, topicArn: '', protocol, endpoint, attributes: {}, principal: '', route: 0, createdAt: 0 },
    owner: parseArn(sender)?.account ?? '',
    state: 'confirmed',
    confirmationWasAuthenticated: true,
    authenticateOnUnsubscribe: true,
  }
}

/** The attributes that ask to be told how deliveries ended, by the names that topics have for them (model/delivery-status.ts). */
export function feedbackAttributes(
  tables: TableReader,
  { protocol, endpoint, topicArn, subscriptionArn }: Pick<Subscription, 'protocol' | 'endpoint' | 'topicArn' | 'subscriptionArn'>,
): Readonly<Record<string, string>> | undefined {
  const topic = topicArn === '' ? undefined : tables.get(Table.topics, topicArn)?.attributes
  if (protocol === 'sms') {
    const { account = '', region = '' } = parseArn(originOf({ topicArn, subscriptionArn })) ?? {}
    const { DeliveryStatusIAMRole: role = '', DeliveryStatusSuccessSamplingRate: rate } =
      tables.get(Table.smsAccounts, smsAccountKey({ account, region }))?.attributes ?? {}
    return {
      SMSSuccessFeedbackRoleArn: role,
      SMSFailureFeedbackRoleArn: role,
      ...(rate !== undefined && { SMSSuccessFeedbackSampleRate: rate }),
    }
  }
  if (protocol !== 'application' || topic !== undefined) return topic
  const own = tables.get(Table.platformApplications, applicationOfEndpoint(endpoint))?.attributes ?? {}
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [`Application${name}`, value]))
}
