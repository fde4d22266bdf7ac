// What the operator's operations are handed, and how they answer: plain values, or lines that go out as they come.
import type { Backups } from '../../engine/backup.ts'
import type { Captured } from '../../engine/captured.ts'
import type { Live } from '../../engine/live.ts'
import type { RootRotation } from '../../engine/root-rotation.ts'
import type { Operation } from '../../engine/operation.ts'
import type { TreeLog } from '../../engine/tree-log.ts'
import type { StoreRetention } from '../../model/retention.ts'
import type { Status } from '../../model/status.ts'
import type { Lake } from '../../storage/lake.ts'

export interface SealcastParts {
  readonly lake: Lake
  readonly live: Live
  readonly captured: Captured
  /** Resolves when the lake holds all that is durable at the call. */
  readonly caughtUp: () => Promise<void>
  readonly status: () => Status
  /** How long the stores of the data directory keep what is in them. */
  readonly stores: () => readonly StoreRetention[]
  readonly backups: Backups
  readonly regions: ReadonlySet<string>
  /** After so many days a key that signs digests gets a successor. */
  readonly digestKeyDays: number
  /** Absent where everything is in memory. */
  readonly rotation?: RootRotation
  readonly tree: TreeLog
  readonly environment: () => { readonly url: string; readonly region: string; readonly account: string }
}

/** An answer that is sent line by line. Each line is any JSON value. */
export interface Lines {
  readonly lines: AsyncIterable<unknown>
}

export type SealcastOperation<Input, Output> = (parts: SealcastParts) => Operation<Input, Output>
