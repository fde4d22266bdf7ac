// ListPublicKeys: the public parts of the keys that signed the region's digests, of all whose validity touches the time asked for.
import { digestKeysOf } from '../../engine/digest-keys.ts'
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'

interface Input {
  readonly StartTime?: Date
  readonly EndTime?: Date
  readonly NextToken?: string
}

interface Output {
  readonly PublicKeyList: readonly {
    /** DER of a PKCS #1 RSAPublicKey. */
    readonly Value: Buffer
    readonly ValidityStartTime: Date
    readonly ValidityEndTime: Date
    readonly Fingerprint: string
  }[]
}

export const listPublicKeys: Operation<Input, Output> = {
  name: 'ListPublicKeys',
  access: 'read',
  run(tx, { StartTime, EndTime, NextToken }, call) {
    // Quirk: reserved for future use (CloudTrail API reference, ListPublicKeys): all keys come in one answer.
    if (NextToken !== undefined) throw errors.invalidPublicKeysToken()
    const from = StartTime?.getTime() ?? tx.now
    const until = EndTime?.getTime() ?? tx.now
    if (from > until) throw errors.timeRange('StartTime is later than EndTime; a time range starts before it ends.')
    return {
      PublicKeyList: digestKeysOf(tx, call.region)
        .filter(({ validFrom, validUntil }) => validFrom <= until && validUntil >= from)
        .map(({ publicKey, validFrom, validUntil, fingerprint }) => ({
          Value: Buffer.from(publicKey, 'base64'),
          ValidityStartTime: new Date(validFrom),
          ValidityEndTime: new Date(validUntil),
          Fingerprint: fingerprint,
        })),
    }
  },
}
