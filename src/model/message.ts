// Messages as the journal keeps them: a header of our own and the text as it was given. Publish and SendMessage write them;
// deliveries, queues and replays read them.

import type { Audience } from './data-protection/audience.ts'

export interface MessageAttribute {
  /** AWS's DataType with its suffix: String, Number.java.lang.Long, Binary, String.Array. */
  readonly type: string
  /** As sent; base64 for Binary. */
  readonly value: string
}

/** What was published without a topic goes to one phone number or one platform endpoint. */
export interface DirectRecipient {
  readonly protocol: 'sms' | 'application'
  /** A plus sign and digits; or the endpoint's ARN. */
  readonly endpoint: string
  /** ARN under which such deliveries lie together and are told: `...:DirectPublishToPhoneNumber`, or the endpoint's application. */
  readonly sender: string
}

export interface MessageHeader {
  /** `Queued`: sent straight to a queue (SendMessage). */
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation' | 'Queued'
  readonly messageId: string
  /** Absent for `Queued`, and for what was published straight. */
  readonly topicArn?: string
  /** Of what was published straight. */
  readonly direct?: DirectRecipient
  /** Milliseconds since 1970; the envelope's Timestamp, and the queue's SentTimestamp. */
  readonly publishedAt: number
  readonly subject?: string
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
  /** `json`: the body is an object with a text per protocol. */
  readonly structure?: 'json'
  /** FIFO and fair queues: passed on to queues as it came. */
  readonly groupId?: string
  /** What was sent to a FIFO queue or published to a FIFO topic: under what it counts once, given or made of its body. */
  readonly deduplicationId?: string
  /** What was published to a FIFO topic: what its sequence number there is made of. */
  readonly sequence?: number
  /** Who gets this copy, where data protection makes several of one message. */
  readonly audience?: Audience
  /** Number of the topic's archive, which keeps the message (model/topic-archive.ts). */
  readonly archive?: number
  /** How many changes of filter policies had been made, on topics where somebody outside has one. */
  readonly filterChanges?: number
  /** X-Amzn-Trace-Id of the publisher. */
  readonly traceHeader?: string
  /** Version of the notification's signature, as the topic had it. */
  readonly signatureVersion?: '1' | '2'
  /** Confirmations go to this one subscription. */
  readonly subscriptionArn?: string
  /** Confirmations: the token, sealed (engine/seal.ts). */
  readonly sealedToken?: string
  /** Of `Queued`: hex MD5 of the body, so that a receive need not make it. Absent from what older releases wrote. */
  readonly bodyMd5?: string
  /** The data key, itself sealed, that the body is sealed under (engine/topic-message.ts); the body is then base64. */
  readonly bodySealedBy?: string
  /** Principal id of the sender, for the queue's SenderId. */
  readonly senderId?: string
}

export interface Message {
  readonly header: MessageHeader
  readonly body: string
}
