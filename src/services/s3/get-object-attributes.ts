// GetObjectAttributes: what an object is, its parts and their checksums included, without its bytes.
import type { Operation } from '../../engine/operation.ts'
import type { StoredObject } from '../../model/bucket.ts'
import { partsOf } from '../../model/packed-body.ts'
import { checksumMembers } from './checksums.ts'
import { errors } from './errors.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { toldVersion } from './object-versions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends ObjectInput {
  readonly ObjectAttributes: readonly string[]
  readonly MaxParts?: number
  readonly PartNumberMarker?: string
}

export const getObjectAttributes: Operation<Input, object> = {
  name: 'GetObjectAttributes',
  access: 'read',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'GetObjectAttributes' : 'GetObjectVersionAttributes'),
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { attributes: '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run(tx, input) {
    refuseUnsupported(input, SUPPORTED)
    const { bucket, object } = existingObject(tx, input)
    const wanted = new Set(input.ObjectAttributes.flatMap((names) => names.split(',')).map((name) => name.trim()))
    for (const name of wanted)
      if (!ATTRIBUTES.has(name)) throw errors.invalidArgument('x-amz-object-attributes', name, 'Invalid attribute name specified.')
    if (wanted.size === 0) throw errors.invalidArgument('x-amz-object-attributes', '', `Name one or more of ${[...ATTRIBUTES].join(', ')}.`)
    const checksums = checksumMembers(object.checksums)
    return {
      LastModified: new Date(object.modifiedAt),
      ...toldVersion(bucket, object),
      // Quirk: here alone the ETag stands without its quotes (GetObjectAttributes, "Sample Response").
      ...(wanted.has('ETag') && { ETag: object.etag.replaceAll('"', '') }),
      ...(wanted.has('Checksum') &&
        Object.keys(checksums).length > 0 && { Checksum: { ...checksums, ChecksumType: object.checksumType ?? 'FULL_OBJECT' } }),
      ...(wanted.has('ObjectParts') && object.parts !== undefined && { ObjectParts: tellParts(object, input) }),
      ...(wanted.has('StorageClass') && { StorageClass: object.storageClass ?? 'STANDARD' }),
      ...(wanted.has('ObjectSize') && { ObjectSize: object.bytes }),
    }
  },
}

const ATTRIBUTES: ReadonlySet<string> = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'])
const SUPPORTED = new Set([
  'Bucket',
  'Key',
  'VersionId',
  'ObjectAttributes',
  'MaxParts',
  'PartNumberMarker',
  'RequestPayer',
  'ExpectedBucketOwner',
])
const PARTS_MAX = 1000

function tellParts(object: StoredObject, input: Input): object {
  const { checksums } = object
  const parts = partsOf(object) ?? []
  const max = Math.min(numberOf('x-amz-max-parts', input.MaxParts ?? PARTS_MAX), PARTS_MAX)
  const marker = numberOf('x-amz-part-number-marker', Number(input.PartNumberMarker ?? 0))
  const rest = parts.filter(({ number }) => number > marker)
  const page = rest.slice(0, max)
  return {
    TotalPartsCount: parts.length,
    // Quirk: the parts are listed only where they have checksums (GetObjectAttributes, "Parts").
    ...(Object.keys(checksums).length > 0 && {
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
      MaxParts: max,
      IsTruncated: rest.length > page.length,
      Parts: page.map((part) => ({ PartNumber: part.number, Size: part.bytes, ...checksumMembers(part.checksums) })),
    }),
  }
}

function numberOf(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 2_147_483_647) return value
  throw errors.invalidArgument(name, String(value), `Argument ${name} must be an integer between 0 and 2147483647`)
}
