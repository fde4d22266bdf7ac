// Whether a trail's digests go on: they do while it logs and validates its log files, and begin anew whenever both come together again.
import type { Transaction } from '../../engine/transaction.ts'
import type { Trail } from '../../model/trail.ts'

/** The trail as it is to be kept. */
export function withDigestEra(tx: Transaction, trail: Trail): Trail {
  const { digests, ...rest } = trail
  if (!trail.isLogging || !trail.logFileValidation) return rest
  return { ...rest, digests: digests ?? { number: tx.nextNumber('digest eras'), since: tx.now } }
}
