// What a house is built from. start/ makes it of what the operator gave; simulations and benches of clocks and networks of their own.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { RootKey } from '../engine/accounts.ts'
import type { ProviderOptions } from '../engine/providers.ts'
import type { SignatureErrors } from '../engine/authenticate.ts'
import type { Values } from '../model/config.ts'
import type { settings } from '../settings.ts'
import type { DataDirectory } from '../storage/disk/data-directory.ts'

export type Config = Values<typeof settings>

export interface HouseOptions {
  readonly config: Config
  readonly clock: Clock
  /** What others go by too: time limits of sockets, times of signatures. Where it is not `clock`, that one can be moved ahead. */
  readonly machineClock?: Clock
  readonly random: Random
  readonly log: Log
  /** Absent: everything in memory. */
  readonly data: DataDirectory | undefined
  readonly version: string
  readonly account: string
  /** The first account's root key, put at the first start. */
  readonly rootKey: RootKey
  /** Where the outside reaches this server. */
  readonly baseUrl: () => string
  /** Networks that deliveries may reach. */
  readonly allow: readonly string[]
  readonly signatureErrors: SignatureErrors
  /** The Authorization header of events.target. */
  readonly eventsAuthorization?: string
  /** Who delivers mail and the like; nobody where it is absent. */
  readonly providers?: ProviderOptions
  /** `command`: open for one command. Nothing is delivered, no log file is written, and no part of the journal goes. */
  readonly purpose: 'serve' | 'command'
}
