// sealcast accounts: the accounts of this server and their root keys.
import { type Command, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print JSON' },
} as const

interface CreatedAccount {
  readonly AccountId: string
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
}

interface ListedAccounts {
  readonly Accounts: readonly { readonly AccountId: string; readonly CreatedAt: number; readonly AccessKeyIds: readonly string[] }[]
}

export const accounts: Command<typeof options> = {
  summary: 'list the accounts, or create one with a root key',
  operands: 'list | create ID',
  help: 'An account id has 12 digits. Creating one that exists gives it a further root key. The secret is shown once.',
  options,
  async run(given, operands, terminal) {
    const [verb, id, ...others] = operands
    if (others.length > 0 || (verb === 'create') !== (id !== undefined) || (verb !== 'create' && verb !== 'list'))
      throw new UsageError('say: sealcast accounts list, or: sealcast accounts create ID')
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      if (verb === 'create') {
        const created = await callOnce<CreatedAccount>(connection, 'CreateAccount', { AccountId: id })
        await terminal.write(given.json ? `${JSON.stringify(created)}\n` : exportLines(created))
        return 0
      }
      const { Accounts } = await callOnce<ListedAccounts>(connection, 'ListAccounts', {})
      if (given.json) await terminal.write(Accounts.map((account) => `${JSON.stringify(account)}\n`).join(''))
      else await terminal.write(Accounts.map(({ AccountId, AccessKeyIds }) => `${AccountId}  ${AccessKeyIds.join(' ')}\n`).join(''))
      return 0
    } finally {
      await connection.close()
    }
  },
}

function exportLines({ AccountId, AccessKeyId, SecretAccessKey }: CreatedAccount): string {
  return `# account ${AccountId}\nexport AWS_ACCESS_KEY_ID=${AccessKeyId}\nexport AWS_SECRET_ACCESS_KEY=${SecretAccessKey}\n`
}
