// What the plugs of floor 4 are handed: time, randomness, ids, the log, and the ways into the engine.
import type { Acts } from './acts.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Blobs } from '../storage/blobs.ts'
import type { Journal } from '../storage/journal.ts'
import type { Queues } from '../storage/queues.ts'
import type { CallRequest, CallResult } from './call.ts'
import type { Commits } from './transaction.ts'
import type { Outbound } from './outbound.ts'
import type { Keys } from './keys.ts'
import type { Seal } from './seal.ts'
import type { Tables } from './tables.ts'

export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tables: Tables
  readonly commits: Commits
  readonly seal: Seal
  readonly keys: Keys
  readonly journal: Journal
  readonly queues: Queues
  readonly blobs: Blobs
  /** Bodies of objects of the archive class. */
  readonly archive: Blobs
  readonly acts: Acts
  /** The only way to sockets of others. */
  readonly outbound: Outbound
  /** A call like any other: authorised, recorded, its own commit. Set once the services are composed. */
  readonly invoke: (request: CallRequest) => Promise<CallResult>
}
