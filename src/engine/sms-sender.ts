// The port of those who send SMS: one text to one number, now. What is published to numbers goes there too, with the retries of deliveries.
import type { SmsType } from '../model/sms.ts'
import type { Outcome } from './deliverer.ts'

export interface Sms {
  /** The message's, or of what the text is a part of. */
  readonly messageId: string
  readonly topicArn?: string
  readonly subscriptionArn?: string
  readonly account: string
  readonly region: string
  /** E.164. */
  readonly to: string
  readonly text: string
  readonly type: SmsType
  readonly senderId: string | undefined
  /** A number of the provider's, where the sender asks for one. */
  readonly originationNumber?: string
  /** US dollars that it may cost. */
  readonly maxPriceUsd?: number
  /** A code that verifies the number: it may not be verified yet. */
  readonly isVerification?: boolean
}

export interface OriginationNumber {
  readonly phoneNumber: string
  /** ISO 3166-1, two letters; undefined where nobody said. */
  readonly country: string | undefined
  readonly route: SmsType | 'Premium'
}

export interface SmsSender {
  /** Whether the account may text verified numbers alone. */
  isInSandbox(account: string): boolean
  /** Numbers that the provider sends from. */
  readonly originationNumbers: readonly OriginationNumber[]
  /** MUST resolve within about 15 s. A reason MUST NOT hold the number or the text. */
  send(sms: Sms): Promise<Outcome>
}
