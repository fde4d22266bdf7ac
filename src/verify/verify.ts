// The verifier: digests, log files, records and tree of a trail, on a copy or a bucket. It shares the definitions of the formats with who
// writes them, and no code; files of a trail of AWS's own are read alike.
import { type Digest, type DigestName, parseDigestKey } from '../model/digest.ts'
import { formatVerifierKey } from '../model/tlog/signed-note.ts'
import { Chain, stampOf } from './chain.ts'
import { judgeCoverage } from './coverage.ts'
import { DIGEST_BYTES_MAX, readDigest } from './digest-file.ts'
import { parseLogName } from './log-name.ts'
import { Logs } from './logs.ts'
import type { PublicKeys } from './public-keys.ts'
import { Records } from './records.ts'
import { type ChainSummary, Findings, type UnprovedCode, type VerifyFinding, type VerifyReport } from './report.ts'
import type { Source } from './source.ts'
import { checkTree, type TreeInput } from './tree-check.ts'
import { unpack, WHOLE_BYTES_MAX } from './unpack.ts'

export interface VerifyOptions {
  readonly source: Source
  readonly keys: PublicKeys
  /** Absent: neither tree nor checkpoints are looked at. */
  readonly tree?: TreeInput | undefined
  readonly trail?: string | undefined
  readonly region?: string | undefined
  readonly account?: string | undefined
  /** In ms since 1970: digests that end, and log files that were delivered, in between. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly complete: ReadonlySet<string>
  /** What may be unproved without being held against the whole. */
  readonly accepts?: ReadonlySet<UnprovedCode>
  /** Look into all records, without a tree as well: they can be read, and how many come twice. */
  readonly hasRecords?: boolean
  readonly tool: string
  readonly now: () => number
  readonly given: Readonly<Record<string, unknown>>
  readonly onFinding?: (finding: VerifyFinding) => void
  readonly onProgress?: (progress: VerifyProgress) => void
  readonly signal?: AbortSignal
}

export interface VerifyProgress {
  readonly files: number
  readonly bytes: number
  readonly file: string
}

export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const startedAt = options.now()
  const findings = new Findings(options.onFinding, options.accepts)
  const tree = options.tree === undefined ? undefined : await checkTree(options.tree, findings)
  const records = new Records(findings, tree, options.hasRecords === true)
  let [files, bytes, file] = [0, 0, '']
  const logs = new Logs({
    source: options.source,
    findings,
    records,
    onFile(more) {
      files++
      bytes += more
      options.onProgress?.({ files, bytes, file })
    },
  })
  const run = new Run(options, findings, logs)
  for await (const { name } of options.source.list(options.source.prefix)) {
    options.signal?.throwIfAborted()
    file = name
    await run.digest(name)
  }
  for await (const { name } of options.source.list(options.source.prefix)) {
    options.signal?.throwIfAborted()
    file = name
    await run.log(name)
  }
  const chains = run.close()
  logs.close()
  records.close()
  if (tree !== undefined && files > 0)
    await judgeCoverage(tree, { ...options, from: options.from, to: options.to, windows: run.windows() }, findings)
  return {
    format: 'sealcast-verify-report/1',
    tool: options.tool,
    place: options.source.place,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(options.now()).toISOString(),
    verdict: findings.verdict,
    clean: findings.grades.broken === 0,
    given: options.given,
    keys: [...options.keys.fingerprints, ...(options.tree?.keys ?? []).map(formatVerifierKey)],
    chains,
    ...(tree !== undefined && { tree: tree.summary }),
    counts: findings.counts,
    findings: findings.listed,
    furtherFindings: findings.further,
    grades: findings.grades,
    accepted: findings.accepted,
    inputHash: findings.inputHash(),
  }
}

interface PlacedChain {
  readonly chain: Chain
  readonly place: string
  readonly isBackfill: boolean
}

class Run {
  readonly #options: VerifyOptions
  readonly #findings: Findings
  readonly #logs: Logs
  readonly #chains = new Map<string, PlacedChain>()
  #logFiles = 0
  /** Once all digests are met. */
  #windows: ReturnType<Run['windows']> | undefined

  constructor(options: VerifyOptions, findings: Findings, logs: Logs) {
    this.#options = options
    this.#findings = findings
    this.#logs = logs
  }

  /** Takes the file when it is a digest's. */
  async digest(name: string): Promise<void> {
    const title = parseDigestKey(name) ?? parseDigestKey(`AWSLogs/${name}`)
    if (title === undefined || !this.#isWanted(title, title.endsAt)) return
    if (this.#options.trail !== undefined && title.trailName !== this.#options.trail) return
    const { chain } = this.#chainOf(title)
    const { counts } = this.#findings
    counts.digests++
    if (title.isBackfill) counts.backfills++
    const read = await this.#readDigest(name)
    if ('problem' in read) {
      chain.missed(name)
      return this.#findings.broken('digest-unreadable', name, read.problem)
    }
    const nameOf = placeOf(name, read.digest, title, this.#options.source)
    if (typeof nameOf === 'string') {
      chain.missed(name)
      return this.#findings.broken('digest-moved', name, nameOf)
    }
    chain.add({ name, ...read, metadata: await this.#options.source.metadata(name) }, nameOf)
    await this.#logs.check(read.digest.logFiles, nameOf)
  }

  /** Takes the file when it is a log file. */
  async log(name: string): Promise<void> {
    this.#windows ??= this.windows()
    const title = parseLogName(name) ?? parseLogName(`AWSLogs/${name}`)
    if (title === undefined || !this.#isWanted(title, title.minute)) return
    this.#logFiles++
    await this.#logs.meet(name, this.#windows.get(`${title.account}/${title.region}`)?.windows)
  }

  windows(): ReadonlyMap<string, { readonly windows: Chain['windows']; readonly endsEarly: boolean }> {
    const windows = new Map<string, { readonly windows: Chain['windows']; readonly endsEarly: boolean }>()
    for (const { chain, place, isBackfill } of this.#chains.values()) {
      if (isBackfill) continue
      const known = windows.get(place)
      const joined = known === undefined ? chain.windows : [...known.windows, ...chain.windows].toSorted((a, b) => a.from - b.from)
      windows.set(place, { windows: joined, endsEarly: (known?.endsEarly ?? true) && chain.endsEarly })
    }
    return windows
  }

  close(): ChainSummary[] {
    const { keys, source, to } = this.#options
    const remedy = 'give the folder or bucket that holds AWSLogs, and the right --account, --region and --trail'
    if (this.#logFiles === 0 && this.#findings.counts.digests === 0)
      this.#findings.broken('nothing', source.place, 'there are no log files and no digests here', remedy)
    else if (this.#findings.counts.digests === 0)
      this.#findings.broken('no-digests', source.place, 'there are no digests: nothing vouches for the log files', remedy)
    else if (keys.fingerprints.length === 0)
      this.#findings.broken(
        'no-keys',
        source.place,
        'no public keys are at hand: no signature was checked',
        'give what `aws cloudtrail list-public-keys` prints with --public-keys',
      )
    return [...this.#chains.values()].flatMap(({ chain, isBackfill }) => chain.close(isBackfill ? undefined : to) ?? [])
  }

  async #readDigest(name: string): Promise<{ readonly digest: Digest; readonly hash: string } | { readonly problem: string }> {
    const stored = await this.#options.source.read(name, WHOLE_BYTES_MAX)
    if (stored === undefined) return { problem: 'it went away while it was looked at' }
    const pieces: Buffer[] = []
    let bytes = 0
    const unpacked = await unpack(stored, (piece) => {
      if ((bytes += piece.length) <= DIGEST_BYTES_MAX) pieces.push(piece)
    })
    if ('problem' in unpacked) return unpacked
    const read = readDigest(unpacked.content ?? (bytes <= DIGEST_BYTES_MAX ? Buffer.concat(pieces) : Buffer.alloc(0)))
    if ('problem' in read) return read
    this.#findings.read(name, unpacked.hash)
    return { digest: read.digest, hash: unpacked.hash }
  }

  #isWanted({ account, region }: { readonly account: string; readonly region: string }, at: number): boolean {
    const options = this.#options
    if (options.account !== undefined && account !== options.account) return false
    if (options.region !== undefined && region !== options.region) return false
    return (options.from === undefined || at >= options.from) && (options.to === undefined || at <= options.to)
  }

  #chainOf(title: DigestName): PlacedChain {
    const { account, region, trailName, homeRegion, keyPrefix, isBackfill } = title
    const name = [keyPrefix, account, region, trailName, homeRegion, String(isBackfill)].join(' ')
    let placed = this.#chains.get(name)
    if (placed === undefined) {
      const chain = new Chain(this.#findings, this.#options.keys, title)
      this.#chains.set(name, (placed = { chain, place: `${account}/${region}`, isBackfill }))
    }
    return placed
  }
}

/** How object keys in the digest are found in the source; a text says why the digest is not where it belongs. */
function placeOf(name: string, digest: Digest, title: DigestName, source: Source): ((key: string) => string) | string {
  const key = digest.digestS3Object
  const moved = `it says that it is s3://${digest.digestS3Bucket}/${key}: it was moved, or copied over another digest`
  if (source.bucket === undefined ? !isSameTail(name, key) : name !== key) return moved
  if (stampOf(digest.digestEndTime) !== stampOf(new Date(title.endsAt).toISOString()))
    return `it ends at ${digest.digestEndTime}, which is not the time in its name: it is backdated`
  if (name.length >= key.length) return (other) => name.slice(0, name.length - key.length) + other
  const lost = key.slice(0, key.length - name.length)
  return (other) => (other.startsWith(lost) ? other.slice(lost.length) : other)
}

/** A copy may stand in another folder, or without the first folders of its key. */
function isSameTail(name: string, key: string): boolean {
  return name === key || name.endsWith(`/${key}`) || key.endsWith(`/${name}`)
}
