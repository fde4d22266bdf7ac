// The socket of push services: one message for one device.
import type { Outcome } from '../../engine/deliverer.ts'
import type { Notification } from '../../model/notification.ts'
import type { PlatformApplication, PlatformEndpoint } from '../../model/platform.ts'

export interface Push {
  readonly notification: Notification
  readonly application: PlatformApplication
  readonly endpoint: PlatformEndpoint
  /** Opened. */
  readonly credential: string
  readonly principal: string | undefined
}

export type Pushed = Outcome & {
  /** The device's token is none, or no longer: nothing will reach it. */
  readonly isGone?: boolean
}

export interface PushService {
  /** MUST resolve within about 15 s. A reason MUST NOT hold the token, the text or a credential. */
  push(push: Push): Promise<Pushed>
  /** Ends what is open. */
  close(): void
}
