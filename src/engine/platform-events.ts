// The port through which those who deliver push notifications tell the topics of a platform application what became of its endpoints.
import type { PlatformApplication, PlatformEndpoint, PlatformEventType } from '../model/platform.ts'
import type { Transaction } from './transaction.ts'

/** In a commit of its own kind; nothing happens where no topic is named. `more`: what the event has of its own, by AWS's names. */
export type TellPlatformEvent = (
  tx: Transaction,
  application: PlatformApplication,
  endpoint: PlatformEndpoint,
  type: PlatformEventType,
  more?: Readonly<Record<string, unknown>>,
) => void
