// A platform application's topics are told when its endpoints come, change and go, and when a push fails for good: in the commit of the
// call that does it, or of the server's own.
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
import type { Env } from '../../../engine/env.ts'
import type { TellPlatformEvent } from '../../../engine/platform-events.ts'
import type { Transaction } from '../../../engine/transaction.ts'
import { servicePrincipal } from '../../../model/principal.ts'
import type { Publisher, SnsParts } from '../operation.ts'
import { send } from '../publish.ts'

/** For what the server does by itself. */
export function createPlatformEvents(env: Env, parts: SnsParts): TellPlatformEvent {
  return (tx, application, endpoint, type, more) => {
    const principal = servicePrincipal('sns.amazonaws.com', application.owner)
    tellEvent(tx, { env, principal, traceHeader: undefined }, parts, application, endpoint, type, more)
  }
}

/** Nothing is told where no topic is named, or where it is gone or takes no message. */
export function tellEvent(
  tx: Transaction,
  publisher: Publisher,
  parts: SnsParts,
  application: PlatformApplication,
  endpoint: PlatformEndpoint,
  type: PlatformEventType,
  more: Readonly<Record<string, unknown>> = { Attributes: endpointAttributes(endpoint) },
): void {
  const topicArn = eventTopicOf(application, type)
  const topic = topicArn === undefined ? undefined : tx.get(Table.topics, topicArn)
  // A FIFO topic takes nothing without a group, and is refused where it is set.
  if (topic === undefined || topic.fifo !== undefined) return
  const { subject, message } = platformEvent(application, endpoint, type, tx.now, more)
  const bytes = Buffer.byteLength(message)
  try {
    send(tx, publisher, parts, topic, {
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
