// Texts: one to the number of a subscription, or to one that was published to straight. Who may be texted, and what it costs, is the
// sender's business (sms/sender.ts).
import type { Attempt, Deliverer, DelivererParts } from '../engine/deliverer.ts'
import type { SmsSender } from '../engine/sms-sender.ts'
import { parseArn } from '../model/arn.ts'
import { originOf } from '../model/delivery.ts'
import { canonicalNumber, smsAccountKey, smsSettings } from '../model/sms.ts'
import { readTextAttributes } from '../model/sms-message.ts'
import { Table } from '../model/tables.ts'
import { unconfiguredDeliverer } from './unconfigured.ts'

/** CreateTopic, `DisplayName`: "the first 10 characters are used". */
const NAME_CHARS_MAX = 10

export function createSms(parts: DelivererParts): Deliverer {
  const { sms, providers } = parts
  // What a number is, SNS knows itself.
  const validate = (): undefined => undefined
  if (sms === undefined)
    return unconfiguredDeliverer('sms', 'sms.provider to twilio or smpp (with sms.credentialsFile and sms.from) or to capture', validate)
  return {
    protocols: ['sms'],
    isCapture: providers.sms.kind === 'capture',
    validate,
    deliver: (attempt) => deliver(parts, sms, attempt),
  }
}

function deliver({ tables }: DelivererParts, sms: SmsSender, { notification, endpoint }: Attempt): ReturnType<SmsSender['send']> {
  const { topicArn, subscriptionArn, messageId, message } = notification
  const { account = '', region = '' } = parseArn(originOf(notification)) ?? {}
  const { problem, ...asked } = readTextAttributes(notification.attributes ?? {})
  if (problem !== undefined) return Promise.resolve({ kind: 'refused', reason: problem })
  const own = smsSettings(tables.get(Table.smsAccounts, smsAccountKey({ account, region })))
  const name = topicArn === '' ? '' : (tables.get(Table.topics, topicArn)?.attributes['DisplayName'] ?? '')
  return sms.send({
    ...{ account, region, to: canonicalNumber(endpoint), messageId },
    text: name === '' ? message : `${name.slice(0, NAME_CHARS_MAX)}> ${message}`,
    type: asked.type ?? own.type,
    senderId: asked.senderId ?? own.senderId,
    ...(asked.originationNumber !== undefined && { originationNumber: asked.originationNumber }),
    ...(asked.maxPriceUsd !== undefined && { maxPriceUsd: asked.maxPriceUsd }),
    ...(topicArn !== '' && { topicArn, subscriptionArn }),
  })
}
