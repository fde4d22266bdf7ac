// ConnectBucket: makes a bucket of another S3 known, so that trails can write there; again for one that is known changes its endpoint or
// key. It is asked first whether it is there and knows the key, so that mistakes are told here and not by a trail's status.
import { isAccountId } from '../../model/arn.ts'
import { endpointProblem, type OutsideBucket, outsideSecretContext } from '../../model/outside-bucket.ts'
import { Table } from '../../model/tables.ts'
import { reachOutside } from '../../engine/outside-bucket.ts'
import { badRequest, conflict } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export interface ConnectBucketInput {
  readonly BucketName?: unknown
  /** Default: Amazon S3's endpoint of the region. */
  readonly Endpoint?: unknown
  readonly Region?: unknown
  readonly AccessKeyId?: unknown
  readonly SecretAccessKey?: unknown
  readonly PathStyle?: unknown
  /** Whose trails may write there. Default: the account the server was set up with. */
  readonly Accounts?: unknown
}

export interface ConnectedBucket {
  readonly BucketName: string
  readonly Endpoint: string
  readonly Region: string
  readonly AccessKeyId: string
  readonly PathStyle: boolean
  readonly Accounts: readonly string[]
  readonly ConnectedAt: number
}

const ACCOUNTS_MAX = 100

export const connectBucket: SealcastOperation<ConnectBucketInput, ConnectedBucket> = ({ environment }) => ({
  name: 'ConnectBucket',
  access: 'write',
  record: {
    parameters: ({ BucketName: bucketName, Endpoint: endpoint, Region: region, AccessKeyId: accessKeyId, Accounts: accounts }) => ({
      bucketName,
      endpoint,
      region,
      accessKeyId,
      accounts,
    }),
    response: ({ BucketName: bucketName, Endpoint: endpoint, Region: region, Accounts: accounts }) => ({
      bucketName,
      endpoint,
      region,
      accounts,
    }),
  },
  async prepare({ env }, input) {
    const bucket = readBucket(input, environment().account, (text, name) => env.seal.seal(text, outsideSecretContext(name)))
    if (env.tables.get(Table.buckets, bucket.name) !== undefined) throw isOwn(bucket.name)
    const failure = await reachOutside(env, bucket)
    if (failure !== undefined) throw badRequest(`the bucket ${bucket.name} cannot be used: ${failure.message}`)
    return bucket
  },
  run(tx, _, _call, prepared) {
    const bucket = { ...(prepared as OutsideBucket), connectedAt: tx.now }
    if (tx.get(Table.buckets, bucket.name) !== undefined) throw isOwn(bucket.name)
    tx.put(Table.outsideBuckets, bucket.name, bucket)
    return describeBucket(bucket)
  },
})

export function describeBucket(bucket: OutsideBucket): ConnectedBucket {
  return {
    BucketName: bucket.name,
    Endpoint: bucket.endpoint,
    Region: bucket.region,
    AccessKeyId: bucket.accessKeyId,
    PathStyle: bucket.isPathStyle,
    Accounts: bucket.accounts,
    ConnectedAt: bucket.connectedAt,
  }
}

function isOwn(name: string): Error {
  return conflict(`BucketName: this server has a bucket ${name} of its own; trails would not know which is meant`)
}

function readBucket(input: ConnectBucketInput, account: string, seal: (secret: string, name: string) => string): OutsideBucket {
  const name = textOf(
    input,
    'BucketName',
    /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/,
    'a bucket name: letters, digits, dots and hyphens',
  )
  const region = textOf(input, 'Region', /^[a-z0-9-]{1,32}$/, 'the region of the bucket, such as eu-central-1')
  const accessKeyId = textOf(input, 'AccessKeyId', /^[\w.+=@-]{1,128}$/, 'the id of an access key that may write to the bucket')
  const secret = textOf(input, 'SecretAccessKey', /^[\x21-\x7e]{1,1024}$/, 'the secret of that access key, printable and without spaces')
  const { Endpoint: given = `https://s3.${region}.amazonaws.com`, PathStyle: isPathStyle = false, Accounts: accounts = [account] } = input
  if (typeof isPathStyle !== 'boolean') throw badRequest('PathStyle: true or false')
  const problem = typeof given === 'string' ? endpointProblem(given, isPathStyle) : 'it must be a text'
  if (problem !== undefined) throw badRequest(`Endpoint: ${problem}`)
  const isList = Array.isArray(accounts) && accounts.length > 0 && accounts.length <= ACCOUNTS_MAX
  if (!isList || !accounts.every((id) => typeof id === 'string' && isAccountId(id)))
    throw badRequest(`Accounts: 1 to ${ACCOUNTS_MAX} account ids of 12 digits`)
  const endpoint = new URL(given as string).origin
  return {
    name,
    endpoint,
    region,
    accessKeyId,
    sealedSecret: seal(secret, name),
    isPathStyle,
    accounts: accounts as string[],
    connectedAt: 0,
  }
}

function textOf<Name extends keyof ConnectBucketInput>(input: ConnectBucketInput, name: Name, form: RegExp, remedy: string): string {
  const value = input[name]
  if (typeof value !== 'string' || !form.test(value)) throw badRequest(`${name}: give ${remedy}`)
  return value
}
