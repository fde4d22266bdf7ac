// sealcast keys: the keys that objects, queues and topics are encrypted with.
import { type Command, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  alias: { kind: 'text', value: 'NAME', help: 'create: the name by which callers may name the key (alias/NAME)' },
  account: { kind: 'text', value: 'ID', help: 'create: the account that may use the key' },
  region: { kind: 'text', value: 'REGION', help: 'create: where the key may be used' },
  root: { kind: 'flag', help: 'rotate: the root key, which seals all others' },
  json: { kind: 'flag', help: 'print JSON' },
} as const

interface Key {
  readonly KeyId: string
  readonly Arn: string
  readonly Alias?: string
  readonly Manager: string
  readonly State: string
  readonly Version: number
  readonly CreatedAt: number
  readonly RotatedAt: number
}

export const keys: Command<typeof options> = {
  summary: 'list, create, rotate, disable and enable the keys that objects, queues and topics are encrypted with',
  operands: 'list | create | rotate KEY | rotate --root | disable KEY | enable KEY',
  help:
    'KEY is an id, an ARN or an alias. A rotated key encrypts with its new version from now on, and opens what older ones encrypted.\n' +
    'What a disabled key encrypted cannot be read until it is enabled again.',
  options,
  async run(given, operands, terminal) {
    const [verb = '', key, ...others] = operands
    const isNamed = (verb === 'rotate' && !given.root) || verb === 'disable' || verb === 'enable'
    if (others.length > 0 || isNamed !== (key !== undefined) || (!isNamed && verb !== 'list' && verb !== 'create' && verb !== 'rotate'))
      throw new UsageError('say: sealcast keys list, create [--alias NAME], rotate KEY, rotate --root, disable KEY or enable KEY')
    if (verb !== 'create' && (given.alias ?? given.account ?? given.region) !== undefined)
      throw new UsageError('--alias, --account and --region go with create')
    if (given.root && verb !== 'rotate') throw new UsageError('--root goes with rotate')
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      if (verb === 'list') {
        const { Keys } = await callOnce<{ readonly Keys: readonly Key[] }>(connection, 'ListKeys', {})
        for (const listed of Keys) await terminal.write(given.json ? `${JSON.stringify(listed)}\n` : describe(listed))
        return 0
      }
      if (given.root) {
        const rotated = await callOnce<{ readonly From: string; readonly To: string }>(connection, 'RotateRootKey', {})
        const told = `root key ${rotated.To} seals from now on; what ${rotated.From} sealed is sealed anew. Back the new key up.\n`
        await terminal.write(given.json ? `${JSON.stringify(rotated)}\n` : told)
        return 0
      }
      const [operation, input] = callOf(verb, key, given)
      const changed = await callOnce<Key>(connection, operation, input)
      await terminal.write(given.json ? `${JSON.stringify(changed)}\n` : describe(changed))
      return 0
    } finally {
      await connection.close()
    }
  },
}

function callOf(
  verb: string,
  key: string | undefined,
  {
    alias,
    account,
    region,
  }: { readonly alias: string | undefined; readonly account: string | undefined; readonly region: string | undefined },
): readonly [string, object] {
  if (verb === 'rotate') return ['RotateKey', { KeyId: key }]
  if (verb === 'create') return ['CreateKey', { Alias: alias, AccountId: account, Region: region }]
  return ['SetKeyState', { KeyId: key, State: verb === 'enable' ? 'Enabled' : 'Disabled' }]
}

function describe({ Arn, Alias = '-', Manager, State, Version, CreatedAt, RotatedAt }: Key): string {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
  const age = Version === 1 ? `made ${day(CreatedAt)}` : `version ${Version} of ${day(RotatedAt)}`
  return `${Arn}  ${Alias}  ${State.toLowerCase()}, ${age}${Manager === 'account' ? '' : `, kept by the ${Manager}`}\n`
}
