// What a verification found, in a form that can be filed: what was looked at and with which keys, what is broken and what could not be
// proved, and a hash over everything that was read.
import { createHash, type Hash } from 'node:crypto'

/** `broken`: not as it was recorded. `unproved`: nothing speaks against it and nothing proves it. `note`: worth knowing. */
export type Grade = 'broken' | 'unproved' | 'note'

/** All that can be unproved, for those who expect some of it. */
export const UNPROVED_CODES = [
  'chain-begins',
  'checkpoint-origin',
  'checkpoint-unsigned',
  'digest-unproved',
  'logs-uncovered',
  'logs-unsealed',
  'no-checkpoint',
  'not-in-files',
  'records-newer',
  'truncated',
] as const

export type UnprovedCode = (typeof UNPROVED_CODES)[number]

/** `proved`: nothing is broken, and nothing unproved but what was expected to be. */
export type Verdict = 'proved' | 'unproved' | 'broken'

export interface VerifyFinding {
  readonly grade: Grade
  /** For scripts; stable. */
  readonly code: string
  readonly file: string
  readonly what: string
  readonly remedy: string
}

export interface VerifyCounts {
  digests: number
  digestsProved: number
  /** Backfill digests among them. */
  backfills: number
  logs: number
  logsProved: number
  /** Logs newer than the newest digest. */
  logsUnsealed: number
  bytes: number
  records: number
  leaves: number
  /** Calls that the server had counted, and whose events were counted in the tree. */
  calls: number
  /** Records that have their leaf. */
  recordsProved: number
}

export interface VerifyReport {
  readonly format: 'sealcast-verify-report/1'
  readonly tool: string
  readonly place: string
  readonly startedAt: string
  readonly endedAt: string
  readonly verdict: Verdict
  /** Nothing is broken; some of it may be unproved. */
  readonly clean: boolean
  readonly given: Readonly<Record<string, unknown>>
  /** Fingerprints of the keys that signatures were checked with, and verifier keys. */
  readonly keys: readonly string[]
  readonly chains: readonly ChainSummary[]
  readonly tree?: TreeSummary
  readonly counts: Readonly<VerifyCounts>
  readonly findings: readonly VerifyFinding[]
  /** Findings beyond those listed. */
  readonly furtherFindings: number
  readonly grades: Readonly<Record<Grade, number>>
  /** Unproved, and expected to be. */
  readonly accepted: number
  /** SHA-256 over a line `<SHA-256 of the uncompressed content>  <name>` for each file read, in the order of reading. */
  readonly inputHash: string
}

export interface ChainSummary {
  readonly account: string
  readonly region: string
  readonly trail: string
  readonly from: string
  readonly to: string
  readonly digests: number
  /** Of late log files: digests by themselves, each for what missed the chain. */
  readonly isBackfill: boolean
}

export interface TreeSummary {
  readonly origin: string
  readonly size: number
  readonly root: string
  /** Sizes of the checkpoints that the tree was held against. */
  readonly checkpoints: readonly number[]
}

export const FINDINGS_MAX = 10_000

/** Collects while the verification runs. */
export class Findings {
  readonly counts: VerifyCounts = {
    ...{ digests: 0, digestsProved: 0, backfills: 0, logs: 0, logsProved: 0, logsUnsealed: 0 },
    ...{ bytes: 0, records: 0, leaves: 0, calls: 0, recordsProved: 0 },
  }
  readonly grades: Record<Grade, number> = { broken: 0, unproved: 0, note: 0 }
  readonly listed: VerifyFinding[] = []
  further = 0
  accepted = 0
  readonly #inputs: Hash = createHash('sha256')
  readonly #onFinding: (finding: VerifyFinding) => void
  readonly #accepts: ReadonlySet<UnprovedCode>

  constructor(onFinding: (finding: VerifyFinding) => void = () => {}, accepts: ReadonlySet<UnprovedCode> = new Set()) {
    this.#onFinding = onFinding
    this.#accepts = accepts
  }

  get verdict(): Verdict {
    if (this.grades.broken > 0) return 'broken'
    return this.grades.unproved > this.accepted ? 'unproved' : 'proved'
  }

  tell(finding: VerifyFinding): void {
    this.grades[finding.grade]++
    if (this.listed.length >= FINDINGS_MAX) {
      this.further++
      return
    }
    this.listed.push(finding)
    this.#onFinding(finding)
  }

  broken(code: string, file: string, what: string, remedy: string = COMPARE): void {
    this.tell({ grade: 'broken', code, file, what, remedy })
  }

  unproved(code: UnprovedCode, file: string, what: string, remedy: string): void {
    if (this.#accepts.has(code)) this.accepted++
    this.tell({ grade: 'unproved', code, file, what, remedy })
  }

  note(code: string, file: string, what: string): void {
    this.tell({ grade: 'note', code, file, what, remedy: 'nothing to do' })
  }

  read(name: string, hash: string): void {
    this.#inputs.update(`${hash}  ${name}\n`)
  }

  inputHash(): string {
    return this.#inputs.copy().digest('hex')
  }
}

const COMPARE = 'compare with another copy (object versions, a backup, a second bucket); treat what it records as unproved'
