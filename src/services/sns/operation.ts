// What every SNS operation is handed besides its call.
import type { Operation } from '../../engine/operation.ts'
import type { SmsSender } from '../../engine/sms-sender.ts'
import type { SnsLimits } from './limits.ts'
import type { SubscriberIndex } from './subscribers.ts'

export interface SnsParts {
  readonly subscribers: SubscriberIndex
  /** Protocols that can be subscribed, each with its check of an endpoint: undefined when fit, else AWS's reason. */
  readonly protocols: Readonly<Record<string, (endpoint: string) => string | undefined>>
  /** Counts and rates as AWS limits them; absent where nothing is counted. */
  readonly limits?: SnsLimits
  /** Who sends SMS; absent where nobody does. */
  readonly sms?: SmsSender
}

/** An operation that is made once the parts are there. */
export type SnsOperation<Input, Output, Prepared = unknown> = (parts: SnsParts) => Operation<Input, Output, Prepared>
