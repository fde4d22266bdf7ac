// The key that a trail's files are encrypted with (CloudTrail user guide, "Encrypting CloudTrail log files with AWS KMS keys"): named by
// id, ARN, alias or alias ARN, kept as its ARN. It must be of the trail's account and of the bucket's region.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { parseArn } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'

const NAME = /^(alias\/[A-Za-z0-9/_-]{1,250}|(mrk-)?[0-9a-f-]{32,36})$/

/** Throws KmsKeyNotFound, InsufficientEncryptionPolicy and Kms. */
export function trailKeyArn(tables: TableReader, call: Call, given: string, to: { readonly bucketName: string }): string {
  const arn = parseArn(given)
  const name = arn === undefined ? given : arn.service === 'kms' ? arn.resource.replace(/^key\//, '') : ''
  const bucket = tables.get(Table.buckets, to.bucketName)
  // Of a bucket of another S3, the keys are over there.
  if (bucket === undefined) {
    if (arn === undefined || !NAME.test(name)) throw errors.kmsKeyNotFound(given, 'give the ARN of a key of the other S3')
    return given
  }
  if (!NAME.test(name)) throw errors.kmsKeyNotFound(given, 'give the id, ARN, alias (alias/NAME) or alias ARN of a key')
  if (arn !== undefined && arn.region !== bucket.region)
    throw errors.kmsKeyNotFound(given, `the key must be in the region of the bucket, ${bucket.region}`)
  const key = call.env.keys.find(tables, given, { account: call.account, region: bucket.region })
  if (key === undefined || key.account !== call.account || key.region !== bucket.region) throw errors.encryptionPolicy(to.bucketName, given)
  if (!key.isEnabled) throw errors.kms(`The KMS key ${key.arn} is disabled.`)
  return key.arn
}
