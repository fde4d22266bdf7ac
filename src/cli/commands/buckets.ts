// sealcast buckets: the buckets of another S3 that trails of this server may write to.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, CommandError, DATA_OPTION, type Given, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'
import { formatTable } from '../format/table.ts'

const SECRET = 'SEALCAST_BUCKET_SECRET_ACCESS_KEY'

const options = {
  data: DATA_OPTION,
  endpoint: { kind: 'text', value: 'URL', help: 'endpoint of the other S3 (https://s3.REGION.amazonaws.com)' },
  region: { kind: 'text', value: 'NAME', help: 'region of the bucket' },
  'access-key-id': { kind: 'text', value: 'ID', help: 'access key that may write to the bucket' },
  'secret-file': { kind: 'text', value: 'FILE', help: `file with the secret of the key (${SECRET})` },
  'path-style': { kind: 'flag', help: 'put the bucket into the path of URLs, not into the host name' },
  account: { kind: 'texts', value: 'ID', help: 'account whose trails may write there (the one of the first start); may be repeated' },
  json: { kind: 'flag', help: 'print JSON' },
} as const

interface ConnectedBucket {
  readonly BucketName: string
  readonly Endpoint: string
  readonly Region: string
  readonly AccessKeyId: string
  readonly TrailArns?: readonly string[]
}

export const buckets: Command<typeof options> = {
  summary: 'connect buckets of another S3 for trails to write to',
  operands: 'list | connect NAME | disconnect NAME',
  help: [
    'A trail writes there when its S3BucketName is NAME. The key needs s3:PutObject and s3:PutObjectAcl, no more. Connecting asks whether',
    'the bucket is there and knows the key, and writes nothing; connecting again changes endpoint or key. A bucket that trails use is not',
    'disconnected.',
    '',
    `  ${SECRET}=... sealcast buckets connect audit-logs --region eu-central-1 --access-key-id AKIA...`,
    '  sealcast buckets connect logs --endpoint https://s3.example:9000 --path-style --region main --access-key-id ... --secret-file FILE',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [verb, name, ...others] = operands
    if (others.length > 0 || (verb !== 'list' && verb !== 'connect' && verb !== 'disconnect') || (verb === 'list') !== (name === undefined))
      throw new UsageError('say: sealcast buckets list, sealcast buckets connect NAME, or sealcast buckets disconnect NAME')
    const input = verb === 'connect' ? connectInput(name ?? '', given, terminal) : { BucketName: name }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      if (verb === 'list') {
        const { Buckets: found } = await callOnce<{ Buckets: readonly ConnectedBucket[] }>(connection, 'ListConnectedBuckets', {})
        await terminal.write(given.json ? found.map((bucket) => `${JSON.stringify(bucket)}\n`).join('') : describe(found, terminal))
        return 0
      }
      const done = await callOnce<ConnectedBucket>(connection, verb === 'connect' ? 'ConnectBucket' : 'DisconnectBucket', input)
      await terminal.write(given.json ? `${JSON.stringify(done)}\n` : `${done.BucketName} is ${verb}ed\n`)
      return 0
    } finally {
      await connection.close()
    }
  },
}

function connectInput(name: string, given: Given<typeof options>, terminal: Terminal): object {
  const { region, 'access-key-id': accessKeyId, endpoint, account } = given
  if (region === undefined) throw new UsageError('give the region of the bucket: --region NAME')
  if (accessKeyId === undefined) throw new UsageError('give the id of an access key that may write to the bucket: --access-key-id ID')
  return {
    BucketName: name,
    ...(endpoint !== undefined && { Endpoint: endpoint }),
    Region: region,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretOf(given['secret-file'], terminal),
    PathStyle: given['path-style'],
    ...(account.length > 0 && { Accounts: account }),
  }
}

function describe(found: readonly ConnectedBucket[], { isOutputTerminal, columns }: Terminal): string {
  const titles = ['bucket', 'endpoint', 'region', 'access key', 'trails']
  const rows = found.map(({ BucketName, Endpoint, Region, AccessKeyId, TrailArns = [] }) => [
    BucketName,
    Endpoint,
    Region,
    AccessKeyId,
    TrailArns.join(' ') || null,
  ])
  return formatTable(
    titles.map((name) => ({ name, type: 'VARCHAR' })),
    rows,
    { width: isOutputTerminal ? columns : undefined },
  )
}

function secretOf(file: string | undefined, { environment, workingFolder }: Terminal): string {
  const fromEnvironment = environment[SECRET]
  if (file === undefined) {
    if (!fromEnvironment) throw new UsageError(`give the secret of the key: ${SECRET} in the environment, or --secret-file FILE`)
    return fromEnvironment
  }
  try {
    return readFileSync(resolve(workingFolder, file), 'utf8').trim()
  } catch (error) {
    throw new CommandError(`the secret cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
