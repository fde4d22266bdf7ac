// Follows one chain of digests, oldest first, a digest at a time. Each is held against its own signature and against what the next one
// says of it: the next one's word proves a digest whose signature was lost on the way, as it is in a folder that was synced.
import {
  DIGEST_METADATA,
  DIGEST_SIGNATURE_ALGORITHM,
  type Digest,
  type DigestName,
  digestStringToSign,
  digestTime,
} from '../model/digest.ts'
import type { PublicKeys } from './public-keys.ts'
import type { ChainSummary, Findings } from './report.ts'

export interface MetDigest {
  /** In the source. */
  readonly name: string
  readonly digest: Digest
  /** Hex SHA-256 of its uncompressed bytes. */
  readonly hash: string
  readonly metadata: Readonly<Record<string, string>> | undefined
}

interface Link extends MetDigest {
  isProved: boolean
  /** Something was told of it already. */
  isBad: boolean
}

/** Delivery windows of one account and region in which a digest should name every log file, in ms since 1970. */
export interface Window {
  readonly from: number
  to: number
}

const HOUR_MS = 3_600_000

export class Chain {
  readonly #findings: Findings
  readonly #keys: PublicKeys
  readonly #title: DigestName
  readonly windows: Window[] = []
  #last: Link | undefined
  #first: Link | undefined
  #digests = 0
  /** Names of files that were told as bad where a digest should be, since the last good one. */
  readonly #bad = new Set<string>()

  constructor(findings: Findings, keys: PublicKeys, title: DigestName) {
    this.#findings = findings
    this.#keys = keys
    this.#title = title
  }

  /** A file stands where a digest should, and is none. */
  missed(name: string): void {
    this.#bad.add(name)
  }

  /** `nameOf` gives the name in the source of an object key. */
  add(met: MetDigest, nameOf: (key: string) => string): void {
    const link: Link = { ...met, isProved: false, isBad: false }
    this.#digests++
    this.#first ??= link
    this.#checkSignature(link)
    this.#checkWindow(link)
    const previous = met.digest.previousDigestS3Object
    if (previous === null) this.#beginAgain(link)
    else if (this.#last !== undefined && nameOf(previous) === this.#last.name) this.#join(this.#last, link)
    else this.#jump(link, nameOf(previous))
    this.#last = link
    this.#bad.clear()
  }

  /** No digest follows. `until`: the time up to which the record was asked for. */
  close(until: number | undefined): ChainSummary | undefined {
    const [first, last] = [this.#first, this.#last]
    if (first === undefined || last === undefined) return undefined
    this.#settle(last)
    const end = Date.parse(last.digest.digestEndTime)
    if (until !== undefined && until - end > 2 * HOUR_MS)
      this.#findings.broken(
        'truncated',
        last.name,
        `the chain ends with this digest at ${last.digest.digestEndTime}, ${describeSpan(until - end)} before the end that was asked for`,
        'find the later digests, or the StopLogging event that ended the record',
      )
    const { account, region, trailName, isBackfill } = this.#title
    return {
      ...{ account, region, trail: trailName },
      ...{ from: first.digest.digestStartTime, to: last.digest.digestEndTime, digests: this.#digests, isBackfill },
    }
  }

  /** The last digest spans less than an hour, as one does that tells of the end of logging. */
  get endsEarly(): boolean {
    const digest = this.#last?.digest
    return digest !== undefined && Date.parse(digest.digestEndTime) - Date.parse(digest.digestStartTime) < HOUR_MS
  }

  #checkSignature(link: Link): void {
    const { metadata, name, digest } = link
    const signature = metadata?.[DIGEST_METADATA.signature]
    if (metadata === undefined) return
    if (signature === undefined) return this.#break(link, 'digest-signature', 'its object has no signature in its metadata')
    const algorithm = metadata[DIGEST_METADATA.signatureAlgorithm]
    if (algorithm !== DIGEST_SIGNATURE_ALGORITHM)
      return this.#break(
        link,
        'digest-signature',
        `its signature is of the algorithm ${algorithm ?? 'none'}, not ${DIGEST_SIGNATURE_ALGORITHM}`,
      )
    if (this.#title.isBackfill && Number.isNaN(Date.parse(metadata[DIGEST_METADATA.backfillGeneratedAt] ?? '')))
      return this.#break(link, 'digest-metadata', `its metadata has no ${DIGEST_METADATA.backfillGeneratedAt}`)
    this.#prove(link, signature)
    if (digest.digestSignatureAlgorithm !== DIGEST_SIGNATURE_ALGORITHM)
      this.#findings.note('digest-algorithm', name, 'it names another algorithm')
  }

  #prove(link: Link, signature: string): void {
    const { digest, hash } = link
    if (this.#keys.fingerprints.length === 0) return
    const holds = this.#keys.verify(digest.digestPublicKeyFingerprint, digestStringToSign({ ...digest, hash }), signature)
    if (holds === true) {
      link.isProved = true
      this.#findings.counts.digestsProved++
    } else if (holds === undefined)
      this.#break(link, 'digest-key', `it was signed with the key ${digest.digestPublicKeyFingerprint}, which is not among the public keys`)
    else this.#break(link, 'digest-signature', 'its signature does not hold: it was edited, or signed with another key')
  }

  #checkWindow({ name, digest: { digestStartTime, digestEndTime } }: Link): void {
    if (this.#title.isBackfill) return
    const [from, to] = [Date.parse(digestStartTime), Date.parse(digestEndTime)]
    const last = this.windows.at(-1)
    if (to <= from) this.#findings.broken('digest-time', name, `it says that it ends at ${digestEndTime} and starts at ${digestStartTime}`)
    else if (last?.to === from) last.to = to
    else this.windows.push({ from, to })
  }

  #beginAgain(link: Link): void {
    const last = this.#last
    if (last === undefined) return
    this.#settle(last)
    if (this.#title.isBackfill) return
    const { digest } = link
    this.#findings.note(
      'chain-start',
      link.name,
      `a new chain starts at ${digest.digestStartTime}; the one before ended at ${last.digest.digestEndTime}: nothing was logged between`,
    )
  }

  /** `link` speaks of `last`, which is at hand. */
  #join(last: Link, link: Link): void {
    const { digest } = link
    const signature = last.metadata?.[DIGEST_METADATA.signature]
    if (digest.previousDigestHashValue !== last.hash)
      this.#break(last, 'digest-edited', 'it was changed: the next digest has another hash for it')
    else if (signature !== undefined && signature !== digest.previousDigestSignature)
      this.#break(last, 'digest-resigned', 'it bears another signature than the next digest has for it')
    else if (!last.isProved && !last.isBad) this.#prove(last, digest.previousDigestSignature ?? '')
    if (digest.digestStartTime !== last.digest.digestEndTime)
      this.#break(link, 'digest-time', `it starts at ${digest.digestStartTime}, but the one before ends at ${last.digest.digestEndTime}`)
  }

  /** `link` speaks of a digest that is not the one before it here. */
  #jump(link: Link, previous: string): void {
    const { digest } = link
    const last = this.#last
    const remedy = 'restore it from a copy; until then nothing vouches for the log files that it named'
    if (last === undefined) {
      if (this.#bad.size === 0)
        this.#findings.unproved(
          'chain-begins',
          link.name,
          `the record begins here with ${digest.digestStartTime}; the digest before, ${previous}, is not here`,
          'right where older files have expired, or only part was given',
        )
      return
    }
    this.#settle(last)
    const gap = Date.parse(digest.digestStartTime) - Date.parse(last.digest.digestEndTime)
    const missing = Math.max(1, Math.round(gap / HOUR_MS)) - this.#bad.size
    if (!this.#bad.has(previous)) this.#findings.broken('digest-missing', previous, 'it is missing: the digest after it names it', remedy)
    const further = missing - (this.#bad.has(previous) ? 0 : 1)
    if (further <= 0) return
    const between = `between ${last.digest.digestEndTime} and ${digest.digestStartTime}`
    const what = `${further} more ${further === 1 ? 'digest is' : 'digests are'} missing ${between}`
    this.#findings.broken('digest-missing', `what follows ${last.name}`, what, remedy)
  }

  /** Nothing more will be said of it. */
  #settle(last: Link): void {
    if (last.isProved || last.isBad || this.#keys.fingerprints.length === 0) return
    this.#findings.unproved(
      'digest-unproved',
      last.name,
      'its signature is not at hand, and no digest after it vouches for it: nothing proves it and the log files that only it names',
      `give the object's metadata beside it, as ${last.name}.metadata.json (aws s3api head-object), or verify the bucket itself`,
    )
  }

  #break(link: Link, code: string, what: string): void {
    link.isBad = true
    this.#findings.broken(code, link.name, what)
  }
}

function describeSpan(ms: number): string {
  const hours = Math.round(ms / HOUR_MS)
  return hours >= 48 ? `${Math.round(hours / 24)} days` : `${hours} hours`
}

/** The stamp that a digest's name bears, of a time in a digest. */
export function stampOf(time: string): string {
  const at = Date.parse(time)
  return Number.isNaN(at) ? '' : digestTime(at).replaceAll(/[-:]/g, '')
}
