// Where an object's bytes are to lie: STANDARD, or GLACIER_IR, the archive. S3's other classes are refused by name.
import type { StorageClass } from '../../model/bucket.ts'
import { errors } from './errors.ts'

/** S3 API reference, PutObject, "StorageClass". */
export const KNOWN_STORAGE_CLASSES: ReadonlySet<string> = new Set([
  'DEEP_ARCHIVE',
  'EXPRESS_ONEZONE',
  'FSX_ONTAP',
  'FSX_OPENZFS',
  'GLACIER',
  'GLACIER_IR',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'OUTPOSTS',
  'REDUCED_REDUNDANCY',
  'SNOW',
  'STANDARD',
  'STANDARD_IA',
])

/** That of an upload. Throws InvalidStorageClass, and NotImplemented for S3's others. */
export function readStorageClass(given: string | undefined): StorageClass {
  if (given === undefined || given === 'STANDARD') return 'STANDARD'
  if (given === 'GLACIER_IR') return given
  if (KNOWN_STORAGE_CLASSES.has(given)) throw errors.notOffered(`the storage class ${given}; use STANDARD or GLACIER_IR`)
  throw errors.invalidStorageClass(given)
}
