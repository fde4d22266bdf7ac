// A key of the key store as the operator sees it: everything but its material.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { StoredKey } from '../../model/key.ts'
import { badRequest } from './errors.ts'

export interface KeyDescription {
  readonly KeyId: string
  readonly Arn: string
  readonly Alias?: string
  readonly Manager: StoredKey['manager']
  readonly State: 'Enabled' | 'Disabled'
  readonly Version: number
  /** Milliseconds since 1970. */
  readonly CreatedAt: number
  readonly RotatedAt: number
}

export function describeKey({ keyId, arn, alias, manager, isEnabled, version, createdAt, rotatedAt }: StoredKey): KeyDescription {
  return {
    KeyId: keyId,
    Arn: arn,
    ...(alias !== undefined && { Alias: alias }),
    Manager: manager,
    State: isEnabled ? 'Enabled' : 'Disabled',
    Version: version,
    CreatedAt: createdAt,
    RotatedAt: rotatedAt,
  }
}

/** The key that the operator names by id, ARN or alias: the server's own too. Throws InvalidRequest. */
export function keyNamed(tables: TableReader, call: Call, reference: unknown): StoredKey {
  const { keys } = call.env
  if (typeof reference !== 'string' || reference === '') throw badRequest('KeyId: give the id, ARN or alias of a key')
  const key = keys.byId(tables, reference) ?? keys.own(tables, reference) ?? keys.find(tables, reference, call)
  if (key === undefined) throw badRequest(`KeyId: there is no key ${reference}; sealcast keys list shows all`)
  return key
}
