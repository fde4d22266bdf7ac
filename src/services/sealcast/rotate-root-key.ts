// RotateRootKey: a new root key while the server serves. What the former one sealed is sealed anew in the background.
import { RootKeyRefused } from '../../model/root-key.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

interface Rotated {
  readonly From: string
  readonly To: string
}

export const rotateRootKey: SealcastOperation<object, Rotated> = ({ rotation }) => ({
  name: 'RotateRootKey',
  access: 'write',
  async prepare() {
    if (rotation === undefined) throw badRequest('everything is in memory, and the root key ends with it: there is nothing to rotate')
    try {
      const { from, to } = rotation.rotate()
      return { From: from, To: to }
    } catch (error) {
      throw error instanceof RootKeyRefused ? badRequest(error.message) : error
    }
  },
  run(tx, _input, call, prepared) {
    const { From, To } = prepared as Rotated
    call.env.acts.tell(tx, { name: 'KeyRotated', details: { key: 'root', from: From, to: To } })
    return { From, To }
  },
})
