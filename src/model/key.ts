// Keys of the key store as the records keep them: names and states in one table, the material of each version sealed in another.

export interface StoredKey {
  readonly keyId: string
  /** `arn:aws:kms:REGION:ACCOUNT:key/ID` */
  readonly arn: string
  readonly account: string
  readonly region: string
  /** `alias/NAME`; unique within account and region. */
  readonly alias?: string
  /** `server`: the server's own, which callers cannot name. `service`: made for a service of an account (`alias/aws/s3`). */
  readonly manager: 'account' | 'service' | 'server'
  readonly isEnabled: boolean
  /** The version that new data keys are sealed with, counted from 1. */
  readonly version: number
  readonly createdAt: number
  /** When the present version was made. */
  readonly rotatedAt: number
}

export interface StoredKeyVersion {
  readonly keyId: string
  readonly version: number
  readonly createdAt: number
  /** Base64 of 32 bytes, sealed by the server's root key. */
  readonly sealedMaterial: string
}

/** Names and values that are bound into a sealed data key: it opens with the same only. */
export type EncryptionContext = Readonly<Record<string, string>>

export function keyVersionRow(keyId: string, version: number): string {
  return `${keyId}/${version}`
}

/** What the material of a key's version is sealed for. */
export function keyMaterialContext({ keyId, version }: Pick<StoredKeyVersion, 'keyId' | 'version'>): string {
  return `key material ${keyId} ${version}`
}
