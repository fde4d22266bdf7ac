// GetEnvironment: what a client needs to reach this server as the first account's root. The secret goes to the operator alone.
import { secretContext } from '../../engine/authenticate.ts'
import { Table } from '../../model/tables.ts'
import { conflict } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export interface EnvironmentAnswer {
  /** Empty while nothing listens. */
  readonly Url: string
  readonly Region: string
  readonly AccountId: string
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
}

export const getEnvironment: SealcastOperation<object, EnvironmentAnswer> = ({ environment }) => ({
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
