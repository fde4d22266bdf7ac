// sealcast digests: the keys that sign the digests of trails.
import { type Command, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  region: { kind: 'text', value: 'REGION', help: 'keys: of this region alone; rotate-key: of this region, in place of regions.default' },
} as const

export const digests: Command<typeof options> = {
  summary: 'list the public keys of digests, or put a new key in place',
  operands: 'keys | rotate-key',
  help: [
    'keys: all that ever signed, as JSON in the form of `aws cloudtrail list-public-keys`, for sealcast verify --public-keys FILE.',
    'rotate-key: later digests of the region are signed by a new key; the old one stays listed. Keys are rotated by themselves as well,',
    'after trail.digestKeyDays.',
  ].join('\n'),
  options,
  async run({ data, region }, [verb, ...others], terminal) {
    if (others.length > 0 || (verb !== 'keys' && verb !== 'rotate-key'))
      throw new UsageError('say: sealcast digests keys, or: sealcast digests rotate-key')
    const connection = await terminal.connect(dataFolderOf(data, terminal))
    try {
      const input = region === undefined ? {} : { Region: region }
      const answer = await callOnce<object>(connection, verb === 'keys' ? 'ListDigestKeys' : 'RotateDigestKey', input)
      await terminal.write(`${JSON.stringify(answer, null, 2)}\n`)
      return 0
    } finally {
      await connection.close()
    }
  },
}
