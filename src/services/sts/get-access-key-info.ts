// GetAccessKeyInfo: the account that an access key belongs to.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { invalidAccessKeyId } from './errors.ts'

export const getAccessKeyInfo: Operation<{ readonly AccessKeyId: string }, { readonly Account: string }> = {
  name: 'GetAccessKeyInfo',
  access: 'read',
  run(tx, { AccessKeyId: id }) {
    const key = /^\w{3,128}$/.test(id) ? tx.get(Table.accessKeys, id) : undefined
    if (key === undefined) throw invalidAccessKeyId(id)
    return { Account: key.account }
  },
}
