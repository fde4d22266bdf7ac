// GetEnvironment: what a client needs to reach this server as the first account's root. The secret goes to the operator alone.
import { secretContext } from '../../engine/authenticate.ts'
import type { ClientEnvironment } from '../../model/environment.ts'
import { Table } from '../../model/tables.ts'
import { conflict } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export const getEnvironment: SealcastOperation<object, ClientEnvironment> = ({ environment }) => ({
  name: 'GetEnvironment',
  access: 'read',
  run(tx, _input, call) {
    const { url, region, account } = environment()
    const key = tx
      .range(Table.accessKeys, {})
      .map(({ value }) => value)
      .filter((candidate) => candidate.account === account)
      .sort((a, b) => a.createdAt - b.createdAt)[0]
    if (key === undefined) throw conflict(`account ${account} has no root key; make one with: sealcast accounts create ${account}`)
    const secret = call.env.seal.open(key.sealedSecret, secretContext(key.accessKeyId))
    return { Url: url, Region: region, AccountId: account, AccessKeyId: key.accessKeyId, SecretAccessKey: secret }
  },
})
