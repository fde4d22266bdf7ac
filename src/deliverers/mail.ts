// What a mail says: texts, subjects and sender's names as AWS's mails have them, and a header by which mail programs offer the way out.
// Source: SNS developer guide, "Email notifications".
import type { Attempt, DeliveryTools } from '../engine/deliverer.ts'
import type { TableReader } from '../engine/tables.ts'
import { parseArn } from '../model/arn.ts'
import { type Notification, subscribeUrl, unsubscribeUrl } from '../model/notification.ts'
import { Table } from '../model/tables.ts'

export interface Mail {
  readonly to: string
  /** The same of the same delivery, so that one that comes twice can be known; without a domain. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly date: number
  /** The display name of the sender. */
  readonly fromName: string
  readonly subject: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

const DEFAULT_SUBJECT = 'AWS Notification Message'
/** Of confirmations, whatever the topic's display name is. */
const CONFIRMATION_SENDER = 'AWS Notifications'
const CONFIRMATION_SUBJECT = 'AWS Notification - Subscription Confirmation'

export async function mailOf(
  { notification, endpoint }: Attempt,
  parts: {
    readonly protocol: 'email' | 'email-json'
    readonly tables: TableReader
    readonly envelope: DeliveryTools['envelope']
  },
): Promise<Mail> {
  const { protocol, tables, envelope } = parts
  const { type, topicArn, subject = DEFAULT_SUBJECT, messageId, subscriptionArn } = notification
  const common = {
    to: endpoint,
    id: `${messageId}.${subscriptionArn.slice(subscriptionArn.lastIndexOf(':') + 1)}`,
    date: notification.publishedAt,
  }
  const json = protocol === 'email-json' ? await envelope(notification) : undefined
  if (type !== 'Notification')
    return {
      ...common,
      fromName: CONFIRMATION_SENDER,
      subject: CONFIRMATION_SUBJECT,
      text: json ?? confirmationMail(notification),
      headers: sentByProgram(notification),
    }
  const displayName = tables.get(Table.topics, topicArn)?.attributes['DisplayName'] ?? ''
  return {
    ...common,
    fromName: displayName === '' ? (parseArn(topicArn)?.resource ?? topicArn) : displayName,
    subject,
    text: json ?? `${notification.message}\n\n${footer(notification)}`,
    headers: { ...sentByProgram(notification), ...unsubscribeHeaders(notification) },
  }
}

function confirmationMail({ baseUrl, topicArn, token = '' }: Notification): string {
  return [
    'You have chosen to subscribe to the topic:',
    topicArn,
    '',
    'To confirm this subscription, click or visit the link below (If this was in error no action is necessary):',
    subscribeUrl(baseUrl, topicArn, token),
    '',
    NO_REPLY,
    '',
  ].join('\n')
}

function footer({ baseUrl, subscriptionArn }: Notification): string {
  return [
    '--',
    'If you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:',
    unsubscribeUrl(baseUrl, subscriptionArn),
    '',
    NO_REPLY,
    '',
  ].join('\n')
}

const NO_REPLY = 'Please do not reply directly to this email.'

/** Nobody's holiday note comes back (RFC 3834), and filters have something to hold on to. */
function sentByProgram({ messageId, topicArn, subscriptionArn }: Notification): Readonly<Record<string, string>> {
  return {
    'Auto-Submitted': 'auto-generated',
    'x-amz-sns-message-id': messageId,
    'x-amz-sns-topic-arn': topicArn,
    'x-amz-sns-subscription-arn': subscriptionArn,
  }
}

/** RFC 2369. By RFC 8058 the same link takes a POST, which must come over TLS. */
function unsubscribeHeaders({ baseUrl, subscriptionArn }: Notification): Readonly<Record<string, string>> {
  return {
    'List-Unsubscribe': `<${unsubscribeUrl(baseUrl, subscriptionArn)}>`,
    ...(baseUrl.startsWith('https:') && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
  }
}
