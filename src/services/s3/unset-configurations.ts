// The settings of a bucket that this server does not have: read as S3 answers when nothing is set, so that tools which ask for all of them
// go on; taken away as where nothing was; and refused by name where something else is to be set.
import type { AnyOperation, Operation } from '../../engine/operation.ts'
import type { Bucket } from '../../model/bucket.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Names {
  readonly name: string
  /** The IAM action. */
  readonly action: string
  /** What CloudTrail calls it. */
  readonly eventName?: string
  /** The query parameter of its address, which stands in the record. */
  readonly query: string
}

const LISTED = { IsTruncated: false }

export const unsetConfigurations: Readonly<Record<string, AnyOperation>> = byName([
  unset({ name: 'GetBucketLogging', action: 'GetBucketLogging', query: 'logging' }, () => ({})),
  unset({ name: 'GetBucketWebsite', action: 'GetBucketWebsite', query: 'website' }, fails(errors.noSuchWebsite)),
  unset({ name: 'GetBucketCors', action: 'GetBucketCORS', query: 'cors' }, fails(errors.noSuchCors)),
  unset({ name: 'GetBucketReplication', action: 'GetReplicationConfiguration', query: 'replication' }, fails(errors.noSuchReplication)),
  unset(
    {
      name: 'GetBucketAccelerateConfiguration',
      action: 'GetAccelerateConfiguration',
      eventName: 'GetAccelerateConfiguration',
      query: 'accelerate',
    },
    () => ({}),
  ),
  unset({ name: 'GetBucketRequestPayment', action: 'GetBucketRequestPayment', query: 'requestPayment' }, () => ({ Payer: 'BucketOwner' })),
  unset({ name: 'GetBucketAbac', action: 'GetBucketAbac', query: 'abac' }, () => ({ AbacStatus: { Status: 'Disabled' } })),
  ...['Analytics', 'IntelligentTiering', 'Inventory', 'Metrics'].flatMap((kind) => {
    const query = kind === 'IntelligentTiering' ? 'intelligent-tiering' : kind.toLowerCase()
    const [get, put] = [`Get${kind}Configuration`, `Put${kind}Configuration`]
    return [
      unset({ name: `ListBucket${kind}Configurations`, action: get, query }, () => LISTED),
      unset({ name: `GetBucket${kind}Configuration`, action: get, query }, fails(errors.noSuchConfiguration)),
      taken({ name: `DeleteBucket${kind}Configuration`, action: put, query }, fails(errors.noSuchConfiguration)),
      refused({ name: `PutBucket${kind}Configuration`, action: put, query }),
    ]
  }),
  taken({ name: 'DeleteBucketCors', action: 'PutBucketCORS', query: 'cors' }),
  taken({ name: 'DeleteBucketReplication', action: 'PutReplicationConfiguration', query: 'replication' }),
  taken({ name: 'DeleteBucketWebsite', action: 'DeleteBucketWebsite', query: 'website' }),
  refused(
    { name: 'PutBucketAbac', action: 'PutBucketAbac', query: 'abac' },
    ({ AbacStatus: status }) => member(status, 'Status') === 'Disabled',
  ),
  refused(
    {
      name: 'PutBucketAccelerateConfiguration',
      action: 'PutAccelerateConfiguration',
      eventName: 'PutAccelerateConfiguration',
      query: 'accelerate',
    },
    ({ AccelerateConfiguration: wanted }) => member(wanted, 'Status') === 'Suspended',
  ),
  refused({ name: 'PutBucketCors', action: 'PutBucketCORS', query: 'cors' }),
  refused(
    { name: 'PutBucketLogging', action: 'PutBucketLogging', query: 'logging' },
    ({ BucketLoggingStatus: wanted }) => member(wanted, 'LoggingEnabled') === undefined,
  ),
  refused({ name: 'PutBucketReplication', action: 'PutReplicationConfiguration', query: 'replication' }),
  refused(
    { name: 'PutBucketRequestPayment', action: 'PutBucketRequestPayment', query: 'requestPayment' },
    ({ RequestPaymentConfiguration: wanted }) => member(wanted, 'Payer') === 'BucketOwner',
  ),
  refused({ name: 'PutBucketWebsite', action: 'PutBucketWebsite', query: 'website' }),
])

type Input = BucketInput & Readonly<Record<string, unknown>>

function operation(names: Names, access: 'read' | 'write', run: (bucket: Bucket, input: Input) => object | undefined): AnyOperation {
  const made: Operation<Input, object | undefined> = {
    ...(names.eventName !== undefined && { eventName: names.eventName }),
    name: names.name,
    access,
    action: names.action,
    resource: bucketResource,
    record: { parameters: (input, call) => bucketParameters(input, call, { [names.query]: '' }), resources: bucketResources },
    run: (tx, input) => run(existingBucket(tx, input), input),
  }
  return made
}

function unset(names: Names, answer: (bucket: Bucket) => object): AnyOperation {
  return operation(names, 'read', answer)
}

function taken(names: Names, answer: (bucket: Bucket) => object | undefined = () => undefined): AnyOperation {
  return operation(names, 'write', answer)
}

/** `isPresent`: whether what is to be set is what holds anyway. */
function refused(names: Names, isPresent: (input: Input) => boolean = () => false): AnyOperation {
  return operation(names, 'write', (_bucket, input) => {
    if (!isPresent(input)) throw errors.notOffered(names.name)
    return undefined
  })
}

function fails(error: (bucket: string) => ServiceError): (bucket: Bucket) => never {
  return ({ name }) => {
    throw error(name)
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

function byName(operations: readonly AnyOperation[]): Readonly<Record<string, AnyOperation>> {
  return Object.fromEntries(operations.map((made) => [made.name, made]))
}
