// Reads a digest file out of any bytes: what a digest says, or what is wrong with them.
import { type Digest, DIGEST_HASH_ALGORITHM, type DigestLogFile } from '../model/digest.ts'

export const DIGEST_BYTES_MAX = 64 * 1024 * 1024
/** CloudTrail writes some hundred log files in an hour at most. */
const LOG_FILES_MAX = 100_000

export type ReadDigest = { readonly digest: Digest } | { readonly problem: string }

const TEXTS = [
  'awsAccountId',
  'digestStartTime',
  'digestEndTime',
  'digestS3Bucket',
  'digestS3Object',
  'digestPublicKeyFingerprint',
] as const
const PREVIOUS = ['previousDigestS3Bucket', 'previousDigestS3Object', 'previousDigestHashValue', 'previousDigestSignature'] as const
const LOG_TEXTS = ['s3Bucket', 's3Object', 'hashValue'] as const
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

export function readDigest(bytes: Buffer): ReadDigest {
  if (bytes.length > DIGEST_BYTES_MAX) return { problem: `it unpacks to more than ${DIGEST_BYTES_MAX} bytes` }
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return { problem: 'it is not JSON' }
  }
  if (!isObject(value)) return { problem: 'it is no JSON object' }
  const missing = TEXTS.find((name) => typeof value[name] !== 'string')
  if (missing !== undefined) return { problem: `it has no text ${missing}` }
  const odd = PREVIOUS.find((name) => value[name] !== null && typeof value[name] !== 'string')
  if (odd !== undefined) return { problem: `its ${odd} is neither a text nor null` }
  if (PREVIOUS.some((name) => (value[name] === null) !== (value['previousDigestS3Object'] === null)))
    return { problem: 'some of what it says of the digest before is null, and some is not' }
  const untimely = ['digestStartTime', 'digestEndTime'].find((name) => !isTime(String(value[name])))
  if (untimely !== undefined) return { problem: `its ${untimely} is no time` }
  const files = value['logFiles']
  if (!Array.isArray(files) || files.length > LOG_FILES_MAX) return { problem: 'its logFiles are no list of log files' }
  const bad = files.findIndex((file) => !isLogFile(file))
  if (bad >= 0) return { problem: `entry ${bad} of its logFiles is none` }
  return { digest: value as unknown as Digest }
}

function isLogFile(file: unknown): file is DigestLogFile {
  if (!isObject(file) || LOG_TEXTS.some((name) => typeof file[name] !== 'string')) return false
  return file['hashAlgorithm'] === DIGEST_HASH_ALGORITHM && /^[0-9a-f]{64}$/i.test(String(file['hashValue']))
}

function isTime(text: string): boolean {
  return TIME.test(text) && !Number.isNaN(Date.parse(text))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
