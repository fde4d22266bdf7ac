// ListDigestKeys: all keys that ever signed digests, of one region or of all, in the form of CloudTrail's ListPublicKeys.
import { digestKeysOf } from '../../engine/digest-keys.ts'
import type { SealcastOperation } from './operation.ts'

interface Output {
  readonly PublicKeyList: readonly {
    readonly Region: string
    /** Base64 of the DER of a PKCS #1 RSAPublicKey. */
    readonly Value: string
    readonly ValidityStartTime: string
    readonly ValidityEndTime: string
    readonly Fingerprint: string
  }[]
}

export const listDigestKeys: SealcastOperation<{ readonly Region?: string }, Output> = () => ({
  name: 'ListDigestKeys',
  access: 'read',
  run: (tx, { Region }) => ({
    PublicKeyList: digestKeysOf(tx, Region).map(({ region, publicKey, validFrom, validUntil, fingerprint }) => ({
      Region: region,
      Value: publicKey,
      ValidityStartTime: new Date(validFrom).toISOString(),
      ValidityEndTime: new Date(validUntil).toISOString(),
      Fingerprint: fingerprint,
    })),
  }),
})
