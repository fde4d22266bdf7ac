// The server's own acts on the record: events of our own kind (never in a trail) that tell what the server itself did or found, such as
// starting, a crash found at start, a rotated key, a retention run. Names and numbers only: no values of settings, no secrets.
import type { Random } from '../base/random.ts'
import { utcSecond } from '../base/utc-text.ts'
import { EventClass, EventFlag } from '../model/entry.ts'
import type { Commits, Transaction } from './transaction.ts'

export interface Act {
  /** The event's name, a noun and what became of it: ServerStarted, KeyRotated, RetentionRan. */
  readonly name: string
  /** What is told of it (serviceEventDetails). */
  readonly details?: Readonly<Record<string, unknown>>
  /** What the event adds to earlier ones, which are never changed (CloudTrail user guide, "CloudTrail record contents", addendum). */
  readonly addendum?: { readonly reason: 'DELIVERY_DELAY' }
  /** Where it failed. */
  readonly error?: { readonly code: string; readonly message: string }
  /** It tells of telling: it begets no further log file or checkpoint by itself. */
  readonly isCaused?: boolean
}

export interface Acts {
  /** Tells the act in a commit that is under way: with the effect, or not at all. */
  tell(tx: Transaction, act: Act): void
  /** Tells the act in a commit of its own; resolves when it is durable. */
  record(act: Act): Promise<void>
}

export interface ActsOptions {
  readonly random: Random
  readonly commits: Commits
  /** The account the server was set up with. */
  readonly account: string
  readonly region: string
  readonly version: string
}

export function createActs({ random, commits, account, region, version }: ActsOptions): Acts {
  const tell = (tx: Transaction, { name, details, addendum, error, isCaused }: Act): void => {
    const json = JSON.stringify({
      eventVersion: '1.11',
      userIdentity: { type: 'SealcastServer', accountId: account, invokedBy: 'sealcast.local' },
      eventTime: utcSecond(tx.now),
      eventSource: 'sealcast.local',
      eventName: name,
      awsRegion: region,
      sourceIPAddress: 'sealcast.local',
      userAgent: `sealcast/${version}`,
      ...(error !== undefined && { errorCode: error.code, errorMessage: error.message }),
      requestParameters: null,
      responseElements: null,
      eventID: random.uuid(),
      readOnly: false,
      eventType: 'SealcastServerEvent',
      managementEvent: true,
      recipientAccountId: account,
      ...(details !== undefined && { serviceEventDetails: details }),
      eventCategory: 'Sealcast',
      ...(addendum !== undefined && { addendum }),
    })
    tx.event({ class: EventClass.own, flags: isCaused === true ? EventFlag.caused : 0, arrivedAt: tx.now, json })
  }
  return {
    tell,
    async record(act) {
      await commits.commit((tx) => tell(tx, act)).done
    },
  }
}
