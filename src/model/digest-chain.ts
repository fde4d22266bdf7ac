// What digests have to remember: the chains of a trail, one for each region; the delivered log files that no digest lists yet; digests
// that are decided and not yet in their bucket; and the keys that sign. Times are in ms since 1970.
import type { DigestLink, DigestLogFile } from './digest.ts'

/** Since when a trail wants digests. A new era, counted over all trails, begins whenever logging with validation begins anew. */
export interface DigestEra {
  readonly number: number
  readonly since: number
}

/** Table.digests, by kind. */
export type DigestRow = DigestChain | DigestedFile | PlannedDigest | DigestRegion

export interface DigestPlace {
  readonly trailArn: string
  readonly region: string
  /** The number of the chain, counted over all trails. */
  readonly chain: number
}

/** From a starting digest to a final one. */
export interface DigestChain extends DigestPlace {
  readonly kind: 'chain'
  readonly account: string
  readonly era: number
  /** The number of the record's lineage: behind a restore a chain starts anew. */
  readonly lineage: number
  /** Where its digests go when the trail is gone. */
  readonly bucketName: string
  readonly keyPrefix: string
  /** Where the next digest's window begins; a whole second. */
  readonly windowStart: number
  readonly digestsPlanned: number
  /** Delivered files that wait for a backfill digest. */
  readonly lateFiles: number
  /** When the chain ends or has ended; a whole second. Absent while it goes on. */
  readonly endsAt?: number
  /** The final digest is planned. */
  readonly isOver: boolean
  /** The last digest that was delivered; absent before the first. */
  readonly previous?: DigestLink
  readonly previousBackfill?: DigestLink
  /** Where the next backfill digest's window begins; absent before the first. */
  readonly backfilledAt?: number
}

/** A log file that lies in its bucket and waits for its digest. */
export interface DigestedFile extends DigestPlace {
  readonly kind: 'file'
  readonly plannedAt: number
  /** The digest of its time had been planned before it was delivered. */
  readonly isLate: boolean
  readonly file: DigestLogFile
}

/** A digest that is decided: window and files never change again, unless it is never delivered and the next one takes its place. */
export interface PlannedDigest extends DigestPlace {
  readonly kind: 'digest'
  readonly account: string
  readonly startsAt: number
  readonly endsAt: number
  readonly isBackfill: boolean
  /** Newest first. */
  readonly files: readonly DigestLogFile[]
  readonly plannedAt: number
  /** Set before the first attempt to deliver it: from then on its bytes are fixed. */
  readonly sealed?: SealedDigest
}

export interface SealedDigest extends DigestLink {
  readonly fingerprint: string
  /** Absent where the chain starts. */
  readonly previous?: DigestLink
}

/** A region in which the trail had a chain: the next logging opens one there at once, and no window goes back before its end. */
export interface DigestRegion {
  readonly kind: 'region'
  readonly endedAt: number
  /** The end of the newest backfill digest. */
  readonly backfilledAt?: number
}

/** A key pair that signs the digests of a region (Table.digestKeys). */
export interface DigestKey {
  readonly region: string
  readonly fingerprint: string
  /** Base64 of the DER of a PKCS #1 RSAPublicKey. */
  readonly publicKey: string
  /** Absent once the key's validity is over: nothing can be signed in its name any more. */
  readonly sealedPrivateKey?: string
  readonly createdAt: number
  readonly validFrom: number
  readonly validUntil: number
}

export function chainKey({ trailArn, region, chain }: DigestPlace): string {
  return `${trailArn}/chain/${region}/${padded(chain)}`
}

/** Without a number, the keys of all files of the chain begin so. */
export function digestedFileKey({ trailArn, region, chain }: DigestPlace, number?: number): string {
  return `${trailArn}/file/${region}/${padded(chain)}/${number === undefined ? '' : padded(number)}`
}

/** Without a number, the keys of all digests of the trail and region begin so. */
export function plannedDigestKey({ trailArn, region }: Omit<DigestPlace, 'chain'>, number?: number): string {
  return `${trailArn}/digest/${region}/${number === undefined ? '' : padded(number)}`
}

export function digestRegionKey({ trailArn, region }: Omit<DigestPlace, 'chain'>): string {
  return `${trailArn}/region/${region}`
}

function padded(number: number): string {
  return String(number).padStart(15, '0')
}
