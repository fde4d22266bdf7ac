// The key store over the records. Material is opened once by the root key and kept in memory, by version.
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import type { Random } from '../base/random.ts'
import { parseArn, partitionOf } from '../model/arn.ts'
import { type EncryptionContext, keyMaterialContext, keyVersionRow, type StoredKey } from '../model/key.ts'
import { Table } from '../model/tables.ts'
import { KeyBroken, KeyDisabled, KeyMissing, type Keys } from './keys.ts'
import type { Seal } from './seal.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

export function createRecordKeys({ random, seal }: { readonly random: Random; readonly seal: Seal }): Keys {
  const materials = new Map<string, Buffer>()
  /** Ids of the server's own keys by alias; they never go. */
  const own = new Map<string, string>()

  function materialOf(tables: TableReader, keyId: string, version: number): Buffer {
    const row = keyVersionRow(keyId, version)
    let material = materials.get(row)
    if (material === undefined) {
      const stored = tables.get(Table.keyVersions, row)
      if (stored === undefined) throw new KeyMissing(`version ${version} of key ${keyId} is not in the key store`)
      material = Buffer.from(seal.open(stored.sealedMaterial, keyMaterialContext(stored)), 'base64')
      materials.set(row, material)
    }
    return material
  }

  function putVersion(tx: Transaction, keyId: string, version: number): void {
    const sealedMaterial = seal.seal(random.bytes(KEY_BYTES).toString('base64'), keyMaterialContext({ keyId, version }))
    tx.put(Table.keyVersions, keyVersionRow(keyId, version), { keyId, version, createdAt: tx.now, sealedMaterial })
  }

  function usable(tables: TableReader, keyId: string): StoredKey {
    const key = existing(tables, keyId)
    if (!key.isEnabled) throw new KeyDisabled(`${key.arn} is disabled.`)
    return key
  }

  return {
    create(tx, { account, region, alias, manager = 'account' }) {
      const keyId = random.uuid()
      const key: StoredKey = {
        keyId,
        arn: `arn:${partitionOf(region)}:kms:${region}:${account}:key/${keyId}`,
        account,
        region,
        ...(alias !== undefined && { alias }),
        manager,
        isEnabled: true,
        version: 1,
        createdAt: tx.now,
        rotatedAt: tx.now,
      }
      putVersion(tx, keyId, 1)
      tx.put(Table.keys, keyId, key)
      return key
    },
    find(tables, reference, place) {
      const { account, region, name } = readReference(reference, place)
      const key = name.startsWith('alias/')
        ? tables.range(Table.keys, {}).find(({ value }) => value.alias === name && value.account === account && value.region === region)
            ?.value
        : tables.get(Table.keys, name)
      return key === undefined || key.manager === 'server' || key.account !== account || key.region !== region ? undefined : key
    },
    byId: (tables, keyId) => tables.get(Table.keys, keyId),
    list: (tables) => tables.range(Table.keys, {}).map(({ value }) => value),
    own(tables, alias) {
      const known = tables.get(Table.keys, own.get(alias) ?? '')
      if (known !== undefined) return known
      const found = tables.range(Table.keys, {}).find(({ value }) => value.manager === 'server' && value.alias === alias)?.value
      if (found !== undefined) own.set(alias, found.keyId)
      return found
    },
    dataKey(tables, keyId, context) {
      const { version } = usable(tables, keyId)
      const plain = random.bytes(KEY_BYTES)
      const sealed = sealBytes(materialOf(tables, keyId, version), random.bytes(NONCE_BYTES), plain, boundOf(context))
      return { plain, sealed: `k1.${keyId}.${version}.${sealed.toString('base64url')}` }
    },
    open(tables, sealed, context) {
      const [form, keyId, version, text] = sealed.split('.')
      if (form !== 'k1' || keyId === undefined || version === undefined || text === undefined)
        throw new KeyBroken(`a sealed data key of an unknown form (${form}): a newer release may have written it`)
      usable(tables, keyId)
      const plain = openBytes(materialOf(tables, keyId, Number(version)), Buffer.from(text, 'base64url'), boundOf(context))
      if (plain === undefined) throw new KeyBroken(`a data key sealed under ${keyId} does not open: it was changed, or has another context`)
      return plain
    },
    rotate(tx, keyId) {
      const key = existing(tx, keyId)
      const rotated = { ...key, version: key.version + 1, rotatedAt: tx.now }
      putVersion(tx, keyId, rotated.version)
      tx.put(Table.keys, keyId, rotated)
      return rotated
    },
    setEnabled(tx, keyId, isEnabled) {
      const key = { ...existing(tx, keyId), isEnabled }
      tx.put(Table.keys, keyId, key)
      return key
    },
  }
}

function existing(tables: TableReader, keyId: string): StoredKey {
  const key = tables.get(Table.keys, keyId)
  if (key === undefined) throw new KeyMissing(`key ${keyId} is not in the key store`)
  return key
}

/** Account, region, and `alias/NAME` or the id. */
function readReference(reference: string, place: { readonly account: string; readonly region: string }) {
  const arn = parseArn(reference)
  if (arn === undefined || arn.service !== 'kms') return { ...place, name: reference }
  return { account: arn.account, region: arn.region, name: arn.resource.replace(/^key\//, '') }
}

/** The same for the same pairs, in whatever order they were given. */
function boundOf(context: EncryptionContext): string {
  return `data key ${JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)))}`
}
