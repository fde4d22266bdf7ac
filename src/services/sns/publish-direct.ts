// Publishing straight: a message for one phone number or one platform endpoint, of no topic. It waits in the journal for the delivery
// follower like any other, under who sends it: the account, or the platform application.
import type { PublishInput } from '@aws-sdk/client-sns'
import type { DirectRecipient, MessageHeader } from '../../model/message.ts'
import { selectEntry } from '../../model/notification.ts'
import { textNamesOf } from '../../model/platform.ts'
import { SMS_BYTES_MAX, canonicalNumber, isPhoneNumber, smsSender } from '../../model/sms.ts'
import { readTextAttributes } from '../../model/sms-message.ts'
import type { Call } from '../../engine/operation.ts'
import { findEndpoint } from '../../engine/platform-endpoints.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { applicationDisabled, endpointDisabled, invalidParameter, invalidPersonal } from './errors.ts'
import type { SnsParts } from './operation.ts'
import type { CheckedMessage } from './publish.ts'
import { requireApplication } from './push/platform-arns.ts'
import { MESSAGE_BYTES_DEFAULT } from './topic-attributes.ts'

export function isEndpoint(arn: string): boolean {
  return arn.includes(':endpoint/')
}

/** Throws AWS's refusal of what is no phone number. */
export function checkPhoneNumber({ PhoneNumber: given = '', TopicArn: topicArn, TargetArn: targetArn }: PublishInput): void {
  if (!isPhoneNumber(given))
    throw invalidPersonal((number) => `Invalid parameter: PhoneNumber Reason: ${number} is not valid to publish to`, given)
  if (topicArn !== undefined || targetArn !== undefined)
    throw invalidParameter('PhoneNumber Reason: give one of TopicArn, TargetArn and PhoneNumber')
}

/** To whom a call publishes that names no topic. Throws AWS's refusal. */
export function directRecipient(tables: TableReader, input: PublishInput, call: Call): DirectRecipient {
  if (input.PhoneNumber !== undefined) return { protocol: 'sms', endpoint: canonicalNumber(input.PhoneNumber), sender: smsSender(call) }
  const endpoint = findEndpoint(tables, input.TargetArn ?? '')
  if (endpoint === undefined) throw invalidParameter('TargetArn Reason: No endpoint found for the target arn specified')
  if (requireApplication(tables, endpoint.applicationArn).attributes['Enabled'] !== 'true') throw applicationDisabled()
  if (!endpoint.isEnabled) throw endpointDisabled()
  return { protocol: 'application', endpoint: endpoint.endpointArn, sender: endpoint.applicationArn }
}

/** Stages the message; returns its id. */
export function sendDirect(
  tx: Transaction,
  { env, principal }: Call,
  { protocols }: SnsParts,
  direct: DirectRecipient,
  message: CheckedMessage,
): string {
  const { unconfigured } = protocols[direct.protocol] ?? {}
  if (unconfigured !== undefined) throw invalidParameter(unconfigured)
  checkText(direct, message)
  const messageId = env.random.uuid()
  const header: MessageHeader = {
    type: 'Notification',
    messageId,
    direct,
    publishedAt: tx.now,
    subject: message.subject,
    attributes: message.attributes,
    structure: message.structure,
    senderId: principal.principalId,
  }
  tx.message(header, message.body)
  return messageId
}

function checkText({ protocol, endpoint }: DirectRecipient, message: CheckedMessage): void {
  if (message.bytes > MESSAGE_BYTES_DEFAULT) throw invalidParameter('Message too long')
  // A text of its own for the destination stands for the default one.
  const { text, name } = selectEntry(message.body, message.structure, protocol === 'sms' ? ['sms'] : textNamesOf(endpoint))
  if (message.structure !== undefined && name === undefined)
    throw invalidParameter('Message Structure - No default entry in JSON message body')
  if (text === '') throw invalidParameter('Empty message')
  if (protocol !== 'sms') return
  // "Publishing SMS messages to a mobile phone with Amazon SNS": 1,600 bytes in all.
  if (Buffer.byteLength(text) > SMS_BYTES_MAX) throw invalidParameter('Message too long')
  const { problem } = readTextAttributes(message.attributes ?? {})
  if (problem !== undefined) throw invalidParameter(problem)
}
