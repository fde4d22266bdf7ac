// CreateAccount: one more account with a root key, or one more root key for an account that exists.
import { createRootKey, putRootKey } from '../../engine/accounts.ts'
import { isAccountId } from '../../model/arn.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export interface CreateAccountInput {
  readonly AccountId?: string
}

export const createAccount: SealcastOperation<
  CreateAccountInput,
  { AccountId: string; AccessKeyId: string; SecretAccessKey: string }
> = () => ({
  name: 'CreateAccount',
  access: 'write',
  record: {
    parameters: ({ AccountId: accountId }) => ({ accountId }),
    response: ({ AccountId: accountId, AccessKeyId: accessKeyId }) => ({ accountId, accessKeyId }),
  },
  run(tx, { AccountId: account }, call) {
    if (typeof account !== 'string' || !isAccountId(account)) throw badRequest('AccountId: an account id has 12 digits')
    const key = createRootKey(call.env.random)
    putRootKey(tx, call.env.seal, account, key)
    return { AccountId: account, AccessKeyId: key.accessKeyId, SecretAccessKey: key.secretAccessKey }
  },
})
