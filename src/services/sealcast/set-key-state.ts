// SetKeyState: a disabled key neither encrypts nor opens, until it is enabled again. The server's own stay enabled, or it could not write.
import { badRequest } from './errors.ts'
import { describeKey, type KeyDescription, keyNamed } from './key-form.ts'
import type { SealcastOperation } from './operation.ts'

export const setKeyState: SealcastOperation<{ readonly KeyId?: string; readonly State?: string }, KeyDescription> = () => ({
  name: 'SetKeyState',
  access: 'write',
  run(tx, { KeyId, State: state }, call) {
    const { keys, acts } = call.env
    if (state !== 'Enabled' && state !== 'Disabled') throw badRequest('State: Enabled or Disabled')
    const key = keyNamed(tx, call, KeyId)
    if (key.manager === 'server') throw badRequest(`KeyId: ${key.alias ?? key.keyId} is the server's own key, which cannot be disabled`)
    const changed = keys.setEnabled(tx, key.keyId, state === 'Enabled')
    acts.tell(tx, { name: `Key${state}`, details: { keyArn: key.arn } })
    return describeKey(changed)
  },
})
