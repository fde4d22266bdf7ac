// RotateRootKey: a new root key while the server serves. What the former one sealed is sealed anew in the background.
import { badRequest } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

interface Rotated {
  readonly From: string
  readonly To: string
}

export const rotateRootKey: SealcastOperation<object, Rotated> = ({ rotateRoot }) => ({
  name: 'RotateRootKey',
  access: 'write',
  async prepare() {
    const rotated = rotateRoot()
    if ('refused' in rotated) throw badRequest(rotated.refused)
    return { From: rotated.from, To: rotated.to }
  },
  run(tx, _input, call, prepared) {
    const { From, To } = prepared as Rotated
    call.env.acts.tell(tx, { name: 'KeyRotated', details: { key: 'root', from: From, to: To } })
    return { From, To }
  },
})
