// The socket of the delivery protocols: how one notification gets to one endpoint. A deliverer makes one attempt and says how it ended;
// when to try again, what to record and where the hopeless go is its driver's business (followers/delivery).
import type { MessageHeader } from '../model/message.ts'
import type { Notification } from '../model/notification.ts'
import type { Captured } from './captured.ts'
import type { Env } from './env.ts'
import type { Outbound } from './outbound.ts'
import type { TellPlatformEvent } from './platform-events.ts'
import type { ProviderOptions } from './providers.ts'
import type { SmsSender } from './sms-sender.ts'

/** One attempt at one delivery. */
export interface Attempt {
  readonly notification: Notification
  readonly endpoint: string
  /** RawMessageDelivery; never for confirmations. */
  readonly raw: boolean
  /** From the delivery policy in force. */
  readonly contentType?: string
  /** 1 = the first. */
  readonly number?: number
  /** What queues are told beside the message. */
  readonly marks?: Pick<MessageHeader, 'groupId' | 'deduplicationId' | 'traceHeader'>
}

/** What a deliverer works with. */
export interface DeliveryTools {
  readonly outbound: Outbound
  /** The envelope as it goes out, signed where its topic signs. The signature is made once per distinct text. */
  readonly envelope: (notification: Notification) => Promise<string> | string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export type Outcome = Ended & {
  /** What delivery status logs tell beside (model/delivery-status.ts). */
  readonly told?: Readonly<Record<string, string | number>>
}

type Ended =
  /**
   * `captured`: kept here for who asks (`sealcast inbox`), and gone nowhere. `response`: what delivery status logs tell of the answer; it
   * MUST NOT hold secrets or personal content.
   */
  | { readonly kind: 'delivered'; readonly status?: number; readonly captured?: boolean; readonly response?: string }
  /** It may work later. `retryAfterMs`: the endpoint asked for at least this pause. `isThrottled`: it is well, but has too much to do. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly status?: number
      readonly retryAfterMs?: number
      readonly isThrottled?: boolean
    }
  /** It will not work later either. */
  | { readonly kind: 'refused'; readonly reason: string; readonly status?: number }

export interface Deliverer {
  /** AWS's protocol strings that it serves. */
  readonly protocols: readonly string[]
  /** Nothing delivers here: why Subscribe refuses, naming the settings to set. What was subscribed before is tried, and fails for that. */
  readonly unconfigured?: string
  /** What is captured goes to nobody who could confirm: its subscriptions are confirmed at once. */
  readonly isCapture?: boolean
  /** Undefined when `endpoint` is fit to be subscribed, else what stands behind AWS's "Invalid parameter: ". */
  readonly validate: (endpoint: string) => string | undefined
  /**
   * MUST resolve within about 15 s and SHOULD NOT reject: a rejection is a fault of ours, told as such and tried again.
   * A reason MUST NOT hold secrets or personal content.
   */
  readonly deliver: (attempt: Attempt, tools: DeliveryTools) => Promise<Outcome>
}

/** What deliverers are made of. */
export interface DelivererParts extends Pick<Env, 'clock' | 'random' | 'log' | 'seal' | 'tables' | 'commits' | 'acts' | 'outbound'> {
  /** The server's time in ms since 1970: that of a development server can be moved ahead, `clock` cannot. */
  readonly now: () => number
  /** Where links lead, without a slash at the end. */
  readonly baseUrl: () => string
  readonly providers: ProviderOptions
  readonly captured: Captured
  /** Absent where nobody sends texts. */
  readonly sms?: SmsSender
  readonly tellPlatformEvent: TellPlatformEvent
}

/** The deliverers by protocol. */
export function byProtocol(deliverers: Readonly<Record<string, Deliverer>>): ReadonlyMap<string, Deliverer> {
  return new Map(Object.values(deliverers).flatMap((deliverer) => deliverer.protocols.map((protocol) => [protocol, deliverer] as const)))
}
