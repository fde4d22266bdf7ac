// What every SNS operation is handed besides its call.
import type { Deliverer } from '../../engine/deliverer.ts'
import type { Call, Operation } from '../../engine/operation.ts'
import type { SmsSender } from '../../engine/sms-sender.ts'
import type { MessageHeader } from '../../model/message.ts'
import type { GivenCredentials } from '../../model/platform-credentials.ts'
import type { LatestMessages } from './latest-messages.ts'
import type { SnsLimits } from './limits.ts'
import type { SubscriberIndex } from './subscribers.ts'

export interface SnsParts {
  readonly subscribers: SubscriberIndex
  readonly latest: LatestMessages
  /** Told of each message that HTTP endpoints of the protocol are sure to get, as they get it, before it is durable. */
  readonly foresee?: (header: MessageHeader, body: string, protocol: string) => void
  readonly protocols: Readonly<Record<string, SubscribedProtocol>>
  /** Whether a queue is of another server, and sent to there; absent where all queues are of this one. */
  readonly isRemoteQueue?: (queueArn: string) => boolean
  /** Counts and rates as AWS limits them; absent where nothing is counted. */
  readonly limits?: SnsLimits
  /** Who sends SMS; absent where nobody does. */
  readonly sms?: SmsSender
  /** Undefined when the push service of the platform takes the credentials, else what is wrong with them; absent: nobody signs in. */
  readonly credentialsProblem?: (given: GivenCredentials) => string | undefined
}

/** What Subscribe has to know of a protocol: all that a deliverer says of itself but how it delivers. */
export type SubscribedProtocol = Pick<Deliverer, 'validate' | 'unconfigured' | 'isCapture'>

/** Who publishes: a call, or the server itself (push/platform-events.ts). */
export type Publisher = Pick<Call, 'env' | 'principal' | 'traceHeader'>

/** An operation that is made once the parts are there. */
export type SnsOperation<Input, Output, Prepared = unknown> = (parts: SnsParts) => Operation<Input, Output, Prepared>
