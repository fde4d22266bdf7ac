// Who calls: finds the key of a signature and checks it. Signing keys and principals are kept per access key.
import type { Clock } from '../base/clock.ts'
import { type Principal, rootPrincipal } from '../model/principal.ts'
import type { ServiceError } from '../model/service-error.ts'
import { Table } from '../model/tables.ts'
import type { Seal } from './seal.ts'
import type { Tables } from './tables.ts'

/** What the wire read from a signed request. `verify` compares against a secret, in constant time. */
export interface CallSignature {
  readonly accessKeyId: string
  /** It stands in the query, not in a header. */
  readonly isPresigned?: boolean
  /** Undefined when the signature holds for this secret and time, else the refusal in the service's form. */
  verify(secretAccessKey: string, now: number): ServiceError | undefined
}

/** The refusals of signatures, in each protocol's own words; the wire hands them in. */
export interface SignatureErrors {
  readonly missing: (service: string) => ServiceError
  readonly unknownKey: (service: string, accessKeyId: string) => ServiceError
}

export type Authenticate = (service: string, signature: CallSignature | undefined) => Principal | ServiceError

export function createAuthenticate(parts: { clock: Clock; tables: Tables; seal: Seal; errors: SignatureErrors }): Authenticate {
  const { clock, tables, seal, errors } = parts
  const known = new WeakMap<object, { secret: string; principal: Principal }>()
  return (service, signature) => {
    if (signature === undefined) return errors.missing(service)
    const key = tables.get(Table.accessKeys, signature.accessKeyId)
    if (key === undefined) return errors.unknownKey(service, signature.accessKeyId)
    let identity = known.get(key)
    if (identity === undefined) {
      identity = {
        secret: seal.open(key.sealedSecret, secretContext(key.accessKeyId)),
        principal: rootPrincipal(key.account, key.accessKeyId),
      }
      known.set(key, identity)
    }
    return signature.verify(identity.secret, clock.now()) ?? identity.principal
  }
}

/** What a secret access key is sealed for. */
export function secretContext(accessKeyId: string): string {
  return `access-key ${accessKeyId}`
}
