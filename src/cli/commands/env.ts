// sealcast env: exports that point AWS clients at the server, for `eval "$(sealcast env)"`.
import type { ClientEnvironment } from '../../model/environment.ts'
import { type Command, CommandError, DATA_OPTION, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const env: Command<typeof options> = {
  summary: 'print exports that point AWS clients at the server',
  help: 'Use it as: eval "$(sealcast env)". It names the first account\'s root key; other accounts: sealcast accounts create ID.',
  options,
  async run(given, _operands, terminal) {
    const folder = dataFolderOf(given.data, terminal)
    const connection = await terminal.connect(folder)
    try {
      const { Url, Region, AccessKeyId, SecretAccessKey } = await callOnce<ClientEnvironment>(connection, 'GetEnvironment', {})
      if (Url === '') throw new CommandError(`no server runs on ${folder}; start one with: sealcast serve`)
      const variables = {
        AWS_ENDPOINT_URL: Url,
        AWS_ACCESS_KEY_ID: AccessKeyId,
        AWS_SECRET_ACCESS_KEY: SecretAccessKey,
        AWS_REGION: Region,
        AWS_DEFAULT_REGION: Region,
      }
      if (given.json) await terminal.write(`${JSON.stringify(variables)}\n`)
      else
        await terminal.write(
          Object.entries(variables)
            .map(([name, value]) => `export ${name}=${quote(value)}\n`)
            .join(''),
        )
      return 0
    } finally {
      await connection.close()
    }
  },
}

function quote(value: string): string {
  return /^[\w:/.+=-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}
