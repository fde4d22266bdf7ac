// Digest files as CloudTrail writes them: their content, names, object metadata, what is signed, and how a key is called (CloudTrail user
// guide, "CloudTrail digest file structure", "Custom implementations of CloudTrail log file integrity validation"). Format only, shared by
// who writes digests and who verifies them.
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { logFolder } from './log-file.ts'

export const DIGEST_SIGNATURE_ALGORITHM = 'SHA256withRSA'
export const DIGEST_HASH_ALGORITHM = 'SHA-256'

/** Metadata of a digest object, as x-amz-meta-*: without the first two it counts as unsigned, without the third a backfill is invalid. */
export const DIGEST_METADATA = {
  /** Lower-case hex. */
  signature: 'signature',
  signatureAlgorithm: 'signature-algorithm',
  /** ISO 8601. */
  backfillGeneratedAt: 'backfill-generation-timestamp',
} as const

/** One log file as its digest lists it. */
export interface DigestLogFile {
  readonly s3Bucket: string
  readonly s3Object: string
  /** Hex SHA-256 of the uncompressed file. */
  readonly hashValue: string
  readonly hashAlgorithm: typeof DIGEST_HASH_ALGORITHM
  readonly newestEventTime: string | null
  readonly oldestEventTime: string | null
}

/** The content of a digest file. The members stand in AWS's order; times are `YYYY-MM-DDTHH:MM:SSZ`. */
export interface Digest {
  readonly awsAccountId: string
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly digestS3Bucket: string
  readonly digestS3Object: string
  readonly digestPublicKeyFingerprint: string
  readonly digestSignatureAlgorithm: typeof DIGEST_SIGNATURE_ALGORITHM
  readonly newestEventTime: string | null
  readonly oldestEventTime: string | null
  /** The five are null where a chain starts. */
  readonly previousDigestS3Bucket: string | null
  readonly previousDigestS3Object: string | null
  /** Hex SHA-256 of the uncompressed digest before. */
  readonly previousDigestHashValue: string | null
  readonly previousDigestHashAlgorithm: typeof DIGEST_HASH_ALGORITHM | null
  readonly previousDigestSignature: string | null
  /** Newest first. */
  readonly logFiles: readonly DigestLogFile[]
}

/** What the next digest of a chain says of this one. */
export interface DigestLink {
  readonly bucketName: string
  readonly objectKey: string
  /** Hex SHA-256 of the uncompressed digest. */
  readonly hash: string
  /** Hex. */
  readonly signature: string
}

export interface DigestParts {
  readonly account: string
  /** Whole seconds, in ms since 1970. */
  readonly startsAt: number
  readonly endsAt: number
  readonly bucketName: string
  readonly objectKey: string
  readonly fingerprint: string
  /** Undefined where a chain starts. */
  readonly previous: DigestLink | undefined
  /** Newest first. */
  readonly logFiles: readonly DigestLogFile[]
}

/** The bytes of a digest: the same parts always give the same text. */
export function formatDigest({ account, startsAt, endsAt, bucketName, objectKey, fingerprint, previous, logFiles }: DigestParts): string {
  const digest: Digest = {
    awsAccountId: account,
    digestStartTime: digestTime(startsAt),
    digestEndTime: digestTime(endsAt),
    digestS3Bucket: bucketName,
    digestS3Object: objectKey,
    digestPublicKeyFingerprint: fingerprint,
    digestSignatureAlgorithm: DIGEST_SIGNATURE_ALGORITHM,
    newestEventTime: extreme(
      logFiles.map((file) => file.newestEventTime),
      (a, b) => a > b,
    ),
    oldestEventTime: extreme(
      logFiles.map((file) => file.oldestEventTime),
      (a, b) => a < b,
    ),
    previousDigestS3Bucket: previous?.bucketName ?? null,
    previousDigestS3Object: previous?.objectKey ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous === undefined ? null : DIGEST_HASH_ALGORITHM,
    previousDigestSignature: previous?.signature ?? null,
    logFiles,
  }
  return JSON.stringify(digest)
}

/** Times of this form sort as texts. */
function extreme(times: readonly (string | null)[], isBeyond: (a: string, b: string) => boolean): string | null {
  let found: string | null = null
  for (const time of times) if (time !== null && (found === null || isBeyond(time, found))) found = time
  return found
}

/** `YYYY-MM-DDTHH:MM:SSZ` of ms since 1970. */
export function digestTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

export interface DigestName {
  readonly keyPrefix: string
  readonly account: string
  /** Whose log files it lists. */
  readonly region: string
  readonly trailName: string
  readonly homeRegion: string
  /** In ms since 1970; folder and name bear it. */
  readonly endsAt: number
  /** For log files that missed the digest of their time. */
  readonly isBackfill: boolean
}

/** `[prefix/]AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/01/31/111122223333_…_all_eu-west-1_20260131T080131Z.json.gz` */
export function digestKey({ keyPrefix, account, region, trailName, homeRegion, endsAt, isBackfill }: DigestName): string {
  const time = digestTime(endsAt)
  const folder = `${logFolder(keyPrefix, account)}/CloudTrail-Digest/${region}/${time.slice(0, 10).replaceAll('-', '/')}`
  const stamp = `${time.replaceAll(/[-:]/g, '')}${isBackfill ? '_backfill' : ''}`
  return `${folder}/${account}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_${stamp}.json.gz`
}

const DIGEST_KEY = new RegExp(
  '^(?:(.+)/)?AWSLogs/(?:o-[a-z0-9]+/)?(\\d{12})/CloudTrail-Digest/([a-z0-9-]+)/(\\d{4})/(\\d\\d)/(\\d\\d)/' +
    '\\2_CloudTrail-Digest_\\3_([A-Za-z0-9._-]+)_([a-z0-9-]+)_(\\4\\5\\6)T(\\d\\d)(\\d\\d)(\\d\\d)Z(_backfill)?\\.json\\.gz$',
)

/** Undefined for keys that are no digest's. */
export function parseDigestKey(key: string): DigestName | undefined {
  const match = DIGEST_KEY.exec(key)
  if (match === null) return undefined
  const [, keyPrefix = '', account = '', region = '', year, month, day, trailName = '', homeRegion = ''] = match
  const endsAt = Date.parse(`${year}-${month}-${day}T${match[10]}:${match[11]}:${match[12]}Z`)
  return Number.isNaN(endsAt)
    ? undefined
    : { keyPrefix, account, region, trailName, homeRegion, endsAt, isBackfill: match[13] !== undefined }
}

/** What is signed, with the exact end time, bucket, key and previous signature that stand in the digest. */
export function digestStringToSign(parts: {
  readonly digestEndTime: string
  readonly digestS3Bucket: string
  readonly digestS3Object: string
  /** Hex SHA-256 of the uncompressed digest. */
  readonly hash: string
  readonly previousDigestSignature: string | null
}): string {
  const { digestEndTime, digestS3Bucket, digestS3Object, hash: digestHash, previousDigestSignature } = parts
  return `${digestEndTime}\n${digestS3Bucket}/${digestS3Object}\n${digestHash}\n${previousDigestSignature ?? 'null'}`
}

/** How a digest names the key that signed it: hex MD5 of the key's DER bytes, as ListPublicKeys gives them. */
export function digestKeyFingerprint(der: Buffer): string {
  return hash('md5', der, 'hex')
}

/** The public part of a key as ListPublicKeys gives it: DER of a PKCS #1 RSAPublicKey. */
export function digestPublicKeyDer(key: KeyObject): Buffer {
  return (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'pkcs1', format: 'der' })
}
