// RotateKey: a new version of a key, for what is encrypted from now on. What older versions encrypted stays readable.
import { describeKey, type KeyDescription, keyNamed } from './key-form.ts'
import type { SealcastOperation } from './operation.ts'

export const rotateKey: SealcastOperation<{ readonly KeyId?: string }, KeyDescription> = () => ({
  name: 'RotateKey',
  access: 'write',
  run(tx, { KeyId }, call) {
    const { keys, acts } = call.env
    const key = keys.rotate(tx, keyNamed(tx, call, KeyId).keyId)
    acts.tell(tx, { name: 'KeyRotated', details: { keyArn: key.arn, version: key.version } })
    return describeKey(key)
  },
})
