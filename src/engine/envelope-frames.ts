// Envelopes that were made a moment ago: a message to a hundred subscribers is written and signed once, and each gets its own link.
import { type EnvelopeFrame, type Notification, type Signature, type SignatureVersion, envelopeFrame } from '../model/notification.ts'

interface Kept {
  /** Whose envelope it is; all but its subscription counts. */
  readonly notification: Notification
  readonly frame: Promise<EnvelopeFrame> | EnvelopeFrame
}

const KEPT_MAX = 256
const KEPT_CHARS_MAX = 2 * 1024 * 1024

export class EnvelopeFrames {
  readonly #sign: (notification: Notification, version: SignatureVersion) => Promise<Signature>
  /** By message id, oldest first. */
  readonly #kept = new Map<string, Kept>()
  #chars = 0

  constructor(sign: (notification: Notification, version: SignatureVersion) => Promise<Signature>) {
    this.#sign = sign
  }

  of(notification: Notification, version: SignatureVersion): Promise<EnvelopeFrame> | EnvelopeFrame {
    const { messageId, message } = notification
    const kept = this.#kept.get(messageId)
    if (kept !== undefined && isSameText(kept.notification, notification)) return kept.frame
    const frame = this.#sign(notification, version).then((signed) => envelopeFrame(notification, signed))
    // Confirmations go to one subscriber each.
    if (notification.type !== 'Notification') return frame
    this.#forget(messageId)
    this.#kept.set(messageId, { notification, frame })
    this.#chars += message.length
    frame.then(
      (made) => {
        if (this.#kept.get(messageId)?.frame === frame) this.#kept.set(messageId, { notification, frame: made })
      },
      () => {
        if (this.#kept.get(messageId)?.frame === frame) this.#forget(messageId)
      },
    )
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX && this.#chars <= KEPT_CHARS_MAX) break
      this.#forget(oldest)
    }
    return frame
  }

  #forget(messageId: string): void {
    const kept = this.#kept.get(messageId)
    if (kept === undefined) return
    this.#kept.delete(messageId)
    this.#chars -= kept.notification.message.length
  }
}

/** Attributes of one message are one object; those of another reading of it are looked at anew. */
function isSameText(a: Notification, b: Notification): boolean {
  return (
    a.type === b.type &&
    a.message === b.message &&
    a.attributes === b.attributes &&
    a.subject === b.subject &&
    a.topicArn === b.topicArn &&
    a.publishedAt === b.publishedAt &&
    a.sequenceNumber === b.sequenceNumber &&
    a.signatureVersion === b.signatureVersion &&
    a.baseUrl === b.baseUrl
  )
}
