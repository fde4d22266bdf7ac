// The socket of SMS providers: one text to one number. Whether the account may send it, and pay for it, was asked before (sender.ts).
import type { Outcome } from '../../engine/deliverer.ts'
import type { SmsType } from '../../model/sms.ts'
import type { TextParts } from '../../model/sms-text.ts'

export interface Text {
  /** E.164. */
  readonly to: string
  /** A name, a number or an id of the provider's; undefined: whatever the provider takes. */
  readonly from: string | undefined
  readonly text: string
  readonly parts: TextParts
  readonly type: SmsType
  /** What it is sent for. */
  readonly about: { readonly messageId: string; readonly topicArn?: string; readonly subscriptionArn?: string }
}

export type Sent = Outcome & {
  /** What the provider says that it cost. */
  readonly priceUsd?: number
  /** The provider knows that the number wants no more texts. */
  readonly isOptedOut?: boolean
}

export interface TextGateway {
  /** MUST resolve within about 15 s. A reason MUST NOT hold the number, the text or a credential. */
  send(text: Text): Promise<Sent>
}
