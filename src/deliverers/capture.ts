// The provider `capture` of a protocol: what would go out is kept here, and listed by `sealcast inbox`.
import type { Attempt, Deliverer, DelivererParts, DeliveryTools } from '../engine/deliverer.ts'

/** What of an attempt is kept beside its ids and its endpoint. */
export interface Described {
  readonly subject?: string
  readonly body: string
  /** What else would go out: headers of a mail, settings of a push. */
  readonly headers?: Readonly<Record<string, string>>
}

export function captureDeliverer(
  protocol: string,
  validate: Deliverer['validate'],
  describe: (attempt: Attempt, tools: DeliveryTools) => Described | Promise<Described>,
  { captured }: Pick<DelivererParts, 'captured'>,
): Deliverer {
  return {
    protocols: [protocol],
    isCapture: true,
    validate,
    async deliver(attempt, tools) {
      const { messageId, topicArn, subscriptionArn } = attempt.notification
      await captured.keep({ protocol, to: attempt.endpoint, messageId, topicArn, subscriptionArn, ...(await describe(attempt, tools)) })
      return { kind: 'delivered', captured: true }
    },
  }
}
