// What S3 can do and this server does not: each refused by its name, in S3's own form and on the record, never taken for something else.
import type { AnyOperation, Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { bucketArn } from './existing-bucket.ts'
import { bucketParameters } from './record.ts'

const NAMES = [
  'CreateBucketMetadataConfiguration',
  'CreateBucketMetadataTableConfiguration',
  'CreateSession',
  'DeleteBucketMetadataConfiguration',
  'DeleteBucketMetadataTableConfiguration',
  'DeleteObjectAnnotation',
  'GetBucketMetadataConfiguration',
  'GetBucketMetadataTableConfiguration',
  'GetObjectAnnotation',
  'GetObjectTorrent',
  'ListDirectoryBuckets',
  'ListObjectAnnotations',
  'PutObjectAnnotation',
  'RenameObject',
  'SelectObjectContent',
  'UpdateBucketMetadataAnnotationTableConfiguration',
  'UpdateBucketMetadataInventoryTableConfiguration',
  'UpdateBucketMetadataJournalTableConfiguration',
  'UpdateObjectEncryption',
  'WriteGetObjectResponse',
] as const

interface Input {
  readonly Bucket?: string
  readonly Key?: string
}

export const unoffered: Readonly<Record<string, AnyOperation>> = Object.fromEntries(NAMES.map((name) => [name, refused(name)]))

function refused(name: string): AnyOperation {
  const operation: Operation<Input, undefined> = {
    name,
    access: /^(Get|List|Select)/.test(name) ? 'read' : 'write',
    data: /Object|CreateSession/.test(name),
    resource: ({ Bucket: bucket }, call) => (bucket === undefined ? undefined : bucketArn(bucket, call)),
    record: { parameters: (input, call) => bucketParameters(input, call) },
    run() {
      throw errors.notOffered(name)
    },
  }
  return operation
}
