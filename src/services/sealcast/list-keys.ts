// ListKeys: the keys of the key store, the server's own among them.
import { describeKey, type KeyDescription } from './key-form.ts'
import type { SealcastOperation } from './operation.ts'

export const listKeys: SealcastOperation<object, { Keys: readonly KeyDescription[] }> = () => ({
  name: 'ListKeys',
  access: 'read',
  run: (tx, _input, call) => ({ Keys: call.env.keys.list(tx).map(describeKey) }),
})
