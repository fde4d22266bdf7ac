// How new objects of a bucket are sealed that ask for nothing themselves: what S3 accepts as a setting, and what it gives when there is
// none (S3 user guide, "Setting default server-side encryption behavior for Amazon S3 buckets").
import type { BucketEncryption } from '../../model/bucket.ts'
import { errors } from './errors.ts'

export interface EncryptionConfiguration {
  readonly Rules: readonly EncryptionRule[]
}

interface EncryptionRule {
  readonly ApplyServerSideEncryptionByDefault?: { readonly SSEAlgorithm?: string; readonly KMSMasterKeyID?: string }
  readonly BucketKeyEnabled?: boolean
  readonly BlockedEncryptionTypes?: { readonly EncryptionType?: readonly string[] }
}

/** S3 encrypts every new object so, unless a bucket or a request says otherwise. */
export const DEFAULT_ENCRYPTION: BucketEncryption = { algorithm: 'AES256', hasBucketKey: false }

/** Throws MalformedXML, InvalidArgument and NotImplemented. */
export function readEncryption({ Rules }: EncryptionConfiguration): BucketEncryption {
  const [rule, ...more] = Rules
  if (rule === undefined || more.length > 0) throw errors.malformedXml('ServerSideEncryptionConfiguration must hold exactly one Rule.')
  const { ApplyServerSideEncryptionByDefault: byDefault, BlockedEncryptionTypes: blocked } = rule
  if ((blocked?.EncryptionType ?? []).some((type) => type !== 'NONE'))
    throw errors.notOffered('BlockedEncryptionTypes; no client can send a key of its own (SSE-C) to this server as it is')
  if (byDefault === undefined) throw errors.malformedXml('A Rule must hold ApplyServerSideEncryptionByDefault.')
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: kmsKeyId } = byDefault
  if (algorithm === 'aws:kms:dsse') throw errors.notOffered('SSEAlgorithm aws:kms:dsse; use aws:kms or AES256')
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms')
    throw errors.malformedXml(`SSEAlgorithm must be AES256 or aws:kms, not ${algorithm ?? 'absent'}.`)
  if (kmsKeyId !== undefined && algorithm !== 'aws:kms')
    throw errors.invalidArgument(
      'KMSMasterKeyID',
      kmsKeyId,
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms',
    )
  if (kmsKeyId !== undefined && (kmsKeyId === '' || kmsKeyId.length > KEY_ID_CHARS_MAX))
    throw errors.invalidArgument('KMSMasterKeyID', kmsKeyId, `KMSMasterKeyID must have 1 to ${KEY_ID_CHARS_MAX} characters`)
  return { algorithm, ...(kmsKeyId !== undefined && { kmsKeyId }), hasBucketKey: rule.BucketKeyEnabled === true }
}

/** Of ids, ARNs and aliases (KMS API reference, "KeyId"). */
const KEY_ID_CHARS_MAX = 2048

export function encryptionConfiguration({ algorithm, kmsKeyId, hasBucketKey }: BucketEncryption): EncryptionConfiguration {
  const byDefault = { SSEAlgorithm: algorithm, ...(kmsKeyId !== undefined && { KMSMasterKeyID: kmsKeyId }) }
  return { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: hasBucketKey }] }
}
