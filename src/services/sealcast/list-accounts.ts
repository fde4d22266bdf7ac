// ListAccounts: the accounts and the ids of their root keys.
import { Table } from '../../model/tables.ts'
import type { SealcastOperation } from './operation.ts'

export interface ListedAccount {
  readonly AccountId: string
  readonly CreatedAt: number
  readonly AccessKeyIds: readonly string[]
}

export const listAccounts: SealcastOperation<object, { Accounts: readonly ListedAccount[] }> = () => ({
  name: 'ListAccounts',
  access: 'read',
  run(tx) {
    const keys = tx.range(Table.accessKeys, {}).map(({ value }) => value)
    const accounts = tx.range(Table.accounts, {}).map(({ value }) => value)
    return {
      Accounts: accounts.map(({ id, createdAt }) => ({
        AccountId: id,
        CreatedAt: createdAt,
        AccessKeyIds: keys.filter(({ account }) => account === id).map(({ accessKeyId }) => accessKeyId),
      })),
    }
  },
})
