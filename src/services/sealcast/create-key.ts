// CreateKey: a named key in the key store, for what an account encrypts with SSE-KMS. Its material is made here and never shown.
import { Table } from '../../model/tables.ts'
import { badRequest, conflict } from './errors.ts'
import { describeKey, type KeyDescription } from './key-form.ts'
import type { SealcastOperation } from './operation.ts'

export interface CreateKeyInput {
  readonly Alias?: string
  /** The operator's own when absent. */
  readonly AccountId?: string
  /** The server's default when absent. */
  readonly Region?: string
}

export const createKey: SealcastOperation<CreateKeyInput, KeyDescription> = ({ regions }) => ({
  name: 'CreateKey',
  access: 'write',
  run(tx, { Alias, AccountId: account, Region: region }, call) {
    const { keys, acts } = call.env
    const place = { account: account ?? call.account, region: region ?? call.region }
    if (tx.get(Table.accounts, place.account) === undefined)
      throw badRequest(`AccountId: there is no account ${place.account}; sealcast accounts create ID makes one`)
    if (!regions.has(place.region)) throw badRequest(`Region: ${place.region} is not served; regions.names lists those that are`)
    const alias = Alias === undefined ? undefined : aliasOf(Alias)
    if (alias !== undefined && keys.find(tx, alias, place) !== undefined)
      throw conflict(`Alias: ${alias} already names a key of account ${place.account} in ${place.region}; choose another`)
    const key = keys.create(tx, { ...place, ...(alias !== undefined && { alias }) })
    acts.tell(tx, { name: 'KeyCreated', details: { keyArn: key.arn, ...(alias !== undefined && { alias }) } })
    return describeKey(key)
  },
})

/** With its prefix (AWS KMS, CreateAlias: letters, digits, slash, underscore and dash; `alias/aws/` is AWS's). */
function aliasOf(given: unknown): string {
  const name = typeof given === 'string' ? given.replace(/^alias\//, '') : ''
  if (!/^[A-Za-z0-9/_-]{1,250}$/.test(name)) throw badRequest('Alias: 1 to 250 letters, digits, slashes, underscores and dashes')
  if (/^(aws|sealcast)\//.test(name))
    throw badRequest('Alias: names that begin with aws/ or sealcast/ are kept for services; choose another')
  return `alias/${name}`
}
