// Accounts and their root keys: made at the first start and by the operator.
import type { Random } from '../base/random.ts'
import type { AccessKey } from '../model/principal.ts'
import { Table } from '../model/tables.ts'
import { secretContext } from './authenticate.ts'
import type { Seal } from './seal.ts'
import type { Transaction } from './transaction.ts'

export interface RootKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const KEY_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const KEY_ID_LETTERS = 16
const SECRET_BYTES = 30

/** A fresh key pair of AWS's form: AKIA and 16 letters, and 40 characters of base64. */
export function createRootKey(random: Random): RootKey {
  const letters = Array.from(random.bytes(KEY_ID_LETTERS), (byte) => KEY_LETTERS[byte % KEY_LETTERS.length]).join('')
  return { accessKeyId: `AKIA${letters}`, secretAccessKey: random.bytes(SECRET_BYTES).toString('base64') }
}

/** Stages the account if it is new, and the key as one of its root keys. */
export function putRootKey(tx: Transaction, seal: Seal, account: string, key: RootKey): void {
  if (tx.get(Table.accounts, account) === undefined) tx.put(Table.accounts, account, { id: account, createdAt: tx.now })
  const stored: AccessKey = {
    accessKeyId: key.accessKeyId,
    account,
    sealedSecret: seal.seal(key.secretAccessKey, secretContext(key.accessKeyId)),
    createdAt: tx.now,
  }
  tx.put(Table.accessKeys, key.accessKeyId, stored)
}
