// RotateDigestKey: a new key signs the region's digests from now on. The one before stays valid for two more days, and listed for ever.
import { createDigestKey, type FreshDigestKey, putDigestKey } from '../../engine/digest-keys.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

interface Input {
  /** The call's own region without it. */
  readonly Region?: string
}

interface Output {
  readonly Region: string
  readonly Fingerprint: string
}

export const rotateDigestKey: SealcastOperation<Input, Output> = ({ regions, digestKeyDays }) => ({
  name: 'RotateDigestKey',
  access: 'write',
  record: { response: ({ Region: region, Fingerprint: fingerprint }) => ({ region, fingerprint }) },
  async prepare(call, { Region = call.region }) {
    if (!regions.has(Region)) throw badRequest(`the region ${Region} is not served; name one of regions.names`)
    return createDigestKey()
  },
  run(tx, { Region }, { env, region }, prepared) {
    const key = putDigestKey(tx, { ...env, rotationDays: digestKeyDays }, Region ?? region, prepared as FreshDigestKey)
    return { Region: key.region, Fingerprint: key.fingerprint }
  },
})
