// Checks log files against what digests say of them, and finds those that no digest speaks of. What does not fit is held against each other
// at the end, because a file that was swapped or renamed is best told by naming the other one.
import type { DigestLogFile } from '../model/digest.ts'
import type { Window } from './chain.ts'
import { Fingerprints, halvesOfText } from './fingerprints.ts'
import { parseLogName } from './log-name.ts'
import type { Records } from './records.ts'
import type { Findings } from './report.ts'
import type { Source } from './source.ts'
import { unpack, WHOLE_BYTES_MAX } from './unpack.ts'

/** Files on their way at once: a bucket is far. */
const AHEAD = 8
const REMEMBERED_MAX = 10_000
const MINUTE_MS = 60_000

interface Misfit {
  readonly name: string
  readonly expected: string
  readonly actual: string
}

export interface LogsParts {
  readonly source: Source
  readonly findings: Findings
  readonly records: Records
  /** Called after each file. */
  readonly onFile: (bytes: number) => void
}

export class Logs {
  readonly #parts: LogsParts
  readonly #named = new Fingerprints()
  readonly #misfits: Misfit[] = []
  /** Hashes of files that are missing, and their names. */
  readonly #missing = new Map<string, string>()
  #unsealed = 0
  #before = 0

  constructor(parts: LogsParts) {
    this.#parts = parts
  }

  /** The files that a digest names, as `nameOf` finds them in the source. */
  async check(files: readonly DigestLogFile[], nameOf: (key: string) => string): Promise<void> {
    type Reading = { readonly expected: string; readonly name: string; readonly stored: ReturnType<Source['read']> }
    const ahead: Reading[] = []
    const waiting = [...files].reverse()
    const start = (): void => {
      const file = waiting.pop()
      if (file === undefined) return
      const name = nameOf(file.s3Object)
      const stored = this.#parts.source.read(name, WHOLE_BYTES_MAX)
      // Met where it is awaited.
      stored.catch(() => {})
      ahead.push({ expected: file.hashValue.toLowerCase(), name, stored })
    }
    for (let at = 0; at < AHEAD; at++) start()
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      await this.#one(next.name, next.expected, next.stored)
      start()
    }
  }

  /** A log file of the source. Those that a digest named are known already. */
  async meet(name: string, windows: readonly Window[] | undefined): Promise<void> {
    if (this.#named.has(...halvesOfText(name))) return
    const { findings } = this.#parts
    const minute = parseLogName(name)?.minute ?? 0
    const [first, last] = [windows?.[0], windows?.at(-1)]
    const hash = await this.#read(name, undefined, this.#parts.source.read(name, WHOLE_BYTES_MAX))
    findings.counts.logs++
    const twin = hash === undefined ? undefined : this.#missing.get(hash)
    if (twin !== undefined)
      findings.broken('log-moved', name, `no digest names it; its content is that of ${twin}, which is missing: it was renamed`)
    else if (first === undefined || last === undefined) this.#before++
    else if (minute + MINUTE_MS > last.to) this.#unsealed++
    else if (windows?.some(({ from, to }) => minute + MINUTE_MS > from && minute <= to) === true)
      findings.broken('log-unnamed', name, 'no digest names it: it was put there afterwards, or is backdated by its name')
    else this.#before++
  }

  /** What is told of several files together. */
  close(): void {
    const { findings } = this.#parts
    const expected = new Map(this.#misfits.map((misfit) => [misfit.expected, misfit.name]))
    for (const { name, actual } of this.#misfits) {
      const other = expected.get(actual) ?? this.#missing.get(actual)
      if (other === undefined) findings.broken('log-edited', name, 'its content is not what the digest has a hash of: it was changed')
      else findings.broken('log-swapped', name, `its content is that of ${other}: files were swapped`)
    }
    findings.counts.logsUnsealed = this.#unsealed
    if (this.#unsealed > 0) {
      const remedy = 'verify again when the next digest is there'
      findings.unproved('logs-unsealed', '', `${this.#unsealed} log files are newer than the newest digest: none names them yet`, remedy)
    }
    if (this.#before > 0) {
      const remedy = 'right for times before validation was turned on, while it was off, or whose digests have expired'
      findings.unproved('logs-uncovered', '', `${this.#before} log files are of times that no digest here covers`, remedy)
    }
  }

  async #one(name: string, expected: string, stored: ReturnType<Source['read']>): Promise<void> {
    const { findings } = this.#parts
    if (!this.#named.add(...halvesOfText(name))) return
    findings.counts.logs++
    const actual = await this.#read(name, expected, stored)
    if (actual === undefined) return
    if (actual === expected) findings.counts.logsProved++
    else if (this.#misfits.length < REMEMBERED_MAX) this.#misfits.push({ name, expected, actual })
    else findings.broken('log-edited', name, 'its content is not what the digest has a hash of: it was changed')
  }

  /** The hash of its content; undefined when that is told already. */
  async #read(name: string, expected: string | undefined, reading: ReturnType<Source['read']>): Promise<string | undefined> {
    const { findings, records, onFile } = this.#parts
    const stored = await reading
    if (stored === undefined) {
      if (expected !== undefined && this.#missing.size < REMEMBERED_MAX) this.#missing.set(expected, name)
      findings.broken('log-missing', name, 'it is missing: a digest names it', 'restore it from a copy')
      return undefined
    }
    const pieces = Buffer.isBuffer(stored) ? undefined : records.exactly(name)
    const unpacked = await unpack(stored, (piece) => pieces?.push(piece))
    if ('problem' in unpacked) {
      findings.broken('log-unreadable', name, unpacked.problem)
      return undefined
    }
    const { hash, content, bytes } = unpacked
    if (content !== undefined) records.take(name, content, hash === expected)
    else pieces?.end()
    findings.counts.bytes += bytes
    findings.read(name, hash)
    onFile(bytes)
    return hash
  }
}
