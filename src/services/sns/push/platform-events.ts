// A platform application's topics are told when its endpoints come, change and go: in the commit of the call that does it.
import {
  type PlatformApplication,
  type PlatformEndpoint,
  type PlatformEventType,
  endpointAttributes,
  eventTopicOf,
  platformEvent,
} from '../../../model/platform.ts'
import { ServiceError } from '../../../model/service-error.ts'
import { Table } from '../../../model/tables.ts'
import type { Call } from '../../../engine/operation.ts'
import type { Transaction } from '../../../engine/transaction.ts'
import type { SnsParts } from '../operation.ts'
import { send } from '../publish.ts'

/** Nothing is told where no topic is named, or where it is gone or takes no message. */
export function tellEvent(
  tx: Transaction,
  call: Call,
  parts: SnsParts,
  application: PlatformApplication,
  endpoint: PlatformEndpoint,
  type: Exclude<PlatformEventType, 'DeliveryFailure'>,
): void {
  const topicArn = eventTopicOf(application, type)
  const topic = topicArn === undefined ? undefined : tx.get(Table.topics, topicArn)
  // A FIFO topic takes nothing without a group, and is refused where it is set.
  if (topic === undefined || topic.fifo !== undefined) return
  const { subject, message } = platformEvent(application, endpoint, type, tx.now, { Attributes: endpointAttributes(endpoint) })
  const bytes = Buffer.byteLength(message)
  try {
    send(tx, call, parts, topic, {
      body: message,
      subject,
      attributes: undefined,
      structure: undefined,
      groupId: undefined,
      deduplicationId: undefined,
      bytes,
    })
  } catch (error) {
    // A topic whose key refuses takes no message; the call goes on without.
    if (!(error instanceof ServiceError)) throw error
  }
}
