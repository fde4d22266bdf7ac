// Server-side encryption: what a caller asks for, what a bucket gives without being asked, and what the answers say of it (S3 user guide,
// "Protecting data with server-side encryption"). Every new object is encrypted; keys that callers bring along (SSE-C) are not offered.
import type { Call } from '../../engine/operation.ts'
import { type DataKey, KeyDisabled, KeyMissing, OBJECTS_KEY } from '../../engine/keys.ts'
import type { TableReader } from '../../engine/tables.ts'
import { parseArn } from '../../model/arn.ts'
import type { BlobSeal, Bucket, ObjectEncryption, StoredBlob } from '../../model/bucket.ts'
import type { EncryptionContext, StoredKey } from '../../model/key.ts'
import { DEFAULT_ENCRYPTION } from './bucket-encryption.ts'
import { errors } from './errors.ts'

export interface EncryptionInput {
  readonly ServerSideEncryption?: string
  readonly SSEKMSKeyId?: string
  readonly SSEKMSEncryptionContext?: string
  readonly BucketKeyEnabled?: boolean
}

/** The members of an input that chooseEncryption reads. */
export const ENCRYPTION_MEMBERS = ['ServerSideEncryption', 'SSEKMSKeyId', 'SSEKMSEncryptionContext', 'BucketKeyEnabled'] as const

/** Of everything that no caller and no bucket says more of. */
export const SSE_S3: ObjectEncryption = { algorithm: 'AES256' }

/** How a new object is encrypted: as the caller says, else as the bucket does. Throws InvalidArgument and the errors of keys. */
export async function chooseEncryption(call: Call, input: EncryptionInput, bucket: Bucket): Promise<ObjectEncryption> {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: keyId, SSEKMSEncryptionContext: context } = input
  if (algorithm === undefined || algorithm === 'AES256') {
    if (keyId !== undefined) throw needsKms('x-amz-server-side-encryption-aws-kms-key-id', keyId)
    if (context !== undefined) throw needsKms('x-amz-server-side-encryption-context', context)
  }
  if (algorithm === undefined) return bucketDefault(call, bucket)
  if (algorithm === 'AES256') return SSE_S3
  if (algorithm === 'aws:kms:dsse' || algorithm === 'aws:fsx') throw errors.notImplemented(`x-amz-server-side-encryption: ${algorithm}`)
  if (algorithm !== 'aws:kms')
    throw errors.invalidArgument('x-amz-server-side-encryption', algorithm, 'The encryption method specified is not supported')
  const key = keyId === undefined ? await serviceKey(call, bucket) : keyNamed(call, keyId, bucket)
  const isBucketKey = input.BucketKeyEnabled ?? bucket.encryption?.hasBucketKey ?? false
  return {
    algorithm,
    keyArn: key.arn,
    ...(context !== undefined && { context: readContext(context) }),
    ...(isBucketKey && { bucketKey: true }),
  }
}

async function bucketDefault(call: Call, bucket: Bucket): Promise<ObjectEncryption> {
  const { algorithm, kmsKeyId, hasBucketKey } = bucket.encryption ?? DEFAULT_ENCRYPTION
  if (algorithm === 'AES256') return SSE_S3
  const key = kmsKeyId === undefined ? await serviceKey(call, bucket) : keyNamed(call, kmsKeyId, bucket)
  return { algorithm, keyArn: key.arn, ...(hasBucketKey && { bucketKey: true }) }
}

/** What stands in the answers of Put, Get, Head, Copy and multipart uploads; nothing for what an older release wrote. */
export function describeEncryption(encryption: ObjectEncryption | undefined): Readonly<Record<string, unknown>> {
  if (encryption === undefined) return {}
  if (encryption.algorithm === 'AES256') return { ServerSideEncryption: 'AES256' }
  return {
    ServerSideEncryption: encryption.algorithm,
    SSEKMSKeyId: encryption.keyArn,
    ...(encryption.bucketKey === true && { BucketKeyEnabled: true }),
  }
}

/** The caller's headers as condition keys of policies. */
export function encryptionConditions({ ServerSideEncryption: algorithm, SSEKMSKeyId: keyId }: EncryptionInput): Record<string, string> {
  return {
    ...(algorithm !== undefined && { 's3:x-amz-server-side-encryption': algorithm }),
    ...(keyId !== undefined && { 's3:x-amz-server-side-encryption-aws-kms-key-id': keyId }),
  }
}

/** A data key for one new blob, and what opens it later. Throws the errors of keys. */
export function newBlobKey(
  call: Pick<Call, 'env'>,
  encryption: ObjectEncryption,
  objectArn: string,
): { readonly key: DataKey; readonly seal: Omit<BlobSeal, 'bytes'> } {
  const { tables, keys } = call.env
  return withKeyErrors(encryption, () => {
    const [keyId, context] =
      encryption.algorithm === 'AES256' ? [ownKeyId(call), {}] : [keyIdIn(encryption.keyArn), kmsContext(encryption, objectArn)]
    const key = keys.dataKey(tables, keyId, context)
    return { key, seal: { form: 1, dataKey: key.sealed, context } }
  })
}

/** The keys that open a body, in its order, for a caller who may. Throws AccessDenied and the errors of keys. */
export function openBlobKeys(
  tables: TableReader,
  call: Call,
  { blobs, encryption = SSE_S3 }: { readonly blobs: readonly StoredBlob[]; readonly encryption: ObjectEncryption | undefined },
): readonly (Buffer | undefined)[] {
  if (encryption.algorithm === 'aws:kms' && parseArn(encryption.keyArn)?.account !== call.account)
    throw errors.accessDenied(`The key ${encryption.keyArn} belongs to another account.`)
  return withKeyErrors(encryption, () =>
    blobs.map(({ seal }) => (seal === undefined ? undefined : call.env.keys.open(tables, seal.dataKey, seal.context))),
  )
}

function withKeyErrors<T>(encryption: ObjectEncryption, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const arn = encryption.algorithm === 'AES256' ? 'of the server' : encryption.keyArn
    if (error instanceof KeyDisabled) throw errors.kmsDisabled(arn)
    if (error instanceof KeyMissing) throw errors.kmsNotFound(arn)
    throw error
  }
}

function ownKeyId({ env: { keys, tables } }: Pick<Call, 'env'>): string {
  const key = keys.own(tables, OBJECTS_KEY)
  if (key === undefined) throw new KeyMissing(`the server has no key ${OBJECTS_KEY}`)
  return key.keyId
}

function keyIdIn(arn: string): string {
  return parseArn(arn)?.resource.replace(/^key\//, '') ?? arn
}

/** S3 binds the object in; with a bucket key, the bucket. */
function kmsContext({ context, bucketKey }: Extract<ObjectEncryption, { algorithm: 'aws:kms' }>, objectArn: string): EncryptionContext {
  return { ...context, 'aws:s3:arn': bucketKey === true ? objectArn.slice(0, objectArn.indexOf('/')) : objectArn }
}

function keyNamed(call: Call, reference: string, bucket: Bucket): StoredKey {
  const key = call.env.keys.find(call.env.tables, reference, { account: call.account, region: bucket.region })
  if (key === undefined || key.region !== bucket.region) throw errors.kmsNotFound(reference)
  if (key.account !== call.account) throw errors.accessDenied(`The key ${key.arn} belongs to another account.`)
  if (!key.isEnabled) throw errors.kmsDisabled(key.arn)
  return key
}

/** `alias/aws/s3` of the caller's account: made when it is first asked for, as on AWS. */
async function serviceKey(call: Call, bucket: Bucket): Promise<StoredKey> {
  const { keys, tables, commits, acts } = call.env
  const place = { account: call.account, region: bucket.region }
  const present = keys.find(tables, SERVICE_ALIAS, place)
  if (present !== undefined) return present
  const { result, done } = commits.commit((tx) => {
    const key = keys.create(tx, { ...place, alias: SERVICE_ALIAS, manager: 'service' })
    acts.tell(tx, { name: 'KeyCreated', details: { keyArn: key.arn, alias: SERVICE_ALIAS } })
    return key
  })
  await done
  return result
}

const SERVICE_ALIAS = 'alias/aws/s3'

function needsKms(header: string, value: string) {
  return errors.invalidArgument(
    header,
    value,
    'Server Side Encryption with KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
  )
}

function readContext(header: string): EncryptionContext {
  const text = Buffer.from(header, 'base64').toString('utf8')
  let context: unknown
  try {
    context = JSON.parse(text)
  } catch {
    context = undefined
  }
  const isMap = typeof context === 'object' && context !== null && !Array.isArray(context)
  if (!isMap || !Object.values(context as object).every((value) => typeof value === 'string') || text.length > CONTEXT_CHARS_MAX)
    throw errors.invalidArgument(
      'x-amz-server-side-encryption-context',
      header,
      "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON with the encryption context " +
        'key-value pairs',
    )
  return context as EncryptionContext
}

/** AWS KMS, "Quotas": a context has at most 8,192 bytes. */
const CONTEXT_CHARS_MAX = 8192
