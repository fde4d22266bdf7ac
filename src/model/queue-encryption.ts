// The attributes that encrypt what a queue keeps (SQS Developer Guide, "Encryption at rest in Amazon SQS"): a key that the server manages,
// or one of the key store. Their rules, what is shown of them, and what they mean once read.

export const ENCRYPTION_NAMES = ['KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId', 'SqsManagedSseEnabled'] as const
export type EncryptionName = (typeof ENCRYPTION_NAMES)[number]

const REUSE_SECONDS = { min: 60, max: 86_400, preset: 300 } as const
const KEY_ID_CHARS_MAX = 2048

export function isEncryptionAttribute(name: string): name is EncryptionName {
  return ENCRYPTION_NAMES.includes(name as EncryptionName)
}

/** Why `text` is no value of the attribute, or undefined. Whether a key exists shows when it is needed, as on AWS. */
export function encryptionProblem(name: EncryptionName, text: string): string | undefined {
  switch (name) {
    case 'SqsManagedSseEnabled':
      return text === 'true' || text === 'false' ? undefined : 'Must be true or false.'
    case 'KmsMasterKeyId':
      return text.length <= KEY_ID_CHARS_MAX ? undefined : `Must be at most ${KEY_ID_CHARS_MAX} characters long.`
    case 'KmsDataKeyReusePeriodSeconds': {
      const { min, max } = REUSE_SECONDS
      const seconds = /^\d{1,10}$/.test(text) ? Number(text) : -1
      return seconds >= min && seconds <= max ? undefined : `Must be a whole number between ${min} and ${max}.`
    }
  }
}

export const ONE_ENCRYPTION = 'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.'

type Texts = Readonly<Record<string, string>>

export function asksForBoth(given: Texts): boolean {
  return given['SqsManagedSseEnabled'] === 'true' && isSet(given['KmsMasterKeyId'])
}

/** What else changes with these: one kind of encryption takes the place of the other. */
export function replacedEncryption(given: Texts): Texts {
  if (given['SqsManagedSseEnabled'] === 'true') return { KmsMasterKeyId: '' }
  return isSet(given['KmsMasterKeyId']) ? { SqsManagedSseEnabled: 'false' } : {}
}

/** `isSealedAtRest`: what stands in the queues' stores is sealed as a whole, which is what a queue has that asks for nothing. */
export function shownEncryption(attributes: Texts, isSealedAtRest: boolean): Texts {
  const keyId = attributes['KmsMasterKeyId']
  const seconds = attributes['KmsDataKeyReusePeriodSeconds'] ?? String(REUSE_SECONDS.preset)
  const hasKey = isSet(keyId)
  return {
    SqsManagedSseEnabled: hasKey ? 'false' : (attributes['SqsManagedSseEnabled'] ?? String(isSealedAtRest)),
    ...(hasKey && { KmsMasterKeyId: keyId }),
    // Quirk: without a key AWS shows it only where it is not the default.
    ...((hasKey || seconds !== String(REUSE_SECONDS.preset)) && { KmsDataKeyReusePeriodSeconds: seconds }),
  }
}

export interface QueueEncryption {
  /** As the owner named it; undefined for the server's own key. */
  readonly keyId: string | undefined
  /** For so long a data key is used again, and the key itself is not asked. */
  readonly reuseMs: number
}

/** Undefined for a queue whose messages are kept as the stores keep everything. */
export function encryptionOf(attributes: Texts): QueueEncryption | undefined {
  const keyId = attributes['KmsMasterKeyId']
  const reuseMs = Number(attributes['KmsDataKeyReusePeriodSeconds'] ?? REUSE_SECONDS.preset) * 1000
  if (isSet(keyId)) return { keyId, reuseMs }
  return attributes['SqsManagedSseEnabled'] === 'true' ? { keyId: undefined, reuseMs: REUSE_SECONDS.preset * 1000 } : undefined
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}
