// The port of those who send SMS: one text to one number, now. What is published to numbers goes another way, with retries.
import type { SmsType } from '../model/sms.ts'
import type { Outcome } from './deliverer.ts'

export interface Sms {
  readonly account: string
  readonly region: string
  /** E.164. */
  readonly to: string
  readonly text: string
  readonly type: SmsType
  readonly senderId: string | undefined
}

export interface OriginationNumber {
  readonly phoneNumber: string
  readonly createdAt: number
  /** ISO 3166-1, two letters. */
  readonly country: string
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
